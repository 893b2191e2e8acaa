//! Runs one body of a test in all the worlds that a process may live in.

use std::future::Future;

use rusm_actor::{Config, Context, ExitReason, Node};
use rusm_sched::sim::Simulation;

/// Runs `body` as the first process of simulated nodes, one for each seed, and of nodes with
/// one and two workers. It must end normally, and so must every seed.
///
/// `RUSM_SIM_SEEDS` says how many seeds, `RUSM_SEED` names a single one.
pub(crate) fn everywhere<F, Fut>(body: F)
where
    F: Fn(Context) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    for seed in seeds() {
        simulate(seed, body.clone());
    }
    for workers in [1, 2] {
        on_threads(workers, body.clone());
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("RUSM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RUSM_SIM_SEEDS").unwrap_or(200),
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
    let reason = joined.and_then(|joined| joined.try_reason());
    assert_eq!(reason, Some(ExitReason::Normal), "seed {seed}: {outcome:?}");
    assert_eq!(outcome, Ok(()), "seed {seed}");
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
    assert_eq!(node.block_on(body), Ok(()), "on {workers} workers");
}
