//! The spawn storm with WebAssembly guests: every process is a fresh instance of a core module with a page of
//! memory and a data segment, runs its entry and is gone. Those that ended in any other way are counted apart.

use rusm_actor::{Context, ExitReason, Node};
use rusm_wasm::{Engine, EngineConfig, Prepared};

use super::spawn_storm::{BATCH, SPAWNERS, Storm};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::Tally;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "module-storm",
    workload: "wasm_storm",
    about: "spawners start a fresh instance of a core module per process; counts those that came and went",
    choices: &[
        SPAWNERS,
        BATCH,
        choice("cap", "900", "spawners wait while this many are alive"),
    ],
    small: &[],
    run,
};

/// One page, a data segment, and an entry that ends at once.
const MODULE: &str = r#"(module
  (memory (export "memory") 1)
  (data (i32.const 16) "a fresh instance finds this in its memory")
  (func (export "run")))"#;

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, storm) = (env.span, Storm::from(env)?);
    let node = Node::start(env.config.clone())?;
    let prepared = prepare(&node, storm.cap, MODULE)?;
    let (workers, tally) = (env.config.workers, || Tally::leaked(env.config.workers));
    let (normal, failed) = (tally(), tally());
    env.drive_on(&node, move |ctx| async move {
        let spawn = move |ctx: &Context, batch| {
            for _ in 0..batch {
                let guest = prepared.clone();
                ctx.spawn(move |ctx| async move {
                    let reason = guest.run_pure(ctx).await;
                    let ended = matches!(reason, ExitReason::Normal);
                    if ended { normal } else { failed }.add(1);
                    reason
                });
            }
        };
        let ended = || normal.total() + failed.total();
        let report = storm.run(&ctx, span, workers, spawn, ended).await;
        report.with("failed", failed.total() as f64)
    })
}

/// A module's `run`, on an engine of its own with room for `live` guests, wherever they are.
pub(super) fn prepare(node: &Node, live: u64, module: &str) -> Result<Prepared, Failure> {
    let config = EngineConfig {
        // Workers have pools of their own, and the guests need not be spread evenly.
        instances_max: u32::try_from(live.saturating_mul(4)).unwrap_or(u32::MAX),
        ..EngineConfig::default()
    };
    let engine = Engine::new(config, &node.handle()).map_err(Failure::guest)?;
    let module = engine.load(module.as_bytes()).map_err(Failure::guest)?;
    module.prepare(Some("run")).map_err(Failure::guest)
}
