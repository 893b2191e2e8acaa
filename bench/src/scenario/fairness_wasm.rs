//! A process that sleeps a millisecond at a time beside WebAssembly guests in tight loops, and what of their
//! throughput the guests keep. A guest has no means to tell how far it is, so each runs a fixed number of loop
//! turns, several time slices long, and is started again by the native process around it, which counts.

use rusm_actor::{Context, ExitReason, Node};
use rusm_wasm::Prepared;

use super::guest::{engine, prepare};
use super::{Scenario, choice};
use crate::beside::{Counters, alternate};
use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "fairness-wasm",
    workload: "fairness_wasm",
    about: "a process that sleeps 1 ms at a time beside tight-loop guests; lateness, and what the guests keep",
    choices: &[
        choice("guests", "8", "guests in a tight loop"),
        choice(
            "turns",
            "2000000",
            "loop turns of a guest between two counts; a few ms",
        ),
    ],
    small: &[("turns", "100000")],
    run,
};

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, guests) = (env.span, env.positive("guests")?);
    let turns = env.positive("turns")?;
    let node = Node::start(env.config.clone())?;
    let prepared = prepare(&engine(&node, guests)?, &looping(turns))?;
    env.drive_on(&node, move |ctx| async move {
        let done = Counters::new(guests);
        for index in 0..guests {
            let (done, prepared) = (done.clone(), prepared.clone());
            ctx.spawn(move |ctx| again_and_again(ctx, prepared, index, turns, done));
        }
        alternate(span, || done.total())
            .await
            .report()
            .with("guests", guests as f64)
    })
}

/// Ends only if a guest does not end as it should: what it did then is not counted.
pub(super) async fn again_and_again(
    ctx: Context,
    prepared: Prepared,
    guest: u64,
    turns: u64,
    done: Counters,
) -> ExitReason {
    let mut mine = 0;
    loop {
        match prepared.run_pure(ctx.another()).await {
            ExitReason::Normal => mine += turns,
            other => return other,
        }
        done.set(guest, mine);
    }
}

/// A guest that multiplies and adds that many times; the result ends up in a global, so that no
/// compiler can leave the loop out.
pub(super) fn looping(turns: u64) -> String {
    format!(
        r#"(module
  (global $sum (export "sum") (mut i64) (i64.const 1))
  (func (export "run") (local $left i64)
    (local.set $left (i64.const {turns}))
    (loop $again
      (global.set $sum
        (i64.add (i64.mul (global.get $sum) (i64.const 6364136223846793005)) (i64.const 1)))
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.ne (local.get $left) (i64.const 0))))))"#
    )
}
