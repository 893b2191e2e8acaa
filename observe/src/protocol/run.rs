//! What a laboratory is doing, and has done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Times;

/// How far a run or a sweep is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its node is being started.
    Starting,
    /// It runs.
    Running,
    /// It has come to its end.
    Ended,
    /// Something went wrong: see `error`.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

/// A choice that a scenario offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its key among the settings.
    pub name: String,
    /// What it is unless somebody chooses.
    pub default: String,
    /// What it means.
    pub about: String,
}

/// One run of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number, from 1.
    pub id: u64,
    /// Of what.
    pub scenario: String,
    /// What was chosen; the rest is as the scenario and the configuration have it.
    pub settings: BTreeMap<String, String>,
    /// The resource profile.
    pub profile: String,
    /// For what is chosen by chance.
    pub seed: u64,
    /// How far it is.
    pub state: RunState,
    /// Since its start.
    pub elapsed_ms: u64,
    /// How long it was asked to take.
    pub span_ms: u64,
    /// Processes that live on its node.
    pub alive: u64,
    /// Most of them at any look.
    pub peak: u64,
    /// What it did a second, since the latest look; what it came to in the end.
    pub throughput: f64,
    /// Of what: the scenario's own unit, or of what its node counts, such as `turns/s`, while the scenario cannot tell.
    pub unit: String,
    /// From woken to run, or what else the scenario times, so far.
    pub latency: Times,
    /// The schedulers that it runs on, if it shows its processes one by one.
    pub sides: Vec<Side>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The same work on one scheduler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// `rusm`, or the model it is compared with.
    pub name: String,
    /// Jain's index of what the bystanders did since the latest look.
    pub jain: f64,
    /// Its processes.
    pub lanes: Vec<Lane>,
}

/// One process of a fairness run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// For people.
    pub name: String,
    /// `hog` or `bystander`.
    pub kind: String,
    /// What it has done so far.
    pub done: u64,
    /// How late its latest wake-up was, or its next one is already, in microseconds.
    pub late: Option<f64>,
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// As it was in the end.
    #[serde(flatten)]
    pub run: Run,
    /// What it came to, in the run's unit; none unless it ended.
    pub value: Option<f64>,
    /// What else it measured.
    pub figures: BTreeMap<String, f64>,
    /// Latency in microseconds by share of the wake-ups.
    pub curve: Vec<(f64, f64)>,
    /// Throughput by milliseconds since the start.
    pub series: Vec<(u64, f64)>,
    /// Of what.
    pub series_unit: String,
    /// The source it was built from.
    pub commit: String,
    /// Where it ran.
    pub machine: String,
    /// The scheduler's configuration.
    pub config: BTreeMap<String, String>,
}

/// A grid of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Its number, from 1, in one row with those of runs.
    pub id: u64,
    /// Of what.
    pub scenario: String,
    /// The values of each field.
    pub axes: BTreeMap<String, Vec<String>>,
    /// Runs of each point that count.
    pub repeats: u64,
    /// Runs of each point before those.
    pub warmup: u64,
    /// Of one run.
    pub seconds: f64,
    /// For the order of the runs.
    pub seed: u64,
    /// How far it is.
    pub state: RunState,
    /// Runs that are over.
    pub done: u64,
    /// Runs in all.
    pub total: u64,
    /// The grid.
    pub points: Vec<Point>,
    /// The point with the greatest median, once all have run.
    pub best: Option<usize>,
    /// Why it failed.
    pub error: Option<String>,
}

/// One point of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Where it is.
    pub settings: BTreeMap<String, String>,
    /// Runs that counted so far.
    pub runs: u64,
    /// Of the values.
    pub unit: String,
    /// The least value.
    pub min: f64,
    /// The one in the middle.
    pub median: f64,
    /// The greatest.
    pub max: f64,
    /// Medians of what else was measured.
    pub figures: BTreeMap<String, f64>,
}
