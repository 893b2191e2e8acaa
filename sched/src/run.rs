//! One turn of one task: polling it, and settling what it spent.

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use crate::seat::{FLOODED, MOVING, RECEIVING, RECORDED, Seat, TIMED, TRACED, TRACING, YIELDED};
use crate::task::slot::{Address, Slot};
use crate::task::state::Park as Parked;
use crate::task::{self, times};

/// What a turn leaves to do.
pub(crate) enum Outcome {
    /// The task ended, or waits and is no longer ours.
    Over,
    /// Queue it again.
    Again,
    /// It goes on as blocking work.
    Moving,
}

/// Polls a task until it waits, ends, or has used up its turn. The caller owns the task and
/// set the budget.
#[inline(always)]
pub(crate) fn take_turn(seat: &Seat, slot: &'static Slot) -> Outcome {
    let waker = ManuallyDrop::new(task::waker(slot));
    let mut cx = Context::from_waker(&waker);
    let before = seat.left.get();
    seat.cells.turns.add(1);
    seat.set_slot(Some(slot));
    let outcome = loop {
        if let Poll::Ready(()) = task::poll_once(slot, &mut cx) {
            seat.cells.reductions.add(spent(seat, before));
            task::finish_turn(slot, || seat.set_slot(None));
            // Only now: its destructors may have wished for something as well.
            let _ = seat.take_wishes();
            if seat.settling.get() != 0 {
                bury(seat);
            }
            return Outcome::Over;
        }
        // The task is still ours here, and perhaps not after the exchange in `park`.
        account(seat, slot, before);
        let wishes = seat.take_wishes();
        if wishes & (MOVING | YIELDED) != 0 {
            break if wishes & MOVING != 0 {
                Outcome::Moving
            } else {
                Outcome::Again
            };
        }
        match slot.state.park(wishes & RECEIVING != 0) {
            Parked::Parked => break Outcome::Over,
            Parked::Notified => break Outcome::Again,
            Parked::Letters if seat.left.get() <= 0 => break Outcome::Again,
            Parked::Letters => {
                // Counted by the next look.
                retract(seat, slot, before);
            }
        }
    };
    seat.set_slot(None);
    // After its end it is named on: it may leave something that takes long to drop.
    seat.cells.task.set(Address::NOBODY.to_bits());
    outcome
}

#[inline(always)]
fn spent(seat: &Seat, before: i64) -> u64 {
    u64::try_from(before - seat.left.get()).unwrap_or(0)
}

#[inline(always)]
fn account(seat: &Seat, slot: &Slot, before: i64) {
    let spent = spent(seat, before);
    seat.cells.reductions.add(spent);
    let sum = slot.reductions.load(Ordering::Relaxed).wrapping_add(spent);
    slot.reductions.store(sum, Ordering::Relaxed);
    if seat.settling.get() != 0 {
        settle(seat, slot);
    }
}

/// The part of a turn's end that most turns have not.
#[cold]
#[inline(never)]
fn settle(seat: &Seat, slot: &Slot) {
    let settling = seat.settling.get();
    if settling & RECORDED != 0 {
        seat.see_turn(Some(slot.address()));
    }
    if settling & FLOODED != 0 {
        lend(seat, slot);
    }
    if settling & TRACED != 0 {
        end_trace(seat);
    }
    if settling & TIMED != 0 {
        let (ran, now) = next_turn(seat);
        times::add(slot.address(), ran, now);
    }
}

/// As `settle`, of a task that has ended: the dead pay no debts.
#[cold]
#[inline(never)]
fn bury(seat: &Seat) {
    forgive(seat);
    if seat.is_recorded() {
        seat.see_turn(None);
    }
    end_trace(seat);
    if seat.settling.get() & TIMED != 0 {
        next_turn(seat);
    }
}

fn end_trace(seat: &Seat) {
    seat.settling.set(seat.settling.get() & !TRACED);
    seat.set_unusual(TRACING, false);
}

/// Ends a timed turn, and begins the next one: how long it took, and what time it is.
fn next_turn(seat: &Seat) -> (u64, u64) {
    let now = seat.shared.clock.nanos();
    let ran = now.saturating_sub(seat.cells.turn_began.get());
    seat.cells.turn_began.set(now);
    (ran, now)
}

/// Carries over what floods of letters have overspent, 16 turns of the default budget at most.
fn lend(seat: &Seat, slot: &Slot) {
    let debt = (-seat.left.get()).clamp(0, seat.flooded.get());
    slot.debt.set(u16::try_from(debt).unwrap_or(u16::MAX));
    forgive(seat);
}

fn forgive(seat: &Seat) {
    seat.flooded.set(0);
    seat.settling.set(seat.settling.get() & !FLOODED);
}

/// Pays what earlier turns have overspent from the budget of this one. False when nothing is
/// left of it: the task waits for another turn, unless it has to see a signal at once.
#[inline(always)]
pub(crate) fn pay(seat: &Seat, slot: &Slot) -> bool {
    slot.debt.get() == 0 || pay_debt(seat, slot)
}

#[cold]
fn pay_debt(seat: &Seat, slot: &Slot) -> bool {
    let debt = i64::from(slot.debt.get());
    let paid = debt.min(seat.left.get().max(0));
    slot.debt.set((debt - paid) as u16);
    seat.left.set(seat.left.get() - paid);
    seat.left.get() > 0 || slot.state.is_interrupted()
}

#[cold]
fn retract(seat: &Seat, slot: &Slot, before: i64) {
    let spent = spent(seat, before);
    seat.cells.reductions.add(spent.wrapping_neg());
    let sum = slot.reductions.load(Ordering::Relaxed).wrapping_sub(spent);
    slot.reductions.store(sum, Ordering::Relaxed);
}
