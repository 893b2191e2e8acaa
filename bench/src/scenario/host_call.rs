//! What a call from a guest into the host costs: one without data, and one that sends 64 bytes of the guest's memory to
//! a mailbox (its own, which it empties in between). The guest reads the clock itself, once before and once after many.

use std::time::{Duration, Instant};

use rusm_actor::{Context, Node, send};
use rusm_wasm::Prepared;

use super::Scenario;
use super::guest::{engine, prepare};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Tally, mail};
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "host-call",
    workload: "host_call",
    about: "a guest calls the host without data, and sends 64 bytes; nanoseconds each",
    choices: &[],
    small: &[],
    run,
};

/// Operations between two looks at the clock.
const CALLS: u64 = 10_000;
/// The same for messages, which stay in the mailbox meanwhile.
const MESSAGES: u64 = 100;

/// Hears who wants to know, and then tells for ever: how long so many empty loops took, calls, sends, receives.
fn measuring() -> String {
    let timed = |count, body: &str| {
        format!(
            r#"(local.set $begun (call $now))
    (local.set $left (i32.const {count}))
    (loop $more {body}
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i64.store (local.get $into) (i64.sub (call $now) (local.get $begun)))
    (local.set $into (i32.add (local.get $into) (i32.const 8)))"#
        )
    };
    let nothing = timed(
        CALLS,
        "(local.set $sum (i64.add (local.get $sum) (local.get $me)))",
    );
    let calls = timed(
        CALLS,
        "(local.set $sum (i64.add (local.get $sum) (call $self)))",
    );
    let sends = timed(
        MESSAGES,
        "(drop (call $send (local.get $me) (i64.const 0) (i32.const 1024) (i32.const 64)))",
    );
    let receives = timed(
        MESSAGES,
        "(drop (call $try_receive
          (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 1024) (i32.const 64)))",
    );
    format!(
        r#"(module
  (import "rusm" "self" (func $self (result i64)))
  (import "rusm" "now" (func $now (result i64)))
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "try_receive" (func $try_receive (param i32 i64 i32 i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $kept (mut i64) (i64.const 0))
  (func (export "run")
    (local $me i64) (local $driver i64) (local $begun i64) (local $sum i64)
    (local $left i32) (local $into i32)
    (local.set $me (call $self))
    (drop (call $receive
      (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 8)))
    (local.set $driver (i64.load (i32.const 64)))
    (loop $again
      (local.set $into (i32.const 128))
      {nothing} {calls} {sends} {receives}
      (global.set $kept (local.get $sum))
      (drop (call $send (local.get $driver) (i64.const 0) (i32.const 128) (i32.const 32)))
      (br $again))))"#
    )
}

fn run(env: &Env) -> Result<Report, Failure> {
    // While it runs that is of all its time; the value is of the time of the calls alone.
    let (span, progress) = (env.span, env.progress("calls/s"));
    let node = Node::start(env.config.clone())?;
    let guest = prepare(&engine(&node, 1)?, &measuring())?;
    env.drive_on(&node, move |ctx| async move {
        let mut rounds = rounds(ctx, guest, span, progress).await;
        let count = rounds.len() as f64;
        let mut median = |index: usize| {
            rounds.sort_unstable_by_key(|round| round[index]);
            rounds.get(rounds.len() / 2).map_or(0, |round| round[index]) as f64
        };
        let (nothing, calls) = (median(0) / CALLS as f64, median(1) / CALLS as f64);
        let (sends, receives) = (median(2) / MESSAGES as f64, median(3) / MESSAGES as f64);
        Report::rate(
            CALLS,
            Duration::from_secs_f64((median(1) / 1e9).max(1e-9)),
            "calls/s",
        )
        .with("ns_per_call", calls)
        .with("ns_per_send_64", sends)
        .with("ns_per_receive_64", receives)
        .with("ns_per_loop", nothing)
        .with("rounds", count)
    })
}

/// The four times of each round, in nanoseconds.
async fn rounds(
    mut ctx: Context,
    guest: Prepared,
    span: Duration,
    progress: &Tally,
) -> Vec<[u64; 4]> {
    let pid = guest.spawn_pure(&ctx.node());
    send(pid, mail(ctx.pid().to_bits()));
    let (start, mut rounds) = (Instant::now(), Vec::new());
    while let Some(left) = span.checked_sub(start.elapsed()) {
        let Some(message) = ctx.receive_within(left).await else {
            break;
        };
        let mut words = message.bytes().chunks_exact(8).map(|word| {
            let word = word.try_into().expect("a chunk of eight has eight bytes");
            u64::from_le_bytes(word)
        });
        rounds.push([0; 4].map(|_| words.next().unwrap_or(0)));
        progress.add(CALLS);
    }
    rusm_actor::kill(pid);
    rounds
}
