//! Processes take names, find and write to each other by name, and give the names back; half of them by ending.

use std::time::Instant;

use rusm_actor::Context;

use super::{Scenario, WORKERS, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, SAMPLED, mail};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "registry-churn",
    workload: "registry_churn",
    about: "take a name, be found and written to by it, give it back or end",
    choices: &[
        choice("churners", WORKERS, "processes that do so at the same time"),
        choice("names", "10000", "names that others hold meanwhile"),
    ],
    small: &[("names", "100")],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, churners) = (env.span, env.positive("churners")?);
    let names = env.number("names")?;
    let progress = env.progress("names/s");
    env.drive(move |ctx| async move {
        let node = ctx.node();
        for holder in 0..names {
            let pid = ctx.spawn(|mut ctx| async move { drop(ctx.receive().await) });
            let name = format!("holder-{holder}");
            node.register(&name, pid).expect("the name is free");
        }
        let (ledger, start) = (Ledger::new(), Instant::now());
        for churner in 0..churners {
            let ledger = ledger.clone();
            ctx.spawn(move |mut ctx| async move {
                let (mut gaps, mut cycles) = (Latency::new(), 0_u64);
                let name = format!("churner-{churner}");
                while start.elapsed() < span {
                    let begun = cycles.is_multiple_of(SAMPLED).then(Instant::now);
                    once(&mut ctx, &name, cycles.is_multiple_of(2)).await;
                    if let Some(begun) = begun {
                        gaps.note(begun.elapsed());
                    }
                    cycles += 1;
                    if cycles.is_multiple_of(SAMPLED) {
                        progress.add(SAMPLED);
                    }
                }
                progress.add(cycles % SAMPLED);
                ledger.close(cycles, &gaps);
            });
        }
        let (cycles, gaps) = ledger.all(churners).await;
        Report::rate(cycles, start.elapsed(), "names/s").with_latency(&gaps)
    })
}

/// One name's life: it must be free for the next one when its process is known to have ended.
async fn once(ctx: &mut Context, name: &str, ends: bool) {
    let (pid, _) = ctx.spawn_monitor(|mut ctx| async move { drop(ctx.receive().await) });
    let node = ctx.node();
    node.register(name, pid).expect("the name is free");
    node.send_name(name, mail(1)).expect("it has the name");
    if !ends {
        node.unregister(name);
    }
    ctx.receive().await;
}
