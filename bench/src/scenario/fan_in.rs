//! Many producers, one mailbox. A window per producer, given back by one message once consumed, bounds the mailbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::{Context, send};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Slots, mail, number};
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fan-in",
    workload: "fan_in",
    about: "many producers fill one mailbox, with credit of two windows each",
    choices: &[
        choice("producers", "64", "processes that send"),
        choice("window", "256", "messages sent before credit is asked for"),
    ],
    small: &[("producers", "8")],
    run,
};

/// What passes before anything is counted: the first windows are a burst.
const SETTLING: Duration = Duration::from_millis(200);

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, producers) = (env.span, env.positive("producers")?);
    let window = env.positive("window")?;
    let consumed = Arc::new(AtomicU64::new(0));
    let shown = consumed.clone();
    env.watch
        .show_progress("msgs/s", move || shown.load(Relaxed));
    env.drive(move |ctx| async move {
        let slots = Slots::new(producers);
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, count) = (slots.clone(), consumed.clone());
        let sink = ctx.spawn(move |ctx| sink(ctx, theirs, count, producers, window));
        for index in 0..producers {
            let stop = stop.clone();
            let producer = ctx.spawn(move |mut ctx| async move {
                let burst = || (0..window).for_each(|_| send(sink, mail(index)));
                // One window is in the mailbox while the next goes out.
                burst();
                while !stop.load(Relaxed) {
                    burst();
                    ctx.receive().await;
                }
            });
            slots.set(index as usize, producer);
        }
        rusm_sched::sleep(SETTLING).await;
        let (before, start) = (consumed.load(Relaxed), Instant::now());
        rusm_sched::sleep(span).await;
        let (after, elapsed) = (consumed.load(Relaxed), start.elapsed());
        stop.store(true, Relaxed);
        Report::rate(after - before, elapsed, "msgs/s")
    })
}

async fn sink(mut ctx: Context, slots: Slots, count: Arc<AtomicU64>, producers: u64, window: u64) {
    let mut seen = vec![0_u64; producers as usize];
    let mut total = 0;
    loop {
        let from = number(&ctx.receive().await) as usize;
        seen[from] += 1;
        total += 1;
        if seen[from] == window {
            seen[from] = 0;
            count.store(total, Relaxed);
            send(slots.get(from).await, mail(0));
        }
    }
}
