//! Guests in tight loops and sleepers beside them, both in all three priorities: how late the sleepers wake, and how the
//! guests share what is left. Who goes first may starve nobody, so each share is above zero.

use std::time::{Duration, Instant};

use rusm_actor::{Node, Priority, Spawn};

use super::fairness_wasm::{again_and_again, looping};
use super::guest::{engine, prepare};
use super::{Scenario, choice};
use crate::beside::Counters;
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, Tally};
use crate::report::Report;
use crate::ticker::Ticks;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fairness-mixed",
    workload: "fairness_mixed",
    about: "guests in tight loops and 1 ms sleepers, both in all three priorities; lateness and shares of each",
    choices: &[
        choice(
            "hogs",
            "9",
            "guests in a tight loop, a third of each priority",
        ),
        choice(
            "bystanders",
            "9",
            "processes that sleep 1 ms at a time, likewise",
        ),
        choice(
            "turns",
            "2000000",
            "loop turns of a guest between two counts",
        ),
    ],
    small: &[("turns", "100000"), ("hogs", "3"), ("bystanders", "3")],
    run,
};

const PRIORITIES: [(&str, Priority); 3] = [
    ("high", Priority::High),
    ("normal", Priority::Normal),
    ("low", Priority::Low),
];

fn run(env: &Env) -> Result<Report, Failure> {
    let (hogs, bystanders) = (env.positive("hogs")?, env.positive("bystanders")?);
    let (span, turns) = (env.span, env.positive("turns")?);
    let progress = env.progress("ticks/s");
    let node = Node::start(env.config.clone())?;
    let guest = prepare(&engine(&node, hogs)?, &looping(turns))?;
    env.drive_on(&node, move |mut ctx| async move {
        let done = PRIORITIES.map(|_| Counters::new(hogs));
        for index in 0..hogs {
            let which = index as usize % PRIORITIES.len();
            let (done, guest) = (done[which].clone(), guest.clone());
            let how = Spawn::new().priority(PRIORITIES[which].1);
            ctx.spawn_with(how, move |ctx| {
                again_and_again(ctx, guest, index, turns, done)
            });
        }
        let ledgers = PRIORITIES.map(|_| Ledger::new());
        let start = Instant::now();
        for index in 0..bystanders {
            let which = index as usize % PRIORITIES.len();
            let ledger = ledgers[which].clone();
            let how = Spawn::new().priority(PRIORITIES[which].1);
            ctx.spawn_with(how, move |_| tick(ledger, progress, start, span));
        }
        report(ledgers, bystanders, start, &done).await
    })
}

async fn tick(ledger: Ledger, progress: &Tally, start: Instant, span: Duration) {
    let mut ticks = Ticks::new();
    while start.elapsed() < span {
        ticks.one().await;
        progress.add(1);
    }
    ledger.close(ticks.count(), &ticks.late);
}

async fn report(
    ledgers: [Ledger; 3],
    bystanders: u64,
    start: Instant,
    done: &[Counters; 3],
) -> Report {
    let (mut ticks, mut late) = (0, Vec::new());
    for (which, ledger) in ledgers.iter().enumerate() {
        let reporters = (bystanders + 2 - which as u64) / 3;
        let (count, gaps) = ledger.all(reporters).await;
        ticks += count;
        late.push(gaps);
    }
    let turns = done.each_ref().map(Counters::total);
    let all = turns.iter().sum::<u64>().max(1) as f64;
    let mut report = Report::rate(ticks, start.elapsed(), "ticks/s")
        .with("turns_per_s", all / start.elapsed().as_secs_f64());
    for (which, (name, _)) in PRIORITIES.iter().enumerate() {
        report = report
            .with(
                &format!("{name}_turns_pct"),
                turns[which] as f64 * 100.0 / all,
            )
            .with_latency_named(&format!("{name}_"), &late[which]);
    }
    report
}
