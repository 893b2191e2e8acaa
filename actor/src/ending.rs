//! Why a process ends, and whether what is dropped now is dropped because of that.
//!
//! A body that returns drops what it holds before. What it holds when a signal ends it, or when
//! it panics, is dropped half used: to whoever is at the other end of it, that is not the same.

use std::cell::RefCell;

use rusm_sched::Letter;

use crate::exit::ExitReason;
use crate::pid::Pid;
use crate::signal::{Cause, Signal};

/// What a panic is called by those who see it from outside before its reason is known.
const PANICKED: &str = "a panic";

/// Why a process ends, in the letter that said so: from the signal to the settling it is passed
/// on by its address, and not copied.
pub(crate) struct Verdict(Letter<Signal>);

impl Verdict {
    pub(crate) fn new(reason: ExitReason) -> Self {
        Verdict(Letter::with(|| asked(reason)))
    }

    /// Of the letter that ends the process: an exit signal, or one that kills.
    pub(crate) fn of(mut letter: Letter<Signal>) -> Self {
        if matches!(*letter, Signal::Kill) {
            *letter = asked(ExitReason::Killed);
        }
        Verdict(letter)
    }

    pub(crate) fn reason(&self) -> &ExitReason {
        match &*self.0 {
            Signal::Exit { reason, .. } => reason,
            _ => unreachable!("verdicts are made of exit signals only"),
        }
    }
}

fn asked(reason: ExitReason) -> Signal {
    Signal::Exit {
        told: false,
        from: None,
        cause: Cause::Asked,
        reason,
    }
}

thread_local! {
    /// Who ends, and why: set from the signal that ends a process until it is settled, and again
    /// while what it leaves is dropped.
    static ENDING: RefCell<Option<(Pid, Verdict)>> = const { RefCell::new(None) };
}

/// The process `who`, whose turn it is, ends: its body is dropped next, and then it is settled.
pub(crate) fn begin(who: Pid, verdict: Verdict) {
    ENDING.with_borrow_mut(|ending| *ending = Some((who, verdict)));
}

/// Why `who` ends, if a signal ended it just now. Another one may be settled in between: what a
/// body holds may be a whole node.
pub(crate) fn take(who: Pid) -> Option<Verdict> {
    ENDING.with_borrow_mut(|ending| {
        let ended = ending.take_if(|(ends, _)| *ends == who);
        ended.map(|(_, verdict)| verdict)
    })
}

/// What a process leaves is dropped while this lives.
pub(crate) struct Settling(());

impl Settling {
    pub(crate) fn begin(who: Pid, reason: &ExitReason) -> Self {
        begin(who, Verdict::new(reason.clone()));
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
    let ending = ENDING.try_with(|ending| {
        let ending = ending.borrow();
        ending.as_ref().map(|(_, verdict)| verdict.reason().clone())
    });
    let reason = ending.ok().flatten();
    reason.filter(|reason| *reason != ExitReason::Normal)
}
