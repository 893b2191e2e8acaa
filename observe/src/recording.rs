//! A recorded schedule as a file: one JSON value a line, which programs and people read.
//!
//! A header, what is known of the tasks that were processes, what each worker came to with its events, what a
//! flight recorder adds, and how many events there should have been. Whatever else a file holds is refused with the number of the
//! line.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use rusm_actor::Pid;
use rusm_sched::{Address, Lane, Recording, TurnEnd, What};
use serde::{Deserialize, Serialize};

use crate::protocol::{Overview, Row, TraceEvent, Warning};
use crate::row::{self, Pace};

/// Of this format. Files of others are refused.
const VERSION: u64 = 2;

/// The longest line that a file may have, in bytes: the overview has one for all workers.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Processes that a file tells of.
const PROCESSES_MAX: usize = 10_000;

const ENDS: [(TurnEnd, &str); 6] = [
    (TurnEnd::Waiting, "waiting"),
    (TurnEnd::Woken, "woken"),
    (TurnEnd::Spent, "spent"),
    (TurnEnd::Yielded, "yielded"),
    (TurnEnd::Moved, "moved"),
    (TurnEnd::Ended, "ended"),
];

/// A recording and what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// What ran: a scenario, or the name of a node.
    pub scenario: String,
    /// What the scheduler decided.
    pub recording: Recording,
    /// Its tasks that were processes and still lived when this was made.
    pub processes: BTreeMap<Address, Row>,
    /// How it ended, if a flight recorder wrote this.
    pub crash: Option<Crash>,
}

/// The end of a node, and its last moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    /// When, by whom and why.
    pub end: CrashEnd,
    /// The counters then.
    pub overview: Overview,
    /// What it should have been looked at for.
    pub warnings: Vec<Warning>,
    /// What processes did that somebody had traced, the latest of it.
    pub traced: Vec<TraceEvent>,
}

/// When and why a node ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashEnd {
    /// A sentence without its full stop.
    pub reason: String,
    /// Milliseconds since 1970.
    pub at_unix_ms: u64,
    /// Of the program, as the system numbers it.
    pub os_pid: u32,
}

impl Recorded {
    /// A recording, and what can be said now of its tasks.
    pub fn new(recording: Recording, scenario: &str) -> Self {
        Recorded {
            scenario: scenario.into(),
            processes: processes(&recording),
            recording,
            crash: None,
        }
    }

    /// What is known of a task.
    pub fn process(&self, task: Address) -> Option<&Row> {
        self.processes.get(&task)
    }
}

fn processes(recording: &Recording) -> BTreeMap<Address, Row> {
    let lanes = recording.workers.iter().chain([&recording.ticker]);
    let tasks: BTreeSet<u64> = lanes.flat_map(tasks).map(Address::to_bits).collect();
    let alive = tasks.into_iter().filter_map(|bits| {
        let summary = rusm_actor::info(Pid::from_bits(bits))?;
        let row = row::row(&summary, Pace::default());
        Some((Address::from_bits(bits), row))
    });
    alive.take(PROCESSES_MAX).collect()
}

fn tasks(lane: &Lane) -> impl Iterator<Item = Address> {
    let of = |what| match what {
        What::Turn { task, .. } | What::Overrun { task, .. } => [Some(task), None],
        What::Spawn { task, by } => [Some(task), Some(by)],
        What::Steal { .. } | What::Park | What::Unpark | What::Timers { .. } => [None, None],
    };
    let running = lane.running.map(|(task, _)| task);
    let noted = lane.events.iter().flat_map(move |event| of(event.what));
    noted.flatten().chain(running)
}

/// Every way a turn can end, in a fixed order.
pub fn ends() -> impl Iterator<Item = &'static str> {
    ENDS.iter().map(|(_, name)| *name)
}

/// Where `end` is among [`ends`].
pub fn end_number(end: TurnEnd) -> usize {
    let at = ENDS.iter().position(|(it, _)| *it == end);
    at.expect("the table names every end")
}

/// Index and generation, as the scheduler prints them.
pub fn task_name(task: Address) -> String {
    format!("{}.{}", task.index(), task.generation())
}
