//! How long a guest that never gives way goes on after it was killed: from the call to the moment in which its body is
//! dropped. One is started, spins for some of a time slice, and is killed, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::Node;

use super::guest::{engine, prepare};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::settle;
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "kill-spinner",
    workload: "kill_spinner",
    about: "a guest in an endless loop is killed; from the kill to its end",
    choices: &[choice("beside", "0", "other guests that spin all the time")],
    small: &[],
    run,
};

const SPINNER: &str = r#"(module (memory (export "memory") 1)
  (func (export "run") (loop $for_ever (br $for_ever))))"#;

/// Zero until the guest's body was dropped; then when, in nanoseconds since the run began.
struct Dropped {
    start: Instant,
    at: Arc<AtomicU64>,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        let at = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.at.store(at.max(1), Relaxed);
    }
}

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, beside) = (env.span, env.number("beside")?);
    let progress = env.progress("kills/s");
    let node = Node::start(env.config.clone())?;
    let spinner = prepare(&engine(&node, beside + 8)?, SPINNER)?;
    env.drive_on(&node, move |ctx| async move {
        for _ in 0..beside {
            spinner.spawn_pure(&ctx.node());
        }
        let (start, mut ends, mut kills) = (Instant::now(), Latency::new(), 0_u64);
        while start.elapsed() < span {
            let at = Arc::new(AtomicU64::new(0));
            let dropped = Dropped {
                start,
                at: at.clone(),
            };
            let guest = spinner.clone();
            let pid = ctx.spawn(move |ctx| async move {
                let _dropped = dropped;
                guest.run_pure(ctx).await
            });
            // Different parts of a slice: a step that shares no divisor with it.
            let micros = 500 + kills * 377 % 2_000;
            rusm_sched::sleep(Duration::from_micros(micros)).await;
            let killed = start.elapsed();
            rusm_actor::kill(pid);
            settle(|| at.load(Relaxed) != 0).await;
            ends.note(Duration::from_nanos(at.load(Relaxed)).saturating_sub(killed));
            kills += 1;
            progress.add(1);
        }
        Report::rate(kills, start.elapsed(), "kills/s")
            .with("beside", beside as f64)
            .with_latency(&ends)
    })
}
