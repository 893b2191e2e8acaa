//! Where code of others is called on a thread that must go on: its panics end here.

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
