//! What a thread notes of its worker while the scheduler records.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::{RECORDED, Seat, TIMED, YIELDED};
use crate::record::{Event, EventRing, TurnEnd, What};
use crate::run::Outcome;
use crate::task::slot::Address;

/// Where a thread notes, and what it has seen of the turn that it will note next.
#[derive(Default)]
pub(super) struct Notes {
    /// Of the recorder, when the thread last looked.
    epoch: Cell<u32>,
    ring: RefCell<Option<Arc<EventRing>>>,
    /// Whose turn it is, if the task has not ended in it.
    task: Cell<u64>,
    /// What it asked for.
    wishes: Cell<u8>,
    /// When the turn began; 0: not seen yet.
    began: Cell<u64>,
    /// Spent by this thread until the end of the turn before.
    reductions: Cell<u64>,
}

impl Seat {
    #[inline(always)]
    pub(crate) fn is_recorded(&self) -> bool {
        self.settling.get() & RECORDED != 0
    }

    /// Begins or stops noting, as the recorder says by now.
    #[inline]
    pub(crate) fn look_at_recorder(&self) {
        if self.shared.recorder.epoch() != self.notes.epoch.get() {
            self.follow_recorder();
        }
    }

    #[cold]
    #[inline(never)]
    fn follow_recorder(&self) {
        let Some(worker) = self.worker.as_ref() else {
            return;
        };
        let (epoch, ring) = self.shared.recorder.ring_of(worker.index);
        self.notes.epoch.set(epoch);
        let flag = if ring.is_some() { RECORDED } else { 0 };
        self.settling.set(self.settling.get() & !RECORDED | flag);
        self.notes.reductions.set(self.cells.reductions.get());
        self.notes.began.set(0);
        self.cells.turn_began.set(self.shared.clock.nanos());
        // The older ring may be freed by this.
        drop(self.notes.ring.replace(ring));
    }

    /// Notes that something happens now.
    pub(crate) fn note(&self, what: impl FnOnce() -> What) {
        if self.is_recorded() {
            self.write(self.shared.clock.nanos(), what());
        }
    }

    /// Only as the worker's leaseholder, so that its ring has one writer.
    fn write(&self, at: u64, what: What) {
        let ring = self.notes.ring.borrow();
        if let Some(ring) = ring.as_ref() {
            let event = Event { at, what };
            self.within(|_, _| ring.push(event.to_words()));
        }
    }

    /// A turn is about to be over. The task is still this thread's.
    pub(crate) fn see_turn(&self, task: Option<Address>) {
        let notes = &self.notes;
        if let Some(task) = task {
            notes.task.set(task.to_bits());
        }
        notes.wishes.set(self.wishes.get());
        if notes.began.get() == 0 {
            notes.began.set(self.cells.turn_began.get());
        }
    }

    /// Notes the turn that is over.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_turn(&self, outcome: &Outcome) {
        let (notes, cells) = (&self.notes, &self.cells);
        // The task is named on only if it has ended.
        let named = cells.task.get();
        let ended = named != Address::NOBODY.to_bits();
        let end = match outcome {
            Outcome::Over if ended => TurnEnd::Ended,
            Outcome::Over => TurnEnd::Waiting,
            Outcome::Moving => TurnEnd::Moved,
            Outcome::Again if self.left.get() <= 0 => TurnEnd::Spent,
            Outcome::Again if notes.wishes.get() & YIELDED != 0 => TurnEnd::Yielded,
            Outcome::Again => TurnEnd::Woken,
        };
        if self.settling.get() & TIMED == 0 {
            cells.turn_began.set(self.shared.clock.nanos());
        }
        let (began, now) = (notes.began.replace(0), cells.turn_began.get());
        let spent = cells.reductions.get();
        let before = notes.reductions.replace(spent);
        let task = if ended { named } else { notes.task.get() };
        let what = What::Turn {
            task: Address::from_bits(task),
            lasted: now.saturating_sub(began),
            end,
            reductions: u32::try_from(spent.wrapping_sub(before)).unwrap_or(u32::MAX),
        };
        self.write(began, what);
    }
}
