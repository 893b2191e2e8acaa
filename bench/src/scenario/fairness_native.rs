//! A process that sleeps a millisecond at a time beside native hogs: such as never await, whom nobody can preempt,
//! and such as spend reductions and give way.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusm_actor::Context;

use super::{Scenario, WORKERS, choice};
use crate::beside::{Counters, alternate};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::settle;
use crate::report::Report;
use crate::ticker::Ticks;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fairness-native",
    workload: "fairness",
    about: "a process that sleeps 1 ms at a time beside native hogs; lateness of its wake-ups",
    choices: &[
        choice(
            "hogs",
            WORKERS,
            "processes that hog; 100 is usual for kind=reductions",
        ),
        choice(
            "kind",
            "spin",
            "hogs that never await (spin) or spend reductions (reductions)",
        ),
    ],
    small: &[],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    match env.text("kind") {
        "spin" => beside_spinners(env),
        "reductions" => beside_spenders(env),
        other => Err(Failure::Usage(format!(
            "there are no hogs of kind `{other}`: `spin` and `reductions` there are."
        ))),
    }
}

/// As the peers do it: the ticker goes first, the hogs come after 50 ms and spin until a thread
/// that is none of the node's says that the time is over.
fn beside_spinners(env: &Env) -> Result<Report, Failure> {
    let (span, hogs) = (env.span, env.positive("hogs")?);
    let (watch, progress) = (env.watch.clone(), env.progress("ticks/s"));
    env.drive(move |ctx| async move {
        let stop = Arc::new(AtomicBool::new(false));
        let ticks = Arc::new(Mutex::new(None));
        let (ended, result) = (stop.clone(), ticks.clone());
        ctx.spawn(move |_ctx| async move {
            let mut ticks = Ticks::new();
            while !ended.load(Relaxed) {
                ticks.one().await;
                progress.add(1);
            }
            *result.lock().expect("the driver does not panic") = Some(ticks);
        });
        rusm_sched::sleep(Duration::from_millis(50)).await;
        let (ended, start) = (stop.clone(), Instant::now());
        std::thread::spawn(move || {
            watch.sleep(span);
            ended.store(true, Relaxed);
        });
        for seed in 0..hogs {
            let ended = stop.clone();
            ctx.spawn(move |_ctx| async move {
                let mut random = seed;
                while !ended.load(Relaxed) {
                    random = another(random);
                }
            });
        }
        let taken = || ticks.lock().expect("the ticker does not panic").take();
        let mut found = None;
        settle(|| {
            found = taken();
            found.is_some()
        })
        .await;
        let ticks = found.expect("settled on it");
        Report::rate(ticks.count(), start.elapsed(), "ticks/s")
            .with("hogs", hogs as f64)
            .with_latency(&ticks.late)
            .with_latency_named("corrected_", &ticks.corrected)
    })
}

/// Hogs that spend one reduction a loop turn. They run all the time; the ticker is there in
/// every other part of it, so that the two rates come from the same run.
fn beside_spenders(env: &Env) -> Result<Report, Failure> {
    let (span, hogs) = (env.span, env.positive("hogs")?);
    env.drive(move |ctx| async move {
        let turns = Counters::new(hogs);
        for index in 0..hogs {
            let turns = turns.clone();
            ctx.spawn(move |ctx| spend(ctx, index, turns));
        }
        alternate(span, || turns.total())
            .await
            .report()
            .with("hogs", hogs as f64)
    })
}

async fn spend(ctx: Context, hog: u64, turns: Counters) {
    let (mut random, mut mine) = (hog, 0);
    loop {
        random = another(random);
        mine += 1;
        turns.set(hog, mine);
        ctx.reductions(1).await;
    }
}

/// A little work that no compiler can leave out.
fn another(random: u64) -> u64 {
    black_box(random.wrapping_mul(6364136223846793005).wrapping_add(1))
}
