//! Ctrl-C and SIGTERM, sent to a program that would never end.

use std::time::Duration;

use super::guests::{CAT, SLEEP, SPIN};
use super::run::{Run, Running};

/// Stopping in good order is a matter of milliseconds; this is for a busy machine.
const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// The signal ends the run in good order, and in time.
#[track_caller]
fn stops(running: Running, signal: &str, status: i32) {
    running
        .signal(signal)
        .ends()
        .status(status)
        .stderr("")
        .took_at_most(STOP_TIME_MAX);
}

#[test]
fn ctrl_c_stops_a_program_that_spins() {
    let running = Run::new()
        .file("a.wat", SPIN)
        .args("run a.wat")
        .starts()
        .says("ready");
    stops(running, "INT", 130);
}

#[test]
fn sigterm_stops_a_program_that_spins() {
    let running = Run::new()
        .file("a.wat", SPIN)
        .args("run --workers 1 a.wat")
        .starts()
        .says("ready");
    stops(running, "TERM", 143);
}

#[test]
fn ctrl_c_stops_a_program_that_waits_for_input() {
    let mut running = Run::new().file("a.wat", CAT).args("run a.wat").starts();
    let mut stdin = running.stdin.take().expect("it was just started");
    std::io::Write::write_all(&mut stdin, b"x").expect("it reads");
    let running = running.says("x");
    stops(running, "INT", 130);
    drop(stdin);
}

#[test]
fn ctrl_c_stops_a_program_that_sleeps() {
    let long = SLEEP.replace("100000000", "100000000000");
    let said = long.replace(
        "(memory (export \"memory\") 1)",
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
           (memory (export "memory") 1) (data (i32.const 256) "\08\01\00\00\06\00\00\00ready\n")
           (func $say (drop (call $write (i32.const 1) (i32.const 256) (i32.const 1) (i32.const 300))))"#,
    );
    let program = said.replace(
        "(func (export \"_start\")",
        "(func (export \"_start\") (call $say)",
    );
    let running = Run::new()
        .file("a.wat", program)
        .args("run a.wat")
        .starts()
        .says("ready");
    stops(running, "INT", 130);
}

#[test]
fn a_second_signal_does_no_harm() {
    let running = Run::new()
        .file("a.wat", SPIN)
        .args("run a.wat")
        .starts()
        .says("ready");
    // The first may have ended the process already: then there is nobody to signal, and that is fine.
    let both = running.signals("INT TERM").ends();
    assert!([Some(130), Some(143)].contains(&both.code()));
}
