//! Components as processes: how they end, how they are ended, and what they may take. What they
//! share with core modules is tested in `guests.rs`.

mod support;

use std::time::Duration;

use rusm_actor::{ExitReason, last_host_call};
use rusm_wasm::{CacheConfig, Engine, EngineConfig, Program};
use support::{PATIENCE, TempDir, command, engine, eventually, node, prepared, run};

/// A component whose core module's `$body` may call `$exit` with the code of `wasi:cli/exit`.
fn exits(body: &str) -> String {
    command(
        r#"(import "wasi:cli/exit@0.2.0" (instance $exit
             (export "exit" (func (param "status" (result))))
             (export "exit-with-code" (func (param "status-code" u8)))))
           (core func $exit (canon lower (func $exit "exit")))
           (core func $code (canon lower (func $exit "exit-with-code")))
           (core instance $host (export "exit" (func $exit)) (export "code" (func $code)))"#,
        r#"(with "host" (instance $host))"#,
        &format!(
            r#"(import "host" "exit" (func $exit (param i32))) (import "host" "code" (func $code (param i32)))
               (func (export "run") (result i32) {body})"#
        ),
    )
}

/// A component that waits an hour on the monotonic clock.
fn sleeper() -> String {
    command(
        r#"(import "wasi:io/poll@0.2.0" (instance $poll
             (export "pollable" (type (sub resource)))
             (export "[method]pollable.block" (func (param "self" (borrow 0))))))
           (alias export $poll "pollable" (type $pollable))
           (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
             (alias outer 1 $pollable (type $outer)) (export "pollable" (type (eq $outer)))
             (export "subscribe-duration" (func (param "when" u64) (result (own 1))))))
           (core func $block (canon lower (func $poll "[method]pollable.block")))
           (core func $subscribe (canon lower (func $clock "subscribe-duration")))
           (core instance $host (export "block" (func $block)) (export "subscribe" (func $subscribe)))"#,
        r#"(with "host" (instance $host))"#,
        r#"(import "host" "block" (func $block (param i32)))
           (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
           (func (export "run") (result i32)
             (call $block (call $subscribe (i64.const 3600000000000))) (i32.const 0))"#,
    )
}

/// A component whose function `run` has this type and returns `value`.
fn returning(ty: &str, value: &str) -> String {
    format!(
        r#"(component
             (core module $m (memory (export "memory") 1) (data (i32.const 64) "\01\00\00\00\50\00\00\00\05\00\00\00")
               (data (i32.const 80) "oh no") (func (export "run") {value}))
             (core instance $i (instantiate $m))
             (func (export "run") {ty} (canon lift (core func $i "run") (memory (core memory $i "memory")))))"#
    )
}

fn ending(wat: &str) -> ExitReason {
    run(wat, Program::default()).0
}

#[test]
fn a_command_ends_as_it_says() {
    let returns = |value| {
        command(
            "",
            "",
            &format!(r#"(func (export "run") (result i32) (i32.const {value}))"#),
        )
    };
    assert!(matches!(ending(&returns(0)), ExitReason::Normal));
    assert!(matches!(ending(&returns(1)), ExitReason::Status(1)));
    for (body, status) in [
        ("(call $exit (i32.const 0)) (unreachable)", 0),
        ("(call $exit (i32.const 1)) (unreachable)", 1),
        ("(call $code (i32.const 0)) (unreachable)", 0),
        ("(call $code (i32.const 77)) (unreachable)", 77),
    ] {
        assert_eq!(support::status(&ending(&exits(body))), status, "{body}");
    }
}

#[test]
fn a_function_of_the_component_itself_can_be_the_entry() {
    assert!(matches!(ending(&returning("", "")), ExitReason::Normal));
    let status = returning("(result s32)", "(result i32) (i32.const -3)");
    assert!(matches!(ending(&status), ExitReason::Status(-3)));
    let result = returning("(result (result))", "(result i32) (i32.const 1)");
    assert!(matches!(ending(&result), ExitReason::Status(1)));
    let words = returning(
        "(result (result (error string)))",
        "(result i32) (i32.const 64)",
    );
    match ending(&words) {
        ExitReason::Error(why) => assert_eq!(&*why, "oh no"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_entry_in_an_interface_is_named_with_it() {
    let node = node(1);
    let wat = command(
        "",
        "",
        r#"(func (export "run") (result i32) (i32.const 1))"#,
    );
    let module = engine(&node).load(wat.as_bytes()).unwrap();
    let process = module
        .prepare(Some("wasi:cli/run@0.2.0#run"))
        .unwrap()
        .spawn(&node, Program::default())
        .unwrap();
    assert!(matches!(process.wait(), ExitReason::Status(1)));
}

#[test]
fn a_trap_names_its_kind_and_the_functions_it_came_through() {
    let wat = command(
        "",
        "",
        r#"(memory 1) (func $reads_too_far (drop (i32.load (i32.const 70000))))
           (func $outer (export "run") (result i32) (call $reads_too_far) (i32.const 0))"#,
    );
    let ExitReason::Trap(fault) = ending(&wat) else {
        panic!("a trap");
    };
    assert_eq!(fault.text, "out of bounds memory access");
    let frames: Vec<_> = fault.backtrace.lines().collect();
    assert!(
        frames[0].contains("guest!reads_too_far") && frames[1].contains("guest!outer"),
        "{frames:?}"
    );
}

#[test]
fn recursion_without_end_is_a_trap() {
    let wat = command(
        "",
        "",
        r#"(func $deeper (export "run") (result i32) (drop (call $deeper)) (call $deeper))"#,
    );
    let ExitReason::Trap(fault) = ending(&wat) else {
        panic!("a trap");
    };
    assert!(fault.text.starts_with("call stack exhausted"), "{fault:?}");
}

#[test]
fn a_spinning_component_is_preempted_and_can_be_killed() {
    let node = node(1);
    let spinner = command(
        "",
        "",
        r#"(func (export "run") (result i32) (loop $for_ever (br $for_ever)) (i32.const 0))"#,
    );
    let process = prepared(&node, &spinner)
        .spawn(&node, Program::default())
        .unwrap();
    // There is one worker: this one runs only if the other is preempted.
    let bystander = node.spawn_join(|_| async {
        for _ in 0..20 {
            rusm_sched::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(bystander.wait_for(PATIENCE).is_some());
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn a_component_that_spins_before_its_entry_can_be_killed() {
    let node = node(1);
    let spinner = command(
        "",
        "",
        r#"(func $spin (loop $l (br $l))) (start $spin) (func (export "run") (result i32) (i32.const 0))"#,
    );
    let process = prepared(&node, &spinner)
        .spawn(&node, Program::default())
        .unwrap();
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn a_waiting_component_can_be_killed() {
    let node = node(1);
    let process = prepared(&node, &sleeper())
        .spawn(&node, Program::default())
        .unwrap();
    assert!(process.wait_for(Duration::from_millis(50)).is_none());
    let call = "wasi:io/poll pollable.block";
    let last = || last_host_call(process.pid());
    eventually(call, || last().as_deref() == Some(call));
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn the_memories_of_a_component_share_its_limit() {
    // Two instances of one module; the second grows until it may not, and says how far it came.
    let wat = r#"(component
        (core module $m (memory 1) (func (export "run") (result i32) (local $added i32)
          (loop $more
            (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
              (then (local.set $added (i32.add (local.get $added) (i32.const 1))) (br $more))))
          (local.get $added)))
        (core instance $one (instantiate $m)) (core instance $two (instantiate $m))
        (func (export "run") (result s32) (canon lift (core func $two "run"))))"#;
    let limited = Program {
        memory_bytes_max: Some(4 << 20),
        ..Default::default()
    };
    assert!(matches!(run(wat, limited).0, ExitReason::Status(62)));
}

#[test]
fn handles_have_a_limit() {
    let wat = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m (import "host" "new" (func $new (param i32) (result i32)))
          (func (export "run") (loop $more (drop (call $new (i32.const 0))) (br $more))))
        (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let ExitReason::Trap(fault) = ending(wat) else {
        panic!("a trap");
    };
    assert!(fault.text.contains("handle limit exceeded"), "{fault:?}");
}

#[test]
fn a_component_without_room_says_so_and_the_room_of_the_dead_is_used_again() {
    let node = node(2);
    let config = EngineConfig {
        instances_max: 2,
        dense_instances_max: 1,
        memory_bytes_max: 1 << 20,
        ..Default::default()
    };
    let engine = Engine::new(config, &node.handle()).unwrap();
    let sleeper = engine
        .load(sleeper().as_bytes())
        .unwrap()
        .prepare(None)
        .unwrap();
    for _ in 0..3 {
        let mut processes: Vec<_> = (0..4)
            .map(|_| sleeper.spawn(&node, Program::default()).unwrap())
            .collect();
        let mut refused = 0;
        eventually("one is refused", || {
            processes.retain(|process| match process.wait_for(Duration::from_millis(1)) {
                Some(ExitReason::Error(why)) => {
                    assert!(why.contains("all 3 instances"), "{why}");
                    refused += 1;
                    false
                }
                Some(other) => panic!("{other:?}"),
                None => true,
            });
            refused == 1
        });
        for process in processes {
            node.kill(process.pid());
            assert!(matches!(process.wait(), ExitReason::Killed));
        }
    }
}

#[test]
fn every_process_gets_memory_as_the_component_defines_it() {
    let wat = command(
        "",
        "",
        r#"(memory 1) (data (i32.const 8) "\07")
           (func (export "run") (result i32)
             (if (i32.ne (i32.load (i32.const 8)) (i32.const 7)) (then unreachable))
             (if (i32.ne (i32.load (i32.const 65532)) (i32.const 0)) (then unreachable))
             (i32.store (i32.const 8) (i32.const 9)) (i32.store (i32.const 65532) (i32.const 9))
             (i32.const 0))"#,
    );
    let node = node(2);
    let guest = prepared(&node, &wat);
    for _ in 0..1_000 {
        let process = node.spawn_join({
            let guest = guest.clone();
            move |context| guest.run_pure(context)
        });
        assert!(matches!(process.wait(), ExitReason::Normal));
    }
}

#[test]
fn a_component_is_compiled_once_and_then_loaded() {
    let (dir, node) = (TempDir::new(), node(1));
    let wat = command(
        "",
        "",
        r#"(func (export "run") (result i32) (i32.const 1))"#,
    );
    for (hits, misses) in [(0, 1), (1, 0)] {
        let config = EngineConfig {
            instances_max: 4,
            cache: Some(CacheConfig {
                dir: dir.path().join("code"),
                bytes_max: 1 << 20,
            }),
            ..Default::default()
        };
        let engine = Engine::new(config, &node.handle()).unwrap();
        let prepared = engine.load(wat.as_bytes()).unwrap().prepare(None).unwrap();
        let stats = engine.cache_stats();
        assert_eq!((stats.hits, stats.misses), (hits, misses));
        let process = prepared.spawn(&node, Program::default()).unwrap();
        assert!(matches!(process.wait(), ExitReason::Status(1)));
    }
}
