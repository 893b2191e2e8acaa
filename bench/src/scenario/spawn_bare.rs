//! The spawn storm with bare tasks of the scheduler: no mailbox, no pid anyone is told, no exit reason.

use rusm_actor::Context;

use super::Scenario;
use super::spawn_storm::{BATCH, CAP, SPAWNERS, Storm};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::Tally;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "spawn-bare",
    workload: "spawn_bare",
    about: "the spawn storm with bare tasks of the scheduler, without mailbox or exit reason",
    choices: &[SPAWNERS, BATCH, CAP],
    small: &[("cap", "10000")],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let storm = Storm::from(env)?;
    let (span, workers) = (env.span, env.config.workers);
    let ended = Tally::leaked(workers);
    env.drive(move |ctx| async move {
        let handle = ctx.node().handle();
        let spawn = move |_ctx: &Context, batch| {
            for _ in 0..batch {
                handle.spawn(async move { ended.add(1) });
            }
        };
        storm
            .run(&ctx, span, workers, spawn, || ended.total())
            .await
    })
}
