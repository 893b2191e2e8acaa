//! Remembers the latest panic that was none of a process: it says more than the `abort` that follows.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

static LAST: Mutex<Option<Panic>> = Mutex::new(None);

struct Panic {
    thread: String,
    text: String,
}

/// From now on, in the whole program.
pub(super) fn remember() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if rusm_sched::current_task().is_none() {
                let panic = Some(Panic::new(info));
                *LAST.lock().unwrap_or_else(PoisonError::into_inner) = panic;
            }
            before(info);
        }));
    });
}

/// What it said, and where; `None` if it was not in this thread, of whose name the system keeps the beginning: others
/// may have panicked long ago, and nothing have come of it.
pub(super) fn last_in(thread: &str) -> Option<String> {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let own = last
        .as_ref()
        .filter(|panic| panic.thread.starts_with(thread));
    own.map(|panic| format!("panic {} in thread `{}`", panic.text, panic.thread))
}

impl Panic {
    fn new(info: &PanicHookInfo<'_>) -> Self {
        let said = info.payload_as_str().unwrap_or("a value that is no text");
        let place = info.location().map(|place| format!(" at {place}"));
        Panic {
            thread: thread::current().name().unwrap_or("?").into(),
            text: format!("`{said}`{}", place.unwrap_or_default()),
        }
    }
}
