//! The two flavours of code: one behaviour, kept apart where they are stored.

mod support;

use rusm_actor::ExitReason;
use rusm_wasm::{CacheConfig, CacheStats, Engine, EngineConfig, Flavour, Prepared, Program};
use support::{PATIENCE, TempDir, node};

const BOTH: [Flavour; 2] = [Flavour::Spawn, Flavour::Compute];

/// An engine for memories of 16 MiB, with room for four guests.
fn engine(node: &rusm_actor::Node, cache: Option<CacheConfig>) -> Engine {
    let config = EngineConfig {
        memory_bytes_max: 16 << 20,
        instances_max: 4,
        cache,
        ..Default::default()
    };
    Engine::new(config, &node.handle()).unwrap()
}

fn prepared(engine: &Engine, flavour: Flavour, wat: &str) -> Prepared {
    let module = engine.load_for(flavour, wat.as_bytes()).unwrap();
    module.prepare(Some("run")).unwrap()
}

/// How a guest with this body ends: the status, or the trap's words.
fn ends(flavour: Flavour, body: &str, program: Program) -> String {
    let wat = format!(
        r#"(module (memory 1 300) (table 2 funcref) (data (i32.const 65532) "\01\02\03\04")
             (type $nothing (func)) (type $number (func (result i32))) (elem (i32.const 0) $run)
             (func $run (export "run") (result i32) (local $at i32) {body}))"#
    );
    let node = node(1);
    let process = prepared(&engine(&node, None), flavour, &wat).spawn(&node, program);
    match process.unwrap().wait_for(PATIENCE).expect("the guest ends") {
        ExitReason::Normal => "0".into(),
        ExitReason::Status(status) => status.to_string(),
        ExitReason::Trap(fault) => fault.text.to_string(),
        other => panic!("{flavour:?} {body}: {other:?}"),
    }
}

/// Code, and how it ends in either flavour.
const ENDS: [(&str, &str); 16] = [
    // Results.
    ("(i32.load (i32.const 65532))", "67305985"),
    ("(i32.load offset=65530 (i32.const 2))", "67305985"),
    ("(i32.div_s (i32.const -7) (i32.const 2))", "-3"),
    (
        "(i32.store (i32.const 8) (i32.const 5)) (memory.copy (i32.const 80) (i32.const 8) (i32.const 4))
         (i32.load (i32.const 80))",
        "5",
    ),
    // Accesses: the last byte, one beyond it, far away, and around the corner.
    ("(i32.load8_u (i32.const 65535))", "4"),
    ("(i32.load8_u (i32.const 65536))", "out of bounds memory access"),
    ("(i32.load (i32.const 65533))", "out of bounds memory access"),
    ("(i32.load (i32.const -4))", "out of bounds memory access"),
    (
        "(i32.store offset=4294967295 (i32.const -1) (i32.const 0)) (i32.const 0)",
        "out of bounds memory access",
    ),
    (
        "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7)) (i32.const 0)",
        "out of bounds memory access",
    ),
    // Other traps.
    ("(i32.div_u (i32.const 1) (local.get $at))", "integer divide by zero"),
    ("(call_indirect (type $number) (i32.const 2))", "undefined element: out of bounds table access"),
    ("(call_indirect (type $number) (i32.const 1))", "uninitialized element"),
    ("(call_indirect (type $nothing) (i32.const 0)) (i32.const 0)", "indirect call type mismatch"),
    // Limits: how far a memory and a table grow; what was grown is there and what is beyond is not.
    (
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
         (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
         (memory.size)",
        "256",
    ),
    ("(table.grow (ref.null func) (i32.const 1000000))", "-1"),
];

#[test]
fn both_flavours_give_the_same_results_traps_and_limits() {
    for (body, end) in ENDS {
        for flavour in BOTH {
            assert_eq!(
                ends(flavour, body, Program::default()),
                end,
                "{flavour:?} {body}"
            );
        }
    }
    for flavour in BOTH {
        let said = ends(flavour, "(call $run)", Program::default());
        assert!(
            said.starts_with("call stack exhausted"),
            "{flavour:?}: {said}"
        );
    }
}

#[test]
fn a_programs_own_memory_limit_holds_in_both_flavours() {
    for flavour in BOTH {
        let limited = Program {
            memory_bytes_max: Some(4 << 20),
            ..Default::default()
        };
        let body = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)";
        assert_eq!(ends(flavour, body, limited), "64", "{flavour:?}");
    }
}

#[test]
fn guests_made_for_computing_can_be_killed_and_have_limits_to_their_number() {
    let node = node(2);
    let spinner = r#"(module (memory 1) (func (export "run") (loop $l (br $l))))"#;
    let guest = prepared(&engine(&node, None), Flavour::Compute, spinner);
    let spawn = || guest.spawn(&node, Program::default()).unwrap();
    let spinning: Vec<_> = (0..5).map(|_| spawn()).collect();
    // One of the five finds no room: this flavour has no dense tier.
    let refused = loop {
        let ended = spinning
            .iter()
            .find_map(|guest| guest.wait_for(std::time::Duration::from_millis(1)));
        if let Some(ended) = ended {
            break ended;
        }
    };
    assert!(matches!(refused, ExitReason::Error(why) if why.contains("all 4 instances")));
    for guest in &spinning {
        node.kill(guest.pid());
    }
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_memory_that_grew_is_empty_for_the_next_guest_in_both_flavours() {
    let wat = r#"(module (memory 1) (func (export "run") (local $at i32)
      (drop (memory.grow (i32.const 9)))
      (loop $next
        (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
        (i64.store (local.get $at) (i64.const -1))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 655360))))))"#;
    for flavour in BOTH {
        let node = node(1);
        let guest = prepared(&engine(&node, None), flavour, wat);
        for _ in 0..20 {
            let process = guest.spawn(&node, Program::default()).unwrap();
            let reason = process.wait_for(PATIENCE);
            assert!(
                matches!(reason, Some(ExitReason::Normal)),
                "{flavour:?} {reason:?}"
            );
        }
    }
}

#[test]
fn the_cache_keeps_the_flavours_apart() {
    let (node, dir) = (node(1), TempDir::new());
    let load = |flavour| -> CacheStats {
        let cache = CacheConfig {
            dir: dir.path().to_path_buf(),
            bytes_max: 1 << 20,
        };
        let engine = engine(&node, Some(cache));
        let guest = prepared(
            &engine,
            flavour,
            r#"(module (memory 1) (func (export "run")))"#,
        );
        let process = guest.spawn(&node, Program::default()).unwrap();
        assert!(matches!(process.wait(), ExitReason::Normal));
        engine.cache_stats()
    };
    for (hits, misses) in [(0, 1), (1, 0)] {
        for flavour in BOTH {
            let stats = load(flavour);
            assert_eq!((stats.hits, stats.misses), (hits, misses), "{flavour:?}");
        }
    }
}
