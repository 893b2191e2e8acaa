//! One publisher, every message delivered to every subscriber, and the publisher never far ahead of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::{Context, Pid, send};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{mail, settle};
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fan-out",
    workload: "broadcast",
    about: "one publisher sends every message to every subscriber",
    choices: &[
        choice("subs", "1000", "subscribers"),
        choice(
            "ahead",
            "64",
            "rounds the publisher may be ahead of what was delivered",
        ),
    ],
    small: &[("subs", "50")],
    run,
};

/// A subscriber reports this many deliveries at a time.
pub(super) const BATCH: u64 = 16;

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, subs) = (env.span, env.positive("subs")?);
    // Closer than one report it would wait for ever.
    let ahead = env.positive("ahead")?.max(BATCH);
    let delivered = Arc::new(AtomicU64::new(0));
    let shown = delivered.clone();
    env.watch
        .show_progress("deliveries/s", move || shown.load(Relaxed));
    env.drive(move |ctx| async move {
        let subscribers: Vec<Pid> = (0..subs)
            .map(|_| {
                let delivered = delivered.clone();
                ctx.spawn(move |ctx| subscribe(ctx, delivered))
            })
            .collect();
        let (done, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let (closed, seen) = (done.clone(), delivered.clone());
        ctx.spawn(move |_ctx| async move {
            publish(&subscribers, &seen, ahead, start, span).await;
            closed.store(1, Relaxed);
        });
        settle(|| done.load(Relaxed) == 1).await;
        Report::rate(delivered.load(Relaxed), start.elapsed(), "deliveries/s")
    })
}

pub(super) async fn subscribe(mut ctx: Context, delivered: Arc<AtomicU64>) {
    loop {
        for _ in 0..BATCH {
            ctx.receive().await;
        }
        delivered.fetch_add(BATCH, Relaxed);
    }
}

/// Its turns end as those of any process that never waits: when their reductions are spent.
async fn publish(to: &[Pid], seen: &AtomicU64, ahead: u64, start: Instant, span: Duration) {
    let (mut sent, round) = (0, to.len() as u64);
    while start.elapsed() < span {
        if sent - seen.load(Relaxed) > ahead * round {
            rusm_sched::yield_now().await;
            continue;
        }
        for subscriber in to {
            send(*subscriber, mail(sent));
        }
        sent += round;
        rusm_sched::reductions(1).await;
    }
}
