//! Processes that are shown one by one: what each has done, and how late it woke last. Each writes cells of its own,
//! in cache lines of their own, so that being shown costs it nothing that the others notice.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What the processes of one scheduler do.
pub(crate) struct Lanes {
    pub(crate) name: &'static str,
    /// What wake-ups are due by.
    begun: Instant,
    pub(crate) hogs: Box<[Lane]>,
    pub(crate) bystanders: Box<[Lane]>,
}

/// One process; only that process writes it.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Lane {
    done: AtomicU64,
    /// One more than the nanoseconds that its latest wake-up was late by; 0 before the first one.
    late: AtomicU64,
    /// When its next one is due, in nanoseconds since the beginning; `u64::MAX` while it is awake.
    due: AtomicU64,
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl Lanes {
    pub(crate) fn new(name: &'static str, hogs: u64, bystanders: u64) -> Self {
        let lanes = |count| (0..count).map(|_| Lane::default()).collect();
        Lanes {
            name,
            begun: Instant::now(),
            hogs: lanes(hogs),
            bystanders: lanes(bystanders),
        }
    }
}

impl Lanes {
    /// `lane` sleeps until `due`.
    pub(crate) fn sleeps(&self, lane: &Lane, due: Instant) {
        let due = due.saturating_duration_since(self.begun);
        lane.due.store(nanos(due), Relaxed);
    }

    /// How late a lane's latest wake-up was, or its next one is already, in microseconds; none before the first one is due.
    pub(crate) fn late_us(&self, lane: &Lane) -> Option<f64> {
        let overdue = nanos(self.begun.elapsed()).checked_sub(lane.due.load(Relaxed));
        let latest = lane.late.load(Relaxed).checked_sub(1);
        // Nothing is due before it has slept once, and who is awake has nothing due.
        let late = overdue.filter(|_| lane.is_asleep()).max(latest)?;
        Some(late as f64 / 1e3)
    }
}

impl Lane {
    fn is_asleep(&self) -> bool {
        !matches!(self.due.load(Relaxed), 0 | u64::MAX)
    }

    pub(crate) fn did(&self, more: u64) {
        self.done.store(self.done() + more, Relaxed);
    }

    pub(crate) fn woke(&self, late: Duration) {
        self.due.store(u64::MAX, Relaxed);
        self.late.store(nanos(late).saturating_add(1), Relaxed);
        self.did(1);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Relaxed)
    }
}

/// What all of these have done.
pub(crate) fn total(lanes: &[Lane]) -> u64 {
    lanes.iter().map(Lane::done).sum()
}

/// Jain's index: the square of the sum by `n` times the sum of the squares. From `1/n`, one has all, to 1, all have
/// the same. Where nobody has anything nobody was served, and that is told as the worst there is.
pub(crate) fn jain(shares: &[u64]) -> f64 {
    let count = shares.len() as f64;
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    if squares > 0.0 {
        sum * sum / (count * squares)
    } else {
        1.0 / count.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index_is_1_where_all_have_the_same_and_1_by_n_where_one_has_all() {
        for count in [1, 4, 1000] {
            let mut shares = vec![7_u64; count];
            assert!((jain(&shares) - 1.0).abs() < 1e-12, "{count}");
            shares.fill(0);
            let worst = 1.0 / count as f64;
            assert!((jain(&shares) - worst).abs() < 1e-12, "{count}");
            shares[count - 1] = 9;
            assert!((jain(&shares) - worst).abs() < 1e-12, "{count}");
        }
    }

    #[test]
    fn jains_index_of_shares_that_differ_lies_between() {
        assert!((jain(&[1, 2, 3]) - 36.0 / 42.0).abs() < 1e-12);
        assert!(jain(&[u64::MAX, u64::MAX]) > 0.999);
        assert_eq!(jain(&[]), 1.0);
    }

    #[test]
    fn a_lane_that_was_never_late_is_told_from_one_that_never_woke() {
        let lanes = Lanes::new("", 0, 1);
        let lane = &lanes.bystanders[0];
        assert_eq!((lane.done(), lanes.late_us(lane)), (0, None));
        lane.woke(Duration::ZERO);
        assert_eq!((lane.done(), lanes.late_us(lane)), (1, Some(0.0)));
    }

    #[test]
    fn a_lane_that_should_have_woken_is_late_already() {
        let lanes = Lanes::new("", 0, 1);
        let lane = &lanes.bystanders[0];
        lanes.sleeps(lane, Instant::now() + Duration::from_secs(3600));
        assert_eq!(lanes.late_us(lane), None);
        lanes.sleeps(lane, lanes.begun + Duration::from_nanos(1));
        while lanes.begun.elapsed() < Duration::from_micros(50) {}
        assert!(lanes.late_us(lane) > Some(40.0));
        lane.woke(Duration::from_micros(7));
        assert_eq!(lanes.late_us(lane), Some(7.0));
    }
}
