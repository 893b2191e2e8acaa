//! Cryptography that guests ask of the host: how many operations a second, each a call from a core module.

use std::time::Instant;

use rusm_actor::{Context, Node};
use rusm_wasm::Prepared;

use super::guest::{engine, hear, prepare};
use super::{Scenario, WORKERS, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, Tally};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crypto-ops",
    workload: "crypto_ops",
    about: "hashes, seals and signatures that guests ask of the host",
    choices: &[
        choice("guests", WORKERS, "guests, each in a loop"),
        choice(
            "op",
            "sha256",
            "`sha256`, `sha512`, `hmac`, `seal`, `open`, `sign`, `verify` or `random`",
        ),
        choice("size", "1024", "bytes of one operation, 64 KiB at most"),
    ],
    small: &[],
    run,
};

const SIZE_MAX: u64 = 64 << 10;
/// A guest tells how far it is after so long, in nanoseconds.
const TOLD_EVERY: u64 = 20_000_000;

fn run(env: &Env) -> Result<Report, Failure> {
    let (span, guests) = (env.span, env.positive("guests")?);
    let size = env.positive("size")?.min(SIZE_MAX);
    let (op, progress) = (env.text("op"), env.progress("operations/s"));
    let node = Node::start(env.config.clone())?;
    let prepared = prepare(&engine(&node, guests)?, &looping(op, size)?)?;
    env.drive_on(&node, move |ctx| async move {
        let (ledger, start) = (Ledger::new(), Instant::now());
        let end = (rusm_sched::now() + span).as_nanos() as u64;
        for _ in 0..guests {
            let (ledger, prepared) = (ledger.clone(), prepared.clone());
            ctx.spawn(move |ctx| work(ctx, prepared, end, ledger, progress));
        }
        let (count, _) = ledger.all(guests).await;
        let elapsed = start.elapsed();
        Report::rate(count, elapsed, "operations/s")
            .with("bytes_per_s", (count * size) as f64 / elapsed.as_secs_f64())
    })
}

/// Starts a guest, tells it who it belongs to and when to stop, and hears how much it does.
async fn work(mut ctx: Context, guest: Prepared, end: u64, ledger: Ledger, progress: &Tally) {
    let guest = ctx.spawn(move |ctx| guest.run_pure(ctx));
    let me = ctx.pid().to_bits().to_le_bytes();
    ctx.send(guest, [me, end.to_le_bytes()].concat());
    ledger.close(hear(&mut ctx, progress).await, &Latency::new());
}

/// What is set up first, the operation, and what it returns. Keys are at 1024, a nonce at 2048, results at 4096 and
/// contents at 131072.
fn operation(op: &str, size: u64) -> Option<(String, String, u64)> {
    let seal = |f: &str, at: &str, len: u64, to: &str| {
        format!(
            "(call ${f} (i32.const 1024) (i32.const 32) (i32.const 2048) (i32.const 0) (i32.const 0) \
             {at} (i32.const {len}) {to})"
        )
    };
    let (content, sealed, spare) = (
        "(i32.const 131072)",
        "(i32.const 262144)",
        "(i32.const 4096)",
    );
    let sign = format!("(call $sign (i32.const 1024) {content} (i32.const {size}) {spare})");
    let hash = |which: u32| {
        format!("(call $hash (i32.const {which}) {content} (i32.const {size}) {spare})")
    };
    Some(match op {
        "sha256" => (String::new(), hash(0), 32),
        "sha512" => (String::new(), hash(2), 64),
        "hmac" => {
            let hmac = format!(
                "(call $hmac (i32.const 0) (i32.const 1024) (i32.const 32) {content} (i32.const {size}) {spare})"
            );
            (String::new(), hmac, 32)
        }
        "seal" => (
            String::new(),
            seal("seal", content, size, sealed),
            size + 16,
        ),
        "open" => {
            let first = format!("(drop {})", seal("seal", content, size, sealed));
            (first, seal("open", sealed, size + 16, content), size)
        }
        "sign" => (String::new(), sign, 64),
        "verify" => {
            let first =
                format!("(drop (call $public (i32.const 1024) (i32.const 2048))) (drop {sign})");
            let verify =
                format!("(call $verify (i32.const 2048) {content} (i32.const {size}) {spare})");
            (first, verify, 1)
        }
        "random" => {
            let random = format!("(call $random {content} (i32.const {size}))");
            (String::new(), random, 0)
        }
        _ => return None,
    })
}

fn looping(op: &str, size: u64) -> Result<String, Failure> {
    let Some((first, each, expected)) = operation(op, size) else {
        return Err(Failure::Usage(format!(
            "`op={op}` is unknown; `rusm-bench list` shows those there are."
        )));
    };
    Ok(format!(
        r#"(module
  (import "rusm" "now" (func $now (result i64)))
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
  (import "rusm" "random" (func $random (param i32 i32) (result i32)))
  (import "rusm" "hash" (func $hash (param i32 i32 i32 i32) (result i32)))
  (import "rusm" "hmac" (func $hmac (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "aes_gcm_seal" (func $seal (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "aes_gcm_open" (func $open (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "ed25519_public" (func $public (param i32 i32) (result i32)))
  (import "rusm" "ed25519_sign" (func $sign (param i32 i32 i32 i32) (result i32)))
  (import "rusm" "ed25519_verify" (func $verify (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 6)
  (func (export "run") (local $since i64) (local $now i64) (local $next i64) (local $more i32)
    (drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 64)))
    {first}
    (loop $on
      (if (i32.ne {each} (i32.const {expected})) (then unreachable))
      (local.set $since (i64.add (local.get $since) (i64.const 1)))
      (local.set $now (call $now))
      (local.set $more (i64.lt_u (local.get $now) (i64.load (i32.const 72))))
      (if (i32.or (i32.eqz (local.get $more)) (i64.ge_u (local.get $now) (local.get $next))) (then
        (i64.store (i32.const 80) (local.get $since))
        (i64.store (i32.const 88) (i64.extend_i32_u (local.get $more)))
        (drop (call $send (i64.load (i32.const 64)) (i64.const 0) (i32.const 80) (i32.const 16)))
        (local.set $since (i64.const 0))
        (local.set $next (i64.add (local.get $now) (i64.const {TOLD_EVERY})))))
      (br_if $on (local.get $more)))))"#
    ))
}
