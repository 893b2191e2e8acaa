//! Pairs of processes, one message in flight per pair. Two messages make a round trip.

use std::time::{Duration, Instant};

use rusm_actor::{Context, Pid, send};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, SAMPLED, Slots, Tally, mail, number};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ping-pong",
    workload: "ping_pong",
    about: "pairs of processes bounce one message each",
    choices: &[choice(
        "pairs",
        "1",
        "pairs of processes; 64 is the other usual one",
    )],
    small: &[],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, pairs) = (env.span, env.positive("pairs")?);
    let progress = env.progress("msgs/s");
    env.drive(move |ctx| async move {
        let (ledger, start) = (Ledger::new(), Instant::now());
        for _ in 0..pairs {
            let slots = Slots::new(1);
            let theirs = slots.clone();
            let ponger = ctx.spawn(move |ctx| pong(ctx, theirs));
            let ledger = ledger.clone();
            let pinger = ctx.spawn(move |ctx| ping(ctx, ponger, ledger, progress, start, span));
            slots.set(0, pinger);
        }
        let (trips, gaps) = ledger.all(pairs).await;
        let elapsed = start.elapsed();
        Report::rate(trips * 2, elapsed, "msgs/s")
            .with("round_trips_per_s", trips as f64 / elapsed.as_secs_f64())
            .with_latency(&gaps)
    })
}

async fn pong(mut ctx: Context, slots: Slots) {
    let pinger = slots.get(0).await;
    loop {
        let ping = ctx.receive().await;
        send(pinger, mail(number(&ping) + 1));
    }
}

async fn ping(
    mut ctx: Context,
    ponger: Pid,
    ledger: Ledger,
    progress: &Tally,
    start: Instant,
    span: Duration,
) {
    let (mut gaps, mut trips, mut counter) = (Latency::new(), 0_u64, 0);
    loop {
        let sampled = trips.is_multiple_of(SAMPLED).then(Instant::now);
        if sampled.is_some_and(|at| at - start > span) {
            break;
        }
        send(ponger, mail(counter));
        counter = number(&ctx.receive().await);
        trips += 1;
        if let Some(at) = sampled {
            gaps.note(at.elapsed());
            // Nobody leaves before the next look at the clock.
            progress.add(2 * SAMPLED);
        }
    }
    ledger.close(trips, &gaps);
}
