//! What every test of guests needs: a node, an engine, a guest from text, and a patient look at
//! something that is about to happen.
#![allow(dead_code, unreachable_pub)] // Each test binary uses its own part.

pub mod actor;
pub mod kv;
pub mod runtime;
pub mod services;
pub mod wit;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusm_actor::{ExitReason, Node};
use rusm_wasm::{Capture, Engine, EngineConfig, Mount, Prepared, Program, Stdio};

/// Longer than anything here takes; reached only by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn node(workers: usize) -> Node {
    Node::start(rusm_sched::Config {
        workers,
        // As in `rusm`.
        times: true,
        ..Default::default()
    })
    .unwrap()
}

pub fn engine(node: &Node) -> Engine {
    let config = EngineConfig {
        memory_bytes_max: 16 << 20,
        instances_max: 256,
        ..Default::default()
    };
    Engine::new(config, &node.handle()).unwrap()
}

pub fn prepared(node: &Node, wat: &str) -> Prepared {
    engine(node)
        .load(wat.as_bytes())
        .unwrap()
        .prepare(None)
        .unwrap()
}

/// A program with captured stdio, and the buffers.
pub fn captured(stdin: &str) -> (Program, Capture) {
    let buffers = Capture::new(stdin, 1 << 20);
    (
        Program {
            stdio: Stdio::Captured(buffers.clone()),
            ..Default::default()
        },
        buffers,
    )
}

/// Runs one guest on a node of its own to its end; the reason, and what it wrote.
pub fn run(wat: &str, program: Program) -> (ExitReason, String) {
    let node = node(1);
    let (mut captured, buffers) = captured("");
    captured = Program {
        stdio: captured.stdio,
        ..program
    };
    let process = prepared(&node, wat).spawn(&node, captured).unwrap();
    let reason = process.wait_for(PATIENCE).expect("the guest ends");
    node.shutdown(PATIENCE).unwrap();
    (reason, String::from_utf8(buffers.stdout()).unwrap())
}

pub fn mounted(dir: &Path) -> Program {
    Program {
        dirs: vec![Mount {
            host: dir.to_path_buf(),
            guest: "/".into(),
        }],
        ..Default::default()
    }
}

pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// The imports these guests use, a memory, and `$ok`: the next `errno` must be zero, or the guest
/// exits with it.
const PRELUDE: &str = r#"
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $ok (param i32) (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func $iovec (param $at i32) (param $len i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $len)))
  (func $print (param $at i32) (param $len i32)
    (call $iovec (local.get $at) (local.get $len))
    (call $ok (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  ;; Opens the path at 1024 with these flags for reading or writing; the descriptor is at 16.
  (func $open (param $len i32) (param $flags i32) (param $rights i64) (result i32)
    (call $path_open (i32.const 3) (i32.const 1) (i32.const 1024) (local.get $len) (local.get $flags) (local.get $rights)
      (i64.const 0) (i32.const 0) (i32.const 16)))
  ;; Subscribes the clock at 2048: which one, when, absolute or not.
  (func $clock (param $id i32) (param $when i64) (param $absolute i32)
    (i32.store (i32.const 2064) (local.get $id)) (i64.store (i32.const 2072) (local.get $when))
    (i32.store16 (i32.const 2088) (local.get $absolute)))
  (func $now (param $id i32) (result i64)
    (call $ok (call $clock_time_get (local.get $id) (i64.const 0) (i32.const 24))) (i64.load (i32.const 24)))
  (func $poll (param $count i32)
    (call $ok (call $poll_oneoff (i32.const 2048) (i32.const 8192) (local.get $count) (i32.const 32))))"#;

/// A WASI guest with this data and this code in `_start`.
pub fn guest(data: &str, code: &str) -> String {
    format!(r#"(module {PRELUDE} {data} (func (export "_start") (local $then i64) {code}))"#)
}

/// A `wasi:cli` command as text: `items` before the core module with this `module` code, which is
/// instantiated `with` what it imports and exports `run`, the end of the command (1 is an error).
pub fn command(items: &str, with: &str, module: &str) -> String {
    format!(
        r#"(component {items}
             (core module $guest {module})
             (core instance $main (instantiate $guest {with}))
             (func $run (result (result)) (canon lift (core func $main "run")))
             (instance $command (export "run" (func $run)))
             (export "wasi:cli/run@0.2.0" (instance $command)))"#
    )
}

/// The status a guest exited with.
pub fn status(reason: &ExitReason) -> i32 {
    match reason {
        ExitReason::Normal => 0,
        ExitReason::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

/// A new directory, removed with this value.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "rusm-wasm-test-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
