//! What is settled when a process has ended: its name goes, then those are told who are linked
//! to it or watch it, and those whose signals came too late.

use rusm_sched::{Ended, Letter, Letters, contain};

use crate::ending::Settling;
use crate::exit::ExitReason;
use crate::pid::Pid;
use crate::process::Side;
use crate::report::{self, Death};
use crate::signal::{Cause, Signal, signal};
use crate::world;

/// Settles everything for a process whose address is dead already.
pub(crate) fn settle(ended: Ended, side: Option<Box<Side>>, unread: Letters<Signal>) {
    let me = Pid::new(ended.address);
    let mut side = side.unwrap_or_default();
    // Without a reason it was its node that ended; or it returned, and nobody had ever asked.
    let reason = side.reason.take().unwrap_or(ExitReason::Shutdown);
    let _settling = Settling::begin(&reason);
    let gated = side.mailbox.gate().map(|gate| gate.close(me));
    let gated = gated.unwrap_or_default();
    let unheard: Vec<_> = side.unheard.drain(..).chain(unread).chain(gated).collect();
    let listed = side.listed
        || unheard
            .iter()
            .any(|letter| matches!(**letter, Signal::Listed));
    // First of all: whoever hears of the end finds the name free.
    let name = if listed { world::forget(me) } else { None };
    let joined = side.join.is_some();
    if let Some(join) = side.join.take() {
        // It calls a waker of anybody's.
        contain(|| join.close(reason.clone()));
    }
    tell(me, &side, &reason);
    for letter in &unheard {
        refuse(me, letter);
    }
    report::crash(Death {
        ended,
        reason: &reason,
        name,
        side: &side,
        unread: unheard.len() + side.mailbox.len(),
        joined,
    });
    for letter in unheard {
        discard(letter);
    }
    while let Some(message) = side.mailbox.pop() {
        discard(message);
    }
    for message in side.mailbox.take_shed() {
        discard(message);
    }
}

/// Drops what others wrote: two that panic when they are dropped together would end the
/// program, and one would end a process that never saw it.
pub(crate) fn discard<T>(written: T) {
    contain(|| drop(written));
}

/// Tells those who are linked or watch, and those who are watched.
fn tell(me: Pid, side: &Side, reason: &ExitReason) {
    let mut told = None;
    for peer in side.links.peers_in_order() {
        if told.replace(peer) != Some(peer) {
            send_exit(me, peer, reason.clone());
        }
    }
    for (reference, watcher) in side.watchers.in_order() {
        let down = Signal::Down {
            told: false,
            reference,
            from: me,
            reason: reason.clone(),
        };
        signal(*watcher, down);
    }
    for (reference, watch) in side.watches.in_order() {
        signal(watch.pid, Signal::Demonitor { reference });
    }
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
    let exit = Signal::Exit {
        told: false,
        from: Some(me),
        cause: Cause::Link,
        reason,
    };
    signal(peer, exit);
}
