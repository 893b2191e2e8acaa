//! The spawn storm with components: every process is a fresh instance of a component whose core module has a page of
//! memory and a data segment, runs its entry and is gone.

use super::guest::{engine, prepare};
use super::module_storm::storm;
use super::spawn_storm::{BATCH, SPAWNERS};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "component-storm",
    workload: "component_storm",
    about: "spawners start a fresh instance of a component per process; counts those that came and went",
    choices: &[
        SPAWNERS,
        BATCH,
        choice("cap", "900", "spawners wait while this many are alive"),
    ],
    small: &[],
    run,
};

const COMPONENT: &str = r#"(component
  (core module $core
    (memory (export "memory") 1)
    (data (i32.const 16) "a fresh instance finds this in its memory")
    (func (export "run")))
  (core instance $made (instantiate $core))
  (func (export "run") (canon lift (core func $made "run"))))"#;

fn run(env: &Env) -> Result<Report, Failure> {
    storm(env, |node, live| prepare(&engine(node, live)?, COMPONENT))
}
