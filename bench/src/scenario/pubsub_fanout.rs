//! Publishers write to groups whose members count what they get, and are never far ahead of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::fan_out::{BATCH, subscribe};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{mail, settle};
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "pubsub-fanout",
    workload: "pubsub_fanout",
    about: "one publisher for each group, every message to every member",
    choices: &[
        choice("groups", "1", "groups, each with a publisher"),
        choice("members", "1000", "members of each group"),
        choice(
            "ahead",
            "64",
            "rounds a publisher may be ahead of what was delivered",
        ),
    ],
    small: &[("members", "50")],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, groups) = (env.span, env.positive("groups")?);
    let members = env.positive("members")?;
    // Closer than one report it would wait for ever.
    let ahead = env.positive("ahead")?.max(BATCH) * members;
    let counts: Arc<[_]> = (0..groups).map(|_| Arc::new(AtomicU64::new(0))).collect();
    let shown = counts.clone();
    env.watch
        .show_progress("deliveries/s", move || total(&shown));
    env.drive(move |ctx| async move {
        let node = ctx.node();
        for (group, delivered) in counts.iter().enumerate() {
            for _ in 0..members {
                let count = delivered.clone();
                let member = ctx.spawn(move |ctx| subscribe(ctx, count));
                node.join(&name(group as u64), member)
                    .expect("it lives until the end");
            }
        }
        let (left, start) = (Arc::new(AtomicU64::new(groups)), Instant::now());
        for (group, delivered) in counts.iter().enumerate() {
            let (group, delivered, left) = (name(group as u64), delivered.clone(), left.clone());
            ctx.spawn(move |ctx| async move {
                let (node, mut sent) = (ctx.node(), 0);
                while start.elapsed() < span {
                    if sent - delivered.load(Relaxed) <= ahead {
                        sent += node.publish(&group, &mail(sent)) as u64;
                    }
                    rusm_sched::yield_now().await;
                }
                left.fetch_sub(1, Relaxed);
            });
        }
        settle(|| left.load(Relaxed) == 0).await;
        Report::rate(total(&counts), start.elapsed(), "deliveries/s")
    })
}

fn total(counts: &[Arc<AtomicU64>]) -> u64 {
    counts.iter().map(|count| count.load(Relaxed)).sum()
}

fn name(group: u64) -> String {
    format!("group-{group}")
}
