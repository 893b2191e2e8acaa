//! Looking at processes, and ending those of others: all of it takes a grant.

use std::time::Duration;

use rusm_actor::{ExitReason, Pid, Priority, ProcessInfo, ProcessState, WaitsFor};

use crate::guest::State;
use crate::host::{Refusal, power};

/// Pids that one look at the list returns.
pub(crate) const LIST_MAX: usize = 10_000;
/// Bytes of a label.
pub(crate) const LABEL_BYTES_MAX: usize = 255;

/// Kills a process; to the dead nothing happens.
pub(crate) fn kill(state: &State, pid: u64) -> Result<(), Refusal> {
    let pid = Pid::from_bits(pid);
    power::may_kill(state, pid)?;
    rusm_actor::kill(pid);
    Ok(())
}

/// Asks a process to end. `Kill` kills; to itself nothing is ever refused.
pub(crate) fn exit(state: &State, pid: u64, reason: ExitReason) -> Result<(), Refusal> {
    let pid = Pid::from_bits(pid);
    power::may_kill(state, pid)?;
    rusm_actor::exit(pid, reason);
    Ok(())
}

/// Is the guest to look into this process?
pub(crate) fn may_look(state: &State, pid: u64) -> Result<Pid, Refusal> {
    let pid = Pid::from_bits(pid);
    power::may_inspect(state, pid)?;
    Ok(pid)
}

/// What is known of a process, which is asked for it.
pub(crate) async fn info(state: &mut State, pid: Pid) -> Result<ProcessInfo, Refusal> {
    let found = state.context.process_info(pid).await;
    found.ok_or(Refusal::NoProcess)
}

/// Whole nanoseconds; more than 584 years count as for ever.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The processes that it may list, after this pid in the order of their numbers, `LIST_MAX` at most.
pub(crate) fn list(state: &State, after: u64, max: usize) -> Vec<Pid> {
    let mut all = state.context.node().processes();
    rusm_sched::spend((all.len() / 16) as u32);
    // It may list strangers without a name: then it may list everybody.
    let everybody = power::may_list_all(state);
    all.retain(|pid| after == 0 || pid.to_bits() > after);
    all.sort_unstable_by_key(|pid| pid.to_bits());
    let listed = all
        .into_iter()
        .filter(|pid| everybody || power::may_list(state, *pid).is_ok());
    listed.take(max.min(LIST_MAX)).collect()
}

/// Names the process in reports.
pub(crate) fn set_label(state: &mut State, label: &str) -> Result<(), Refusal> {
    if label.len() > LABEL_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a label",
            len: label.len(),
            max: LABEL_BYTES_MAX,
        });
    }
    state.context.set_label(label);
    Ok(())
}

/// The process's own priority, given to it when it was started.
pub(crate) fn priority(state: &State) -> Priority {
    let info = rusm_actor::info(state.pid());
    info.map(|info| info.priority).unwrap_or_default()
}

/// What a process is doing, as a number.
pub(crate) fn doing(state: ProcessState) -> u32 {
    match state {
        ProcessState::Running => 0,
        ProcessState::Runnable => 1,
        ProcessState::Waiting(WaitsFor::Message) => 2,
        ProcessState::Waiting(WaitsFor::Timer) => 3,
        ProcessState::Waiting(WaitsFor::Other) => 4,
    }
}

/// A priority as a number.
pub(crate) fn rank(priority: Priority) -> u32 {
    match priority {
        Priority::Normal => 0,
        Priority::High => 1,
        Priority::Low => 2,
    }
}

/// The priority with this number.
pub(crate) fn ranked(rank: u32) -> Result<Priority, Refusal> {
    match rank {
        0 => Ok(Priority::Normal),
        1 => Ok(Priority::High),
        2 => Ok(Priority::Low),
        _ => Err(Refusal::Invalid(format!(
            "a priority is normal (0), high (1) or low (2), not {rank}"
        ))),
    }
}
