//! What a program sees of the machine: what it was given, and nothing else.

use super::guests::{CAT, SOCKET, lister};
use super::run::Run;

const WORDFREQ: &[u8] = include_bytes!("../../examples/wordfreq/wordfreq.wasm");

#[test]
fn arguments_begin_with_the_file_name_and_go_through_unchanged() {
    let run = Run::new()
        .file("in/a.wat", lister("args"))
        .args("run --workers 1 in/a.wat x --env -- y");
    run.arg("two words")
        .status(0)
        .stdout("a.wat\0x\0--env\0--\0y\0two words\0")
        .stderr("");
}

#[test]
fn behind_two_dashes_everything_is_the_programs() {
    let run = Run::new()
        .file("a.wat", lister("args"))
        .args("run a.wat -- --workers 9");
    run.status(0).stdout("a.wat\0--workers\09\0");
}

#[test]
fn the_environment_is_what_was_given() {
    let run = Run::new()
        .file("a.wat", lister("environ"))
        .variable("SECRET", "1");
    run.args("run --env A=1 --env B=x=y a.wat")
        .status(0)
        .stdout("A=1\0B=x=y\0");
    Run::new()
        .file("a.wat", lister("environ"))
        .variable("SECRET", "1")
        .args("run a.wat")
        .status(0)
        .stdout("");
}

#[test]
fn input_goes_through_to_output() {
    Run::new()
        .file("a.wat", CAT)
        .stdin("a\nb\n")
        .args("run a.wat")
        .status(0)
        .stdout("a\nb\n")
        .stderr("");
}

#[test]
fn much_input_goes_through_whole() {
    let text: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    Run::new()
        .file("a.wat", CAT)
        .stdin(&text)
        .args("run a.wat")
        .status(0)
        .stdout(&text);
}

#[test]
fn an_answer_comes_before_the_input_ends() {
    use std::io::Write;
    let mut running = Run::new().file("a.wat", CAT).args("run a.wat").starts();
    let mut stdin = running.stdin.take().expect("it was just started");
    stdin.write_all(b"first\n").expect("it reads");
    let running = running.says("first");
    stdin.write_all(b"second\n").expect("it reads");
    let running = running.says("second");
    drop(stdin);
    running.ends().status(0).stdout("first\nsecond\n");
}

#[test]
fn a_given_directory_is_read_and_written() {
    let run = Run::new()
        .file("w.wasm", WORDFREQ)
        .file("texts/a.txt", "one two two")
        .file("texts/b/c.txt", "Two three");
    let ended = run
        .args("run --dir texts::/t w.wasm -n 1 -o /t/out.txt /t")
        .status(0)
        .stdout("")
        .stderr("");
    assert_eq!(
        ended.folder.read("texts/out.txt"),
        "2 files, 20 bytes, 5 words, 3 of them distinct\n       3  two\n"
    );
}

#[test]
fn two_directories_are_two_worlds() {
    let run = Run::new()
        .file("w.wasm", WORDFREQ)
        .file("a/x.txt", "in")
        .file("b/keep", "");
    let ended = run
        .args("run w.wasm --dir a::/in --dir b::/out -o /out/x.txt /in")
        .status(0);
    assert!(ended.folder.read("b/x.txt").contains("1  in\n"));
}

#[test]
fn nothing_outside_a_given_directory_can_be_opened() {
    for path in ["/t/../secret.txt", "/etc/passwd", "/t/link", "secret.txt"] {
        let run = Run::new()
            .file("w.wasm", WORDFREQ)
            .file("secret.txt", "secret")
            .file("t/a", "");
        let folder = run.args("run --dir t::/t w.wasm").arg(path);
        folder
            .link("../secret.txt", "t/link")
            .status(1)
            .stderr_has("wordfreq: cannot read");
    }
}

#[test]
fn without_a_directory_there_are_no_files() {
    Run::new()
        .file("w.wasm", WORDFREQ)
        .args("run w.wasm /")
        .status(1)
        .stderr_has("cannot read `/`");
}

#[test]
fn the_network_is_what_was_granted() {
    for (flags, status) in [
        ("", 1),
        ("--connect 127.0.0.1:1", 0),
        ("--connect *.example.com:80-99 --connect [::1]:*", 0),
        ("--listen 127.0.0.1:*", 0),
    ] {
        let run = Run::new().file("a.wat", SOCKET);
        run.args(&format!("run {flags} a.wat")).status(status);
    }
}

#[test]
fn a_program_can_see_how_long_it_has_run_and_since_when() {
    // Its status is 14 if it answers itself, and knows both.
    let program = r#"(module
      (import "rusm" "self" (func $self (result i64)))
      (import "rusm" "now" (func $now (result i64)))
      (import "rusm" "sleep" (func $sleep (param i64)))
      (import "rusm" "info" (func $info (param i64 i32 i32 i32) (result i32)))
      (import "rusm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start") (local $before i64)
        (local.set $before (call $now))
        (call $sleep (i64.const 1000000))
        (drop (call $info (call $self) (i32.const 0) (i32.const 0) (i32.const 0)))
        (if (i64.lt_u (i64.load (i32.const 64)) (i64.const 1)) (then unreachable))
        (if (i64.lt_u (i64.load (i32.const 72)) (local.get $before)) (then unreachable))
        (if (i64.gt_u (i64.load (i32.const 72)) (call $now)) (then unreachable))
        (drop (call $exit (i32.const 10) (i32.load (i32.const 36)) (i32.const 0) (i32.const 0)))))"#;
    let run = Run::new().file("a.wat", program).args("run a.wat");
    run.status(14).stdout("").stderr("");
}
