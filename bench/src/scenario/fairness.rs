//! The same hogs and bystanders on two nodes at the same time, each process shown: on ours, as it is configured, and
//! on a model of a scheduler that has one queue, first in, first out, and preempts nobody.

mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::Node;
use rusm_sched::Config;

use super::{Scenario, choice};
use crate::env::{Env, STOP_MAX};
use crate::failure::Failure;
use crate::gather::{Ledger, settle};
use crate::lanes::{Lanes, jain, total};
use crate::latency::Latency;
use crate::report::Report;
use work::{Work, start};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fairness",
    workload: "fairness_sides",
    about: "hogs and bystanders, each of them shown, here and on a model of FIFO without preemption",
    choices: &[
        choice("hogs", "4", "processes that take all they can get"),
        choice("bystanders", "4", "processes that sleep a little at a time"),
        choice(
            "kind",
            "native",
            "hogs that never await (native), WebAssembly loops (guest), or `reductions` spent natively",
        ),
        choice(
            "priority",
            "normal",
            "of the bystanders here: high, normal or low",
        ),
        choice("sleep_us", "1000", "how long a bystander sleeps at a time"),
    ],
    small: &[],
    run,
};

/// A model that has an hour's turns preempts nobody.
const NEVER: Duration = Duration::from_secs(3600);
/// The model's ticks, which would make guests give way: longer than a guest runs. Not an hour: the ticker sleeps that
/// long when the node is to stop.
const MODEL_TICK: Duration = Duration::from_secs(1);

/// One of the two nodes, and what its processes share.
struct Side {
    lanes: Arc<Lanes>,
    ledger: Ledger,
    over: Arc<AtomicBool>,
    /// Hogs spend reductions and bystanders have their priority: not in the model, which knows neither.
    ours: bool,
}

/// What a side came to.
struct Outcome {
    lanes: Arc<Lanes>,
    wakes: u64,
    late: Latency,
    hog_turns: u64,
}

fn run(env: &Env) -> Result<Report, Failure> {
    let work = Work::from(env)?;
    let ours = Config {
        workers: (env.config.workers / 2).max(1),
        ..env.config.clone()
    };
    let (node, model) = (Node::start(ours.clone())?, Node::start(model_of(&ours))?);
    let over = Arc::<AtomicBool>::default();
    let side = |name| Side {
        lanes: Arc::new(Lanes::new(name, work.hogs, work.bystanders)),
        ledger: Ledger::new(),
        over: over.clone(),
        ours: name == "rusm",
    };
    let sides = ["rusm", "fifo"].map(|name| Arc::new(side(name)));
    let lanes = sides.each_ref().map(|side| side.lanes.clone());
    env.watch.show_sides(lanes.to_vec());
    let [ours_shown, _] = lanes;
    env.watch
        .show_progress("wakes/s", move || total(&ours_shown.bystanders));
    let guests = [work.guest(&node)?, work.guest(&model)?];
    end_after(env, over.clone());
    let [ours_too, theirs] = sides.each_ref().map(Arc::clone);
    let [guest, their_guest] = guests;
    let their_work = work.clone();
    model.spawn(move |ctx| start(ctx, theirs, their_work, their_guest));
    let report = env.drive_on(&node, move |ctx| async move {
        let begun = Instant::now();
        start(ctx.another(), ours_too, work.clone(), guest).await;
        settle(|| over.load(Relaxed)).await;
        let (span, turns) = (
            begun.elapsed(),
            sides.each_ref().map(|side| total(&side.lanes.hogs)),
        );
        let mut outcomes = Vec::new();
        for (side, hog_turns) in sides.iter().zip(turns) {
            outcomes.push(side.outcome(hog_turns).await);
        }
        report(&work, span, &outcomes)
    });
    // Its hogs have seen that the time is over, or that the run was stopped.
    let stopped = model.shutdown(STOP_MAX).map_err(Failure::Stop);
    let report = report?.with("workers", ours.workers as f64);
    stopped.map(|()| report)
}

/// Told from a thread that is none of a node's, which no hog can hold up.
fn end_after(env: &Env, over: Arc<AtomicBool>) {
    let (span, watch) = (env.span, env.watch.clone());
    std::thread::spawn(move || {
        watch.sleep(span);
        over.store(true, Relaxed);
    });
}

fn model_of(ours: &Config) -> Config {
    Config {
        budget: u32::MAX,
        turn_limit: NEVER,
        tick: MODEL_TICK,
        urgent_lane: false,
        hand_off: false,
        // It knows of timers as soon as a turn is over: the lateness is to be the queue's.
        maintain_turns: 1,
        ..ours.clone()
    }
}

impl Side {
    async fn outcome(&self, hog_turns: u64) -> Outcome {
        let (wakes, late) = self.ledger.all(self.lanes.bystanders.len() as u64).await;
        Outcome {
            lanes: self.lanes.clone(),
            wakes,
            late,
            hog_turns,
        }
    }
}

fn report(work: &Work, span: Duration, outcomes: &[Outcome]) -> Report {
    let ours = &outcomes[0];
    let mut report = Report::rate(ours.wakes, span, "wakes/s")
        .with("hogs", work.hogs as f64)
        .with("bystanders", work.bystanders as f64)
        .with_curve(&ours.late);
    let possible = work.bystanders as f64 * span.as_secs_f64() / work.sleep.as_secs_f64();
    for outcome in outcomes {
        let name = outcome.lanes.name;
        let wakes: Vec<u64> = outcome
            .lanes
            .bystanders
            .iter()
            .map(|it| it.done())
            .collect();
        report = report
            .with(
                &format!("{name}_kept_pct"),
                outcome.wakes as f64 * 100.0 / possible,
            )
            .with(&format!("{name}_jain"), jain(&wakes))
            .with(
                &format!("{name}_hog_turns_per_s"),
                outcome.hog_turns as f64 / span.as_secs_f64(),
            )
            .with_latency_named(&format!("{name}_"), &outcome.late);
    }
    report
}
