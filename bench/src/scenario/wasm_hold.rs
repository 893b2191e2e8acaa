//! Very many guests parked on their mailboxes, then all killed: how fast, how many bytes each, and how many mappings of
//! the kernel's in all. Nearly all of them live in the dense tier: the pools are kept small, as each of their slots
//! costs mappings whether it is used or not.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Instant;

use rusm_actor::{ExitReason, Node};
use rusm_wasm::{Engine, EngineConfig, Prepared};

use super::guest::prepare;
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Tally, settle};
use crate::machine;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "wasm-hold",
    workload: "wasm_hold",
    about: "n guests with a page of memory parked on their mailboxes, then all killed; bytes each, mappings",
    choices: &[
        choice("n", "300000", "guests; the peers hold 10000"),
        choice(
            "pooled",
            "64",
            "of them in pools, the others in the dense tier",
        ),
        choice("memory_mib", "64", "what each may grow to: address space"),
    ],
    small: &[("n", "2000"), ("memory_mib", "1")],
    run,
};

/// Uses its memory and hears one message.
const PARKED: &str = r#"(module
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "a fresh instance finds this in its memory")
  (func (export "run")
    (i32.store (i32.const 64) (i32.const 7))
    (drop (call $receive
      (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 128) (i32.const 256) (i32.const 64)))))"#;

/// Counts guests that came to wait, that could not be started, and that are gone.
struct Census {
    parked: &'static Tally,
    refused: &'static Tally,
    left: &'static Tally,
}

/// Inside each body, so that only one that is really gone counts as gone.
struct Leaving(&'static Census);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.left.add(1);
    }
}

fn run(env: &Env) -> Result<Report, Failure> {
    let (count, pooled) = (env.positive("n")?, env.positive("pooled")?);
    let node = Node::start(env.config.clone())?;
    let guest = hold(&node, count, pooled, env.positive("memory_mib")?)?;
    let tally = || Tally::leaked(env.config.workers);
    let census: &'static Census = Box::leak(Box::new(Census {
        parked: env.progress("spawns/s"),
        refused: tally(),
        left: tally(),
    }));
    env.drive_on(&node, move |ctx| async move {
        let mut held = Vec::with_capacity(count as usize);
        let (rss, tables) = (machine::rss_kb(), machine::page_tables_kb());
        let start = Instant::now();
        for index in 0..count {
            let (leaving, guest) = (Leaving(census), guest.clone());
            held.push(ctx.spawn(move |ctx| async move {
                let census = leaving.0;
                let reason = parked(guest.run_pure(ctx), census.parked).await;
                census.refused.add(1);
                drop(leaving);
                reason
            }));
            if index % 64 == 63 {
                rusm_sched::yield_now().await;
            }
        }
        settle(|| census.parked.total() + census.refused.total() >= count).await;
        let spawned = start.elapsed();
        let each =
            |before: u64, now: u64| now.saturating_sub(before) as f64 * 1024.0 / count as f64;
        let (bytes, tables) = (
            each(rss, machine::rss_kb()),
            each(tables, machine::page_tables_kb()),
        );
        let mappings = machine::mappings();
        let refused = census.refused.total();
        let start = Instant::now();
        for pid in held {
            rusm_actor::kill(pid);
        }
        settle(|| census.left.total() >= count).await;
        let stopped = start.elapsed();
        Report::rate(count - refused, spawned, "spawns/s")
            .with("n", (count - refused) as f64)
            .with("refused", refused as f64)
            .with("bytes_each", bytes)
            .with("page_tables_each", tables)
            .with("mappings", mappings as f64)
            .with("stop_s", stopped.as_secs_f64())
            .with("stops_per_s", count as f64 / stopped.as_secs_f64())
    })
}

fn hold(node: &Node, count: u64, pooled: u64, memory_mib: u64) -> Result<Prepared, Failure> {
    let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
    let config = EngineConfig {
        memory_bytes_max: memory_mib << 20,
        instances_max: number(pooled),
        dense_instances_max: number(count),
        ..EngineConfig::default()
    };
    let engine = Engine::new(config, &node.handle()).map_err(Failure::guest)?;
    prepare(&engine, PARKED)
}

/// Counts the guest once it waits for the first time. (Or was preempted before: it then parks a moment later.)
async fn parked(guest: impl Future<Output = ExitReason>, parked: &Tally) -> ExitReason {
    let (mut guest, mut counted) = (pin!(guest), false);
    poll_fn(|cx| {
        let polled = guest.as_mut().poll(cx);
        if polled.is_pending() && !std::mem::replace(&mut counted, true) {
            parked.add(1);
        }
        polled
    })
    .await
}
