//! WASI preview 1 as a guest sees it: its world, its files and its clocks, and what happens when
//! it lies about them.

mod support;

use std::process::Command;
use std::time::Duration;

use rusm_actor::ExitReason;
use rusm_wasm::{Mount, Program, ProgramError};
use support::{
    PATIENCE, TempDir, captured, eventually, guest, mounted, node, prepared, run, status,
};

#[test]
fn arguments_and_environment_reach_the_guest() {
    let wat = guest(
        "",
        "(call $ok (call $args_get (i32.const 100) (i32.const 4096))) (call $print (i32.const 4096) (i32.const 8))
         (call $ok (call $environ_get (i32.const 100) (i32.const 4096))) (call $print (i32.const 4096) (i32.const 4))",
    );
    let program = Program {
        args: vec!["me".into(), "here".into()],
        env: vec![("K".into(), "v".into())],
        ..Default::default()
    };
    let (reason, out) = run(&wat, program);
    assert_eq!((status(&reason), out.as_str()), (0, "me\0here\0K=v\0"));
}

#[test]
fn a_guest_without_a_world_of_its_own_sees_an_empty_one() {
    // The status is the number of arguments, plus what reading an empty stdin returns; stdout
    // swallows all.
    let wat = guest(
        "",
        "(call $ok (call $args_sizes_get (i32.const 100) (i32.const 104))) (call $print (i32.const 0) (i32.const 16))
         (call $ok (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $ok (i32.add (i32.load (i32.const 100)) (i32.load (i32.const 8))))",
    );
    let node = node(1);
    let guest = prepared(&node, &wat);
    let process = node.spawn_join(move |context| guest.run_pure(context));
    assert!(matches!(process.wait(), ExitReason::Normal));
}

#[test]
fn a_guest_reads_and_writes_in_its_directory() {
    let dir = TempDir::new();
    std::fs::write(dir.path().join("in"), "from the host").unwrap();
    let wat = guest(
        r#"(data (i32.const 1024) "in")"#,
        r#"(call $ok (call $open (i32.const 2) (i32.const 0) (i64.const 2)))
           (call $iovec (i32.const 4096) (i32.const 100))
           (call $ok (call $fd_read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 20)))
           (call $ok (call $fd_close (i32.load (i32.const 16))))
           (i32.store (i32.const 1024) (i32.const 0x74756f)) ;; "out"
           (call $ok (call $open (i32.const 3) (i32.const 9) (i64.const 64)))
           (call $iovec (i32.const 4096) (i32.load (i32.const 20)))
           (call $ok (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))"#,
    );
    assert_eq!(status(&run(&wat, mounted(dir.path())).0), 0);
    assert_eq!(
        std::fs::read_to_string(dir.path().join("out")).unwrap(),
        "from the host"
    );
}

#[test]
fn no_path_leads_out_of_the_directory() {
    let outside = TempDir::new();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let inside = outside.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
    let absolute = outside.path().join("secret").to_str().unwrap().to_string();
    const NOT_PERMITTED: i32 = 63;
    for path in [
        "../secret",
        "link",
        "a/../../secret",
        &absolute,
        "/etc/passwd",
    ] {
        let code = format!(
            "(call $ok (call $open (i32.const {}) (i32.const 0) (i64.const 2)))",
            path.len()
        );
        let wat = guest(&format!(r#"(data (i32.const 1024) "{path}")"#), &code);
        let errno = status(&run(&wat, mounted(&inside)).0);
        // Of a path through a directory that is not there, the first thing to be wrong may be that.
        assert!(
            errno == NOT_PERMITTED || errno == 44 && path.starts_with('a'),
            "`{path}`: {errno}"
        );
    }
}

#[test]
fn a_guest_cannot_keep_opening_files() {
    let dir = TempDir::new();
    // Opens its directory again and again, 4,000 times if it may.
    let wat = guest(
        r#"(data (i32.const 1024) ".") (global $left (mut i32) (i32.const 4000))"#,
        "(loop $more
           (call $ok (call $open (i32.const 1) (i32.const 2) (i64.const 0)))
           (global.set $left (i32.sub (global.get $left) (i32.const 1)))
           (br_if $more (global.get $left)))",
    );
    // The system's own limit may come first.
    const TOO_MANY_FILES: i32 = 33;
    match run(&wat, mounted(dir.path())).0 {
        ExitReason::Trap(fault) => assert!(
            fault.text.starts_with("too many open files"),
            "{}",
            fault.text
        ),
        reason => assert_eq!(status(&reason), TOO_MANY_FILES),
    }
}

#[test]
fn a_directory_that_does_not_exist_is_named() {
    let node = node(1);
    let dirs = vec![Mount {
        host: "/no/such/place".into(),
        guest: "/".into(),
    }];
    let error = prepared(&node, &guest("", ""))
        .spawn(
            &node,
            Program {
                dirs,
                ..Default::default()
            },
        )
        .err();
    assert!(matches!(error, Some(ProgramError::Dir { .. })));
    let said = error.unwrap().to_string();
    assert!(
        said.contains("`/no/such/place`: No such file or directory"),
        "{said}"
    );
}

#[test]
fn a_file_call_that_blocks_holds_nobody_up_and_the_guest_goes_on_when_it_is_done() {
    let dir = TempDir::new();
    let pipe = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    // Opening a pipe for reading waits until somebody opens it for writing.
    let wat = guest(
        r#"(data (i32.const 1024) "pipe") (data (i32.const 1100) "before") (data (i32.const 1120) " after")"#,
        r#"(call $print (i32.const 1100) (i32.const 6))
           (call $ok (call $open (i32.const 4) (i32.const 0) (i64.const 2)))
           (call $print (i32.const 1120) (i32.const 6))"#,
    );
    let node = node(1);
    let (program, buffers) = captured("");
    let program = Program {
        stdio: program.stdio,
        ..mounted(dir.path())
    };
    let reader = prepared(&node, &wat).spawn(&node, program).unwrap();
    eventually("the guest comes to the pipe", || {
        buffers.stdout() == b"before"
    });
    let other = node.spawn_join(|_| async { rusm_sched::sleep(Duration::from_millis(20)).await });
    assert!(
        other.wait_for(PATIENCE).is_some(),
        "the only worker is free"
    );
    assert!(reader.wait_for(Duration::ZERO).is_none());
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert!(matches!(
        reader.wait_for(PATIENCE),
        Some(ExitReason::Normal)
    ));
    assert_eq!(buffers.stdout(), b"before after");
    drop(writer);
}

#[test]
fn lies_about_places_and_lengths_end_in_an_error_the_guest_can_see() {
    const FAULT: i32 = 21;
    const INVAL: i32 = 28;
    const NOMEM: i32 = 48;
    const TOP: &str = "(i32.const -16)";
    let cases = [
        (
            "(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"
                .to_string(),
            INVAL,
        ),
        (
            "(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))".into(),
            INVAL,
        ),
        (
            format!("(call $poll_oneoff {TOP} (i32.const 0) (i32.const 1) (i32.const 0))"),
            FAULT,
        ),
        (
            format!("(call $poll_oneoff (i32.const 0) {TOP} (i32.const 1) (i32.const 0))"),
            FAULT,
        ),
        (
            format!("(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 1) {TOP})"),
            FAULT,
        ),
        (
            "(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 2000) (i32.const 0))".into(),
            FAULT,
        ),
        (
            "(call $fd_read (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0))".into(),
            NOMEM,
        ),
        (
            "(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0))".into(),
            NOMEM,
        ),
    ];
    for (call, errno) in cases {
        let (reason, _) = run(
            &guest("", &format!("(call $ok {call})")),
            Program::default(),
        );
        assert_eq!(status(&reason), errno, "{call}");
    }
}

#[test]
fn lies_the_stock_functions_find_end_in_a_trap() {
    for call in [
        "(call $fd_read (i32.const 0) (i32.const -16) (i32.const 1) (i32.const 0))",
        "(call $open (i32.const 70000) (i32.const 0) (i64.const 2))",
        "(call $random_get (i32.const 65530) (i32.const 100))",
        "(call $random_get (i32.const 0) (i32.const -1))",
    ] {
        let (reason, _) = run(&guest("", &format!("(drop {call})")), Program::default());
        assert!(matches!(reason, ExitReason::Trap(_)), "{call}: {reason:?}");
    }
}

#[test]
fn output_beyond_the_buffer_fails_in_the_guest() {
    let node = node(1);
    let buffers = rusm_wasm::Capture::new("", 10);
    let wat = guest(
        "",
        "(call $print (i32.const 0) (i32.const 8)) (call $print (i32.const 0) (i32.const 8))",
    );
    let program = Program {
        stdio: rusm_wasm::Stdio::Captured(buffers.clone()),
        ..Default::default()
    };
    let reason = prepared(&node, &wat).spawn(&node, program).unwrap().wait();
    const IO: i32 = 29;
    assert_eq!(status(&reason), IO);
    assert_eq!(buffers.stdout().len(), 10);
}
