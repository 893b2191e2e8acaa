//! Programs that cannot run: each gets one sentence that says what, why and what to do, and status 1.

use super::guests::{EXIT_7, program};
use super::run::Run;

/// Runs `bytes` as a program that must be refused with a sentence that has these parts.
#[track_caller]
fn refused(name: &str, bytes: impl AsRef<[u8]>, flags: &str, parts: &[&str]) {
    let run = Run::new()
        .file(name, bytes)
        .arg("run")
        .args(flags)
        .arg(name);
    let mut ended = run
        .status(1)
        .stdout("")
        .stderr_is_one_line()
        .stderr_has(&format!("cannot run `{name}`"));
    for part in parts {
        ended = ended.stderr_has(part);
    }
}

#[test]
fn a_file_that_is_not_there() {
    let ended = Run::new().args("run gone.wasm").status(1).stdout("");
    ended
        .stderr_is_one_line()
        .stderr_has("cannot run `gone.wasm`: there is no such file. Check the path.");
}

#[test]
fn a_directory_in_place_of_a_program() {
    Run::new()
        .file("d/x", "")
        .args("run d")
        .status(1)
        .stderr_is_one_line()
        .stderr_has("there is no app in `d`: it has no rusm.toml");
}

#[test]
fn a_file_without_end() {
    Run::new()
        .args("run /dev/zero")
        .status(1)
        .stderr_is_one_line()
        .stderr_has("larger than 256 MiB");
}

#[test]
fn a_file_that_is_not_wasm() {
    refused("a.wasm", "#!/bin/sh\necho hi\n", "", &["not WebAssembly"]);
    refused(
        "a.wasm",
        [0x7f, b'E', b'L', b'F', 2, 1, 1, 0],
        "",
        &["not WebAssembly"],
    );
    refused("a.wasm", "", "", &["not WebAssembly"]);
}

#[test]
fn text_that_does_not_parse() {
    refused(
        "a.wat",
        "(module (func (export \"_start\") (i32.frobnicate)))",
        "",
        &["does not parse", "at 1:34"],
    );
}

#[test]
fn a_module_that_was_cut_off_anywhere() {
    let module = wat::parse_str(EXIT_7).expect("the text is good");
    for end in [6, 9, module.len() / 2, module.len() - 1] {
        refused("a.wasm", &module[..end], "", &[]);
    }
}

#[test]
fn a_module_that_breaks_the_rules() {
    refused(
        "a.wat",
        "(module (func (export \"_start\") (i32.add)))",
        "",
        &["not a valid module"],
    );
}

#[test]
fn an_import_nobody_provides() {
    let needy = r#"(module (import "env" "print" (func (param i32))) (func (export "_start")))"#;
    refused(
        "a.wat",
        needy,
        "",
        &["imports `env`.`print`", "nobody provides"],
    );
}

#[test]
fn an_import_of_the_wrong_type() {
    let mistyped = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i64))) (func (export "_start")))"#;
    refused("a.wat", mistyped, "", &["wrong type"]);
}

#[test]
fn a_module_without_an_entry() {
    let library = r#"(module (func (export "add_one") (param i32)))"#;
    refused(
        "a.wat",
        library,
        "",
        &["nothing to start with", "`add_one`"],
    );
    refused("a.wat", "(module)", "", &["nothing to start with"]);
}

#[test]
fn an_entry_that_is_not_there_or_takes_parameters() {
    refused(
        "a.wat",
        program("", 1),
        "--invoke gone",
        &["no function `gone`", "`_start`"],
    );
    let library = r#"(module (func (export "add") (param i32 i32) (result i32) (i32.const 1)))"#;
    refused("a.wat", library, "--invoke add", &["`add`", "parameters"]);
}

#[test]
fn a_component_without_an_entry() {
    let component = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    refused(
        "a.wasm",
        component,
        "",
        &["nothing to start with", "`wasi:cli/run`"],
    );
}

#[test]
fn a_memory_larger_than_the_limit() {
    refused(
        "a.wat",
        program("", 100),
        "--max-memory 1M",
        &["6553600", "`--max-memory`"],
    );
}

#[test]
fn a_program_that_starts_itself_without_end() {
    let program = r#"(module
      (import "rusm" "args" (func $args (param i32 i32) (result i32)))
      (import "rusm" "spawn" (func $spawn (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
      (import "rusm" "sleep" (func $sleep (param i64)))
      (import "rusm" "refusal" (func $refusal (param i32 i32) (result i32)))
      (import "rusm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "a")
      (data (i32.const 16) "\01\00\00\00x")
      (data (i32.const 32) "\04")
      (func (export "_start")
        ;; Those it started have an argument, and wait.
        (if (call $args (i32.const 128) (i32.const 0)) (then (call $sleep (i64.const -1))))
        (loop $more
          (br_if $more (i32.ge_s (call $spawn
            (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 5)
            (i32.const 32) (i32.const 4) (i32.const 64)) (i32.const 0))))
        (drop (call $exit (i32.const 8) (i32.const 0) (i32.const 256)
          (call $refusal (i32.const 256) (i32.const 1024))))))"#;
    let ended = Run::new()
        .file("a.wat", program)
        .args("run --max-processes 5 a.wat")
        .status(1);
    ended
        .stdout("")
        .stderr_is_one_line()
        .stderr_has("more than 5 processes")
        .stderr_has("`--max-processes`");
}

#[test]
fn a_directory_that_does_not_exist() {
    let ended = Run::new()
        .file("a.wat", program("", 1))
        .args("run --dir gone::/x a.wat")
        .status(1);
    ended.stdout("").stderr_is_one_line().stderr_has("`gone`");
}

#[test]
fn a_file_in_place_of_a_directory() {
    let ended = Run::new()
        .file("a.wat", program("", 1))
        .file("f", "")
        .args("run --dir f::/x a.wat")
        .status(1);
    ended.stdout("").stderr_is_one_line().stderr_has("`f`");
}

#[test]
fn names_that_would_steer_the_terminal() {
    let named = r#"(module (func (export "\1b[2J")))"#;
    let ended = Run::new().file("a.wat", named).args("run a.wat").status(1);
    ended.stderr_has(r"`\u{1b}[2J`");
}
