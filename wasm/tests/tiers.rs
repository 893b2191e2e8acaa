//! Guests beyond the pools: what they may count on in the dense tier, and what they cost the
//! kernel there.

mod support;

use rusm_actor::{ExitReason, JoinHandle, Node};
use rusm_wasm::{Capture, Engine, EngineConfig, Prepared, Program, Stdio};
use support::{PATIENCE, eventually, node};

/// Says that it is there, then sleeps for an hour.
const PARKED: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\48\00\00\00\01\00\00\00!")
  (func (export "run")
    (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 96)))
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 256)))))"#;

/// An engine whose pools have one slot of each kind.
fn engine(node: &Node, dense_instances_max: u32) -> Engine {
    let config = EngineConfig {
        memory_bytes_max: 16 << 20,
        instances_max: 1,
        dense_instances_max,
        ..EngineConfig::default()
    };
    Engine::new(config, &node.handle()).unwrap()
}

fn prepared(engine: &Engine, wat: &str) -> Prepared {
    let module = engine.load(wat.as_bytes()).unwrap();
    module.prepare(Some("run")).unwrap()
}

/// Parks so many guests, and comes back when all are parked.
fn park(node: &Node, guest: &Prepared, count: usize) -> Vec<JoinHandle> {
    let buffers = Capture::new("", count);
    let program = Program {
        stdio: Stdio::Captured(buffers.clone()),
        ..Default::default()
    };
    let parked: Vec<_> = (0..count)
        .map(|_| guest.spawn(node, program.clone()).unwrap())
        .collect();
    eventually("all are parked", || buffers.stdout().len() == count);
    parked
}

fn end(node: &Node, guests: Vec<JoinHandle>) {
    for guest in &guests {
        node.kill(guest.pid());
    }
    for guest in guests {
        let reason = guest.wait_for(PATIENCE);
        assert!(matches!(reason, Some(ExitReason::Killed)), "{reason:?}");
    }
}

fn run(node: &Node, guest: &Prepared) -> ExitReason {
    let process = guest.spawn(node, Program::default()).unwrap();
    process.wait_for(PATIENCE).expect("the guest ends")
}

#[test]
fn guests_that_find_the_pools_full_live_in_the_dense_tier() {
    let node = node(2);
    let engine = engine(&node, 50);
    let guest = prepared(&engine, PARKED);
    assert_eq!(engine.instances_max(), 51);
    // Twice, because what the first fifty leave behind is used again.
    for _ in 0..2 {
        let parked = park(&node, &guest, 51);
        match run(&node, &guest) {
            ExitReason::Error(why) => assert!(
                why.contains("all 51 instances") && why.contains("raise `dense_instances_max`"),
                "{why}"
            ),
            other => panic!("{other:?}"),
        }
        end(&node, parked);
    }
}

#[test]
fn without_a_dense_tier_a_full_pool_is_the_end() {
    let node = node(1);
    let guest = prepared(&engine(&node, 0), PARKED);
    let parked = park(&node, &guest, 1);
    let reason = run(&node, &guest);
    assert!(matches!(reason, ExitReason::Error(_)), "{reason:?}");
    end(&node, parked);
}

#[test]
fn a_memory_in_the_dense_tier_is_what_the_module_says_whoever_had_it_before() {
    // Grows its memory, fails if a byte is not as the module says, and then writes to all of it.
    let wat = r#"(module (memory 1) (data (i32.const 8) "\07")
      (func (export "run") (local $at i32)
        (if (i32.ne (memory.grow (i32.const 9)) (i32.const 1)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 8)) (i32.const 7)) (then unreachable))
        (i32.store (i32.const 8) (i32.const 0))
        (loop $next
          (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
          (i64.store (local.get $at) (i64.const -1))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $next (i32.lt_u (local.get $at) (i32.const 655360))))))"#;
    let node = node(1);
    let engine = engine(&node, 1);
    let parked = park(&node, &prepared(&engine, PARKED), 1);
    let guest = prepared(&engine, wat);
    for _ in 0..20 {
        let reason = run(&node, &guest);
        assert!(matches!(reason, ExitReason::Normal), "{reason:?}");
    }
    end(&node, parked);
}

#[test]
fn limits_and_traps_hold_in_the_dense_tier() {
    let node = node(1);
    let engine = engine(&node, 1);
    let parked = park(&node, &prepared(&engine, PARKED), 1);
    for (body, end) in [
        (
            "(drop (i32.load (i32.const 65533)))",
            "out of bounds memory access",
        ),
        (
            "(drop (i32.load offset=4294967295 (i32.const -1)))",
            "out of bounds memory access",
        ),
        ("(call $run)", "call stack exhausted"),
        // The engine's limit is 256 pages.
        (
            "(if (i32.eq (memory.grow (i32.const 256)) (i32.const -1)) (then unreachable))",
            "unreachable",
        ),
        (
            "(if (i32.eq (memory.grow (i32.const 255)) (i32.const -1)) (then unreachable))",
            "",
        ),
    ] {
        let wat = format!(r#"(module (memory 1) (func $run (export "run") {body}))"#);
        match run(&node, &prepared(&engine, &wat)) {
            ExitReason::Normal if end.is_empty() => {}
            ExitReason::Trap(fault) if !end.is_empty() => {
                assert!(fault.text.contains(end), "{body}: {}", fault.text);
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    end_spinning(&node, &engine);
    end(&node, parked);
}

/// Guest time passes in the dense tier too.
fn end_spinning(node: &Node, engine: &Engine) {
    let spinner = prepared(
        engine,
        r#"(module (func (export "run") (loop $l (br $l))))"#,
    );
    let spinning = spinner.spawn(node, Program::default()).unwrap();
    end(node, vec![spinning]);
}

#[test]
fn guests_in_the_dense_tier_cost_the_kernel_no_mappings() {
    let mappings = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().count()
    };
    let node = node(2);
    let guest = prepared(&engine(&node, 3_000), PARKED);
    let before = mappings();
    let parked = park(&node, &guest, 3_000);
    let more = mappings().saturating_sub(before);
    end(&node, parked);
    // Kernels without guard markers need two each for the stacks, and these tests run beside others.
    assert!(more < 500 || !has_guard_markers(), "{more} mappings more");
}

/// Whether this is Linux 6.13 or later.
fn has_guard_markers() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split('.').map_while(|n| n.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(13))
}

#[test]
fn guests_with_much_data_keep_to_the_pools() {
    let node = node(1);
    let data = "x".repeat(100_000);
    let wat = PARKED.replace(
        r#""memory") 1)"#,
        &format!(r#""memory") 3) (data (i32.const 65536) "{data}")"#),
    );
    let guest = prepared(&engine(&node, 50), &wat);
    let parked = park(&node, &guest, 1);
    match run(&node, &guest) {
        ExitReason::Error(why) => assert!(why.contains("all 1 instances"), "{why}"),
        other => panic!("{other:?}"),
    }
    end(&node, parked);
}
