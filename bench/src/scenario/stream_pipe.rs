//! Bytes through a stream from one process to another, which reads all of them: pairs of guests, whose bytes go from
//! the memory of one to that of the other, or of native processes.

use std::time::{Duration, Instant};

use rusm_actor::{Context, Node, StreamReader, StreamWriter};
use rusm_wasm::Prepared;

use super::guest::{engine, hear, prepare};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, Tally};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stream-pipe",
    workload: "stream_pipe",
    about: "bytes through a stream between two processes",
    choices: &[
        choice("pairs", "1", "pairs of a writer and a reader"),
        choice("chunk", "65536", "bytes of one write and one read"),
        choice(
            "capacity",
            "262144",
            "bytes that a stream holds on their way",
        ),
        choice("kind", "wasm", "`wasm` or `native` processes"),
    ],
    small: &[],
    run,
};

/// A guest has room for that.
const CHUNK_MAX: usize = 1 << 20;
/// A reader tells how far it is after so many: some thousand times a second at most.
const TOLD_BYTES: u64 = 4 << 20;

#[derive(Clone, Copy)]
struct Pipe {
    chunk: usize,
    capacity: usize,
    span: Duration,
    progress: &'static Tally,
}

fn run(env: &Env) -> Result<Report, Failure> {
    let pairs = env.positive("pairs")?;
    let size = |key| Ok::<_, Failure>(usize::try_from(env.positive(key)?).unwrap_or(usize::MAX));
    let pipe = Pipe {
        chunk: size("chunk")?.min(CHUNK_MAX),
        capacity: size("capacity")?,
        span: env.span,
        progress: env.progress("bytes/s"),
    };
    let node = Node::start(env.config.clone())?;
    let guests = match env.text("kind") {
        "native" => None,
        "wasm" => {
            let engine = engine(&node, 2 * pairs)?;
            let (writer, reader) = (writing(pipe), reading(pipe));
            Some((prepare(&engine, &writer)?, prepare(&engine, &reader)?))
        }
        other => {
            let text = format!("`kind={other}` is unknown; choose `wasm` or `native`.");
            return Err(Failure::Usage(text));
        }
    };
    env.drive_on(&node, move |ctx| async move {
        let (ledger, start) = (Ledger::new(), Instant::now());
        for _ in 0..pairs {
            let ledger = ledger.clone();
            match &guests {
                None => {
                    let ends = ctx.open_stream(pipe.capacity);
                    let (writer, reader) = ends.expect("it is within its limits");
                    ctx.spawn(move |_| write(writer, pipe, start));
                    ctx.spawn(move |_| read(reader, pipe, ledger));
                }
                Some((writer, reader)) => {
                    let (writer, reader) = (writer.clone(), reader.clone());
                    ctx.spawn(move |ctx| pair(ctx, writer, reader, pipe, ledger));
                }
            }
        }
        let (bytes, _) = ledger.all(pairs).await;
        Report::rate(bytes, start.elapsed(), "bytes/s")
    })
}

/// Starts two guests, tells the writer who reads and when to stop, and hears from the reader how much comes.
async fn pair(mut ctx: Context, writer: Prepared, reader: Prepared, pipe: Pipe, ledger: Ledger) {
    let end = rusm_sched::now() + pipe.span;
    let reader = ctx.spawn(move |ctx| reader.run_pure(ctx));
    let writer = ctx.spawn(move |ctx| writer.run_pure(ctx));
    let me = ctx.pid().to_bits().to_le_bytes();
    ctx.send(reader, me);
    let to = reader.to_bits().to_le_bytes();
    let end = (end.as_nanos() as u64).to_le_bytes();
    ctx.send(writer, [to, end].concat());
    ledger.close(hear(&mut ctx, pipe.progress).await, &Latency::new());
}

async fn write(mut writer: StreamWriter, pipe: Pipe, start: Instant) {
    let bytes = vec![7; pipe.chunk];
    while start.elapsed() < pipe.span {
        writer.write_all(&bytes).await.expect("it is read");
    }
}

async fn read(mut reader: StreamReader, pipe: Pipe, ledger: Ledger) {
    let (mut bytes, mut total, mut told) = (vec![0; pipe.chunk], 0, 0);
    loop {
        let count = reader.read(&mut bytes).await.expect("it ends in order");
        total += count as u64;
        if count == 0 || total - told >= TOLD_BYTES {
            pipe.progress.add(total - told);
            told = total;
        }
        if count == 0 {
            break;
        }
    }
    ledger.close(total, &Latency::new());
}

const IMPORTS: &str = r#"
  (import "rusm" "now" (func $now (result i64)))
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
  (import "rusm" "stream_open" (func $open (param i64 i64 i32) (result i32)))
  (import "rusm" "stream_accept" (func $accept (param i32) (result i32)))
  (import "rusm" "stream_write" (func $write (param i32 i32 i32) (result i32)))
  (import "rusm" "stream_read" (func $read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (func $next (drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 64))))"#;

/// Is told who reads and when to stop, and writes until then.
fn writing(pipe: Pipe) -> String {
    let Pipe {
        chunk, capacity, ..
    } = pipe;
    format!(
        r#"(module {IMPORTS}
  (func (export "run") (local $s i32)
    (call $next)
    (local.set $s (call $open (i64.load (i32.const 64)) (i64.const 0) (i32.const {capacity})))
    (loop $on
      (if (i32.ne (call $write (local.get $s) (i32.const 65536) (i32.const {chunk})) (i32.const 0)) (then unreachable))
      (br_if $on (i64.lt_u (call $now) (i64.load (i32.const 72)))))))"#
    )
}

/// Is told its parent, is offered a stream, reads all of it and tells now and then how much that was.
fn reading(pipe: Pipe) -> String {
    let Pipe { chunk, .. } = pipe;
    format!(
        r#"(module {IMPORTS}
  (func (export "run") (local $s i32) (local $n i32) (local $parent i64) (local $since i64)
    (call $next)
    (local.set $parent (i64.load (i32.const 64)))
    (call $next)
    (local.set $s (call $accept (i32.load (i32.const 24))))
    (loop $on
      (local.set $n (call $read (local.get $s) (i32.const 65536) (i32.const {chunk})))
      (if (i32.lt_s (local.get $n) (i32.const 0)) (then unreachable))
      (local.set $since (i64.add (local.get $since) (i64.extend_i32_u (local.get $n))))
      (if (i32.or (i32.eqz (local.get $n)) (i64.ge_u (local.get $since) (i64.const {TOLD_BYTES}))) (then
        (i64.store (i32.const 64) (local.get $since))
        (i64.store (i32.const 72) (i64.extend_i32_u (local.get $n)))
        (drop (call $send (local.get $parent) (i64.const 0) (i32.const 64) (i32.const 16)))
        (local.set $since (i64.const 0))))
      (br_if $on (local.get $n)))))"#
    )
}
