//! The one atomic word of a task, and every transition on it.
//!
//! The word holds the task's generation, the head of its incoming letters and its flags, so
//! that pushing a letter and deciding whether to wake the receiver is a single
//! read-modify-write. Each transition returns what the caller must do next. Nothing outside
//! this file touches the word; this file knows neither queues nor letters.
//!
//! ```text
//!   63        48 47                                  6 5     0
//!  +------------+-------------------------------------+-------+
//!  | generation | newest letter (address, 64-aligned) | flags |
//!  +------------+-------------------------------------+-------+
//! ```

use crate::sync::{AtomicU64, Ordering};

/// Queued or running. Set by whoever wakes a waiting task, who must then queue it; cleared by
/// the task's own turn when it parks.
const ACTIVE: u64 = 1;
/// Woken while active. Set by `wake`, cleared by the task's own turn, which then runs again.
const NOTIFIED: u64 = 2;
/// A letter that must be seen at once lies among the incoming ones. Set together with that
/// letter, cleared together with taking the letters.
const INTERRUPTED: u64 = 4;
/// The slot is occupied. An all-zero word is a dead one, so fresh memory is dead slots.
const LIVE: u64 = 8;
/// Parked inside a receive: a plain letter wakes it. Only set together with clearing
/// `ACTIVE`, when no letter is waiting.
const RECEIVING: u64 = 16;
/// The inbox takes no letters: the task wants none, or somebody else takes them for it. Set by
/// `open` or `seal`, and stays until the task has ended.
const SEALED: u64 = 32;

const FLAGS: u64 = 63;
const HEAD: u64 = 0x0000_FFFF_FFFF_FFC0;
const GENERATION: u64 = 0xFFFF << 48;

/// The part of a generation that fits into the word. A stale address is refused by its full
/// 32 bits first; these 16 close the race between that look and the exchange, which would
/// need exactly 65,536 re-uses of one slot in between to go wrong.
fn stamp(generation: u32) -> u64 {
    u64::from(generation) << 48
}

pub(crate) struct State(AtomicU64);

/// What `post` did with the letter.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Post {
    /// The task is gone or takes no letters: the letter still belongs to the caller.
    Refused,
    /// The letter lies in the inbox; nothing else to do.
    Queued,
    /// The receiver was waiting with an empty inbox and now belongs to the caller, who puts
    /// the letter on its private list and queues the task.
    HandOver,
    /// The letter lies in the inbox, and the caller must queue the task.
    Schedule,
}

/// What a waker must do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Nothing,
    Schedule,
}

/// What the worker must do with a task that returned `Pending`.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Park {
    /// The task sleeps and no longer belongs to the worker.
    Parked,
    /// It was woken during its turn: queue it again.
    Notified,
    /// Letters it waits for have come: poll it again.
    Letters,
}

impl State {
    #[cfg(not(loom))]
    pub(crate) const fn dead() -> Self {
        State(AtomicU64::new(0))
    }

    #[cfg(loom)]
    pub(crate) fn dead() -> Self {
        State(AtomicU64::new(0))
    }

    /// Occupies the slot; the caller then queues the task. The release pairs with the
    /// acquire of every later exchange on the word. A seal that was put on it before stays.
    pub(crate) fn open(&self, generation: u32, takes_letters: bool) {
        let before = self.0.load(Ordering::Relaxed) & SEALED;
        let sealed = if takes_letters { before } else { SEALED };
        self.0.store(
            stamp(generation) | LIVE | ACTIVE | sealed,
            Ordering::Release,
        );
    }

    /// Frees the slot for `next_generation` and returns the newest unread letter, or 0.
    /// Nothing with an older generation gets in afterwards.
    pub(crate) fn close(&self, next_generation: u32) -> u64 {
        self.0.swap(stamp(next_generation), Ordering::AcqRel) & HEAD
    }

    /// Acquire: what was written before `open` is seen by who sees the task live.
    pub(crate) fn is_live(&self) -> bool {
        self.0.load(Ordering::Acquire) & LIVE != 0
    }

    /// Live, and neither queued nor running. A snapshot for observers only.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Relaxed) & (LIVE | ACTIVE) == LIVE
    }

    /// Waits for a letter. A snapshot for observers only.
    pub(crate) fn is_receiving(&self) -> bool {
        self.0.load(Ordering::Relaxed) & RECEIVING != 0
    }

    /// Has the inbox refuse all letters but those of `interrupt_sealed` from now on. Called by
    /// the owner of the task. Release: who finds the seal finds what was made before it.
    pub(crate) fn seal(&self) {
        self.0.fetch_or(SEALED, Ordering::Release);
    }

    /// Does the inbox refuse letters? The acquire pairs with the releases in `seal` and `open`.
    pub(crate) fn is_sealed(&self) -> bool {
        self.0.load(Ordering::Acquire) & SEALED != 0
    }

    /// The newest letter, or 0: a snapshot from which observers estimate the inbox's length.
    pub(crate) fn newest(&self) -> u64 {
        self.0.load(Ordering::Relaxed) & HEAD
    }

    /// Are there letters that were not taken?
    #[inline(always)]
    pub(crate) fn has_letters(&self) -> bool {
        self.0.load(Ordering::Relaxed) & HEAD != 0
    }

    /// Has a letter come that must be seen at once? Asked by the task's own turn.
    #[inline]
    pub(crate) fn is_interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed) & INTERRUPTED != 0
    }

    /// Gives the task that waits for letters, and has none, the one that the caller holds: the
    /// usual case of `post`, in one comparison. True: the caller hands it over and queues the task.
    #[inline(always)]
    #[must_use]
    pub(crate) fn hand_over(&self, generation: u32) -> bool {
        let waits = stamp(generation) | LIVE | RECEIVING;
        let runs = stamp(generation) | LIVE | ACTIVE;
        // Acquire, release: as in `post`.
        self.0.load(Ordering::Relaxed) == waits
            && self
                .0
                .compare_exchange(waits, runs, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// Pushes `letter`, which wakes the task only if it waits for letters. `link` is told the
    /// letter that the new one goes on top of (0: none), before each attempt.
    #[inline]
    pub(crate) fn post(&self, generation: u32, letter: u64, mut link: impl FnMut(u64)) -> Post {
        let expected = stamp(generation) | LIVE;
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if (word ^ expected) & (GENERATION | LIVE | SEALED) != 0 {
                return Post::Refused;
            }
            let hand_over = word & (ACTIVE | RECEIVING) == RECEIVING;
            let next = if hand_over {
                expected | ACTIVE
            } else {
                link(word & HEAD);
                (word & !HEAD) | letter
            };
            // Release: the letter's content and, on hand-over, nothing more. Acquire: on
            // hand-over the private list that the parking turn released.
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if hand_over => return Post::HandOver,
                Ok(_) => return Post::Queued,
                Err(now) => word = now,
            }
        }
    }

    /// Pushes `letter` and wakes the task wherever it waits.
    pub(crate) fn interrupt(&self, generation: u32, letter: u64, link: impl FnMut(u64)) -> Post {
        self.interrupt_unless(GENERATION | LIVE | SEALED, generation, letter, link)
    }

    /// As `interrupt`, whether the inbox is sealed or not.
    pub(crate) fn interrupt_sealed(
        &self,
        generation: u32,
        letter: u64,
        link: impl FnMut(u64),
    ) -> Post {
        self.interrupt_unless(GENERATION | LIVE, generation, letter, link)
    }

    /// `mask`: the bits that refuse the letter when they are not those of a live, open task.
    #[inline(always)]
    fn interrupt_unless(
        &self,
        mask: u64,
        generation: u32,
        letter: u64,
        mut link: impl FnMut(u64),
    ) -> Post {
        let expected = stamp(generation) | LIVE;
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if (word ^ expected) & mask != 0 {
                return Post::Refused;
            }
            link(word & HEAD);
            let flags = (word & FLAGS & !RECEIVING) | ACTIVE | INTERRUPTED;
            let next = stamp(generation) | letter | flags;
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if word & ACTIVE == 0 => return Post::Schedule,
                Ok(_) => return Post::Queued,
                Err(now) => word = now,
            }
        }
    }

    /// A wake-up that carries no letter.
    #[inline]
    pub(crate) fn wake(&self, generation: u32) -> Wake {
        let expected = stamp(generation) | LIVE;
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if (word ^ expected) & (GENERATION | LIVE) != 0 {
                return Wake::Nothing;
            }
            let sleeping = word & ACTIVE == 0;
            let next = if sleeping {
                (word | ACTIVE) & !RECEIVING
            } else {
                word | NOTIFIED
            };
            // Even when the flag is set already the exchange is made: it releases what the
            // caller wrote before waking to the turn that clears the flag.
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if sleeping => return Wake::Schedule,
                Ok(_) => return Wake::Nothing,
                Err(now) => word = now,
            }
        }
    }

    /// Takes all incoming letters at once: the newest one, or 0. Own turn only.
    pub(crate) fn take(&self) -> u64 {
        self.take_unless(0)
    }

    /// As `take`, but leaves everything if an interrupting letter is among them.
    #[inline]
    pub(crate) fn take_plain(&self) -> u64 {
        self.take_unless(INTERRUPTED)
    }

    #[inline(always)]
    fn take_unless(&self, flag: u64) -> u64 {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & HEAD == 0 || word & flag != 0 {
                return 0;
            }
            match self.0.compare_exchange_weak(
                word,
                word & !(HEAD | INTERRUPTED),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return word & HEAD,
                Err(now) => word = now,
            }
        }
    }

    /// Ends a turn that returned `Pending`. `receiving`: plain letters wake the task.
    #[inline]
    pub(crate) fn park(&self, receiving: bool) -> Park {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let next = if word & INTERRUPTED != 0 || (receiving && word & HEAD != 0) {
                return Park::Letters;
            } else if word & NOTIFIED != 0 {
                word & !NOTIFIED
            } else if receiving {
                (word & !ACTIVE) | RECEIVING
            } else {
                word & !(ACTIVE | RECEIVING)
            };
            // Release: everything the turn wrote belongs to whoever runs the task next.
            // Acquire: on `Notified`, what the waker wrote before it woke the task.
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if word & NOTIFIED != 0 => return Park::Notified,
                Ok(_) => return Park::Parked,
                Err(now) => word = now,
            }
        }
    }
}

#[cfg(loom)]
#[path = "state_models.rs"]
mod models;
