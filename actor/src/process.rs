//! A process as a kind of task: what signals and its end do.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Waker;

use rusm_sched::{Ended, Kind, Letter, Letters, Own, Returns};

use crate::alias::AliasKind;
use crate::death;
use crate::exit::{ExitReason, Outcome};
use crate::hear::{Heard, hear};
use crate::join::JoinCell;
use crate::link::Links;
use crate::mailbox::Mailbox;
use crate::message::Message;
use crate::monitor::Watch;
use crate::pid::Pid;
use crate::reference::{Reference, References};
use crate::report;
use crate::signal::{Signal, signal};

/// The kind of task that processes are.
pub(crate) struct Process;

/// What many processes never need. Touched on the process's own turns only.
#[derive(Default)]
pub(crate) struct Side {
    pub(crate) mailbox: Mailbox,
    /// Exit signals become messages.
    pub(crate) traps_exits: bool,
    pub(crate) links: Links,
    /// Whom it watches.
    pub(crate) watches: References<Watch>,
    /// Who watches it.
    pub(crate) watchers: References<Pid>,
    pub(crate) aliases: References<AliasKind>,
    /// It has a name, is in a group, or watches one.
    pub(crate) listed: bool,
    /// Set once it is known why the process ends.
    pub(crate) reason: Option<ExitReason>,
    /// What came after the signal that ended it.
    pub(crate) unheard: Vec<Letter<Signal>>,
    /// Who started it with a link.
    pub(crate) parent: Option<Pid>,
    /// Who waits for the end.
    pub(crate) join: Option<Arc<JoinCell>>,
    /// A supervisor looks after it.
    pub(crate) supervised: bool,
    /// For reports and observers.
    pub(crate) label: Option<Arc<str>>,
    /// The waker of a receive inside a combinator that has wakers of its own.
    pub(crate) receiver: Option<Waker>,
}

impl Kind for Process {
    type Mail = Signal;
    type Side = Side;

    fn resume(own: &Own<Self>) -> ControlFlow<()> {
        let waker = own.with_side(|side| {
            show(own, side);
            side.receiver.take()
        });
        if let Some(waker) = waker.flatten() {
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

    fn closed(ended: Ended, side: Option<Box<Side>>, unread: Letters<Signal>) {
        death::settle(ended, side, unread);
    }
}

/// Shows observers how long the mailbox is.
#[inline]
pub(crate) fn show(own: &Own<Process>, side: &mut Side) {
    if let Some(len) = side.mailbox.news() {
        own.show_kept(len);
    }
}

impl Side {
    /// Bytes it takes, with the tables in it, about: what the allocator adds is not known.
    pub(crate) fn bytes(&self) -> usize {
        let links = self.links.peers().count() * size_of::<(Pid, Reference)>();
        let watches = self.watches.iter().count() * size_of::<(Reference, Watch)>();
        let watchers = self.watchers.iter().count() * size_of::<(Reference, Pid)>();
        let aliases = self.aliases.iter().count() * size_of::<(Reference, AliasKind)>();
        let label = self.label.as_ref().map_or(0, |label| label.len());
        let tables = links + watches + watchers + aliases + label;
        size_of::<Side>() + tables + self.mailbox.list_bytes()
    }
}

/// Notes why the process ends.
fn end(own: &Own<Process>, reason: ExitReason) {
    own.with_new_side(|side| {
        side.reason.get_or_insert(reason);
    });
}

impl Side {
    /// Has it been told to end?
    pub(crate) fn is_ending(&self) -> bool {
        self.reason.is_some()
    }
}

/// Hears in the midst of a turn what has come until now. An end takes place at the next await.
#[cold]
pub(crate) fn hear_now(own: &Own<Process>) {
    // What follows from it, an end or a message for another future of the process, is seen
    // when it is polled next.
    let _ = take_signals(own);
    signal(Pid::new(own.address()), Signal::Nudge);
}

/// Takes everything that has come: signals are obeyed in their order, messages kept.
#[cold]
fn take_signals(own: &Own<Process>) -> ControlFlow<()> {
    let me = Pid::new(own.address());
    let mut letters = own.take();
    // Dropped when the side block is back in its place: what others wrote may do anything then.
    let mut refused = Vec::new();
    let ends = own.with_new_side(|side| {
        if side.is_ending() {
            side.unheard.extend(letters);
            return true;
        }
        while let Some(letter) = own.next_private() {
            side.mailbox.push(Message::from_letter(letter));
        }
        for letter in letters.by_ref() {
            match hear(me, side, letter) {
                Heard::Nothing => {}
                Heard::Message(message) => side.mailbox.push(message),
                Heard::Refused(letter) => refused.push(letter),
                Heard::End(reason) => {
                    side.reason.get_or_insert(reason);
                    side.unheard.extend(letters);
                    return true;
                }
            }
        }
        show(own, side);
        false
    });
    refused.into_iter().for_each(death::discard);
    if ends {
        return ControlFlow::Break(());
    }
    ControlFlow::Continue(())
}

impl<T: Outcome> Returns<T> for Process {
    #[inline(always)]
    fn returned(own: &Own<Self>, outcome: T) {
        // What it has said to itself counts, even if that was the last it did.
        if own.is_interrupted() && take_signals(own).is_break() {
            return;
        }
        let reason = outcome.reason();
        if reason == ExitReason::Normal {
            // Whoever wants to hear of it has made a side block.
            own.with_side(|side| side.reason.get_or_insert(reason).is_orderly());
        } else {
            end(own, reason);
        }
    }
}
