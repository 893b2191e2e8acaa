//! A guest as a process: how it ends, how it is ended, and what it may take.

mod support;

use std::time::{Duration, Instant};

use rusm_actor::ExitReason;
use rusm_wasm::{Engine, EngineConfig, Program, ProgramError};
use support::{PATIENCE, captured, engine, eventually, node, prepared, run};

/// Says it is there, then never gives way by itself.
const SPINNER: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\01\00\00\00!")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (loop $for_ever (br $for_ever))))"#;

/// Sleeps for an hour.
const SLEEPER: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

fn trap(reason: &ExitReason) -> (&str, &str) {
    match reason {
        ExitReason::Trap(fault) => (&fault.text, &fault.backtrace),
        other => panic!("a trap, not {other:?}"),
    }
}

#[test]
fn a_guest_ends_as_it_says() {
    let exits = |code: &str| {
        let wat = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (memory (export "memory") 1) (func (export "_start") {code}))"#
        );
        run(&wat, Program::default()).0
    };
    assert!(matches!(exits(""), ExitReason::Normal));
    assert!(matches!(
        exits("(call $exit (i32.const 0))"),
        ExitReason::Normal
    ));
    assert!(matches!(
        exits("(call $exit (i32.const 7))"),
        ExitReason::Status(7)
    ));
    assert!(matches!(
        exits("(call $exit (i32.const 255)) (unreachable)"),
        ExitReason::Status(255)
    ));
}

#[test]
fn what_the_entry_returns_is_the_status() {
    let returns = |n: i32| {
        run(
            &format!(r#"(module (func (export "main") (result i32) (i32.const {n})))"#),
            Program::default(),
        )
        .0
    };
    assert!(matches!(returns(0), ExitReason::Normal));
    assert!(matches!(returns(3), ExitReason::Status(3)));
}

#[test]
fn a_library_is_set_up_before_it_is_called() {
    let wat = r#"(module (global $up (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $up (i32.const 5)))
        (func (export "run") (result i32) (global.get $up)))"#;
    assert!(matches!(
        run(wat, Program::default()).0,
        ExitReason::Status(5)
    ));
}

#[test]
fn a_trap_names_its_kind_and_the_functions_it_came_through() {
    let wat = r#"(module $guest (memory 1)
        (func $reads_too_far (drop (i32.load (i32.const 70000))))
        (func $outer (call $reads_too_far))
        (func (export "_start") (call $outer)))"#;
    let (reason, _) = run(wat, Program::default());
    let (text, backtrace) = trap(&reason);
    assert_eq!(text, "out of bounds memory access");
    let frames: Vec<_> = backtrace.lines().collect();
    assert!(
        frames[0].contains("guest!reads_too_far") && frames[1].contains("guest!outer"),
        "{backtrace}"
    );
}

#[test]
fn recursion_without_end_is_a_trap() {
    let wat = r#"(module (func $deeper (export "_start") (call $deeper) (call $deeper)))"#;
    let (reason, _) = run(wat, Program::default());
    assert!(
        trap(&reason).0.starts_with("call stack exhausted"),
        "{reason:?}"
    );
}

#[test]
fn recursion_without_end_through_the_host_is_a_trap_too() {
    let wat = r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func $deeper (export "_start") (drop (call $yield)) (call $deeper) (call $deeper)))"#;
    let (reason, _) = run(wat, Program::default());
    assert!(
        trap(&reason).0.starts_with("call stack exhausted"),
        "{reason:?}"
    );
}

#[test]
fn a_memory_grows_to_its_limit_and_then_growing_fails_inside_the_guest() {
    // Returns how many pages it could add to its first one.
    let wat = r#"(module (memory 1) (func (export "run") (result i32) (local $added i32)
        (loop $more
          (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
            (then (local.set $added (i32.add (local.get $added) (i32.const 1))) (br $more))))
        (local.get $added)))"#;
    let limited = Program {
        memory_bytes_max: Some(4 << 20),
        ..Default::default()
    };
    assert!(matches!(run(wat, limited).0, ExitReason::Status(63)));
    // The engine's own limit in these tests is 16 MiB.
    assert!(matches!(
        run(wat, Program::default()).0,
        ExitReason::Status(255)
    ));
}

#[test]
fn a_table_grows_to_its_limit_and_then_growing_fails_inside_the_guest() {
    let wat = r#"(module (table 1 funcref) (func (export "run") (result i32)
        (table.grow (ref.null func) (i32.const 1000000))))"#;
    assert!(matches!(
        run(wat, Program::default()).0,
        ExitReason::Status(-1)
    ));
}

#[test]
fn a_program_whose_limit_is_too_small_or_too_big_is_not_started() {
    let node = node(1);
    let prepared = prepared(&node, r#"(module (memory 4) (func (export "_start")))"#);
    let start = |max| {
        prepared
            .spawn(
                &node,
                Program {
                    memory_bytes_max: Some(max),
                    ..Default::default()
                },
            )
            .err()
    };
    assert!(matches!(
        start(3 << 16),
        Some(ProgramError::Memory {
            needs: 0x40000,
            max: 0x30000
        })
    ));
    assert!(matches!(
        start(1 << 30),
        Some(ProgramError::AboveEngine { max: 0x1000000, .. })
    ));
    assert!(start(4 << 16).is_none());
}

#[test]
fn a_spinning_guest_can_be_killed() {
    let node = node(1);
    let (program, buffers) = captured("");
    let process = prepared(&node, SPINNER).spawn(&node, program).unwrap();
    eventually("the guest starts", || buffers.stdout() == b"!");
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn a_guest_that_spins_before_its_entry_can_be_killed() {
    let node = node(1);
    let wat = r#"(module (func $spin (loop $l (br $l))) (start $spin) (func (export "_start")))"#;
    let process = prepared(&node, wat)
        .spawn(&node, Program::default())
        .unwrap();
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn a_sleeping_guest_can_be_killed() {
    let node = node(1);
    let process = prepared(&node, SLEEPER)
        .spawn(&node, Program::default())
        .unwrap();
    assert!(process.wait_for(Duration::from_millis(50)).is_none());
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn a_node_that_stops_ends_its_guests() {
    let node = node(1);
    let (program, buffers) = captured("");
    let spinner = prepared(&node, SPINNER)
        .spawn(&node, program.clone())
        .unwrap();
    let sleeper = prepared(&node, SLEEPER).spawn(&node, program).unwrap();
    eventually("the guest starts", || buffers.stdout() == b"!");
    node.shutdown(PATIENCE).unwrap();
    for guest in [spinner, sleeper] {
        let reason = guest.wait_for(PATIENCE).expect("it has ended");
        assert!(!matches!(reason, ExitReason::Normal), "{reason:?}");
    }
}

#[test]
fn others_run_on_time_beside_guests_that_spin() {
    let node = node(1);
    let spinner = prepared(&node, SPINNER);
    let (program, buffers) = captured("");
    let spinners: Vec<_> = (0..4)
        .map(|_| spinner.spawn(&node, program.clone()).unwrap())
        .collect();
    eventually("all spin", || buffers.stdout() == b"!!!!");
    let start = Instant::now();
    let bystander = node.spawn_join(|_| async {
        for _ in 0..50 {
            rusm_sched::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(bystander.wait_for(PATIENCE).is_some());
    // One epoch of delay each is 100 ms in all; a guest that kept the worker would never give it
    // back.
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    spinners.iter().for_each(|spinner| node.kill(spinner.pid()));
}

#[test]
fn every_process_gets_a_memory_as_the_module_defines_it() {
    // Fails if it sees what another process has written, or does not see the module's own bytes.
    let wat = r#"(module (memory 1) (data (i32.const 8) "\07")
        (func (export "run") (result i32)
          (if (i32.ne (i32.load (i32.const 8)) (i32.const 7)) (then unreachable))
          (if (i32.ne (i32.load (i32.const 65532)) (i32.const 0)) (then unreachable))
          (i32.store (i32.const 8) (i32.const 9)) (i32.store (i32.const 65532) (i32.const 9))
          (i32.const 0)))"#;
    let node = node(2);
    let guest = prepared(&node, wat);
    for _ in 0..2_000 {
        let process = node.spawn_join({
            let guest = guest.clone();
            move |context| guest.run_pure(context)
        });
        assert!(matches!(process.wait(), ExitReason::Normal));
    }
}

#[test]
fn a_guest_without_room_says_so_and_the_room_of_the_dead_is_used_again() {
    let node = node(2);
    let config = EngineConfig {
        instances_max: 2,
        dense_instances_max: 1,
        memory_bytes_max: 1 << 20,
        ..Default::default()
    };
    let engine = Engine::new(config, &node.handle()).unwrap();
    let sleeper = engine
        .load(SLEEPER.as_bytes())
        .unwrap()
        .prepare(None)
        .unwrap();
    for _ in 0..3 {
        let live: Vec<_> = (0..3)
            .map(|_| sleeper.spawn(&node, Program::default()).unwrap())
            .collect();
        let late = sleeper.spawn(&node, Program::default()).unwrap();
        // Any of the four may be the one that finds no room.
        let (mut refused, mut processes) = (0, live);
        processes.push(late);
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
fn an_engine_refuses_a_memory_limit_no_guest_could_use() {
    let node = node(1);
    for bytes in [0, 65_535, (4 << 30) + 65_536] {
        let config = EngineConfig {
            memory_bytes_max: bytes,
            ..Default::default()
        };
        let said = Engine::new(config, &node.handle())
            .err()
            .expect("no engine")
            .to_string();
        assert!(said.contains("between 64 KiB and 4 GiB"), "{said}");
    }
    assert_eq!(engine(&node).memory_bytes_max(), 16 << 20);
}

#[test]
fn a_guest_that_has_waited_for_long_keeps_the_turn_it_is_woken_for() {
    // Sleeps twenty times, for three ticks each, and has a little to do in between.
    let napper = r#"(module
      (import "rusm" "sleep" (func $sleep (param i64)))
      (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\08\00\00\00\01\00\00\00!")
      (func (export "_start") (local $naps i32) (local $left i32)
        (loop $nap
          (call $sleep (i64.const 3000000))
          (local.set $left (i32.const 10))
          (loop $work (br_if $work (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $naps (i32.add (local.get $naps) (i32.const 1)))
          (br_if $nap (i32.lt_u (local.get $naps) (i32.const 20))))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
        (call $sleep (i64.const -1))))"#;
    let node = node(1);
    let engine = engine(&node);
    let load = |wat: &str| engine.load(wat.as_bytes()).unwrap().prepare(None).unwrap();
    // As long as somebody computes, epochs end.
    let spinner = load(r#"(module (func (export "_start") (loop $for_ever (br $for_ever))))"#);
    spinner.spawn_pure(&node);
    let (program, buffers) = captured("");
    let napper = load(napper).spawn(&node, program).unwrap();
    eventually("it is done", || buffers.stdout() == b"!");
    let spent = node.info(napper.pid()).unwrap().reductions;
    // Each turn that an epoch ends costs a whole budget. One may end in any of its moments.
    let budget = u64::from(rusm_sched::Config::default().budget);
    assert!(spent < 5 * budget, "{spent} reductions");
    node.shutdown(PATIENCE).unwrap();
}
