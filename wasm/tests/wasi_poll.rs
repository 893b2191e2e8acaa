//! Waiting in `poll_oneoff`: clocks and descriptors, one and several, early and never.

mod support;

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusm_actor::ExitReason;
use rusm_wasm::Program;
use support::{PATIENCE, TempDir, captured, guest, mounted, node, prepared, run, status};

#[test]
fn sleeping_guests_hold_no_worker() {
    let wat = guest(
        "",
        "(call $clock (i32.const 1) (i64.const 100000000) (i32.const 0)) (call $poll (i32.const \
         1))",
    );
    let node = node(1);
    let sleeper = prepared(&node, &wat);
    let start = Instant::now();
    let sleepers: Vec<_> = (0..200)
        .map(|_| sleeper.spawn(&node, captured("").0).unwrap())
        .collect();
    for process in sleepers {
        assert!(matches!(
            process.wait_for(PATIENCE),
            Some(ExitReason::Normal)
        ));
    }
    let took = start.elapsed();
    // One after the other they would take 20 s.
    assert!(
        took >= Duration::from_millis(100) && took < Duration::from_secs(3),
        "{took:?}"
    );
}

#[test]
fn each_clock_wakes_at_its_time_and_never_early() {
    // Which clock, the time in terms of it, and whether that is absolute; 30 ms from now in each
    // case.
    let cases = [
        (1, "(i64.const 30000000)", 0),
        (0, "(i64.const 30000000)", 0),
        (1, "(i64.add (local.get $then) (i64.const 30000000))", 1),
        (0, "(i64.add (local.get $then) (i64.const 30000000))", 1),
    ];
    for (id, when, absolute) in cases {
        let wat = guest(
            "",
            &format!(
                "(local.set $then (call $now (i32.const {id})))
                 (call $clock (i32.const {id}) {when} (i32.const {absolute})) (call $poll (i32.const 1))
                 (if (i64.lt_u (i64.sub (call $now (i32.const {id})) (local.get $then)) (i64.const 30000000))
                   (then (call $proc_exit (i32.const 1))))
                 ;; One event, without an error.
                 (if (i32.ne (i32.load (i32.const 32)) (i32.const 1)) (then (call $proc_exit (i32.const 2))))
                 (call $ok (i32.load16_u (i32.const 8200)))"
            ),
        );
        assert_eq!(
            status(&run(&wat, Program::default()).0),
            0,
            "clock {id}, absolute {absolute}"
        );
    }
}

#[test]
fn of_several_subscriptions_those_that_happened_are_told() {
    // Three clocks of 1 hour, 5 ms and 1 hour, with user data 0xa, 0xb and 0xc.
    let wat = guest(
        "",
        "(call $clock (i32.const 1) (i64.const 3600000000000) (i32.const 0))
         (memory.copy (i32.const 2096) (i32.const 2048) (i32.const 48))
         (memory.copy (i32.const 2144) (i32.const 2048) (i32.const 48))
         (i64.store (i32.const 2048) (i64.const 0xa)) (i64.store (i32.const 2096) (i64.const 0xb))
         (i64.store (i32.const 2144) (i64.const 0xc)) (i64.store (i32.const 2120) (i64.const 5000000))
         (call $poll (i32.const 3))
         (if (i32.ne (i32.load (i32.const 32)) (i32.const 1)) (then (call $proc_exit (i32.const 1))))
         (call $proc_exit (i32.wrap_i64 (i64.load (i32.const 8192))))",
    );
    assert_eq!(status(&run(&wat, Program::default()).0), 0xb);
}

#[test]
fn descriptors_are_ready_or_wrong_at_once() {
    const BADF: i32 = 8;
    let dir = TempDir::new();
    // The kind of subscription (1 reads, 2 writes), the descriptor, and the error of the event. 4
    // is a file, open for reading.
    for (kind, fd, errno) in [
        (1, 4, 0),
        (2, 4, BADF),
        (2, 1, 0),
        (2, 2, 0),
        (1, 1, BADF),
        (2, 0, BADF),
        (1, 3, BADF),
        (1, 9, BADF),
        (1, 0, 0),
    ] {
        std::fs::write(dir.path().join("in"), "").unwrap();
        let wat = guest(
            r#"(data (i32.const 1024) "in")"#,
            &format!(
                "(call $ok (call $open (i32.const 2) (i32.const 0) (i64.const 2)))
                 (call $clock (i32.const 1) (i64.const 3600000000000) (i32.const 0))
                 (i32.store8 (i32.const 2104) (i32.const {kind})) (i32.store (i32.const 2112) (i32.const {fd}))
                 (call $poll (i32.const 2))
                 (if (i32.ne (i32.load (i32.const 32)) (i32.const 1)) (then (call $proc_exit (i32.const 100))))
                 (call $ok (i32.load16_u (i32.const 8200)))"
            ),
        );
        assert_eq!(
            status(&run(&wat, mounted(dir.path())).0),
            errno,
            "kind {kind}, descriptor {fd}"
        );
    }
}

#[test]
fn a_sleep_of_centuries_can_be_killed() {
    let wat = guest(
        "",
        "(call $clock (i32.const 1) (i64.const -1) (i32.const 0)) (call $poll (i32.const 1))",
    );
    let node = node(1);
    let process = prepared(&node, &wat).spawn(&node, captured("").0).unwrap();
    assert!(process.wait_for(Duration::from_millis(20)).is_none());
    node.kill(process.pid());
    assert!(matches!(
        process.wait_for(PATIENCE),
        Some(ExitReason::Killed)
    ));
}

/// Set for the copy of this test that has a stdin of its own.
const CHILD: &str = "RUSM_WASM_TEST_STDIN";

#[test]
fn stdin_is_ready_when_there_is_something_to_read() {
    if std::env::var_os(CHILD).is_some() {
        return read_stdin();
    }
    let name = "stdin_is_ready_when_there_is_something_to_read";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut said = Vec::new();
    while !said.ends_with(b"<nothing yet>") {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    stdin.write_all(b"<input>").unwrap();
    said.clear();
    stdout.read_to_end(&mut said).unwrap();
    assert!(
        said.starts_with(b"<input>"),
        "{}",
        String::from_utf8_lossy(&said)
    );
    assert!(child.wait().unwrap().success());
}

/// Polls stdin and a clock of 20 ms, of which the clock must win; then stdin and a clock of an hour.
fn read_stdin() {
    let wat = guest(
        r#"(data (i32.const 1024) "<nothing yet>")"#,
        "(call $clock (i32.const 1) (i64.const 20000000) (i32.const 0))
         (i32.store8 (i32.const 2104) (i32.const 1)) (i32.store (i32.const 2112) (i32.const 0))
         (call $poll (i32.const 2))
         (call $ok (i32.sub (i32.load (i32.const 32)) (i32.const 1)))
         (call $ok (i32.load8_u (i32.const 8202)))
         (call $print (i32.const 1024) (i32.const 13))
         (i64.store (i32.const 2072) (i64.const 3600000000000))
         (call $poll (i32.const 2))
         (call $ok (i32.sub (i32.load (i32.const 32)) (i32.const 1)))
         (call $ok (i32.sub (i32.load8_u (i32.const 8202)) (i32.const 1)))
         (call $iovec (i32.const 4096) (i32.const 100))
         (call $ok (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 20)))
         (call $print (i32.const 4096) (i32.load (i32.const 20)))",
    );
    let node = node(1);
    let reader = prepared(&node, &wat)
        .spawn(&node, Program::default())
        .unwrap();
    assert!(matches!(
        reader.wait_for(PATIENCE),
        Some(ExitReason::Normal)
    ));
}
