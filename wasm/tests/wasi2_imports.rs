//! Every import of WASI 0.2 that has no sockets is called by a real component, and no Tokio
//! runtime comes to life: the twin of `wasi_imports.rs`.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use rusm_actor::ExitReason;
use rusm_wasm::{Engine, EngineConfig, Program};
use support::wit::{Command, Import};
use support::{TempDir, captured, mounted, node};
use wit_parser::abi::WasmType;

/// One call a line: its label, the function, its arguments, and what must be at an offset of what
/// it returned. Nothing is said of numbers of no interest.
///
/// `$name` is the place of some bytes and `#name` their number. A label stands for the handle that
/// its call returned, after a mark that says where: `^` alone, `@` in a result, `*` in a list,
/// `~` in the error of a stream. A result that is no error begins with 0; bad-descriptor is 3.
const CALLS: &str = "\
args cli/environment#get-arguments => 4: 2
env cli/environment#get-environment => 4: 1
cwd cli/environment#initial-cwd => 0: 0
in cli/stdin#get-stdin
out cli/stdout#get-stdout
err cli/stderr#get-stderr
- cli/terminal-stdin#get-terminal-stdin => 0: 0
- cli/terminal-stdout#get-terminal-stdout => 0: 0
- cli/terminal-stderr#get-terminal-stderr => 0: 0
- clocks/wall-clock#now
- clocks/wall-clock#resolution
- clocks/monotonic-clock#now
- clocks/monotonic-clock#resolution => 0: 1 0 0 0
at clocks/monotonic-clock#subscribe-instant 0
in1ms clocks/monotonic-clock#subscribe-duration 1000000
- io/poll#[method]pollable.ready ^at => 0: 1
- io/poll#[method]pollable.ready ^in1ms
- io/poll#[method]pollable.block ^in1ms
- io/poll#[method]pollable.ready ^in1ms => 0: 1
- io/poll#poll $list 1 => 4: 1
- random/random#get-random-bytes 8 => 4: 8
- random/random#get-random-bytes 8192 => 4: 0 32
- random/random#get-random-u64
- random/insecure#get-insecure-random-bytes 8 => 4: 8
- random/insecure#get-insecure-random-bytes 8192 => 4: 0 32
- random/insecure#get-insecure-random-u64
- random/insecure-seed#insecure-seed
dirs filesystem/preopens#get-directories => 4: 1
file filesystem/types#[method]descriptor.open-at *dirs 0 $file #file 1 3 => 0: 0
- filesystem/types#[method]descriptor.write @file $text #text 0 => 8: 10
- filesystem/types#[method]descriptor.read @file 5 0 => 8: 5
- filesystem/types#[method]descriptor.advise @file 0 5 1 => 0: 0
- filesystem/types#[method]descriptor.sync-data @file => 0: 0
- filesystem/types#[method]descriptor.sync @file => 0: 0
- filesystem/types#[method]descriptor.get-flags @file => 1: 3
- filesystem/types#[method]descriptor.get-type @file => 1: 6
- filesystem/types#[method]descriptor.set-size @file 8 => 0: 0
- filesystem/types#[method]descriptor.set-times @file 1 0 0 2 1 0 => 0: 0
- filesystem/types#[method]descriptor.stat @file => 24: 8
- filesystem/types#[method]descriptor.stat-at *dirs 0 $file #file => 24: 8
- filesystem/types#[method]descriptor.stat-at *dirs 0 $gone #gone => 0: 1
- filesystem/types#[method]descriptor.set-times-at *dirs 0 $file #file 1 0 0 0 0 0 => 0: 0
- filesystem/types#[method]descriptor.create-directory-at *dirs $sub #sub => 0: 0
- filesystem/types#[method]descriptor.link-at *dirs 0 $file #file *dirs $hard #hard => 0: 0
- filesystem/types#[method]descriptor.symlink-at *dirs $file #file $soft #soft => 0: 0
- filesystem/types#[method]descriptor.readlink-at *dirs $soft #soft => 8: 4
- filesystem/types#[method]descriptor.rename-at *dirs $hard #hard *dirs $moved #moved => 0: 0
- filesystem/types#[method]descriptor.unlink-file-at *dirs $moved #moved => 0: 0
- filesystem/types#[method]descriptor.remove-directory-at *dirs $sub #sub => 0: 0
- filesystem/types#[method]descriptor.is-same-object @file *dirs => 0: 0
- filesystem/types#[method]descriptor.is-same-object @file @file => 0: 1
- filesystem/types#[method]descriptor.metadata-hash @file => 0: 0
- filesystem/types#[method]descriptor.metadata-hash-at *dirs 0 $file #file => 0: 0
entries filesystem/types#[method]descriptor.read-directory *dirs => 0: 0
- filesystem/types#[method]directory-entry-stream.read-directory-entry @entries => 4: 1
- filesystem/types#[resource-drop]directory-entry-stream @entries
; The file has 8 bytes. Streams first do what waits, then what must not.
r filesystem/types#[method]descriptor.read-via-stream @file 0 => 0: 0
- io/streams#[method]input-stream.blocking-read @r 3 => 8: 3
- io/streams#[method]input-stream.read @r 1 => 8: 0
rp io/streams#[method]input-stream.subscribe @r
- io/poll#[method]pollable.block ^rp
- io/streams#[method]input-stream.read @r 5 => 8: 1
- io/streams#[method]input-stream.blocking-skip @r 2 => 8: 2
- io/poll#[method]pollable.block ^rp
- io/streams#[method]input-stream.skip @r 9 => 8: 2
- io/streams#[method]input-stream.blocking-read @r 1 => 0: 1 0 0 0 1
- io/poll#[resource-drop]pollable ^rp
- io/streams#[resource-drop]input-stream @r
w filesystem/types#[method]descriptor.write-via-stream @file 0 => 0: 0
wp io/streams#[method]output-stream.subscribe @w
- io/streams#[method]output-stream.check-write @w => 8: 0 0 1
- io/streams#[method]output-stream.write @w $text 4 => 0: 0
- io/streams#[method]output-stream.flush @w => 0: 0
- io/poll#[method]pollable.block ^wp
- io/streams#[method]output-stream.blocking-write-and-flush @w $text 2 => 0: 0
- io/streams#[method]output-stream.blocking-write-zeroes-and-flush @w 1 => 0: 0
- io/streams#[method]output-stream.write-zeroes @w 1 => 0: 0
- io/streams#[method]output-stream.blocking-flush @w => 0: 0
- io/poll#[resource-drop]pollable ^wp
- io/streams#[resource-drop]output-stream @w
a filesystem/types#[method]descriptor.append-via-stream @file => 0: 0
r2 filesystem/types#[method]descriptor.read-via-stream @file 0 => 0: 0
- io/streams#[method]output-stream.blocking-splice @a @r2 4 => 8: 4
r2p io/streams#[method]input-stream.subscribe @r2
- io/poll#[method]pollable.block ^r2p
- io/streams#[method]output-stream.splice @a @r2 1 => 8: 1
- io/streams#[method]output-stream.blocking-flush @a => 0: 0
- io/streams#[resource-drop]output-stream @a
; A file opened for reading cannot be written.
ro filesystem/types#[method]descriptor.open-at *dirs 0 $file #file 0 1 => 0: 0
rw filesystem/types#[method]descriptor.write-via-stream @ro 0 => 0: 0
bad io/streams#[method]output-stream.blocking-write-and-flush @rw $text 1 => 0: 1 0 0 0 0
- io/streams#[method]output-stream.check-write @rw => 0: 1 0 0 0 0 0 0 0 1
- filesystem/types#filesystem-error-code ~bad => 0: 1 3
- io/error#[method]error.to-debug-string ~bad
- io/error#[resource-drop]error ~bad
- io/streams#[resource-drop]output-stream @rw
- filesystem/types#[resource-drop]descriptor @ro
- io/streams#[method]input-stream.blocking-read ^in 5 => 8: 5
- io/streams#[method]output-stream.blocking-write-and-flush ^err $text 10 => 0: 0";

struct Call {
    label: &'static str,
    function: &'static str,
    arguments: Vec<&'static str>,
    at: usize,
    expected: Vec<u8>,
}

fn calls() -> Vec<Call> {
    let lines = CALLS.lines().filter(|line| !line.starts_with(';'));
    let calls = lines.map(|line| {
        let (call, returned) = line.split_once(" => ").unwrap_or((line, "0:"));
        let mut words = call.split_whitespace();
        let (at, bytes) = returned.split_once(':').expect("an offset");
        Call {
            label: words.next().expect("a label"),
            function: words.next().expect("a function"),
            arguments: words.collect(),
            at: at.parse().unwrap(),
            expected: bytes
                .split_whitespace()
                .map(|byte| byte.parse().unwrap())
                .collect(),
        }
    });
    calls.collect()
}

/// What cannot be called here: there is no terminal, and what ends the guest is called at its end.
const NOT_LISTED: [&str; 4] = [
    "cli/terminal-input#[resource-drop]terminal-input",
    "cli/terminal-output#[resource-drop]terminal-output",
    "cli/exit#exit",
    "cli/exit#exit-with-code",
];

/// What the calls point at: name, place, bytes.
const MEMORY: &[(&str, u32, &str)] = &[
    ("file", 0x100, "file"),
    ("gone", 0x110, "gone"),
    ("sub", 0x120, "sub"),
    ("hard", 0x130, "hard"),
    ("soft", 0x140, "soft"),
    ("moved", 0x150, "moved"),
    ("text", 0x160, "0123456789"),
    ("list", 0x180, ""),
];
/// Where the results are, so many bytes for each.
const RESULTS_AT: usize = 0x4000;
const RESULT_BYTES: usize = 128;

fn argument(word: &str, ty: &WasmType) -> String {
    let bytes = |name: &str| {
        MEMORY
            .iter()
            .find(|(known, ..)| *known == name)
            .expect("known bytes")
    };
    let result = |label: &str| {
        let number = calls().iter().position(|call| call.label == label);
        RESULTS_AT + RESULT_BYTES * number.expect("a known label")
    };
    let load = |at: usize| format!("(i32.load (i32.const {at}))");
    match word.split_at(1) {
        ("$", name) => format!("(i32.const {})", bytes(name).1),
        ("#", name) => format!("(i32.const {})", bytes(name).2.len()),
        ("^", label) => load(result(label)),
        ("@", label) => load(result(label) + 4),
        ("~", label) => load(result(label) + 8),
        ("*", label) => format!("(i32.load {})", load(result(label))),
        _ if matches!(ty, WasmType::I64) => format!("(i64.const {word})"),
        _ => format!("(i32.const {word})"),
    }
}

/// A component that makes all calls, writes what they returned to its stdout and ends in `end`.
fn guest(end: &str) -> Vec<u8> {
    let command = Command::new();
    let imports = command.imports();
    let mut wat = String::from("(module\n");
    for import in imports
        .iter()
        .filter(|import| !import.interface.contains("sockets"))
    {
        wat += &import.declared();
    }
    wat += r#"(memory (export "memory") 2) (global $free (mut i32) (i32.const 0x10000))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
          (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
          (global.get $free) (global.set $free (i32.add (global.get $free) (local.get 3))))"#;
    for (_, at, bytes) in MEMORY {
        writeln!(wat, r#"(data (i32.const {at}) "{bytes}")"#).unwrap();
    }
    writeln!(wat, r#"(func (export "{}") (result i32)"#, command.entry()).unwrap();
    for (number, call) in calls().iter().enumerate() {
        let import = imports
            .iter()
            .find(|import| import.short() == call.function);
        let import = import.unwrap_or_else(|| panic!("{} is not in the world", call.function));
        let at = RESULTS_AT + RESULT_BYTES * number;
        let words = call.arguments.iter().zip(&import.params);
        let mut arguments: String = words.map(|(word, ty)| argument(word, ty)).collect();
        if import.into_memory {
            write!(arguments, "(i32.const {at})").unwrap();
        }
        let called = format!("(call $\"{}\" {arguments})", call.function);
        match import.results.first() {
            _ if call.function == "io/poll#poll" => {
                // It is given a list of one pollable.
                let pollable = argument("^at", &WasmType::I32);
                writeln!(wat, "(i32.store (i32.const 0x180) {pollable}) {called}")
            }
            None => writeln!(wat, "{called}"),
            Some(WasmType::I64) => writeln!(wat, "(i64.store (i32.const {at}) {called})"),
            Some(_) => writeln!(wat, "(i32.store (i32.const {at}) {called})"),
        }
        .unwrap();
    }
    write!(wat, "{} {end} (i32.const 0)))", dump()).unwrap();
    command.encode(&wat)
}

/// Writes the results to stdout, in the largest pieces it takes at once.
fn dump() -> String {
    let len = RESULT_BYTES * calls().len();
    let pieces = (0..len).step_by(4096).map(|from| {
        format!(
            "(call $\"io/streams#[method]output-stream.blocking-write-and-flush\" {} (i32.const {}) \
             (i32.const {}) (i32.const 0x3f00))",
            argument("^out", &WasmType::I32),
            RESULTS_AT + from,
            4096.min(len - from)
        )
    });
    pieces.collect()
}

fn run(component: &[u8], program: Program) -> ExitReason {
    let node = node(2);
    let config = EngineConfig {
        instances_max: 4,
        ..Default::default()
    };
    let engine = Engine::new(config, &node.handle()).unwrap();
    let prepared = engine.load(component).unwrap().prepare(None).unwrap();
    prepared.spawn(&node, program).unwrap().wait()
}

#[test]
fn every_import_works_and_no_tokio_runtime_exists() {
    every_import_is_called();
    calls_return_what_they_should();
    calls_work_with_the_stdio_of_this_program();
    no_thread_is_tokios();
}

fn every_import_is_called() {
    let called: BTreeSet<String> = calls()
        .iter()
        .map(|call| call.function.to_string())
        .chain(NOT_LISTED.map(str::to_string))
        .collect();
    let imports = Command::new().imports();
    let all = imports
        .iter()
        .map(Import::short)
        .filter(|name| !name.starts_with("sockets/"));
    assert_eq!(called, all.collect());
}

fn calls_return_what_they_should() {
    let dir = TempDir::new();
    let (stdio, buffers) = captured("input");
    let program = Program {
        args: vec!["guest".into(), "x".into()],
        env: vec![("A".into(), "1".into())],
        stdio: stdio.stdio,
        ..mounted(dir.path())
    };
    let reason = run(
        &guest("(call $\"cli/exit#exit-with-code\" (i32.const 7))"),
        program,
    );
    assert!(matches!(reason, ExitReason::Status(7)), "{reason:?}");
    let out = buffers.stdout();
    assert_eq!(out.len(), RESULT_BYTES * calls().len());
    for (call, result) in calls().iter().zip(out.chunks(RESULT_BYTES)) {
        assert!(
            result[call.at..].starts_with(&call.expected),
            "{} {:?}: {:?}",
            call.function,
            call.arguments,
            &result[..32]
        );
    }
    assert_eq!(buffers.stderr(), b"0123456789");
    // Written, then 4 bytes and 2, two zeroes, and the first 5 of it behind.
    let file = fs::read(dir.path().join("file")).unwrap();
    assert_eq!(file, b"012301\0\x0001230");
}

/// There are other streams behind it than behind buffers. Only stdin is left alone.
fn calls_work_with_the_stdio_of_this_program() {
    let dir = TempDir::new();
    let component = quiet_guest();
    let reason = run(&component, mounted(dir.path()));
    assert!(matches!(reason, ExitReason::Status(1)), "{reason:?}");
}

/// Writes and reads nothing but waits for its stdout, every way there is, and ends in an error.
fn quiet_guest() -> Vec<u8> {
    let command = Command::new();
    let mut wat = String::from("(module\n");
    for import in command.imports() {
        if ["cli/stdout", "cli/stderr", "cli/exit", "io/"]
            .iter()
            .any(|part| import.short().starts_with(part))
        {
            wat += &import.declared();
        }
    }
    let streams = "io/streams#[method]output-stream";
    write!(
        wat,
        r#"(memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func $use (param $s i32) (local $p i32)
          (call $"{streams}.check-write" (local.get $s) (i32.const 64))
          (if (i64.ne (i64.load (i32.const 72)) (i64.const 65536)) (then unreachable))
          (call $"{streams}.write" (local.get $s) (i32.const 0) (i32.const 0) (i32.const 64))
          (local.set $p (call $"{streams}.subscribe" (local.get $s)))
          (call $"io/poll#[method]pollable.block" (local.get $p))
          (call $"io/poll#[resource-drop]pollable" (local.get $p))
          (call $"{streams}.blocking-write-and-flush" (local.get $s) (i32.const 0) (i32.const 0) (i32.const 64))
          (if (i32.load8_u (i32.const 64)) (then unreachable))
          (call $"{streams}.flush" (local.get $s) (i32.const 64))
          (call $"{streams}.blocking-flush" (local.get $s) (i32.const 64))
          (call $"io/streams#[resource-drop]output-stream" (local.get $s)))
        (func (export "{}") (result i32)
          (call $use (call $"cli/stdout#get-stdout")) (call $use (call $"cli/stderr#get-stderr"))
          (call $"cli/exit#exit" (i32.const 1)) (i32.const 0)))"#,
        command.entry()
    )
    .unwrap();
    command.encode(&wat)
}

fn no_thread_is_tokios() {
    #[cfg(target_os = "linux")]
    for thread in fs::read_dir("/proc/self/task").unwrap() {
        let name = fs::read_to_string(thread.unwrap().path().join("comm")).unwrap();
        assert!(
            !name.starts_with("tokio"),
            "a Tokio runtime was started: `{}`",
            name.trim()
        );
    }
}
