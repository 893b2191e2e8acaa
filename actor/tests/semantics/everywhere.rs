//! Runs one body of a test in all the worlds that a process may live in.

#![allow(dead_code, reason = "each program of tests uses its part")]

use std::future::Future;
use std::ops::Range;

use rusm_actor::{Config, Context, ExitReason, Node};
use rusm_sched::sim::Simulation;

/// Seeds tried unless `RUSM_SIM_SEEDS` says otherwise.
const SEEDS: u64 = 200;
/// Numbers of workers tried.
const WORKERS: [usize; 2] = [1, 2];

/// Runs `body` as the first process of simulated nodes, one for each seed, and of nodes with
/// one and two workers. It must end normally, and so must every seed.
///
/// `RUSM_SIM_SEEDS` says how many seeds, `RUSM_SEED` names a single one.
pub(crate) fn everywhere<F, Fut>(body: F)
where
    F: Fn(Context) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    everywhere_heavy(u64::MAX, body);
}

/// As `everywhere`, on `seeds_max` seeds at most: for bodies that do much in one run, and need
/// no other order.
pub(crate) fn everywhere_heavy<F, Fut>(seeds_max: u64, body: F)
where
    F: Fn(Context) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let seeds = seeds();
    for seed in seeds.start..seeds.end.min(seeds.start.saturating_add(seeds_max)) {
        simulate(seed, body.clone());
    }
    for workers in WORKERS {
        on_threads(workers, body.clone());
    }
}

/// Runs `round`, in which something races, `runs` times on nodes with one and two workers, and
/// as often on the default number of seeds together.
pub(crate) fn races<F, Fut>(runs: u64, round: F)
where
    F: Fn(Context) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    for seed in seeds() {
        simulate(seed, repeated(runs.div_ceil(SEEDS), round.clone()));
    }
    for workers in WORKERS {
        on_threads(workers, repeated(runs, round.clone()));
    }
}

/// A body that has `times` processes do `round`, one after the other.
fn repeated<F, Fut>(
    times: u64,
    round: F,
) -> impl FnOnce(Context) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send
where
    F: Fn(Context) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    move |mut ctx| {
        Box::pin(async move {
            for run in 0..times {
                ctx.spawn_monitor(&round);
                let down = ctx.receive().await.down().expect("nobody else writes");
                check(&down.reason, format_args!("run {run}"));
            }
        })
    }
}

fn seeds() -> Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("RUSM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RUSM_SIM_SEEDS").unwrap_or(SEEDS),
    }
}

/// Runs `body` as the first process of a simulated node.
pub(crate) fn simulate<F, Fut>(seed: u64, body: F)
where
    F: FnOnce(Context) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut joined = None;
    let outcome = Simulation::new(seed).start(|handle| {
        joined = Some(Node::over(handle).spawn_join(body));
    });
    // Looked at out here: a panic inside would be one more process that ends for a reason.
    if let Some(reason) = joined.and_then(|joined| joined.try_reason()) {
        check(&reason, format_args!("seed {seed}"));
    }
    assert_eq!(outcome, Ok(()), "seed {seed}");
}

/// Fails with what a process ended of, where that was, and in which run.
fn check(reason: &ExitReason, run: std::fmt::Arguments<'_>) {
    let trace = reason.backtrace().unwrap_or_default();
    assert!(*reason == ExitReason::Normal, "{run}: {reason}\n{trace}");
}

/// Runs `body` as a process of a node with so many workers.
pub(crate) fn on_threads<F, Fut>(workers: usize, body: F)
where
    F: FnOnce(Context) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let config = Config {
        workers,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    if let Err(reason) = node.block_on(body) {
        check(&reason, format_args!("on {workers} workers"));
    }
}
