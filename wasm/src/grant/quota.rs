//! How many processes somebody and those it starts may be at a time: seats that are taken before a
//! process is started and given back when it has ended.
//!
//! A process that starts others takes their seats from its own quota and from those above it, so
//! no generation escapes the limit of an earlier one, also when that has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Quotas that may lie in each other. Only a smaller one is laid into another.
pub const QUOTAS_DEEP_MAX: usize = 32;

/// A seat in a quota: one process. Given back when dropped.
#[derive(Debug)]
pub struct Quota(Arc<Level>);

/// One limit, and the larger one it lies in.
#[derive(Debug)]
struct Level {
    processes_max: u32,
    taken: AtomicU32,
    outer: Option<Arc<Level>>,
    depth: usize,
}

impl Quota {
    /// The seat of a process that starts a family of its own, of `processes_max` with itself. None
    /// if that is 0.
    pub fn new(processes_max: u32) -> Option<Self> {
        let level = Level {
            processes_max,
            taken: AtomicU32::new(0),
            outer: None,
            depth: 1,
        };
        Arc::new(level).take()
    }

    /// A seat for a process that this one starts, which itself may be `processes_max` with those it
    /// starts. None if a limit is reached, its own or one above it; how large that is, says
    /// [`Quota::processes_max`].
    pub fn seat(&self, processes_max: u32) -> Option<Self> {
        // A limit that does not bind lies in no chain, however many generations come.
        if processes_max >= self.0.processes_max {
            return self.0.clone().take();
        }
        if self.0.depth >= QUOTAS_DEEP_MAX {
            return None;
        }
        let level = Level {
            processes_max,
            taken: AtomicU32::new(0),
            outer: Some(self.0.clone()),
            depth: self.0.depth + 1,
        };
        Arc::new(level).take()
    }

    /// The smallest limit it counts for.
    pub fn processes_max(&self) -> u32 {
        self.0.processes_max
    }

    /// Processes that count for that limit now.
    pub fn taken(&self) -> u32 {
        self.0.taken.load(Ordering::Relaxed)
    }
}

impl Level {
    /// One seat here and in all that this lies in, or in none of them.
    fn take(self: Arc<Self>) -> Option<Quota> {
        let mut at = Some(&self);
        while let Some(level) = at {
            let free = |taken: u32| (taken < level.processes_max).then_some(taken + 1);
            let took = level
                .taken
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
            if took.is_err() {
                give_back(&self, Some(level));
                return None;
            }
            at = level.outer.as_ref();
        }
        Some(Quota(self))
    }
}

/// Gives seats back from `from` outwards, up to and without `until`.
fn give_back(from: &Arc<Level>, until: Option<&Arc<Level>>) {
    let mut at = Some(from);
    while let Some(level) = at {
        if until.is_some_and(|until| Arc::ptr_eq(until, level)) {
            return;
        }
        level.taken.fetch_sub(1, Ordering::Relaxed);
        at = level.outer.as_ref();
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        give_back(&self.0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_run_out_and_come_back() {
        let root = Quota::new(3).unwrap();
        let one = root.seat(u32::MAX).unwrap();
        let two = one.seat(5).unwrap();
        assert_eq!(root.taken(), 3);
        assert!(root.seat(1).is_none() && two.seat(9).is_none());
        drop(one);
        let _three = two.seat(9).unwrap();
        assert!(root.seat(1).is_none());
        assert!(Quota::new(0).is_none());
    }

    #[test]
    fn a_smaller_family_stays_small_and_counts_for_the_larger_one() {
        let root = Quota::new(10).unwrap();
        let small = root.seat(2).unwrap();
        let _child = small.seat(10).unwrap();
        assert!(small.seat(10).is_none());
        assert_eq!((small.taken(), root.taken()), (2, 3));
        assert!(root.seat(0).is_none());
        assert_eq!(root.taken(), 3);
    }

    #[test]
    fn the_limit_of_one_that_has_ended_holds_for_those_it_started() {
        let root = Quota::new(10).unwrap();
        let mut last = root.seat(2).unwrap();
        for _ in 0..1_000 {
            let next = last.seat(2).unwrap();
            assert!(last.seat(2).is_none());
            last = next;
        }
        assert_eq!((last.taken(), root.taken()), (1, 2));
        drop((last, root));
    }

    #[test]
    fn families_in_families_have_an_end() {
        let mut seats = vec![Quota::new(1_000).unwrap()];
        while let Some(next) = seats.last().unwrap().seat(1_000 - seats.len() as u32) {
            seats.push(next);
        }
        assert_eq!(seats.len(), QUOTAS_DEEP_MAX);
        assert!(seats.last().unwrap().seat(1_000).is_some());
    }
}
