//! A task's hold of itself: receiving, and its side block.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::task::Context;

use super::slot::{Address, Slot};
use super::{Kind, is_waker_of, put_side};
use crate::inbox::{self, Letter, Letters};
use crate::seat::{self, RECEIVING, Seat};

/// A task's hold of itself. Its methods work on the task's own turn and panic elsewhere.
pub struct Own<K: Kind> {
    address: Address,
    kind: PhantomData<fn(K) -> K>,
}

impl<K: Kind> Own<K> {
    pub(super) fn new(address: Address) -> Self {
        Own {
            address,
            kind: PhantomData,
        }
    }

    /// Another hold of the same task. Of two that wait for letters at once, only the later one
    /// is woken.
    pub fn another(&self) -> Self {
        Self::new(self.address)
    }

    /// The task's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Is it this task's turn, on this thread?
    pub fn is_current(&self) -> bool {
        seat::try_current(|seat| seat.has(self.address)).unwrap_or(false)
    }

    #[inline(always)]
    fn slot(&self) -> &'static Slot {
        seat::current_slot(self.address)
    }

    /// The oldest unread letter. None while an interrupting one is waiting: `Kind::resume`
    /// must see that first, at the next poll, which comes at once.
    #[inline(always)]
    pub fn next(&self) -> Option<Letter<K::Mail>> {
        let slot = self.slot();
        if slot.private.get().is_none() {
            slot.private.set(inbox::take_plain(slot));
        }
        inbox::pop_private(slot)
    }

    /// The oldest of the letters that `next` has already brought over from the inbox.
    pub fn next_private(&self) -> Option<Letter<K::Mail>> {
        inbox::pop_private(self.slot())
    }

    /// Puts a letter back where `next` finds it, if nothing lies there.
    pub fn keep(&self, letter: Letter<K::Mail>) {
        let slot = self.slot();
        debug_assert!(slot.private.get().is_none(), "it would be lost");
        slot.private.set(Some(inbox::alone(letter)));
    }

    /// Is there a side block that turns must look at (see `Kind::is_quiet`)?
    #[inline(always)]
    pub fn side_calls(&self) -> bool {
        self.slot().side.calls()
    }

    /// All letters that have come since: younger than the private ones.
    pub fn take(&self) -> Letters<K::Mail> {
        // SAFETY: the inbox of a task of kind `K` holds `K::Mail`, and what was taken is ours.
        unsafe { Letters::from_chain(inbox::take(self.slot())) }
    }

    /// Receives one letter: the turn's budget, the price of one reduction and the waiting in
    /// one step. `saved`: letters that the side block holds and that are older.
    #[inline(always)]
    pub fn receive(
        &self,
        cx: &Context<'_>,
        saved: impl FnOnce(&mut K::Side) -> Option<Letter<K::Mail>>,
    ) -> Result<Letter<K::Mail>, NoLetter> {
        seat::current(|seat| {
            let slot = seat.own_slot(self.address);
            let left = seat.left.get();
            let calls = slot.side.calls();
            // Apart from the rest: the usual case, in a few instructions.
            if left > 0
                && !calls
                && let Some(letter) = inbox::pop_private(slot)
            {
                seat.left.set(left - 1);
                return Ok(letter);
            }
            if calls || slot.private.get().is_some() || slot.state.has_letters() {
                let received = self.receive_any(seat, slot, saved);
                if !matches!(received, Err(NoLetter::Nothing)) {
                    return received;
                }
            }
            seat.wish(RECEIVING);
            // `saved` had none.
            slot.shown.set_none_kept();
            Err(match is_waker_of(slot, cx) {
                true => NoLetter::Nothing,
                false => NoLetter::NothingHere,
            })
        })
    }

    /// Looks everywhere; `Nothing` if there is none.
    #[inline(never)]
    fn receive_any(
        &self,
        seat: &Seat,
        slot: &Slot,
        saved: impl FnOnce(&mut K::Side) -> Option<Letter<K::Mail>>,
    ) -> Result<Letter<K::Mail>, NoLetter> {
        let left = seat.left.get();
        if slot.private.get().is_none() {
            slot.private.set(inbox::take_plain(slot));
        }
        let calls = slot.side.calls();
        // Who has nothing to do waits, whatever it has spent: to yield instead would show
        // others a runnable task where there is none.
        if left <= 0 && (slot.private.get().is_some() || calls) {
            return Err(NoLetter::TurnOver);
        }
        let older = if calls {
            self.with_side(saved).flatten()
        } else {
            None
        };
        match older.or_else(|| inbox::pop_private(slot)) {
            Some(letter) => {
                seat.left.set(left - 1);
                Ok(letter)
            }
            None => Err(NoLetter::Nothing),
        }
    }

    /// Has a letter come that must be seen at once?
    pub fn is_interrupted(&self) -> bool {
        self.slot().state.is_interrupted()
    }

    /// From now to the end of this poll: a letter wakes the task. False when `cx` carries
    /// another waker than the task's own, which the caller must then wake in `Kind::resume`.
    #[inline(always)]
    pub fn expect_letters(&self, cx: &Context<'_>) -> bool {
        let slot = self.slot();
        seat::current(|seat| seat.wish(RECEIVING));
        is_waker_of(slot, cx)
    }

    /// Shows observers how many letters the layer above keeps of those it has taken.
    #[cold]
    #[inline(never)]
    pub fn show_kept(&self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.slot().shown.set_kept(count);
    }

    /// The side block, if there is one.
    pub fn with_side<R>(&self, f: impl FnOnce(&mut K::Side) -> R) -> Option<R> {
        let slot = self.slot();
        let side = slot.side.take()?;
        let mut out = PutBack::<K> {
            slot,
            side: side.cast(),
        };
        // JUSTIFICATION: a checked cast would need a word that the 64-byte header has no room for.
        // SAFETY: side blocks of tasks of kind `K` are boxed `K::Side`s (`put_side`), and this
        // one was taken out of its cell, so nobody else refers to it until it is back.
        Some(f(unsafe { out.side.as_mut() }))
    }

    /// The side block, made now if need be.
    pub fn with_new_side<R>(&self, f: impl FnOnce(&mut K::Side) -> R) -> R {
        let slot = self.slot();
        if !slot.side.is_some() {
            put_side::<K>(slot, K::new_side());
        }
        self.with_side(f).expect("it was made just now")
    }
}

/// Puts a side block back into its task, also when its user panics.
struct PutBack<'a, K: Kind> {
    slot: &'a Slot,
    side: NonNull<K::Side>,
}

impl<K: Kind> Drop for PutBack<'_, K> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: as in `with_side`, whose reference is gone.
        let quiet = K::is_quiet(unsafe { self.side.as_ref() });
        self.slot.side.put(self.side.cast(), quiet);
    }
}

/// Why there is no letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLetter {
    /// None has come: the next one wakes the task.
    Nothing,
    /// As `Nothing`, but the waker in the context is not the task's own, and is for
    /// `Kind::resume` to wake.
    NothingHere,
    /// The budget is gone: yield first.
    TurnOver,
}
