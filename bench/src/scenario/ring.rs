//! Messages that go round a circle of processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::{Context, send};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Slots, mail, number};
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ring",
    workload: "ring",
    about: "tokens go round a circle of processes",
    choices: &[
        choice("procs", "1000", "processes in the circle"),
        choice(
            "tokens",
            "1",
            "messages on their way; 100 is the other usual one",
        ),
    ],
    small: &[("procs", "100")],
    run,
};

/// What passes before anything is counted, so that every process is there.
const SETTLING: Duration = Duration::from_millis(100);

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, procs) = (env.span, env.positive("procs")?);
    let tokens = env.positive("tokens")?;
    let hops: Arc<[AtomicU64]> = (0..procs).map(|_| AtomicU64::new(0)).collect();
    let shown = hops.clone();
    env.watch.show_progress("hops/s", move || total(&shown));
    env.drive(move |ctx| async move {
        let slots = Slots::new(procs);
        for index in 0..procs as usize {
            let (theirs, hops) = (slots.clone(), hops.clone());
            slots.set(index, ctx.spawn(move |ctx| pass(ctx, index, theirs, hops)));
        }
        for token in 0..tokens {
            let at = (token * procs / tokens) % procs;
            send(slots.get(at as usize).await, mail(0));
        }
        rusm_sched::sleep(SETTLING).await;
        let (before, start) = (total(&hops), Instant::now());
        rusm_sched::sleep(span).await;
        Report::rate(total(&hops) - before, start.elapsed(), "hops/s")
    })
}

fn total(hops: &[AtomicU64]) -> u64 {
    hops.iter().map(|count| count.load(Relaxed)).sum()
}

async fn pass(mut ctx: Context, index: usize, slots: Slots, hops: Arc<[AtomicU64]>) {
    let next = slots.get((index + 1) % hops.len()).await;
    let mut mine = 0;
    loop {
        let token = ctx.receive().await;
        mine += 1;
        hops[index].store(mine, Relaxed);
        send(next, mail(number(&token) + 1));
    }
}
