//! Pairs of guests, one message of eight bytes in flight per pair, sent and received by the guests themselves. The
//! pinger tells the driver after so many round trips.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rusm_actor::{Context, Node, Pid, send};

use super::guest::{engine, prepare};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Tally, mail};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "wasm-ping-pong",
    workload: "wasm_ping_pong",
    about: "pairs of guests bounce one message each; latencies are means over 500 trips",
    choices: &[choice("pairs", "1", "pairs of guests")],
    small: &[],
    run,
};

/// Round trips between two reports of a pinger.
const TRIPS: u64 = 500;

/// `$hear` puts the next message's eight bytes at 64, `$tell` sends them to somebody.
const COMMON: &str = r#"
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $hear (result i64)
    (drop (call $receive
      (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 8)))
    (i64.load (i32.const 64)))
  (func $tell (param $to i64) (param $number i64)
    (i64.store (i32.const 64) (local.get $number))
    (drop (call $send (local.get $to) (i64.const 0) (i32.const 64) (i32.const 8))))"#;

/// Hears who the other one is, and from then on answers each number with the next.
const PONGER: &str = r#"
  (func (export "run") (local $other i64)
    (local.set $other (call $hear))
    (loop $again
      (call $tell (local.get $other) (i64.add (call $hear) (i64.const 1)))
      (br $again)))"#;

/// Hears who the other one and the driver are, and plays.
fn pinger() -> String {
    format!(
        r#"
  (func (export "run") (local $other i64) (local $driver i64) (local $ball i64) (local $left i32)
    (local.set $other (call $hear))
    (local.set $driver (call $hear))
    (loop $again
      (local.set $left (i32.const {TRIPS}))
      (loop $more
        (call $tell (local.get $other) (local.get $ball))
        (local.set $ball (call $hear))
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $tell (local.get $driver) (local.get $ball))
      (br $again)))"#
    )
}

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, pairs) = (env.span, env.positive("pairs")?);
    let progress = env.progress("msgs/s");
    let node = Node::start(env.config.clone())?;
    let engine = engine(&node, pairs * 2)?;
    let guest = |code: &str| prepare(&engine, &format!("(module {COMMON} {code})"));
    let (pinger, ponger) = (guest(&pinger())?, guest(PONGER)?);
    env.drive_on(&node, move |ctx| async move {
        let mut players = Vec::new();
        for _ in 0..pairs {
            let (one, two) = (
                pinger.spawn_pure(&ctx.node()),
                ponger.spawn_pure(&ctx.node()),
            );
            for (to, whom) in [(one, two), (one, ctx.pid()), (two, one)] {
                send(to, mail(whom.to_bits()));
            }
            players.extend([one, two]);
        }
        let report = listen(ctx, span, progress).await;
        players.into_iter().for_each(rusm_actor::kill);
        report
    })
}

/// Counts what the pingers report. A pair that is in the middle of them counts with the last it finished.
async fn listen(mut ctx: Context, span: Duration, progress: &Tally) -> Report {
    let (mut gaps, mut trips) = (Latency::new(), 0_u64);
    let (start, mut last) = (Instant::now(), HashMap::<Pid, Instant>::new());
    while let Some(left) = span.checked_sub(start.elapsed()) {
        let Some(message) = ctx.receive_within(left).await else {
            break;
        };
        trips += TRIPS;
        progress.add(TRIPS * 2);
        let now = Instant::now();
        let Some(sender) = message.envelope().map(|envelope| envelope.from) else {
            continue;
        };
        let before = last.entry(sender).or_insert(start);
        gaps.note((now - *before) / TRIPS as u32);
        *before = now;
    }
    Report::rate(trips * 2, start.elapsed(), "msgs/s").with_latency(&gaps)
}
