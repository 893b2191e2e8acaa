//! A process in the words of the protocol.

use rusm_actor::supervisor::SupervisorInfo;
use rusm_actor::{
    Priority, ProcessInfo, ProcessState, ProcessSummary, WaitsFor, Watched, last_host_call,
};

use crate::overview::{exact_micros, micros};
use crate::protocol::{Detail, Oldest, Row};

/// Groups that a row tells.
const GROUPS_MAX: usize = 16;
/// Bytes of a body's name: types in types in types may be very long, and what they begin with says most.
const BODY_BYTES_MAX: usize = 300;
/// Links, and as many monitors each way, that a detail tells.
const LINKS_MAX: usize = 1_000;

/// What a process has spent a second lately.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pace {
    pub(crate) reductions: Option<u64>,
    /// Nanoseconds.
    pub(crate) cpu: Option<u64>,
}

pub(crate) fn row(it: &ProcessSummary, pace: Pace) -> Row {
    let (state, waits_for) = match it.state {
        ProcessState::Running => ("running", None),
        ProcessState::Runnable => ("runnable", None),
        ProcessState::Waiting(WaitsFor::Message) => ("waiting", Some("message")),
        ProcessState::Waiting(WaitsFor::Timer) => ("waiting", Some("timer")),
        ProcessState::Waiting(WaitsFor::Other) => ("waiting", Some("other")),
    };
    Row {
        pid: it.pid.to_string(),
        name: it.name.as_deref().map(String::from),
        body: it.body[..it.body.floor_char_boundary(BODY_BYTES_MAX)].into(),
        state: state.into(),
        waits_for: waits_for.map(String::from),
        since: it.since.map(micros),
        priority: match it.priority {
            Priority::High => "high".into(),
            Priority::Normal => "normal".into(),
            Priority::Low => "low".into(),
        },
        parent: it.parent.map(|pid| pid.to_string()),
        mailbox: it.messages.into(),
        reductions: it.reductions,
        reductions_window: pace.reductions,
        cpu: it.cpu.map(exact_micros),
        cpu_window: pace.cpu.map(|nanos| nanos as f64 / 1e3),
        memory_bytes: it.memory_bytes as u64,
        groups: it
            .groups
            .iter()
            .take(GROUPS_MAX)
            .map(|group| group.to_string())
            .collect(),
        place: it
            .place
            .map(|place| format!("{}:{}", place.file(), place.line())),
    }
}

/// `supervisors`: those of its node.
pub(crate) fn detail(it: &ProcessInfo, pace: Pace, supervisors: &[SupervisorInfo]) -> Detail {
    let mut row = row(&it.summary, pace);
    row.mailbox = it.messages() as u64;
    row.memory_bytes = it.memory_bytes() as u64;
    let inside = it.inside.clone().unwrap_or_default();
    let pids = |all: &[rusm_actor::Pid]| {
        let first = all.iter().take(LINKS_MAX);
        first.map(|pid| pid.to_string()).collect()
    };
    let parent = it.summary.parent;
    let supervisor = supervisors.iter().find(|known| Some(known.pid) == parent);
    Detail {
        row,
        label: inside.label.as_deref().map(String::from),
        traps_exits: inside.traps_exits,
        supervisor: supervisor.map(|known| known.pid.to_string()),
        oldest: inside.oldest.map(|oldest| Oldest {
            from: oldest.from.map(|pid| pid.to_string()),
            text: oldest.text,
        }),
        links: pids(&inside.links),
        monitors: inside
            .monitors
            .iter()
            .take(LINKS_MAX)
            .map(watched)
            .collect(),
        monitored_by: pids(&inside.monitored_by),
        aliases: inside.aliases as u64,
        last_call: last_host_call(it.summary.pid).as_deref().map(String::from),
        answered: it.inside.is_some(),
    }
}

fn watched(it: &Watched) -> String {
    match it {
        Watched::Pid(pid) => pid.to_string(),
        Watched::Name(name) => name.to_string(),
    }
}
