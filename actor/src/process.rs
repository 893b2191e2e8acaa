//! A process as a kind of task: what its signals do to it.

use std::any::Any;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Waker;

use rusm_sched::{Address, Kind, Letter, Letters, Own, Returns};

use crate::exit::{ExitReason, Outcome};
use crate::join::JoinCell;
use crate::pid::Pid;
use crate::report;
use crate::signal::Signal;

/// The kind of task that processes are.
pub(crate) struct Process;

/// What most processes never need. Touched on the process's own turns only.
#[derive(Default)]
pub(crate) struct Side {
    /// Messages that a selective receive passed over, or that came with a signal: older than
    /// all others.
    pub(crate) saved: VecDeque<Letter<Signal>>,
    /// Set once it is known why the process ends.
    pub(crate) reason: Option<ExitReason>,
    /// Who waits for the end.
    pub(crate) join: Option<Arc<JoinCell>>,
    /// For reports and observers.
    pub(crate) label: Option<Arc<str>>,
    /// The waker of a receive inside a combinator that has wakers of its own.
    pub(crate) receiver: Option<Waker>,
}

impl Kind for Process {
    type Mail = Signal;
    type Side = Side;

    fn resume(own: &Own<Self>) -> ControlFlow<()> {
        if let Some(waker) = own.with_side(|side| side.receiver.take()).flatten() {
            waker.wake();
        }
        if own.is_interrupted() {
            return take_signals(own);
        }
        ControlFlow::Continue(())
    }

    fn panicked(own: &Own<Self>, payload: Box<dyn Any + Send>) {
        end(own, report::take_panic(&*payload));
    }

    fn closed(address: Address, side: Option<Box<Side>>, unread: Letters<Signal>) {
        let Some(side) = side else { return };
        // Without a reason it was its node that ended.
        let reason = side.reason.unwrap_or(ExitReason::Shutdown);
        let joined = side.join.is_some();
        // First of all: what follows runs code of others, which may panic.
        if let Some(join) = side.join {
            join.close(reason.clone());
        }
        report::crash(Pid::new(address), &reason, side.label.as_deref(), joined);
        drop(unread);
    }
}

/// Notes why the process ends.
fn end(own: &Own<Process>, reason: ExitReason) {
    own.with_new_side(|side| {
        side.reason.get_or_insert(reason);
    });
}

/// Takes everything that has come: signals are obeyed in their order, messages kept.
#[cold]
fn take_signals(own: &Own<Process>) -> ControlFlow<()> {
    let me = Pid::new(own.address());
    let mut saved = own.with_new_side(|side| std::mem::take(&mut side.saved));
    saved.extend(std::iter::from_fn(|| own.next_private()));
    let mut verdict = None;
    for letter in own.take() {
        match &*letter {
            Signal::Exit { from, reason } => verdict = obey(me, *from, reason),
            Signal::Kill => verdict = Some(ExitReason::Killed),
            _ => saved.push_back(letter),
        }
        if verdict.is_some() {
            break;
        }
    }
    own.with_new_side(|side| side.saved = saved);
    match verdict {
        Some(reason) => {
            end(own, reason);
            ControlFlow::Break(())
        }
        None => ControlFlow::Continue(()),
    }
}

/// Does an exit signal end the process, and why then? `normal` does so only to oneself.
fn obey(me: Pid, from: Option<Pid>, reason: &ExitReason) -> Option<ExitReason> {
    let ignored = *reason == ExitReason::Normal && from != Some(me);
    (!ignored).then(|| reason.clone())
}

impl<T: Outcome> Returns<T> for Process {
    #[inline(always)]
    fn returned(own: &Own<Self>, outcome: T) {
        let reason = outcome.reason();
        if reason == ExitReason::Normal {
            // Whoever wants to hear of it has made a side block.
            own.with_side(|side| side.reason.get_or_insert(reason).is_orderly());
        } else {
            end(own, reason);
        }
    }
}
