//! Whether what is dropped now is dropped because its process ends, and why.
//!
//! A body that returns drops what it holds before. What it holds when a signal ends it, or when
//! it panics, is dropped half used: to whoever is at the other end of it, that is not the same.

use std::cell::RefCell;

use crate::exit::ExitReason;
use crate::pid::Pid;

/// What a panic is called by those who see it from outside before its reason is known.
const PANICKED: &str = "a panic";

thread_local! {
    /// Who ends, and why: set from the signal that ends a process until it is settled, and again
    /// while what it leaves is dropped.
    static ENDING: RefCell<Option<(Pid, ExitReason)>> = const { RefCell::new(None) };
}

/// The process `who`, whose turn it is, ends for `reason`: its body is dropped next, and then it
/// is settled.
pub(crate) fn begin(who: Pid, reason: ExitReason) {
    ENDING.with_borrow_mut(|ending| *ending = Some((who, reason)));
}

/// Why `who` ends, if a signal ended it just now. Another one may be settled in between: what a
/// body holds may be a whole node.
pub(crate) fn take(who: Pid) -> Option<ExitReason> {
    ENDING.with_borrow_mut(|ending| {
        let ended = ending.take_if(|(ends, _)| *ends == who);
        ended.map(|(_, reason)| reason)
    })
}

/// What a process leaves is dropped while this lives.
pub(crate) struct Settling(());

impl Settling {
    pub(crate) fn begin(who: Pid, reason: &ExitReason) -> Self {
        begin(who, reason.clone());
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
    let ending = ending.ok().flatten().map(|(_, reason)| reason);
    ending.filter(|reason| *reason != ExitReason::Normal)
}
