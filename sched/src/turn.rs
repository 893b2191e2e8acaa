//! What a task may do with its turn: spend reductions, and end the turn early.
//!
//! A turn has a budget of reductions. Their prices:
//!
//! | what | reductions |
//! |---|---|
//! | receiving a letter | 1 |
//! | sending a letter | 1, and 1 for each 32 letters unread at the receiver |
//! | spawning a task | 1 |
//! | arming a timer | 10 |
//! | `charge`, `spend` | what the caller says |
//! | an epoch in which a Wasm guest ran | the whole budget, and a look at the timers |
//!
//! Sending and spawning never wait: what they cost is missing at the next await. What floods
//! of letters overspend is missing in the next turns as well, so that whoever fills mailboxes
//! faster than they are read waits for the readers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::seat::{self, FLOODED, Seat, TRACED, TRACING, YIELDED};
use crate::task::is_waker_of;

/// Spends `reductions` in a future's poll. `Pending` when the turn is over: the task has been
/// queued again already, and the future is to charge no second time when it is polled next.
/// Outside of tasks it is always `Ready`.
#[inline(always)]
pub fn charge(cx: &mut Context<'_>, reductions: u32) -> Poll<()> {
    if !spend(reductions) {
        return Poll::Ready(());
    }
    end_turn(cx);
    Poll::Pending
}

/// Spends `reductions`; true when the turn is over and the caller should yield by its own
/// means. False outside of tasks.
#[inline(always)]
pub fn spend(reductions: u32) -> bool {
    seat::try_current(|seat| {
        let left = seat.left.get() - i64::from(reductions);
        seat.left.set(left);
        left <= 0
    })
    .unwrap_or(false)
}

/// Notes a price that the next await will pay.
#[inline(always)]
pub(crate) fn owe(reductions: u32) {
    seat::try_current(|seat| seat.left.set(seat.left.get() - i64::from(reductions)));
}

/// Notes the price of a send; `extra`: what the receiver's backlog adds.
#[inline(always)]
pub(crate) fn owe_for_send(extra: u32) {
    seat::try_current(|seat| {
        seat.count_send();
        if extra > 0 {
            owe_for_flood(seat, extra);
        }
    });
}

#[cold]
fn owe_for_flood(seat: &Seat, extra: u32) {
    if seat.is_urgent() {
        // A timer's letter: no task sends it now.
        return;
    }
    seat.left.set(seat.left.get() - i64::from(extra));
    seat.flooded.set(seat.flooded.get() + i64::from(extra));
    seat.settling.set(seat.settling.get() | FLOODED);
    seat.deep_sends.set(seat.deep_sends.get() + 1);
}

/// Calls `told` if the turn is traced.
#[inline(always)]
pub(crate) fn if_tracing(told: impl FnOnce()) {
    seat::try_current(|seat| seat.if_tracing(told));
}

/// Has `Kind::sent` and `Kind::spawned` called for what the task that runs here sends and starts
/// from now on to the end of its turn. A turn that is not traced pays nothing for that. Nothing
/// outside of tasks.
pub fn trace_turn() {
    seat::try_current(|seat| {
        if seat.slot().is_some() {
            seat.settling.set(seat.settling.get() | TRACED);
            seat.set_unusual(TRACING, true);
        }
    });
}

/// Queues the current task again, behind the others; the caller returns `Pending`.
#[inline]
pub fn end_turn(cx: &mut Context<'_>) {
    let own = seat::try_current(|seat| {
        let own = seat.slot().is_some_and(|slot| is_waker_of(slot, cx));
        if own {
            seat.wish(YIELDED);
        }
        own
    });
    if own != Some(true) {
        // Inside a combinator with wakers of its own: only its waker makes it poll us again.
        cx.waker().wake_by_ref();
    }
}

/// Ends the turn: all other runnable tasks of this worker go first.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// See [`yield_now`].
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        end_turn(cx);
        Poll::Pending
    }
}

/// Spends `count` reductions and yields if that uses up the turn: what a native loop awaits
/// once a round so that it shares its worker. About 1 ns.
pub fn reductions(count: u32) -> Reductions {
    Reductions { count: Some(count) }
}

/// See [`reductions`].
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct Reductions {
    count: Option<u32>,
}

impl Future for Reductions {
    type Output = ();

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.count.take() {
            Some(count) => charge(cx, count),
            None => Poll::Ready(()),
        }
    }
}
