//! Where code of others is called on a thread that must go on: its panics end here.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; false if it panicked. The hook has told of it already, so the payload is dropped,
/// and forgotten if that panics as well.
pub(crate) fn contain(f: impl FnOnce()) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        return true;
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    false
}
