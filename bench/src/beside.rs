//! What hogs lose to a bystander: they run all the time, the bystander ticks in every other part of it, and the two
//! rates come from the same run, so that a machine that drifts is unfair to both alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::report::Report;
use crate::ticker::Ticks;

/// Whether the bystander ticks, part by part. Mirrored, so that a steady drift cancels out.
const PARTS: [bool; 8] = [false, true, true, false, false, true, true, false];

/// What was done while nobody was in the way, and while somebody was.
#[derive(Default)]
pub(crate) struct Sides([(u64, Duration); 2]);

/// The sides, and the bystander that was in the way.
pub(crate) struct Beside {
    sides: Sides,
    ticks: Ticks,
}

/// Takes `span` altogether. `total` says how much the hogs have done so far.
pub(crate) async fn alternate(span: Duration, total: impl Fn() -> u64) -> Beside {
    let part = span / PARTS.len() as u32;
    let mut beside = Beside {
        sides: Sides::default(),
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
        beside
            .sides
            .note(ticking, total() - before, start.elapsed());
    }
    beside
}

impl Sides {
    pub(crate) fn note(&mut self, disturbed: bool, count: u64, span: Duration) {
        let side = &mut self.0[usize::from(disturbed)];
        side.0 += count;
        side.1 += span;
    }

    /// How long somebody was in the way.
    pub(crate) fn disturbed(&self) -> Duration {
        self.0[1].1
    }

    /// A second, alone and disturbed.
    fn rates(&self) -> [f64; 2] {
        self.0.map(|(count, span)| match span.is_zero() {
            true => 0.0,
            false => count as f64 / span.as_secs_f64(),
        })
    }

    /// What is kept of the rate alone, in percent, and both rates; `with` says what the second
    /// one is called.
    pub(crate) fn report(&self, report: Report, with: &str) -> Report {
        let [alone, disturbed] = self.rates();
        let kept = if alone > 0.0 { disturbed / alone } else { 0.0 };
        report
            .with("kept_pct", kept * 100.0)
            .with("turns_alone_per_s", alone)
            .with(&format!("turns_{with}_per_s"), disturbed)
    }
}

impl Beside {
    pub(crate) fn report(&self) -> Report {
        let report = Report::rate(self.ticks.count(), self.sides.disturbed(), "ticks/s");
        self.sides
            .report(report, "beside")
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
        let (second, mut sides) = (Duration::from_secs(1), Sides::default());
        sides.note(false, 150, second);
        sides.note(true, 96, second);
        sides.note(false, 50, second);
        assert_eq!(kept(&sides), Some(96.0));
    }

    #[test]
    fn nothing_is_kept_of_nothing() {
        assert_eq!(kept(&Sides::default()), Some(0.0));
        let mut sides = Sides::default();
        sides.note(true, 96, Duration::from_secs(1));
        assert_eq!(kept(&sides), Some(0.0));
    }

    fn kept(sides: &Sides) -> Option<f64> {
        let report = Report::rate(1, Duration::from_secs(1), "ticks/s");
        sides.report(report, "beside").figure("kept_pct")
    }
}
