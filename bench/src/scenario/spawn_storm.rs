//! Processes that end at once, started as fast as they come and go. Also how every storm is driven and counted.
//!
//! Counted are full processes (pid, mailbox, exit reason) that were started and have ended; the time ends when the last
//! of them has. With `count=node` the node's own counters say how many have ended: exact, and kept in any case. With
//! `count=body` each body adds one to a counter of its worker. Neither is one counter that all cores share, as the
//! peers have: that addition alone costs two cores more than a spawn of ours.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::Context;

use super::{Choice, Scenario, WORKERS, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Tally, settle};
use crate::profile::Profile;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "spawn-storm",
    workload: "spawn_storm",
    about: "spawners start full processes that end at once; counts those that came and went",
    choices: &[
        SPAWNERS,
        BATCH,
        CAP,
        choice("profile", "balanced", "how hard: light, balanced or max"),
        choice("state", "0", "bytes a process carries: 0, 64, 256 or 1024"),
        choice(
            "count",
            "node",
            "by the node's own exact counters (node) or in the bodies (body)",
        ),
    ],
    small: &[("cap", "10000")],
    run,
};

pub(super) const SPAWNERS: Choice = choice("spawners", WORKERS, "processes that spawn");
pub(super) const BATCH: Choice = choice("batch", "16", "spawns between two yields");
pub(super) const CAP: Choice = choice("cap", "100000", "spawners wait while this many are alive");

/// Who spawns how much, and what is in the way of more.
#[derive(Clone, Copy)]
pub(super) struct Storm {
    pub(super) spawners: u64,
    pub(super) batch: u64,
    pub(super) cap: u64,
}

impl Storm {
    pub(super) fn from(env: &Env) -> Result<Self, Failure> {
        Ok(Storm {
            spawners: env.positive("spawners")?,
            batch: env.positive("batch")?,
            cap: env.positive("cap")?,
        })
    }

    /// Batches between two looks at how many are alive: looking reads every worker's counters,
    /// which is cheap, but not as cheap as a spawn. Between two looks the spawners together start
    /// no more than a sixteenth of the cap.
    fn look_every(&self) -> u64 {
        (self.cap / (16 * self.spawners * self.batch)).clamp(1, 64)
    }

    /// Lets the spawners loose for `span`, each starting batches with `spawn`, and waits until
    /// all that they started have ended. `ended` says how many have so far.
    pub(super) async fn run(
        self,
        ctx: &Context,
        span: Duration,
        workers: usize,
        spawn: impl Fn(&Context, u64) + Clone + Send + 'static,
        ended: impl Fn() -> u64 + Clone + Send + 'static,
    ) -> Report {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            begun: Tally::leaked(workers),
            peak: AtomicU64::new(0),
            closed: AtomicU64::new(0),
        });
        let start = Instant::now();
        for _ in 0..self.spawners {
            let (shared, spawn, ended) = (shared.clone(), spawn.clone(), ended.clone());
            ctx.spawn(move |ctx| self.spawner(ctx, shared, spawn, ended));
        }
        rusm_sched::sleep(span).await;
        shared.stop.store(true, Relaxed);
        settle(|| shared.closed.load(Relaxed) == self.spawners).await;
        let begun = shared.begun.total();
        settle(|| ended() >= begun).await;
        Report::rate(begun, start.elapsed(), "spawns/s")
            .with("peak_alive", shared.peak.load(Relaxed) as f64)
    }

    /// The same where the node's own counters say how many have ended.
    pub(super) async fn run_exact(
        self,
        ctx: &Context,
        span: Duration,
        workers: usize,
        spawn: impl Fn(&Context, u64) + Clone + Send + 'static,
    ) -> Report {
        let node = ctx.node().handle();
        let before = node.exited();
        let ended = move || node.exited() - before;
        self.run(ctx, span, workers, spawn, ended).await
    }

    async fn spawner(
        self,
        ctx: Context,
        shared: Arc<Shared>,
        spawn: impl Fn(&Context, u64),
        ended: impl Fn() -> u64,
    ) {
        let mut peak = 0;
        while !shared.stop.load(Relaxed) {
            let alive = shared.begun.total().saturating_sub(ended());
            peak = peak.max(alive);
            if alive + self.batch > self.cap {
                rusm_sched::yield_now().await;
                continue;
            }
            for _ in 0..self.look_every() {
                shared.begun.add(self.batch);
                spawn(&ctx, self.batch);
                rusm_sched::yield_now().await;
            }
        }
        shared.peak.fetch_max(peak, Relaxed);
        shared.closed.fetch_add(1, Relaxed);
        // It stays until the node stops: its own end is not to be counted with its children's.
        std::future::pending().await
    }
}

/// What the spawners of a storm have in common.
struct Shared {
    stop: AtomicBool,
    begun: &'static Tally,
    peak: AtomicU64,
    closed: AtomicU64,
}

fn run(env: &Env) -> Result<Report, Failure> {
    let profile = Profile::find(env.text("profile")).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no profile `{}`: light, balanced and max there are.",
            env.text("profile")
        ))
    })?;
    let mut storm = Storm::from(env)?;
    if !env.was_chosen("spawners") {
        storm.spawners = (profile.spawners)(env.config.workers as u64);
    }
    if !env.was_chosen("batch") {
        storm.batch = profile.batch;
    }
    let state = if env.was_chosen("state") {
        env.number("state")?
    } else {
        profile.state
    };
    match (env.text("count"), state) {
        ("node", 0) => storm_of(env, storm, plain::<0>),
        ("node", 64) => storm_of(env, storm, plain::<64>),
        ("node", 256) => storm_of(env, storm, plain::<256>),
        ("node", 1024) => storm_of(env, storm, plain::<1024>),
        ("body", 0) => counted(env, storm),
        ("node", other) => Err(Failure::Usage(format!(
            "`state={other}` is not measured: 0, 64, 256 and 1024 are."
        ))),
        (other, _) => Err(Failure::Usage(format!(
            "`count={other}` is not possible: `node` is, and `body` with `state=0`."
        ))),
    }
}

/// Generic over the spawn, so that it is compiled into the loop instead of called through it.
fn storm_of(
    env: &Env,
    storm: Storm,
    spawn: impl Fn(&Context, u64) + Clone + Send + 'static,
) -> Result<Report, Failure> {
    let (span, workers) = (env.span, env.config.workers);
    env.drive(move |ctx| async move { storm.run_exact(&ctx, span, workers, spawn).await })
}

/// Processes with `STATE` bytes of their own and nothing to do.
pub(super) fn plain<const STATE: usize>(ctx: &Context, batch: u64) {
    for _ in 0..batch {
        let state = [0_u8; STATE];
        ctx.spawn(move |_ctx| async move {
            black_box(&state);
        });
    }
}

/// The same, where each body counts itself.
fn counted(env: &Env, storm: Storm) -> Result<Report, Failure> {
    let (span, workers) = (env.span, env.config.workers);
    let ended = Tally::leaked(workers);
    let spawn = move |ctx: &Context, batch| {
        for _ in 0..batch {
            ctx.spawn(move |_ctx| async move { ended.add(1) });
        }
    };
    env.drive(move |ctx| async move {
        storm
            .run(&ctx, span, workers, spawn, || ended.total())
            .await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spawners_look_often_enough_not_to_run_far_past_the_cap() {
        for (spawners, batch, cap) in [(2, 16, 100_000), (2, 16, 900), (64, 64, 100)] {
            let storm = Storm {
                spawners,
                batch,
                cap,
            };
            let between = storm.look_every() * spawners * batch;
            assert!(storm.look_every() == 1 || between <= cap / 16);
        }
    }
}
