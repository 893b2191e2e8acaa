//! A keeper starts a child, watches it and starts another when it ends; a driver kills each child as soon as it has
//! said hello. Latency: from the kill to the hello of the successor.

use std::time::{Duration, Instant};

use rusm_actor::{Context, ExitReason, Pid, exit, send};

use super::Scenario;
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{SAMPLED, Tally, mail, number};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fault-monitor",
    workload: "fault_monitor",
    about: "kill, notice by a monitor, start again, hear from the successor",
    choices: &[],
    small: &[],
    run,
};

/// Of what `recover` counts.
pub(super) const UNIT: &str = "restarts/s";

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, progress) = (env.span, env.progress(UNIT));
    env.drive(move |mut ctx| async move {
        let driver = ctx.pid();
        ctx.spawn(move |mut ctx| async move {
            loop {
                let (_, reference) = ctx.spawn_monitor(move |ctx| child(ctx, driver));
                let down = ctx.receive().await.into_down().ok();
                assert_eq!(down.map(|down| down.reference), Some(reference));
            }
        });
        recover(&mut ctx, span, progress).await
    })
}

/// Says hello with its pid, and waits for its end.
pub(super) async fn child(mut ctx: Context, driver: Pid) {
    send(driver, mail(ctx.pid().to_bits()));
    ctx.receive().await;
}

/// Kills each child that says hello.
pub(super) async fn recover(ctx: &mut Context, span: Duration, progress: &Tally) -> Report {
    let (mut gaps, mut cycles) = (Latency::new(), 0_u64);
    let mut alive = Pid::from_bits(number(&ctx.receive().await));
    let start = Instant::now();
    let (mut killed, end) = (start, start + span);
    while killed < end {
        exit(alive, ExitReason::error("crash"));
        alive = Pid::from_bits(number(&ctx.receive().await));
        let heard = Instant::now();
        gaps.note(heard - killed);
        killed = heard;
        cycles += 1;
        if cycles.is_multiple_of(SAMPLED) {
            progress.add(SAMPLED);
        }
    }
    progress.add(cycles % SAMPLED);
    Report::rate(cycles, killed - start, UNIT).with_latency(&gaps)
}
