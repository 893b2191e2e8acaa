//! Remembers the latest panic that was none of a process: it says more than the `abort` that follows.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

static LAST: Mutex<Option<String>> = Mutex::new(None);

/// From now on, in the whole program.
pub(super) fn remember() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if rusm_sched::current_task().is_none() {
                let text = Some(text(info));
                *LAST.lock().unwrap_or_else(PoisonError::into_inner) = text;
            }
            before(info);
        }));
    });
}

/// What it said, and where.
pub(super) fn last() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn text(info: &PanicHookInfo<'_>) -> String {
    let said = info.payload_as_str().unwrap_or("a value that is no text");
    let place = info.location().map(|place| format!(" at {place}"));
    let thread = thread::current();
    format!(
        "panic `{said}`{} in thread `{}`",
        place.unwrap_or_default(),
        thread.name().unwrap_or("?")
    )
}
