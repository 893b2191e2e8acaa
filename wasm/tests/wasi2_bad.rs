//! What a component asks of WASI 0.2 and should not get: each ends with its reason, in its own
//! process, and the node goes on.

mod support;

use std::fmt::Write;

use rusm_actor::ExitReason;
use rusm_wasm::{Engine, EngineConfig, Prepared, Program, Stdio};
use support::wit::Command;
use support::{PATIENCE, TempDir, captured, mounted, node};

const STDOUT: &str = r#"(call $"cli/stdout#get-stdout")"#;
const STDIN: &str = r#"(call $"cli/stdin#get-stdin")"#;
const WRITE: &str = r#"call $"io/streams#[method]output-stream.write""#;
const FLUSHED: &str = r#"call $"io/streams#[method]output-stream.blocking-write-and-flush""#;

/// What a guest does, and what its trap says.
const TRAPS: &[(&str, &str)] = &[
    (
        r#"(loop $more (drop (call $"clocks/monotonic-clock#subscribe-duration" (i64.const 0))) (br $more))"#,
        "too many open files",
    ),
    (
        r#"(loop $more (drop (call $"cli/stdin#get-stdin")) (br $more))"#,
        "too many open files",
    ),
    (
        r#"(call $"io/poll#poll" (i32.const 0) (i32.const 0) (i32.const 0))"#,
        "empty poll list",
    ),
    (
        r#"(call $"io/poll#[method]pollable.block" (i32.const 7))"#,
        "unknown handle index 7",
    ),
    (
        // A stream is no pollable.
        r#"(call $"io/poll#[method]pollable.block" STDOUT)"#,
        "handle index 1",
    ),
    (
        r#"(call $"random/random#get-random-bytes" (i64.const -1) (i32.const 0))"#,
        "",
    ),
    (
        r#"(call $"random/insecure#get-insecure-random-bytes" (i64.const -1) (i32.const 0))"#,
        "",
    ),
    (
        r#"(call $"io/streams#[method]output-stream.write-zeroes" STDOUT (i64.const -1) (i32.const 0))"#,
        "write",
    ),
    (
        "(FLUSHED STDOUT (i32.const 0) (i32.const 4097) (i32.const 8192))",
        "Buffer too large",
    ),
    (
        "(FLUSHED STDOUT (i32.const 65535) (i32.const 2) (i32.const 0))",
        "out of bounds",
    ),
    (
        "(FLUSHED STDOUT (i32.const -1) (i32.const -1) (i32.const 0))",
        "out of bounds",
    ),
    (
        r#"(call $"io/streams#[method]input-stream.blocking-read" STDIN (i64.const 1) (i32.const 65534))"#,
        "",
    ),
    (
        // Nobody may take what another thing is made of.
        r#"(local.set $s STDIN) (drop (call $"io/streams#[method]input-stream.subscribe" (local.get $s)))
           (call $"io/streams#[resource-drop]input-stream" (local.get $s))"#,
        "children",
    ),
    (
        r#"(call $"filesystem/preopens#get-directories" (i32.const 0))
           (i32.store8 (i32.const 64) (i32.const 255))
           (call $"filesystem/types#[method]descriptor.stat-at" (i32.load (i32.load (i32.const 0)))
             (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))"#,
        "utf-8",
    ),
    (
        r#"(call $"filesystem/preopens#get-directories" (i32.const 0))
           (call $"filesystem/types#[method]descriptor.stat-at" (i32.load (i32.load (i32.const 0)))
             (i32.const 0) (i32.const 65530) (i32.const 100) (i32.const 128))"#,
        "out of bounds",
    ),
];

/// A command that does this; `$s` is a local of its own.
fn guest(body: &str) -> Vec<u8> {
    let command = Command::new();
    let mut wat = String::from("(module\n");
    for import in command.imports() {
        if !import.interface.contains("sockets") {
            wat += &import.declared();
        }
    }
    let body = [
        ("STDOUT", STDOUT),
        ("STDIN", STDIN),
        ("FLUSHED", FLUSHED),
        ("WRITE", WRITE),
    ]
    .iter()
    .fold(body.to_string(), |body, (name, code)| {
        body.replace(name, code)
    });
    write!(
        wat,
        r#"(memory (export "memory") 1) (global $free (mut i32) (i32.const 1024))
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
             (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
             (global.get $free) (global.set $free (i32.add (global.get $free) (local.get 3))))
           (func (export "{}") (result i32) (local $s i32) {body} (i32.const 0)))"#,
        command.entry()
    )
    .unwrap();
    command.encode(&wat)
}

fn prepare(engine: &Engine, body: &str) -> Prepared {
    engine.load(&guest(body)).unwrap().prepare(None).unwrap()
}

#[test]
fn each_wrong_call_ends_its_own_process_with_the_reason() {
    let (dir, node) = (TempDir::new(), node(1));
    let config = EngineConfig {
        instances_max: 8,
        ..Default::default()
    };
    let engine = Engine::new(config, &node.handle()).unwrap();
    let sleeper = prepare(
        &engine,
        r#"(call $"io/poll#[method]pollable.block"
             (call $"clocks/monotonic-clock#subscribe-duration" (i64.const -1)))"#,
    );
    let bystander = sleeper.spawn(&node, Program::default()).unwrap();
    for (body, words) in TRAPS {
        let guest = prepare(&engine, body);
        for inherit in [false, true] {
            let stdio = if inherit {
                Stdio::Inherit
            } else {
                captured("in").0.stdio
            };
            let program = Program {
                stdio,
                ..mounted(dir.path())
            };
            if inherit && body.contains("blocking-read") {
                continue; // This program's stdin is left alone.
            }
            let process = guest.spawn(&node, program).unwrap();
            match process.wait_for(PATIENCE) {
                Some(ExitReason::Trap(fault)) => assert!(
                    fault.text.to_lowercase().contains(&words.to_lowercase()),
                    "{body}: {}",
                    fault.text
                ),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
    node.kill(bystander.pid());
    assert!(matches!(
        bystander.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

#[test]
fn a_write_beyond_its_permit_is_a_trap() {
    let (dir, node) = (TempDir::new(), node(1));
    let config = EngineConfig {
        instances_max: 2,
        ..Default::default()
    };
    let engine = Engine::new(config, &node.handle()).unwrap();
    // Twice without asking, and waiting, in between.
    let body = r#"(local.set $s STDOUT)
        (WRITE (local.get $s) (i32.const 0) (i32.const 0) (i32.const 64))
        (WRITE (local.get $s) (i32.const 0) (i32.const 0) (i32.const 64))"#;
    let process = prepare(&engine, body)
        .spawn(&node, mounted(dir.path()))
        .unwrap();
    match process.wait_for(PATIENCE) {
        Some(ExitReason::Trap(fault)) => assert!(fault.text.contains("permit"), "{fault:?}"),
        other => panic!("{other:?}"),
    }
}
