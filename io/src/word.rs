//! Decides how a sleeping worker is woken: the one word that a worker and its unparkers share.
//!
//! | from \ by | worker falls asleep | worker wakes up | somebody unparks |
//! |---|---|---|---|
//! | `EMPTY`    | `PARKED` or `POLLING` | -       | `NOTIFIED`, nothing to do |
//! | `PARKED`   | -                     | `EMPTY` | `NOTIFIED`, signal the thread |
//! | `POLLING`  | -                     | `EMPTY` | `NOTIFIED`, interrupt the poll |
//! | `NOTIFIED` | `EMPTY`, does not sleep | `EMPTY` | stays, nothing to do |
//!
//! No wake-up is lost because each cell is a single read-modify-write of the same word: an unpark
//! comes either before the worker falls asleep, which then refuses, or after, and then it sees how
//! the worker sleeps.

use std::sync::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire},
};

const EMPTY: u8 = 0;
const PARKED: u8 = 1;
const POLLING: u8 = 2;
const NOTIFIED: u8 = 3;

/// Where a worker is about to sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bed {
    /// On its own condition variable.
    Thread,
    /// Inside the shared poll.
    Poll,
}

/// What an unparker has to do to the sleeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Rouse {
    Nothing,
    Thread,
    Poll,
}

#[derive(Debug, Default)]
pub(crate) struct ParkWord(AtomicU8);

impl ParkWord {
    /// The worker announces its sleep. False: it was unparked since the last time, and must not
    /// sleep.
    pub(crate) fn fall_asleep(&self, bed: Bed) -> bool {
        let asleep = match bed {
            Bed::Thread => PARKED,
            Bed::Poll => POLLING,
        };
        let free = self.0.compare_exchange(EMPTY, asleep, AcqRel, Acquire);
        if free.is_err() {
            self.wake_up();
        }
        free.is_ok()
    }

    /// True until an unparker came; asked by a worker under the lock of its condition variable.
    pub(crate) fn is_asleep(&self) -> bool {
        self.0.load(Acquire) != NOTIFIED
    }

    /// The worker is awake again. The swap pairs with the one in [`ParkWord::unpark`]: whatever was
    /// done before an unpark is seen after this.
    pub(crate) fn wake_up(&self) {
        self.0.swap(EMPTY, AcqRel);
    }

    /// Makes the current sleep, or else the next one, end.
    pub(crate) fn unpark(&self) -> Rouse {
        match self.0.swap(NOTIFIED, AcqRel) {
            PARKED => Rouse::Thread,
            POLLING => Rouse::Poll,
            _ => Rouse::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpark_before_the_sleep_forbids_that_sleep_and_no_other() {
        for bed in [Bed::Thread, Bed::Poll] {
            let word = ParkWord::default();
            assert_eq!(word.unpark(), Rouse::Nothing);
            assert_eq!(word.unpark(), Rouse::Nothing);
            assert!(!word.fall_asleep(bed));
            assert!(word.fall_asleep(bed));
            assert!(word.is_asleep());
        }
    }

    #[test]
    fn only_the_first_unparker_of_a_sleeper_has_to_act() {
        for (bed, rouse) in [(Bed::Thread, Rouse::Thread), (Bed::Poll, Rouse::Poll)] {
            let word = ParkWord::default();
            assert!(word.fall_asleep(bed));
            assert_eq!(word.unpark(), rouse);
            assert!(!word.is_asleep());
            assert_eq!(word.unpark(), Rouse::Nothing);
        }
    }

    #[test]
    fn a_worker_that_woke_by_itself_leaves_nothing_to_rouse() {
        let word = ParkWord::default();
        assert!(word.fall_asleep(Bed::Poll));
        word.wake_up();
        assert_eq!(word.unpark(), Rouse::Nothing);
        assert!(!word.fall_asleep(Bed::Thread));
    }
}
