//! Whether what is dropped now is dropped because its process ends, and why.
//!
//! A body that returns drops what it holds before. What it holds when a signal ends it, or when
//! it panics, is dropped half used: to whoever is at the other end of it, that is not the same.

use std::cell::RefCell;

use crate::exit::ExitReason;

/// What a panic is called by those who see it from outside before its reason is known.
const PANICKED: &str = "a panic";

thread_local! {
    /// Set from the signal that ends a process until all is settled: nothing else runs on the
    /// thread in between.
    static ENDING: RefCell<Option<ExitReason>> = const { RefCell::new(None) };
}

/// The process whose turn it is ends for `reason`: it is dropped next, and then settled.
pub(crate) fn begin(reason: ExitReason) {
    ENDING.with_borrow_mut(|ending| *ending = Some(reason));
}

/// What a process leaves is dropped while this lives.
pub(crate) struct Settling(());

impl Settling {
    pub(crate) fn begin(reason: &ExitReason) -> Self {
        begin(reason.clone());
        Settling(())
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        ENDING.with_borrow_mut(|ending| *ending = None);
    }
}

/// Why the process ends that drops something now; `None` when it goes on, or has ended as its
/// body wanted.
pub(crate) fn reason() -> Option<ExitReason> {
    if std::thread::panicking() {
        return Some(ExitReason::error(PANICKED));
    }
    // A thread that is ending itself runs no process.
    let ending = ENDING.try_with(|ending| ending.borrow().clone());
    let ending = ending.ok().flatten();
    ending.filter(|reason| *reason != ExitReason::Normal)
}
