//! Commands of WASI 0.3, whose functions may wait for several things at a time: they end, wait and
//! are stopped like others, and no Tokio runtime comes to life.

mod support;

use std::fs;
use std::time::{Duration, Instant};

use rusm_actor::{ExitReason, last_host_call};
use rusm_wasm::Program;
use support::{PATIENCE, engine, eventually, node, prepared, run, status};

/// A command of WASI 0.3: component `items`, and the code of its core module, which is given the
/// core instances `with` these and exports `run`.
fn command(items: &str, with: &str, module: &str) -> String {
    format!(
        r#"(component {items}
             (core module $guest {module})
             (core instance $main (instantiate $guest {with}))
             (type $run (func async (result (result))))
             (func $run (type $run) (canon lift (core func $main "run")))
             (instance $command (export "run" (func $run)))
             (export "wasi:cli/run@0.3.0" (instance $command)))"#
    )
}

/// Runs `body`, which may call `$now` and `$wait`, and ends with its result.
fn clock(body: &str) -> String {
    command(
        r#"(import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
             (export "now" (func (result u64)))
             (export "wait-until" (func async (param "when" u64)))
             (export "wait-for" (func async (param "how-long" u64)))))
           (core func $now (canon lower (func $clock "now")))
           (core func $until (canon lower (func $clock "wait-until")))
           (core func $wait (canon lower (func $clock "wait-for")))
           (core instance $host (export "now" (func $now)) (export "until" (func $until))
             (export "wait" (func $wait)))"#,
        r#"(with "host" (instance $host))"#,
        &format!(
            r#"(import "host" "now" (func $now (result i64))) (import "host" "until" (func $until (param i64)))
               (import "host" "wait" (func $wait (param i64)))
               (func (export "run") (result i32) (local $then i64) {body})"#
        ),
    )
}

/// Writes `hello` to stdout through a stream, and waits for what becomes of it.
fn hello() -> String {
    command(
        r#"(import "wasi:cli/types@0.3.0" (instance $types
             (type $e (enum "io" "illegal-byte-sequence" "pipe")) (export "error-code" (type (eq $e)))))
           (alias export $types "error-code" (type $error))
           (import "wasi:cli/stdout@0.3.0" (instance $stdout
             (alias outer 1 $error (type $outer)) (export "error-code" (type $code (eq $outer)))
             (export "write-via-stream" (func (param "data" (stream u8)) (result (future (result (error $code))))))))
           (type $stream (stream u8)) (type $ended (future (result (error $error))))
           (core module $memory (memory (export "memory") 1) (data (i32.const 0) "hello"))
           (core instance $memory (instantiate $memory))
           (core func $new (canon stream.new $stream))
           (core func $write (canon stream.write $stream async (memory (core memory $memory "memory"))))
           (core func $close (canon stream.drop-writable $stream))
           (core func $read (canon future.read $ended async (memory (core memory $memory "memory"))))
           (core func $set (canon waitable-set.new))
           (core func $join (canon waitable.join))
           (core func $wait (canon waitable-set.wait (memory (core memory $memory "memory"))))
           (core func $print (canon lower (func $stdout "write-via-stream")))
           (core instance $host (export "new" (func $new)) (export "write" (func $write)) (export "close" (func $close))
             (export "read" (func $read)) (export "set" (func $set)) (export "join" (func $join))
             (export "wait" (func $wait)) (export "print" (func $print)))"#,
        r#"(with "host" (instance $host)) (with "memory" (instance $memory))"#,
        r#"(import "host" "new" (func $new (result i64))) (import "host" "write" (func $write (param i32 i32 i32) (result i32)))
           (import "host" "close" (func $close (param i32))) (import "host" "read" (func $read (param i32 i32) (result i32)))
           (import "host" "set" (func $set (result i32))) (import "host" "join" (func $join (param i32 i32)))
           (import "host" "wait" (func $wait (param i32 i32) (result i32))) (import "host" "print" (func $print (param i32) (result i32)))
           (import "memory" "memory" (memory 1))
           ;; Waits for a handle if its call has not ended (-1).
           (func $finish (param $code i32) (param $handle i32) (local $all i32)
             (if (i32.ne (local.get $code) (i32.const -1)) (then (return)))
             (call $join (local.get $handle) (local.tee $all (call $set)))
             (drop (call $wait (local.get $all) (i32.const 64)))
             (call $join (local.get $handle) (i32.const 0)))
           (func (export "run") (result i32) (local $both i64) (local $end i32) (local $writer i32)
             (local.set $both (call $new))
             (local.set $writer (i32.wrap_i64 (i64.shr_u (local.get $both) (i64.const 32))))
             (local.set $end (call $print (i32.wrap_i64 (local.get $both))))
             (call $finish (call $write (local.get $writer) (i32.const 0) (i32.const 5)) (local.get $writer))
             (call $close (local.get $writer))
             (call $finish (call $read (local.get $end) (i32.const 32)) (local.get $end))
             (i32.load8_u (i32.const 32)))"#,
    )
}

fn ending(wat: &str) -> ExitReason {
    run(wat, Program::default()).0
}

#[test]
fn a_command_ends_as_it_says() {
    for status_of in [0, 1] {
        let wat = clock(&format!("(i32.const {status_of})"));
        assert_eq!(status(&ending(&wat)), status_of);
    }
    assert!(matches!(ending(&clock("unreachable")), ExitReason::Trap(_)));
}

#[test]
fn waits_take_their_time_on_timers() {
    let wat = clock(
        "(local.set $then (call $now))
         (call $wait (i64.const 20000000))
         (call $until (i64.add (local.get $then) (i64.const 40000000)))
         (i64.lt_u (i64.sub (call $now) (local.get $then)) (i64.const 40000000))",
    );
    assert!(matches!(ending(&wat), ExitReason::Normal));
}

#[test]
fn a_thousand_waiting_commands_wait_at_the_same_time() {
    let node = node(2);
    let waiter = clock("(call $wait (i64.const 100000000)) (i32.const 0)");
    let config = rusm_wasm::EngineConfig {
        memory_bytes_max: 1 << 20,
        instances_max: 1_000,
        ..Default::default()
    };
    let engine = rusm_wasm::Engine::new(config, &node.handle()).unwrap();
    let waiter = engine
        .load(waiter.as_bytes())
        .unwrap()
        .prepare(None)
        .unwrap();
    let start = Instant::now();
    let all: Vec<_> = (0..1_000)
        .map(|_| waiter.spawn(&node, Program::default()).unwrap())
        .collect();
    for process in all {
        assert!(matches!(
            process.wait_for(PATIENCE),
            Some(ExitReason::Normal)
        ));
    }
    // One after the other would be 100 seconds.
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    no_thread_is_tokios();
}

#[test]
fn a_stream_is_written_to_stdout() {
    let (reason, out) = run(&hello(), Program::default());
    assert!(matches!(reason, ExitReason::Normal), "{reason:?}");
    assert_eq!(out, "hello");
    // Behind this program's own stdout there are other streams.
    let node = node(1);
    let process = prepared(&node, &hello()).spawn(&node, Program::default());
    assert!(matches!(process.unwrap().wait(), ExitReason::Normal));
    no_thread_is_tokios();
}

#[test]
fn spinning_and_waiting_commands_can_be_killed() {
    let wait = "wasi:clocks/monotonic-clock wait-for";
    for (body, call) in [
        ("(loop $l (br $l)) (i32.const 0)", None),
        ("(call $wait (i64.const -1)) (i32.const 0)", Some(wait)),
    ] {
        let node = node(1);
        let process = prepared(&node, &clock(body))
            .spawn(&node, Program::default())
            .unwrap();
        let bystander = node.spawn_join(|_| async {
            rusm_sched::sleep(Duration::from_millis(20)).await;
        });
        assert!(bystander.wait_for(PATIENCE).is_some());
        let last = || last_host_call(process.pid());
        eventually(wait, || last().as_deref() == call);
        node.kill(process.pid());
        assert!(matches!(
            process.wait_for(PATIENCE),
            Some(ExitReason::Killed)
        ));
    }
}

#[test]
fn a_command_that_waits_for_nothing_there_is_trapped() {
    let wat = command(
        r#"(core module $memory (memory (export "memory") 1))
           (core instance $memory (instantiate $memory))
           (core func $set (canon waitable-set.new))
           (core func $wait (canon waitable-set.wait (memory (core memory $memory "memory"))))
           (core instance $host (export "set" (func $set)) (export "wait" (func $wait)))"#,
        r#"(with "host" (instance $host))"#,
        r#"(import "host" "set" (func $set (result i32))) (import "host" "wait" (func $wait (param i32 i32) (result i32)))
           (func (export "run") (result i32) (call $wait (call $set) (i32.const 0)))"#,
    );
    match ending(&wat) {
        ExitReason::Trap(fault) => assert!(fault.text.contains("deadlock"), "{fault:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_commands_in_one_component_the_later_wasi_counts() {
    let mut wat = clock("(i32.const 1)");
    wat.truncate(wat.rfind(')').unwrap());
    wat += r#"(core module $old (func (export "run") (result i32) unreachable))
        (core instance $old (instantiate $old))
        (func $old (result (result)) (canon lift (core func $old "run")))
        (instance $older (export "run" (func $old)))
        (export "wasi:cli/run@0.2.0" (instance $older)))"#;
    assert!(matches!(ending(&wat), ExitReason::Status(1)));
}

#[test]
fn an_import_nobody_provides() {
    let wat = command(
        r#"(import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "stop" (func async (param "days" u8)))))"#,
        "",
        r#"(func (export "run") (result i32) (i32.const 0))"#,
    );
    let node = node(1);
    let loaded = engine(&node).load(wat.as_bytes()).unwrap().prepare(None);
    assert_eq!(
        loaded.err().expect("it cannot be run").to_string(),
        "it imports `wasi:clocks/monotonic-clock@0.3.0#stop`, a async func(days: u8), which nobody \
         provides. Build it for `wasm32-wasip2` without that import."
    );
}

fn no_thread_is_tokios() {
    #[cfg(target_os = "linux")]
    for thread in fs::read_dir("/proc/self/task").unwrap() {
        // One that has ended meanwhile is nobody's.
        let name = fs::read_to_string(thread.unwrap().path().join("comm")).unwrap_or_default();
        assert!(
            !name.starts_with("tokio"),
            "a Tokio runtime was started: `{}`",
            name.trim()
        );
    }
}
