//! A process as a kind of task: what signals and its end do.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Waker;

use rusm_sched::{Address, Ended, Kind, Letter, Letters, Own, Returns};

use crate::alias::AliasKind;
use crate::death;
use crate::ending;
use crate::exit::{ExitReason, Outcome};
use crate::gate;
use crate::hear::{Heard, hear};
use crate::join::JoinCell;
use crate::limit;
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

    fn is_quiet(side: &Side) -> bool {
        side.mailbox.is_quiet() && side.receiver.is_none()
    }

    fn resume(own: &Own<Self>) -> ControlFlow<()> {
        let waker = own.with_side(|side| {
            show(own, side);
            side.receiver.take()
        });
        if let Some(waker) = waker.flatten() {
            waker.wake();
        }
        if own.is_interrupted() {
            return obey_signals(own);
        }
        ControlFlow::Continue(())
    }

    fn guard(to: Address, letter: Letter<Signal>) -> Result<u32, Letter<Signal>> {
        gate::post(Pid::new(to), letter)
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

/// Drops messages that were shed when they lay in the mailbox already. Who asked is told.
#[cold]
fn drop_shed(own: &Own<Process>) {
    let shed = own.with_side(|side| side.mailbox.take_shed());
    for message in shed.into_iter().flatten() {
        if let Some(reference) = message.call_reference() {
            own.with_side(|side| side.watchers.remove(reference));
        }
        gate::discard(message.into_letter());
    }
}

/// Hears what has come at the beginning of a turn, which may be the last one.
#[cold]
#[inline(never)]
fn obey_signals(own: &Own<Process>) -> ControlFlow<()> {
    let flow = take_signals(own);
    if flow.is_break()
        && let Some(reason) = own.with_side(|side| side.reason.clone()).flatten()
    {
        ending::begin(reason);
    }
    flow
}

/// Takes everything that has come: signals are obeyed in their order, messages kept.
#[cold]
fn take_signals(own: &Own<Process>) -> ControlFlow<()> {
    let me = Pid::new(own.address());
    let mut letters = own.take();
    // Dropped when the side block is back in its place: what others wrote may do anything then.
    let mut refused = Vec::new();
    let (ends, limited) = own.with_new_side(|side| {
        if side.is_ending() {
            side.unheard.extend(letters);
            return (true, false);
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
                    return (true, false);
                }
            }
        }
        // After the inbox, where everything is older.
        let limited = side.mailbox.gate().is_some();
        let ends = limited && hear_gated(me, side, &mut refused);
        show(own, side);
        (ends, limited)
    });
    refused.into_iter().for_each(death::discard);
    if ends {
        return ControlFlow::Break(());
    }
    if limited {
        drop_shed(own);
    }
    ControlFlow::Continue(())
}

/// Hears what lies at the gate of a limited mailbox. True: the process ends.
#[cold]
#[inline(never)]
fn hear_gated(me: Pid, side: &mut Side, refused: &mut Vec<Letter<Signal>>) -> bool {
    let mut letters = side.mailbox.hear_gate();
    let mut reason = side.mailbox.has_overflowed().then(limit::overflow);
    while reason.is_none()
        && let Some(letter) = letters.next()
    {
        let counted = letter.is_sheddable();
        match hear(me, side, letter) {
            Heard::Message(message) => {
                side.mailbox.push_heard(message, counted);
                continue;
            }
            Heard::Nothing => {}
            Heard::Refused(letter) => refused.push(letter),
            Heard::End(why) => reason = Some(why),
        }
        if counted {
            side.mailbox.forget_one();
        }
    }
    side.mailbox.drop_doomed();
    side.unheard.extend(letters);
    if let Some(reason) = reason {
        side.reason.get_or_insert(reason);
        return true;
    }
    false
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
