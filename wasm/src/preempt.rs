//! When a running guest gives way. Compiled code looks at its engine's epoch at each loop head and
//! function entry; once the ticker has raised it, the guest stops here.
//!
//! A guest that waited in a host call finds its epoch over when it goes on, though its turn has only
//! begun: it keeps the turn, or whoever slept beside guests that compute would wait for all of them
//! twice.
//!
//! Not interruptible: one bulk operation (`memory.fill`), bounded by the memory limit, and one host
//! call.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wasmtime::{Store, UpdateDeadline};

use crate::guest::State;
use crate::probe;

/// Ticks so far, of all engines: only whether there was one matters.
static TICKS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// What `TICKS` was when the turn began that this thread is in.
    static BEGAN: Cell<u64> = const { Cell::new(0) };
}

/// Guest time goes on; the epochs are raised next.
pub(crate) fn tick() {
    TICKS.fetch_add(1, Relaxed);
}

/// Notes when the turns of a guest begin: its body is polled once in each. Takes a pinned body: one
/// that is handed over would be kept twice, as an argument and where it is pinned.
pub(crate) fn in_turns<F: Future>(mut body: Pin<&mut F>) -> impl Future<Output = F::Output> {
    poll_fn(move |cx| {
        BEGAN.set(TICKS.load(Relaxed));
        body.as_mut().poll(cx)
    })
}

/// Makes the guest of `store` give way. Must come before its first instruction.
pub(crate) fn arm(store: &mut Store<State>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        if let Some(guest) = &store.data().lunatic {
            guest.check_fuel()?;
        }
        if store.data().probe.is_some() {
            probe::sample(&mut store);
        }
        if BEGAN.get() == TICKS.load(Relaxed) {
            return Ok(UpdateDeadline::Continue(1));
        }
        // An epoch costs a whole turn, so the turn is over. If nobody else wants the worker the
        // guest has it back after a third of a microsecond, once a millisecond. A guest that moved
        // to a blocking thread for a file call comes back to the workers this way.
        // It also costs what makes the worker look at its timers: an epoch is a long time to them.
        let handle = rusm_sched::handle();
        let config = handle.config();
        rusm_sched::spend(config.budget.max(config.maintain_reductions));
        Ok(UpdateDeadline::Yield(1))
    });
}
