//! Very many processes parked on their mailboxes, then all killed: how fast, and how many bytes each.

use std::time::Instant;

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Tally, settle};
use crate::machine;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "spawn-hold",
    workload: "spawn_hold",
    about: "n processes parked on their mailboxes, then all killed; resident bytes each",
    choices: &[choice("n", "1000000", "processes")],
    small: &[("n", "2000")],
    run,
};

/// Counts bodies that reached their mailbox, and bodies that were dropped.
struct Census {
    parked: &'static Tally,
    left: &'static Tally,
}

/// Inside each body, so that only one that is really gone counts as gone.
struct Leaving(&'static Census);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.left.add(1);
    }
}

fn run(env: &Env) -> Result<Report, Failure> {
    let count = env.positive("n")?;
    let (parked, left) = (env.progress("spawns/s"), Tally::leaked(env.config.workers));
    let census: &'static Census = Box::leak(Box::new(Census { parked, left }));
    env.drive(move |ctx| async move {
        let mut held = Vec::with_capacity(count as usize);
        let before = machine::rss_kb();
        let start = Instant::now();
        for index in 0..count {
            let leaving = Leaving(census);
            held.push(ctx.spawn(move |mut ctx| async move {
                leaving.0.parked.add(1);
                ctx.receive().await;
            }));
            if index % 64 == 63 {
                rusm_sched::yield_now().await;
            }
        }
        settle(|| census.parked.total() >= count).await;
        let spawned = start.elapsed();
        let resident = machine::rss_kb().saturating_sub(before) * 1024;
        let start = Instant::now();
        for pid in held {
            rusm_actor::kill(pid);
        }
        settle(|| census.left.total() >= count).await;
        let stopped = start.elapsed();
        Report::rate(count, spawned, "spawns/s")
            .with("n", count as f64)
            .with("bytes_each", resident as f64 / count as f64)
            .with("spawn_s", spawned.as_secs_f64())
            .with("stop_s", stopped.as_secs_f64())
            .with("stops_per_s", count as f64 / stopped.as_secs_f64())
    })
}
