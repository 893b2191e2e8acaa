//! Panics on the scheduler's own threads: those of others' code end here, and its own end the program.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`, which is code of somebody else's on a thread that must go on: a waker, a
/// destructor, a hook. False if it panicked; the panic hook has told of it already, so the
/// payload is dropped, and forgotten if that panics as well.
pub fn contain(f: impl FnOnce()) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        return true;
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    false
}

/// Runs the scheduler's own code on a thread of its own, whose panic ends the program: a worker without its
/// thread keeps its tasks for ever, and without a ticker nobody is preempted. So whoever restarts
/// programs hears of it. Drivers are part of it; other code of others is called through [`contain`].
pub(crate) fn or_abort<R>(f: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| std::process::abort())
}
