//! `rusm inspect`: what is told of a file, to people and to machines.

use super::guests::EXIT_7;
use super::run::Run;

const WORDFREQ: &[u8] = include_bytes!("../../examples/wordfreq/wordfreq.wasm");

#[test]
fn a_program_is_told_with_the_lines_to_paste() {
    let run = Run::new().file("w.wasm", WORDFREQ).args("inspect w.wasm");
    run.status(0)
        .stderr("")
        .stdout_has("kind     a core module\n")
        .stdout_has("world    a command of WASI preview 1\n")
        .stdout_has("memory   131072 bytes or more\n")
        .stdout_has("imports  wasi_snapshot_preview1: ")
        .stdout_has("\n[capabilities.NAME]\n")
        .stdout_has("\nstdio = [\"stdin\", \"stdout\", \"stderr\"]\n")
        .stdout_has("\ndirs = [{ path = \"data\", as = \"/\", access = \"read-write\" }]\n");
}

#[test]
fn the_lines_to_paste_are_ones_that_a_manifest_understands() {
    let told = Run::new()
        .file("w.wasm", WORDFREQ)
        .args("inspect --json w.wasm")
        .status(0);
    let told: serde_json::Value = serde_json::from_str(told.text()).expect("it is JSON");
    assert_eq!(
        (&told["kind"], &told["world"]),
        (&"module".into(), &"wasi-preview-1".into())
    );
    assert_eq!(told["bytes"], WORDFREQ.len());
    let needs = told["needs"].as_array().expect("there are some");
    let lines: Vec<&str> = needs
        .iter()
        .filter_map(|need| need["line"].as_str())
        .collect();
    let manifest = format!("[capabilities.w]\n{}\n", lines.join("\n"));
    Run::new()
        .file("rusm.toml", manifest)
        .args("build")
        .status(0)
        .stderr("");
}

#[test]
fn a_program_that_uses_the_store_is_told_with_the_line_of_the_node() {
    let wat = r#"(module (import "rusm" "kv_get" (func)) (func (export "run")))"#;
    let run = Run::new().file("a.wat", wat).args("inspect a.wat");
    let told = run.status(0).text().to_owned();
    let (_, lines) = told.split_once("[capabilities.NAME]").expect("it is told");
    assert!(
        lines.ends_with("\n[node]\nstore = \"data/app.redb\"\n"),
        "{told}"
    );
    let manifest = format!("[capabilities.a]{lines}");
    let run = Run::new().file("rusm.toml", manifest).args("build");
    run.status(0).stderr("");
    let run = Run::new().file("a.wat", wat).args("inspect --json a.wat");
    let told: serde_json::Value = serde_json::from_str(run.status(0).text()).expect("it is JSON");
    assert_eq!(told["node_needs"][0]["line"], "store = \"data/app.redb\"");
}

#[test]
fn a_program_that_asks_for_nothing_needs_nothing() {
    let run = Run::new().file("a.wat", "(module (func (export \"run\")))");
    run.args("inspect a.wat")
        .status(0)
        .stdout_has("It needs no grant.");
    let run = Run::new().file("a.wat", EXIT_7).args("inspect a.wat");
    run.status(0)
        .stdout_has("world    a command of WASI preview 1");
}

#[test]
fn names_in_a_file_do_not_play_with_the_terminal() {
    let run = Run::new().file("a.wat", r#"(module (func (export "\1b[2J")))"#);
    let ended = run.args("inspect a.wat").status(0);
    assert!(!ended.text().contains('\x1b'));
}

#[test]
fn what_is_not_webassembly_is_refused() {
    for bytes in ["", "#!/bin/sh\n", "(module (func (result i32)))", "(modul)"] {
        let run = Run::new().file("a.wasm", bytes).args("inspect a.wasm");
        run.status(1)
            .stdout("")
            .stderr_is_one_line()
            .stderr_has("cannot look into `a.wasm`: it");
    }
    let run = Run::new().args("inspect gone.wasm").status(1);
    run.stderr_is_one_line().stderr_has("there is no such file");
}
