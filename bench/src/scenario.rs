//! What a scenario is, and the list of them all. Each lives in a file of its own and decides what is done and counted.

mod call_storm;
mod command_storm;
mod component_storm;
mod connection_scale;
mod connection_storm;
mod crypto_ops;
mod dynamic_wasm;
mod fairness;
mod fairness_mixed;
mod fairness_native;
mod fairness_wasm;
mod fan_in;
mod fan_out;
mod fault_monitor;
mod fault_recovery;
mod guest;
mod host_call;
mod kill_spinner;
mod kv_storm;
mod link_cascade;
mod module_storm;
mod observer_overhead;
mod ping_pong;
mod preempt_cost;
mod pubsub_fanout;
mod registry_churn;
mod ring;
mod soak;
mod spawn_bare;
mod spawn_hold;
mod spawn_storm;
mod stream_pipe;
mod tcp_echo;
mod timers;
mod wasm_hold;
mod wasm_ping_pong;

use crate::args::number;
use crate::env::{Env, NUMBER_MAX};
use crate::failure::Failure;
use crate::report::Report;

/// One workload.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What other runtimes' harnesses call it.
    pub(crate) workload: &'static str,
    pub(crate) about: &'static str,
    pub(crate) choices: &'static [Choice],
    /// Settings for a run of a fifth of a second on any machine: for `smoke` and for tests.
    pub(crate) small: &'static [(&'static str, &'static str)],
    pub(crate) run: fn(&Env) -> Result<Report, Failure>,
}

/// Something a scenario lets its user choose.
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    /// `WORKERS` stands for as many as the node has.
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
}

/// A default that follows the size of the node.
pub(crate) const WORKERS: &str = "workers";

pub(crate) static ALL: [&Scenario; 35] = [
    &spawn_storm::SCENARIO,
    &spawn_bare::SCENARIO,
    &spawn_hold::SCENARIO,
    &ping_pong::SCENARIO,
    &ring::SCENARIO,
    &fan_in::SCENARIO,
    &fan_out::SCENARIO,
    &timers::SCENARIO,
    &fault_recovery::SCENARIO,
    &fault_monitor::SCENARIO,
    &link_cascade::SCENARIO,
    &pubsub_fanout::SCENARIO,
    &call_storm::SCENARIO,
    &registry_churn::SCENARIO,
    &fairness::SCENARIO,
    &fairness_native::SCENARIO,
    &fairness_wasm::SCENARIO,
    &tcp_echo::SCENARIO,
    &connection_storm::SCENARIO,
    &connection_scale::SCENARIO,
    &module_storm::SCENARIO,
    &component_storm::SCENARIO,
    &command_storm::SCENARIO,
    &wasm_hold::SCENARIO,
    &wasm_ping_pong::SCENARIO,
    &fairness_mixed::SCENARIO,
    &kill_spinner::SCENARIO,
    &host_call::SCENARIO,
    &preempt_cost::SCENARIO,
    &dynamic_wasm::SCENARIO,
    &kv_storm::SCENARIO,
    &stream_pipe::SCENARIO,
    &crypto_ops::SCENARIO,
    &soak::SCENARIO,
    &observer_overhead::SCENARIO,
];

/// By our name, or else by the one that other harnesses use.
pub(crate) fn find(name: &str) -> Result<&'static Scenario, Failure> {
    let found = by(name, |scenario| scenario.name).or(by(name, |scenario| scenario.workload));
    found.ok_or_else(|| unknown(name))
}

/// The other way round: `fairness` of other harnesses is not the scenario of that name.
pub(crate) fn find_workload(name: &str) -> Result<&'static Scenario, Failure> {
    let found = by(name, |scenario| scenario.workload).or(by(name, |scenario| scenario.name));
    found.ok_or_else(|| unknown(name))
}

fn by(name: &str, named: fn(&Scenario) -> &str) -> Option<&'static Scenario> {
    ALL.into_iter().find(|scenario| named(scenario) == name)
}

fn unknown(name: &str) -> Failure {
    Failure::Usage(format!(
        "there is no scenario `{name}`. `rusm-bench list` shows those there are."
    ))
}

impl Choice {
    /// Whether `value` makes sense in its place, as far as the default tells.
    pub(crate) fn check(&self, value: &str) -> Result<(), String> {
        let numeric = self.default == WORKERS || number(self.default).is_some();
        if !numeric || value == self.default || number(value).is_some_and(|it| it <= NUMBER_MAX) {
            return Ok(());
        }
        Err(format!(
            "`{}={value}` is not a whole number from 0 to {NUMBER_MAX}.",
            self.name
        ))
    }
}

impl Scenario {
    /// Whether it shows its processes one by one.
    pub(crate) fn has_lanes(&self) -> bool {
        self.name == fairness::SCENARIO.name
    }

    /// Whether what it does is to start processes that end: then those that have ended are its pace.
    pub(crate) fn is_storm(&self) -> bool {
        self.choice(spawn_storm::SPAWNERS.name).is_some()
    }

    pub(crate) fn choice(&self, name: &str) -> Option<&'static Choice> {
        self.choices.iter().find(|choice| choice.name == name)
    }
}

const fn choice(name: &'static str, default: &'static str, about: &'static str) -> Choice {
    Choice {
        name,
        default,
        about,
    }
}

#[cfg(test)]
mod tests;
