//! The spawn storm with commands of WASI 0.2: every process is a fresh instance of a component that prints a line to its
//! own stdout and ends. The built-in one is written by hand; `program` names a file to start instead, such as Rust's
//! `hello` for `wasm32-wasip2`, which brings an allocator, its runtime and the imports of a std program.

use rusm_actor::{ExitReason, Node};
use rusm_wasm::{Capture, Program, Stdio};

use super::guest::engine;
use super::module_storm::storm_of;
use super::spawn_storm::{BATCH, SPAWNERS};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "command-storm",
    workload: "command_storm",
    about: "spawners start a fresh WASI 0.2 command per process, which prints a line; counts those that came and went",
    choices: &[
        SPAWNERS,
        BATCH,
        choice("cap", "900", "spawners wait while this many are alive"),
        choice(
            "program",
            "",
            "a file with the command; built in if none is given",
        ),
    ],
    small: &[],
    run,
};

/// Bytes that a command may print.
const PRINTED_BYTES_MAX: usize = 4096;

/// Prints "hello" as the published interfaces want it: gets its stdout, writes, flushes, drops it.
const HELLO: &str = r#"(component
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $outer))
    (export "error" (type $error (eq $outer)))
    (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failed)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $outer))
    (export "output-stream" (type $stream (eq $outer)))
    (export "get-stdout" (func (result (own $stream))))))
  (core module $space (memory (export "memory") 1))
  (core instance $space (instantiate $space))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $space "memory"))))
  (core func $drop (canon resource.drop $stream))
  (core module $hello
    (import "space" "memory" (memory 1))
    (import "host" "get" (func $get (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "drop" (func $drop (param i32)))
    (data (i32.const 16) "hello\n")
    (func (export "run") (result i32) (local $out i32)
      (local.set $out (call $get))
      (call $write (local.get $out) (i32.const 16) (i32.const 6) (i32.const 64))
      (call $drop (local.get $out))
      (i32.load8_u (i32.const 64))))
  (core instance $main (instantiate $hello
    (with "space" (instance $space))
    (with "host" (instance
      (export "get" (func $get)) (export "write" (func $write)) (export "drop" (func $drop))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))"#;

fn run(env: &Env) -> Result<Report, Failure> {
    let node = Node::start(env.config.clone())?;
    let code = match env.text("program") {
        "" => HELLO.as_bytes().to_vec(),
        path => std::fs::read(path).map_err(|why| Failure::guest(format!("{path}: {why}")))?,
    };
    let module = engine(&node, env.positive("cap")?)?.load(&code);
    let command = module
        .and_then(|module| module.prepare(None))
        .map_err(Failure::guest)?;
    storm_of(env, &node, move |ctx| {
        let printed = Capture::new("", PRINTED_BYTES_MAX);
        let program = Program {
            args: vec!["hello".into()],
            stdio: Stdio::Captured(printed.clone()),
            ..Program::default()
        };
        let ready = command.ready(program);
        async move {
            let Ok(ready) = ready else {
                return ExitReason::error("the command cannot be started");
            };
            let reason = ready.run(ctx).await;
            match printed.stdout().is_empty() {
                true => ExitReason::error("the command printed nothing"),
                false => reason,
            }
        }
    })
}
