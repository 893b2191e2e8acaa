//! Very many one-shot timers, each mailing its due time to a collector, which notes how late it came. The load is
//! open: a late timer keeps none of the others from being due, so lateness against the due time needs no correction.

use std::time::{Duration, Instant};

use rusm_actor::{Context, Pid, send_after};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, SAMPLED, Tally, mail, number};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "timers",
    workload: "timers",
    about: "n one-shot timers of 1 to 100 ms mail 64 collectors; lateness against the due time",
    choices: &[choice("n", "1000000", "timers")],
    small: &[("n", "6400")],
    run,
};

const COLLECTORS: u64 = 64;

fn run(env: &Env) -> Result<Report, Failure> {
    let each = env.positive("n")?.div_ceil(COLLECTORS);
    let count = each * COLLECTORS;
    let progress = env.progress("timers/s");
    env.drive(move |ctx| async move {
        let (ledger, start) = (Ledger::new(), Instant::now());
        let collectors: Vec<Pid> = (0..COLLECTORS)
            .map(|_| {
                let ledger = ledger.clone();
                ctx.spawn(move |ctx| collect(ctx, ledger, progress, each, start))
            })
            .collect();
        let mut random = 0x9e37_79b9_u64;
        for index in 0..count {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let delay = Duration::from_micros(1000 + (random >> 33) % 99_000);
            let due = start.elapsed() + delay;
            let to = collectors[(index % COLLECTORS) as usize];
            send_after(delay, to, mail(due.as_nanos() as u64));
            if index % 64 == 63 {
                rusm_sched::yield_now().await;
            }
        }
        let armed = start.elapsed();
        let (fired, late) = ledger.all(COLLECTORS).await;
        Report::rate(fired, start.elapsed(), "timers/s")
            .with("n", count as f64)
            .with("armed_per_s", count as f64 / armed.as_secs_f64())
            .with_latency(&late)
    })
}

async fn collect(mut ctx: Context, ledger: Ledger, progress: &Tally, each: u64, start: Instant) {
    let mut late = Latency::new();
    for fired in 1..=each {
        let due = Duration::from_nanos(number(&ctx.receive().await));
        late.note(start.elapsed().saturating_sub(due));
        if fired.is_multiple_of(SAMPLED) {
            progress.add(SAMPLED);
        }
    }
    progress.add(each % SAMPLED);
    ledger.close(each, &late);
}
