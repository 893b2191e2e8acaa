//! What is settled when a process has ended: its name goes, then those are told who are linked
//! to it or watch it, and those whose signals came too late.

use rusm_sched::{Ended, Letter, Letters, contain};

use crate::ending::{self, Settling, Verdict};
use crate::exit::ExitReason;
use crate::pid::Pid;
use crate::report::{self, Death};
use crate::side::Side;
use crate::signal::{Cause, Signal, deliver, signal};
use crate::trace;
use crate::world;

/// Why a process ended that was given no reason.
static NODE_ENDED: ExitReason = ExitReason::Shutdown;

/// Settles everything for a process whose address is dead already.
pub(crate) fn settle(ended: Ended, side: Option<Box<Side>>, unread: Letters<Signal>) {
    let me = Pid::new(ended.address);
    let mut side = side.unwrap_or_else(Side::spare);
    // Without a reason it was its node that ended; or it returned, and nobody had ever asked.
    let verdict = ending::take(me).or_else(|| side.verdict.take());
    let reason = verdict.as_ref().map_or(&NODE_ENDED, Verdict::reason);
    let late = late_letters(me, &mut side, unread);
    let is_listed = |letter: &Letter<Signal>| matches!(**letter, Signal::Listed);
    let listed = side.listed || late.iter().any(is_listed);
    // First of all: whoever hears of the end finds the name free.
    let name = if listed { world::forget(me) } else { None };
    let joined = side.join.is_some();
    if let Some(join) = side.join.take() {
        // It calls a waker of anybody's.
        contain(|| join.close(reason.clone()));
    }
    if side.traces.is_some() {
        trace::ended(me, &mut side, reason);
    }
    if !late.is_empty() {
        trace::ended_unheard(me, &late, reason);
    }
    tell(me, &side, reason);
    if !late.is_empty() {
        late.iter().for_each(|letter| refuse(me, letter));
    }
    report::crash(Death {
        ended,
        reason,
        name,
        side: &side,
        unread: late.len() + side.mailbox.len(),
        joined,
    });
    if !late.is_empty() || side.mailbox.holds_any() {
        let _settling = Settling::begin(me, reason);
        late.into_iter().for_each(discard);
        while let Some(message) = side.mailbox.pop() {
            discard(message);
        }
        side.mailbox.take_shed().into_iter().for_each(discard);
    }
    side.recycle();
}

/// What came too late to be heard.
fn late_letters(me: Pid, side: &mut Side, unread: Letters<Signal>) -> Vec<Letter<Signal>> {
    let mut late = std::mem::take(&mut side.unheard);
    if !unread.is_empty() {
        late.extend(unread);
    }
    if let Some(gate) = side.mailbox.gate() {
        late.extend(gate.close(me));
    }
    late
}

/// Drops what others wrote: two that panic when they are dropped together would end the
/// program, and one would end a process that never saw it.
pub(crate) fn discard<T>(written: T) {
    contain(|| drop(written));
}

/// Tells those who are linked or watch, and those who are watched.
fn tell(me: Pid, side: &Side, reason: &ExitReason) {
    let mut told = None;
    side.links.for_each_peer_in_order(|peer| {
        if told.replace(peer) != Some(peer) {
            send_exit(me, peer, reason.clone());
        }
    });
    side.watchers.for_each_in_order(|reference, watcher| {
        let down = || Signal::Down {
            told: false,
            reference,
            from: me,
            reason: reason.clone(),
        };
        deliver(*watcher, Letter::with(down));
    });
    side.watches.for_each_in_order(|reference, watch| {
        signal(watch.pid, Signal::Demonitor { reference });
    });
}

/// Answers a signal that nobody heard: as if there had been no process.
fn refuse(me: Pid, letter: &Letter<Signal>) {
    match &**letter {
        Signal::Link { from, .. } => send_exit(me, *from, ExitReason::NoProcess),
        Signal::Monitor { from, reference }
        | Signal::Call {
            from, reference, ..
        } => {
            let down = Signal::Down {
                told: false,
                reference: *reference,
                from: me,
                reason: ExitReason::NoProcess,
            };
            signal(*from, down);
        }
        _ => {}
    }
}

fn send_exit(me: Pid, peer: Pid, reason: ExitReason) {
    let exit = || Signal::Exit {
        told: false,
        from: Some(me),
        cause: Cause::Link,
        reason,
    };
    deliver(peer, Letter::with(exit));
}
