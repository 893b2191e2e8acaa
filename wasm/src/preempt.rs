//! When a running guest gives way. Compiled code looks at its engine's epoch at each loop head and
//! function entry; once the ticker has raised it, the guest stops here.
//!
//! Not interruptible: one bulk operation (`memory.fill`), bounded by the memory limit, and one host
//! call.

use wasmtime::{Store, UpdateDeadline};

use crate::guest::State;
use crate::probe;

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
