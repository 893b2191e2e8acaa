//! A tree of linked processes, all of them watched; its root is told to end, and so they all do. Time: from that to the
//! last word of a monitor.

use std::time::{Duration, Instant};

use rusm_actor::{Context, ExitReason, Pid, exit, send};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{mail, number};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "link-cascade",
    workload: "link_cascade",
    about: "a tree of linked and watched processes dies from its root",
    choices: &[
        choice("n", "100000", "processes"),
        choice("width", "10", "children of each process"),
    ],
    small: &[("n", "1000")],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, count) = (env.span, env.positive("n")?);
    let width = env.positive("width")?;
    env.drive(move |mut ctx| async move {
        let (mut times, mut died) = (Latency::new(), 0);
        let (start, mut dying) = (Instant::now(), Duration::ZERO);
        while start.elapsed() < span || died == 0 {
            let took = cascade(&mut ctx, count, width).await;
            times.note(took);
            dying += took;
            died += count;
        }
        Report::rate(died, dying, "deaths/s")
            .with("n", count as f64)
            .with("median_ms", times.quantile_us(0.5) / 1e3)
            .with_latency(&times)
    })
}

/// Grows a tree and fells it; how long the felling took.
async fn cascade(ctx: &mut Context, count: u64, width: u64) -> Duration {
    let watcher = ctx.pid();
    let root = ctx.spawn(move |ctx| grow(ctx, watcher, count - 1, width));
    let mut all = Vec::with_capacity(count as usize);
    while (all.len() as u64) < count {
        all.push(Pid::from_bits(number(&ctx.receive().await)));
    }
    for (at, pid) in all.iter().enumerate() {
        ctx.monitor(*pid);
        if at % 64 == 63 {
            rusm_sched::yield_now().await;
        }
    }
    let start = Instant::now();
    exit(root, ExitReason::error("felled"));
    for _ in 0..count {
        let down = ctx.receive().await.into_down().ok();
        assert!(down.is_some(), "only monitors speak here");
    }
    start.elapsed()
}

/// One process of the tree: starts children for its share of `below` and waits.
async fn grow(mut ctx: Context, watcher: Pid, below: u64, width: u64) {
    send(watcher, mail(ctx.pid().to_bits()));
    let children = below.min(width);
    for child in 0..children {
        let rest = below - children;
        let share = rest / children + u64::from(child < rest % children);
        ctx.spawn_link(move |ctx| boxed(ctx, watcher, share, width));
    }
    ctx.receive().await;
}

/// The tree is of one type at all depths.
fn boxed(
    ctx: Context,
    watcher: Pid,
    below: u64,
    width: u64,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(grow(ctx, watcher, below, width))
}
