//! Processes that are shown one by one: what each has done, and how late it woke last. Each writes cells of its own,
//! in cache lines of their own, so that being shown costs it nothing that the others notice.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What the processes of one scheduler do.
pub(crate) struct Lanes {
    pub(crate) name: &'static str,
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
}

impl Lanes {
    pub(crate) fn new(name: &'static str, hogs: u64, bystanders: u64) -> Self {
        let lanes = |count| (0..count).map(|_| Lane::default()).collect();
        Lanes {
            name,
            hogs: lanes(hogs),
            bystanders: lanes(bystanders),
        }
    }
}

impl Lane {
    pub(crate) fn did(&self, more: u64) {
        self.done.store(self.done() + more, Relaxed);
    }

    pub(crate) fn woke(&self, late: Duration) {
        let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        self.late.store(nanos.saturating_add(1), Relaxed);
        self.did(1);
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    pub(crate) fn late_us(&self) -> Option<f64> {
        let nanos = self.late.load(Relaxed).checked_sub(1)?;
        Some(nanos as f64 / 1e3)
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
        let lane = Lane::default();
        assert_eq!((lane.done(), lane.late_us()), (0, None));
        lane.woke(Duration::ZERO);
        assert_eq!((lane.done(), lane.late_us()), (1, Some(0.0)));
    }
}
