//! What somebody wants run, made into something that can be: nothing that is wrong gets further than this.

use rusm_observe::protocol::{Code, Refusal, RunOrder, SweepOrder};

use crate::args::Setting;
use crate::env::{self, Env};
use crate::scenario::{self, Scenario};
use crate::sweep::{Axis, Plan};

/// Points of a grid: all of them go to each client with every tick.
const POINTS_MAX: u64 = 400;

pub(super) fn env(order: &RunOrder, profile: &str) -> Result<Env, Refusal> {
    let scenario = scenario(&order.scenario)?;
    let mut settings = with_profile(scenario, profile);
    settings.extend(order.settings.clone());
    if order.settings.contains_key("secs") {
        return Err(bad(
            "`secs` is no setting here: the time of a run is `seconds`.",
        ));
    }
    let span = env::seconds(&order.seconds.to_string()).map_err(bad)?;
    let mut env = Env::new(scenario, &settings).map_err(bad)?;
    env.span = span;
    Ok(env)
}

pub(super) fn plan(order: &SweepOrder, profile: &str) -> Result<Plan, Refusal> {
    let scenario = scenario(&order.scenario)?;
    if order.repeats == 0 {
        return Err(bad("`repeats` must be at least 1: no run would count."));
    }
    let axes = order.axes.clone().into_iter();
    let axes = axes.map(|(key, values)| Axis { key, values }).collect();
    let plan = Plan {
        fixed: with_profile(scenario, profile),
        repeats: order.repeats,
        warmup: order.warmup,
        seconds: order.seconds,
        seed: order.seed,
        ..Plan::new(scenario.name, axes).map_err(bad)?
    };
    let points = plan.points();
    if points > POINTS_MAX {
        return Err(bad(format!(
            "that is a grid of {points} points, and {POINTS_MAX} are the most that can be watched: give fewer values."
        )));
    }
    plan.check().map_err(bad)?;
    Ok(plan)
}

fn scenario(name: &str) -> Result<&'static Scenario, Refusal> {
    scenario::find(name).map_err(|why| Refusal::new(Code::UnknownScenario, why.to_string()))
}

/// The profile of the laboratory, where the scenario knows profiles. What is set by hand comes later and counts.
fn with_profile(scenario: &Scenario, profile: &str) -> Vec<Setting> {
    let choice = scenario.choice("profile");
    let setting = choice.map(|choice| (choice.name.to_string(), profile.to_string()));
    setting.into_iter().collect()
}

fn bad(why: impl ToString) -> Refusal {
    Refusal::new(Code::BadValue, why.to_string())
}
