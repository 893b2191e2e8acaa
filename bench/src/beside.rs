//! What hogs lose to a bystander: they run all the time, the bystander ticks in every other part of it, and the two
//! rates come from the same run, so that a machine that drifts is unfair to both alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::report::Report;
use crate::ticker::Ticks;

/// Whether the bystander ticks, part by part. Mirrored, so that a steady drift cancels out.
const PARTS: [bool; 8] = [false, true, true, false, false, true, true, false];

/// What was done without the bystander and with it.
pub(crate) struct Beside {
    alone: (u64, Duration),
    with: (u64, Duration),
    ticks: Ticks,
}

/// Takes `span` altogether. `total` says how much the hogs have done so far.
pub(crate) async fn alternate(span: Duration, total: impl Fn() -> u64) -> Beside {
    let part = span / PARTS.len() as u32;
    let mut beside = Beside {
        alone: (0, Duration::ZERO),
        with: (0, Duration::ZERO),
        ticks: Ticks::new(),
    };
    for ticking in PARTS {
        let (before, start) = (total(), Instant::now());
        if ticking {
            while start.elapsed() < part {
                beside.ticks.one().await;
            }
        } else {
            rusm_sched::sleep(part).await;
        }
        let side = match ticking {
            true => &mut beside.with,
            false => &mut beside.alone,
        };
        side.0 += total() - before;
        side.1 += start.elapsed();
    }
    beside
}

impl Beside {
    pub(crate) fn report(&self) -> Report {
        let rate = |(count, span): (u64, Duration)| count as f64 / span.as_secs_f64();
        let (alone, with) = (rate(self.alone), rate(self.with));
        let kept = if alone > 0.0 { with / alone } else { 0.0 };
        Report::rate(self.ticks.count(), self.with.1, "ticks/s")
            .with("kept_pct", kept * 100.0)
            .with("turns_alone_per_s", alone)
            .with("turns_beside_per_s", with)
            .with_latency(&self.ticks.late)
            .with_latency_named("corrected_", &self.ticks.corrected)
    }
}

/// One counter for each hog, each in cache lines of its own; only its hog writes it.
#[derive(Clone)]
pub(crate) struct Counters(Arc<[Padded]>);

#[derive(Default)]
#[repr(align(128))]
struct Padded(AtomicU64);

impl Counters {
    pub(crate) fn new(hogs: u64) -> Self {
        Counters((0..hogs).map(|_| Padded::default()).collect())
    }

    pub(crate) fn set(&self, hog: u64, count: u64) {
        self.0[hog as usize].0.store(count, Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|count| count.0.load(Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bystander_ticks_half_of_the_time_and_its_parts_are_mirrored() {
        let mut mirrored = PARTS;
        mirrored.reverse();
        assert_eq!(mirrored, PARTS);
        assert_eq!(PARTS.iter().filter(|it| **it).count() * 2, PARTS.len());
    }

    #[test]
    fn the_share_kept_is_the_rate_beside_in_percent_of_the_rate_alone() {
        let second = Duration::from_secs(1);
        let beside = Beside {
            alone: (200, second * 2),
            with: (96, second),
            ticks: Ticks::new(),
        };
        assert_eq!(beside.report().figure("kept_pct"), Some(96.0));
    }
}
