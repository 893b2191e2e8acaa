//! Processes: starting, linking, watching, ending, waiting.

use std::fmt;
use std::time::Duration;

use rusm_actor::{ExitReason, Pid};

use crate::guest::State;
use crate::host::{Held, Refusal};

/// Links to processes that have ended already, of which a process that traps exits has not read
/// yet: each leaves a message that no limit of its mailbox counts.
pub(crate) const DEAD_LINKS_MAX: u32 = 1_024;

/// A guest ends itself for a reason.
#[derive(Debug)]
pub(crate) struct Exit(pub(crate) ExitReason);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest ends itself: {}", self.0)
    }
}

impl std::error::Error for Exit {}

/// What a guest calls a time, in nanoseconds: the greatest one is for ever.
pub(crate) fn within(nanoseconds: u64) -> Option<Duration> {
    (nanoseconds != u64::MAX).then(|| Duration::from_nanos(nanoseconds))
}

/// Links the process to another one.
pub(crate) fn link(state: &mut State, peer: u64) -> Result<(), Refusal> {
    let peer = Pid::from_bits(peer);
    if !rusm_actor::is_alive(peer) && !state.context.is_linked(peer) {
        let unread = &mut state.actor().dead_links;
        if *unread >= DEAD_LINKS_MAX {
            return Err(Refusal::Limit {
                what: "unread ends of processes that it was linked to after they had ended",
                max: DEAD_LINKS_MAX as usize,
            });
        }
        *unread += 1;
    }
    state.context.link(peer).map_err(|_| {
        // It is an error, so nothing comes that would have to be read.
        let unread = &mut state.actor().dead_links;
        *unread = unread.saturating_sub(1);
        Refusal::NoProcess
    })
}

/// Watches a process.
pub(crate) fn monitor(state: &mut State, pid: u64) -> Result<u64, Refusal> {
    state.actor().room()?;
    let reference = state.context.monitor(Pid::from_bits(pid));
    Ok(state.actor().hold(reference, Held::Monitor(reference)))
}

/// Ends a monitor, and with `flush` takes back that the watched one has ended. False: it had ended
/// before.
pub(crate) fn demonitor(state: &mut State, bits: u64, flush: bool) -> bool {
    let reference = match state.actor().held(bits) {
        Some(Held::Monitor(reference)) => *reference,
        _ => return false,
    };
    state.actor().release(bits);
    match flush {
        true => state.context.demonitor_flush(reference),
        false => state.context.demonitor(reference),
    }
}

/// Ends the link to `peer`, if there is one.
pub(crate) fn unlink(state: &mut State, peer: u64) {
    state.context.unlink(Pid::from_bits(peer));
}

/// Does a process live? Everybody may ask.
pub(crate) fn is_alive(pid: u64) -> bool {
    rusm_sched::spend(1);
    rusm_actor::is_alive(Pid::from_bits(pid))
}

/// Watches whoever has a name now.
pub(crate) fn monitor_name(state: &mut State, name: &str) -> Result<u64, Refusal> {
    state.actor().room()?;
    let reference = state.context.monitor_name(name);
    Ok(state.actor().hold(reference, Held::Monitor(reference)))
}
