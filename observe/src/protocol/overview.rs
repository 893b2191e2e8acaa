//! The overview of a node: everything that is counted anyway.

use serde::{Deserialize, Serialize};

use super::run::{Run, Sweep};

/// The overview as it is sent: so many times a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// One more with each.
    pub seq: u64,
    /// The node.
    #[serde(flatten)]
    pub overview: Overview,
    /// What the laboratory runs, or ran last.
    pub run: Option<Run>,
    /// What the laboratory sweeps, or swept last.
    pub sweep: Option<Sweep>,
}

/// A node at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// When, in microseconds since the node's start.
    pub at: u64,
    /// Which node.
    pub target: String,
    /// Its processes by state.
    pub processes: Processes,
    /// What it has done.
    pub counters: Counters,
    /// How full things are.
    pub gauges: Gauges,
    /// Each worker.
    pub workers: Vec<Worker>,
    /// Wake-ups since the look before.
    pub wake_to_run: WakeToRun,
    /// The program and its machine.
    pub system: System,
}

/// Processes by state. Counted, not looked at one by one: who is queued twice for a moment counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processes {
    /// All of them.
    pub alive: u64,
    /// In a turn.
    pub running: u64,
    /// In a run queue.
    pub runnable: u64,
    /// The others.
    pub waiting: u64,
}

/// What a node has done since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // They are the metrics of the same names: docs/observing.md.
pub struct Counters {
    pub spawns: u64,
    pub exits: u64,
    pub panics: u64,
    pub turns: u64,
    pub reductions: u64,
    pub steals: u64,
    pub stolen: u64,
    pub searches: u64,
    pub parks: u64,
    pub overflows: u64,
    pub overruns: u64,
    pub overruns_refused: u64,
    pub ticks: u64,
    pub messages_shed: u64,
    pub blocking_jobs: u64,
    pub blocking_refused: u64,
    pub io_polls: Option<u64>,
    pub io_events: Option<u64>,
}

/// How full things are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // They are the metrics of the same names: docs/observing.md.
pub struct Gauges {
    pub injected: u64,
    pub timers: u64,
    pub stuck: u64,
    pub blocking_threads: u64,
    pub blocking_queued: u64,
    pub io_sources: Option<u64>,
}

/// What a worker has done, and what waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // They are the metrics of the same names: docs/observing.md.
pub struct Worker {
    /// In microseconds.
    pub busy: u64,
    pub turns: u64,
    pub reductions: u64,
    pub steals: u64,
    pub parks: u64,
    pub queued: u64,
    pub overflows: u64,
}

/// Durations in microseconds: what share of them was not longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How many were timed.
    pub count: u64,
    /// Half of them.
    pub p50: f64,
    /// 95 of 100.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// All.
    pub max: f64,
}

/// From woken to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WakeToRun {
    /// The usual shares.
    #[serde(flatten)]
    pub times: Times,
    /// The longest time that a bucket takes, in microseconds, and how many it holds; no empty ones.
    pub buckets: Vec<(f64, u64)>,
}

/// What the operating system knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // They are the metrics of the same names: docs/observing.md.
pub struct System {
    pub resident_bytes: Option<u64>,
    pub virtual_bytes: Option<u64>,
    pub cpu_seconds: Option<f64>,
    pub threads: Option<u64>,
    pub fds: Option<u64>,
    pub fds_max: Option<u64>,
    pub load_1m: Option<f64>,
}
