//! What each signal does to a process that hears it: Erlang's rules, without a scheduler.

use rusm_sched::Letter;

use crate::ending::Verdict;
use crate::exit::ExitReason;
use crate::info::Inside;
use crate::message::Message;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::side::Side;
use crate::signal::{Cause, Signal, signal};
use crate::trace;

/// What is left to do with a signal.
#[must_use]
pub(crate) enum Heard {
    /// It is dealt with.
    Nothing,
    /// It goes to the mailbox.
    Message(Message),
    /// It concerns nobody any more.
    Refused(Letter<Signal>),
    /// The process ends.
    End(Verdict),
}

/// Lets the process `me` hear a signal.
#[inline(always)]
pub(crate) fn hear(me: Pid, side: &mut Side, letter: Letter<Signal>) -> Heard {
    let message = match &*letter {
        Signal::Kill => return Heard::End(Verdict::of(letter)),
        Signal::Exit { told: true, .. } | Signal::Down { told: true, .. } => true,
        Signal::Exit {
            from,
            cause,
            reason,
            ..
        } => match obey(me, side, *from, *cause, reason) {
            Obeyed::Ignores => false,
            Obeyed::Hears => return tell(letter),
            Obeyed::Dies => return Heard::End(Verdict::of(letter)),
        },
        Signal::Call {
            from, reference, ..
        } => {
            side.watchers.insert(*reference, *from);
            true
        }
        Signal::Down { reference, .. } => return down(side, *reference, letter),
        Signal::Reply {
            reference,
            unwatched,
            ..
        } => answer(side, *reference, *unwatched),
        // Who has shed it has forgotten who asked.
        Signal::Shed { reference } => answer(side, *reference, true),
        Signal::Aliased { reference, .. } => return aliased(side, *reference, letter),
        Signal::Link { .. }
        | Signal::Unlink { .. }
        | Signal::Monitor { .. }
        | Signal::Demonitor { .. }
        | Signal::Listed
        | Signal::Info(_)
        | Signal::Trace(_)
        | Signal::Nudge => {
            change(me, side, &letter);
            return Heard::Nothing;
        }
        Signal::Short { .. }
        | Signal::Inline { .. }
        | Signal::Tagged { .. }
        | Signal::Shared(_)
        | Signal::TaggedShared { .. }
        | Signal::TaggedVia { .. }
        | Signal::Native(_)
        | Signal::Timeout { .. }
        | Signal::Group(_)
        | Signal::NamedDown(_) => true,
    };
    if message {
        Heard::Message(Message::from_letter(letter))
    } else {
        Heard::Refused(letter)
    }
}

/// Does what the signals ask for that are nothing to the body.
fn change(me: Pid, side: &mut Side, signal: &Signal) {
    match signal {
        Signal::Link { from, id } => side.links.insert(*from, *id),
        Signal::Unlink { from, id } => side.links.remove(*from, *id),
        Signal::Monitor { from, reference } => side.watchers.insert(*reference, *from),
        Signal::Demonitor { reference } => drop(side.watchers.remove(*reference)),
        Signal::Listed => side.listed = true,
        Signal::Info(ask) if ask.is_wanted() => ask.tell(Inside::of(side)),
        Signal::Trace(by) => trace::begin(me, side, by.clone()),
        _ => {}
    }
}

enum Obeyed {
    Ignores,
    Hears,
    Dies,
}

/// What an exit signal does: `normal` ends nobody but the process that says it to itself, a
/// link that was cut says nothing any more, and who traps exits is told instead.
fn obey(me: Pid, side: &mut Side, from: Option<Pid>, cause: Cause, reason: &ExitReason) -> Obeyed {
    let cut = match (cause, from) {
        (Cause::Link, Some(peer)) => !side.links.cut(peer),
        _ => false,
    };
    let harmless = *reason == ExitReason::Normal && !(cause == Cause::Asked && from == Some(me));
    match () {
        () if cut => Obeyed::Ignores,
        () if side.traps_exits => Obeyed::Hears,
        () if harmless => Obeyed::Ignores,
        () => Obeyed::Dies,
    }
}

/// An exit signal becomes a message.
fn tell(mut letter: Letter<Signal>) -> Heard {
    letter.become_message();
    Heard::Message(Message::from_letter(letter))
}

/// A watched process has ended: that counts as long as it is watched.
fn down(side: &mut Side, reference: Reference, letter: Letter<Signal>) -> Heard {
    let Some(watch) = side.watches.remove(reference) else {
        return Heard::Refused(letter);
    };
    side.forget_watching_alias(reference);
    Heard::Message(watch.tell(letter))
}

/// Is the answer still wanted?
fn answer(side: &mut Side, reference: Reference, unwatched: bool) -> bool {
    if side.aliases.remove(reference).is_none() {
        return false;
    }
    let watch = side.watches.remove(reference);
    if let Some(watch) = watch.filter(|_| !unwatched) {
        signal(watch.pid, Signal::Demonitor { reference });
    }
    true
}

fn aliased(side: &mut Side, reference: Reference, letter: Letter<Signal>) -> Heard {
    if !side.use_alias(reference) {
        return Heard::Refused(letter);
    }
    match letter.into_inner() {
        Signal::Aliased { message, .. } => Heard::Message(message),
        _ => unreachable!("it was looked at by the caller"),
    }
}
