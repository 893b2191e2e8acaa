//! Clients call servers and wait for each answer, with a deadline that is armed and disarmed each time.

use std::time::{Duration, Instant};

use rusm_actor::{Context, Pid};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, SAMPLED, Tally, mail, number};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "call-storm",
    workload: "call_storm",
    about: "request and reply with a monitor and a deadline of five seconds",
    choices: &[
        choice("clients", "1", "processes that call"),
        choice("servers", "1", "processes that answer"),
    ],
    small: &[],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, clients) = (env.span, env.positive("clients")?);
    let servers = env.positive("servers")?;
    let progress = env.progress("calls/s");
    env.drive(move |ctx| async move {
        let servers: Vec<Pid> = (0..servers).map(|_| ctx.spawn(serve)).collect();
        let (ledger, start) = (Ledger::new(), Instant::now());
        for client in 0..clients {
            let server = servers[client as usize % servers.len()];
            let ledger = ledger.clone();
            ctx.spawn(move |ctx| call(ctx, server, ledger, progress, start, span));
        }
        let (calls, gaps) = ledger.all(clients).await;
        Report::rate(calls, start.elapsed(), "calls/s").with_latency(&gaps)
    })
}

async fn serve(mut ctx: Context) {
    loop {
        if let Ok((caller, question)) = ctx.receive().await.into_call() {
            ctx.reply(caller, mail(number(&question) + 1));
        }
    }
}

async fn call(
    mut ctx: Context,
    server: Pid,
    ledger: Ledger,
    progress: &Tally,
    start: Instant,
    span: Duration,
) {
    let (mut gaps, mut calls) = (Latency::new(), 0_u64);
    loop {
        let sampled = calls.is_multiple_of(SAMPLED).then(Instant::now);
        if sampled.is_some_and(|at| at - start > span) {
            break;
        }
        let answer = ctx.call(server, mail(calls)).await;
        assert_eq!(answer.map(|answer| number(&answer)), Ok(calls + 1));
        calls += 1;
        if let Some(at) = sampled {
            gaps.note(at.elapsed());
            // Nobody leaves before the next look at the clock.
            progress.add(SAMPLED);
        }
    }
    ledger.close(calls, &gaps);
}
