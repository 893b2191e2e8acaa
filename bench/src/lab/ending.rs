//! What a run came to, in the words of the protocol.

use std::collections::BTreeMap;

use rusm_observe::protocol::{Run, RunState};
use rusm_sched::Config;

use super::sampler::Look;
use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;

/// What is counted while it runs, unless its scenario tells; what it came to has a unit of its own.
pub(super) fn unit(env: &Env) -> &'static str {
    match env.scenario.is_storm() {
        true => "spawns/s",
        false => "turns/s",
    }
}

/// What a look found.
pub(super) fn show(run: &mut Run, look: &Look) {
    run.state = RunState::Running;
    (run.alive, run.peak) = (look.alive, look.peak);
    (run.throughput, run.latency) = (look.throughput, look.latency);
    run.sides.clone_from(&look.sides);
}

pub(super) fn ended<T>(outcome: &Result<T, Failure>) -> RunState {
    match outcome {
        Ok(_) => RunState::Ended,
        Err(Failure::Stopped) => RunState::Stopped,
        Err(_) => RunState::Failed,
    }
}

/// Being stopped is no error.
pub(super) fn error<T>(outcome: &Result<T, Failure>) -> Option<String> {
    match outcome {
        Ok(_) | Err(Failure::Stopped) => None,
        Err(failure) => Some(failure.to_string()),
    }
}

pub(super) fn figures(report: &Report) -> BTreeMap<String, f64> {
    let figures = report.figures().filter(|(_, value)| value.is_finite());
    figures
        .map(|(name, value)| (name.to_string(), value))
        .collect()
}

/// JSON has no other numbers.
pub(super) fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

pub(super) fn fields(config: &Config) -> BTreeMap<String, String> {
    let fields = Config::fields().iter();
    fields
        .map(|field| (field.to_string(), config.get(field)))
        .collect()
}
