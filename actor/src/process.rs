//! A process as a kind of task: what signals and its end do.

use std::any::Any;
use std::ops::ControlFlow;

use rusm_sched::{Address, Ended, Kind, Letter, Letters, Own, Returns};

use crate::death;
use crate::ending::{self, Verdict};
use crate::exit::{ExitReason, Outcome};
use crate::gate;
use crate::hear::{Heard, hear};
use crate::limit;
use crate::message::Message;
use crate::pid::Pid;
use crate::report;
use crate::side::Side;
use crate::signal::{Signal, signal};
use crate::supervisor::own_name;
use crate::trace;

/// The kind of task that processes are.
pub(crate) struct Process;

impl Kind for Process {
    type Mail = Signal;
    type Side = Side;

    fn new_side() -> Box<Side> {
        Side::spare()
    }

    fn is_quiet(side: &Side) -> bool {
        side.mailbox.is_quiet() && side.receiver.is_none()
    }

    fn resume(own: &Own<Self>) -> ControlFlow<()> {
        if own.side_calls() {
            let waker = own.with_side(|side| {
                show(own, side);
                if side.mailbox.is_traced() {
                    trace::begin_turn(Pid::new(own.address()), side);
                }
                side.receiver.take()
            });
            if let Some(waker) = waker.flatten() {
                waker.wake();
            }
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

    fn sent(to: Address, letter: &Letter<Signal>) {
        trace::sent(Pid::new(to), letter);
    }

    fn spawned(child: Address, body: &'static str) {
        trace::spawned(Pid::new(child), own_name(body));
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

/// Notes why the process ends.
fn end(own: &Own<Process>, reason: ExitReason) {
    own.with_new_side(|side| {
        side.verdict.get_or_insert_with(|| Verdict::new(reason));
    });
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
#[inline(never)]
fn obey_signals(own: &Own<Process>) -> ControlFlow<()> {
    let flow = take_signals(own);
    if flow.is_break()
        && let Some(verdict) = own.with_side(Side::take_verdict).flatten()
    {
        ending::begin(Pid::new(own.address()), verdict);
    }
    flow
}

/// Takes everything that has come: signals are obeyed in their order, messages kept.
fn take_signals(own: &Own<Process>) -> ControlFlow<()> {
    let mut taking = Taking {
        own,
        letters: own.take(),
        refused: Vec::new(),
    };
    // What it captures is one word: more would be copied with wider loads than it was stored
    // with, and wait for the stores.
    let taken = own.with_new_side(|side| taking.hear(side));
    // Dropped when the side block is back in its place: what others wrote may do anything then.
    if !taking.refused.is_empty() {
        taking.refused.into_iter().for_each(death::discard);
    }
    match taken {
        Taken::Ends => return ControlFlow::Break(()),
        Taken::Limited => drop_shed(own),
        Taken::All => {}
    }
    ControlFlow::Continue(())
}

/// What has come of a look into the inbox.
enum Taken {
    All,
    /// What lay in the limited mailbox may have been shed.
    Limited,
    Ends,
}

/// A look into the inbox.
struct Taking<'a> {
    own: &'a Own<Process>,
    letters: Letters<Signal>,
    refused: Vec<Letter<Signal>>,
}

impl Taking<'_> {
    #[inline]
    fn hear(&mut self, side: &mut Side) -> Taken {
        let me = Pid::new(self.own.address());
        let letters = &mut self.letters;
        if side.is_ending() {
            side.unheard.extend(letters);
            return Taken::Ends;
        }
        while let Some(letter) = self.own.next_private() {
            side.mailbox.push(Message::from_letter(letter));
        }
        for letter in letters.by_ref() {
            match hear(me, side, letter) {
                Heard::Nothing => {}
                Heard::Message(message) => side.mailbox.push(message),
                Heard::Refused(letter) => self.refused.push(letter),
                Heard::End(verdict) => {
                    side.verdict.get_or_insert(verdict);
                    side.unheard.extend(letters);
                    return Taken::Ends;
                }
            }
        }
        // After the inbox, where everything is older.
        let limited = side.mailbox.gate().is_some();
        let ends = limited && hear_gated(me, side, &mut self.refused);
        show(self.own, side);
        if let Some(only) = side.mailbox.pop_only() {
            // Where a receive looks first.
            self.own.keep(only.into_letter());
        }
        match () {
            () if ends => Taken::Ends,
            () if limited => Taken::Limited,
            () => Taken::All,
        }
    }
}

/// Hears what lies at the gate of a limited mailbox. True: the process ends.
#[cold]
#[inline(never)]
fn hear_gated(me: Pid, side: &mut Side, refused: &mut Vec<Letter<Signal>>) -> bool {
    let mut letters = side.mailbox.hear_gate();
    let overflow = || Verdict::new(limit::overflow());
    let mut verdict = side.mailbox.has_overflowed().then(overflow);
    while verdict.is_none()
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
            Heard::End(why) => verdict = Some(why),
        }
        if counted {
            side.mailbox.forget_one();
        }
    }
    side.mailbox.drop_doomed();
    side.unheard.extend(letters);
    if let Some(verdict) = verdict {
        side.verdict.get_or_insert(verdict);
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
            own.with_side(|side| {
                side.verdict.get_or_insert_with(|| Verdict::new(reason));
            });
        } else {
            end(own, reason);
        }
    }
}
