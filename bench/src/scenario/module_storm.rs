//! The spawn storm with WebAssembly guests: every process is a fresh instance of a core module with a page of
//! memory and a data segment, runs its entry and is gone. Those that ended in any other way are counted apart.

use rusm_actor::{Context, ExitReason, Node};
use rusm_wasm::Prepared;

use super::guest::{engine, prepare};
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
    storm(env, |node, live| prepare(&engine(node, live)?, MODULE))
}

/// A storm of what `made` makes of an engine with room for so many guests.
pub(super) fn storm(
    env: &Env,
    made: impl FnOnce(&Node, u64) -> Result<Prepared, Failure>,
) -> Result<Report, Failure> {
    let node = Node::start(env.config.clone())?;
    let guest = made(&node, env.positive("cap")?)?;
    storm_of(env, &node, move |ctx| guest.run_pure(ctx))
}

/// A storm of processes with the bodies that `body` makes.
pub(super) fn storm_of<F>(
    env: &Env,
    node: &Node,
    body: impl Fn(Context) -> F + Clone + Send + 'static,
) -> Result<Report, Failure>
where
    F: Future<Output = ExitReason> + Send + 'static,
{
    let (span, storm) = (env.span, Storm::from(env)?);
    let (workers, tally) = (env.config.workers, || Tally::leaked(env.config.workers));
    let (normal, failed) = (tally(), tally());
    env.drive_on(node, move |ctx| async move {
        let spawn = move |ctx: &Context, batch| {
            for _ in 0..batch {
                let body = body.clone();
                ctx.spawn(move |ctx| async move {
                    let reason = body(ctx).await;
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
