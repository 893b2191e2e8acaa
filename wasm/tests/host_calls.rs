//! Which host call a guest is in, as others see it: those that can wait, of every interface. Those of WASI 0.2 and 0.3 are in
//! `components.rs` and `wasi3.rs`, where their guests are.

mod support;

use rusm_actor::{Node, last_host_call};
use rusm_wasm::{Engine, Prepared, Program};
use support::runtime::actor;
use support::{PATIENCE, TempDir, engine, eventually, guest, mounted, node};

/// Starts a guest, waits until this is the call that it made last, and ends it.
fn seen_in(node: &Node, guest: &Prepared, program: Program, call: &str) {
    let process = guest.spawn(node, program).unwrap();
    let pid = process.pid();
    eventually(call, || last_host_call(pid).as_deref() == Some(call));
    node.kill(pid);
    process.wait_for(PATIENCE).expect("it ends");
    assert_eq!(last_host_call(pid), None, "it has ended");
}

fn prepared(engine: &Engine, bytes: impl AsRef<[u8]>) -> Prepared {
    engine.load(bytes.as_ref()).unwrap().prepare(None).unwrap()
}

/// A core module that calls `called`, one of `rusm`.
fn core(import: &str, called: &str) -> String {
    format!(
        r#"(module (import "rusm" {import}) (memory (export "memory") 1) (func (export "_start") {called}))"#
    )
}

#[test]
fn a_guest_that_waits_is_seen_in_the_call_that_it_waits_in() {
    let node = node(2);
    let engine = engine(&node);
    let receives = core(
        r#""receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32))"#,
        "(drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 64) (i32.const 64)))",
    );
    let sleeps = core(
        r#""sleep" (func $sleep (param i64))"#,
        "(call $sleep (i64.const -1))",
    );
    let polls = guest(
        "",
        "(call $clock (i32.const 1) (i64.const 3600000000000) (i32.const 0)) (call $poll (i32.const 1))",
    );
    for (wat, call) in [
        (receives, "rusm receive"),
        (sleeps, "rusm sleep"),
        (polls, "wasi_snapshot_preview1 poll_oneoff"),
    ] {
        seen_in(&node, &prepared(&engine, wat), Program::default(), call);
    }
    // It waits for its first message.
    let component = prepared(&engine, actor("", ""));
    let receives = "rusm:runtime/process receive";
    seen_in(&node, &component, Program::default(), receives);
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_guest_of_lunatic_is_seen_in_the_call_that_it_waits_in() {
    let node = node(1);
    let wat = r#"(module (import "lunatic::process" "sleep_ms" (func $sleep (param i64)))
        (memory (export "memory") 1) (func (export "_start") (call $sleep (i64.const -1))))"#;
    let module = engine(&node).load(wat.as_bytes()).unwrap();
    let process = module.prepare_lunatic(None).unwrap();
    let process = process.spawn(&node, Program::default()).unwrap();
    let call = "lunatic::process sleep_ms";
    let last = || last_host_call(process.pid());
    eventually(call, || last().as_deref() == Some(call));
    node.kill(process.pid());
    process.wait_for(PATIENCE).expect("it ends");
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_call_that_waited_is_seen_until_the_next_one_and_calls_that_never_wait_are_not() {
    let node = node(2);
    let engine = engine(&node);
    let files = guest(
        "",
        "(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8))) (loop (br 0))",
    );
    let files = prepared(&engine, files);
    let dir = TempDir::new();
    let read = "wasi_snapshot_preview1 fd_read";
    seen_in(&node, &files, mounted(dir.path()), read);
    let asks = core(
        r#""self" (func $self (result i64))"#,
        "(loop (drop (call $self)) (br 0))",
    );
    let process = prepared(&engine, asks).spawn(&node, Program::default());
    let process = process.unwrap();
    let turns = || rusm_actor::info(process.pid()).is_some_and(|info| info.reductions > 10_000);
    eventually("it has called", turns);
    assert_eq!(last_host_call(process.pid()), None);
    node.kill(process.pid());
    process.wait_for(PATIENCE).expect("it ends");
    node.shutdown(PATIENCE).unwrap();
}
