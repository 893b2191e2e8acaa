//! What a profile's limits do to guests that try to have more: memory, tables, time on a processor,
//! messages, streams and directories.

mod support;

use std::time::Duration;

use rusm_actor::{By, ExitReason, MailboxPolicy, Node, Pid};
use rusm_wasm::grant::{Access, CpuPolicy, CpuRate, DirGrant, Grants, Limits, Profile, StdioGrant};
use rusm_wasm::{Program, ProgramError};
use support::{PATIENCE, TempDir, captured, eventually, guest, node, prepared, run, status};

const SPIN: &str = r#"(module (func (export "run") (loop $l (br $l))))"#;

fn limited(limits: Limits) -> Program {
    let profile = Profile {
        limits,
        ..Profile::trusted()
    };
    Program {
        grants: Some(Grants::new(profile)),
        ..Program::default()
    }
}

fn rate(time: u64, every: u64, over: CpuPolicy) -> Limits {
    Limits {
        cpu: Some(CpuRate {
            time_max: Duration::from_millis(time),
            every: Duration::from_millis(every),
            over,
        }),
        ..Limits::none()
    }
}

fn reductions(node: &Node, pid: Pid) -> u64 {
    let found = node.top(16, By::Reductions);
    let found = found.iter().find(|process| process.pid == pid);
    found.map_or(0, |process| process.reductions)
}

#[test]
fn a_throttled_guest_spins_for_its_share_and_leaves_the_rest_to_others() {
    let node = node(1);
    let spinner = prepared(&node, SPIN);
    let limits = rate(10, 100, CpuPolicy::Throttle);
    let throttled = spinner.spawn(&node, limited(limits)).unwrap();
    let free = spinner.spawn(&node, Program::default()).unwrap();
    let at_work = |pid| reductions(&node, pid);
    eventually("the throttled one comes to its second period", || {
        at_work(throttled.pid()) > 0
            && at_work(free.pid()) > 20 * at_work(throttled.pid()) / 10
            && node.handle().now() > Duration::from_millis(500)
    });
    // On one worker a fair half is as much as the other has; a tenth is a ninth of it.
    let (slow, fast) = (at_work(throttled.pid()), at_work(free.pid()));
    assert!(slow * 3 < fast, "throttled {slow}, free {fast}");
    // It lives, sleeps, and can be killed in its sleep.
    for process in [throttled, free] {
        node.kill(process.pid());
        assert!(matches!(
            process.wait_for(PATIENCE),
            Some(ExitReason::Killed)
        ));
    }
}

#[test]
fn a_guest_over_its_budget_ends_with_a_reason_that_names_it() {
    let node = node(2);
    let spinner = prepared(&node, SPIN);
    let total = Limits {
        cpu_total_max: Some(Duration::from_millis(30)),
        ..Limits::none()
    };
    for (limits, words) in [
        (
            rate(20, 1_000, CpuPolicy::Kill),
            "20ms in 1s (`cpu` of its profile)",
        ),
        (total, "30ms in all (`cpu-total` of its profile)"),
    ] {
        let process = spinner.spawn(&node, limited(limits)).unwrap();
        match process.wait_for(PATIENCE).expect("it ends") {
            ExitReason::Error(why) => {
                assert!(
                    why.contains("CPU budget is used up") && why.contains(words),
                    "{why}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_guest_that_sleeps_uses_nothing_of_its_budget() {
    // Twenty naps of 2 ms: more time than its budget, but nothing of a processor.
    let wat = guest(
        "(global $left (mut i32) (i32.const 20))",
        "(loop $more
           (call $clock (i32.const 1) (i64.const 2000000) (i32.const 0)) (call $poll (i32.const 1))
           (global.set $left (i32.sub (global.get $left) (i32.const 1)))
           (br_if $more (global.get $left)))",
    );
    let total = Limits {
        cpu_total_max: Some(Duration::from_millis(35)),
        ..Limits::none()
    };
    let (reason, _) = run(&wat, limited(total));
    assert_eq!(status(&reason), 0);
}

#[test]
fn a_memory_grows_to_what_was_granted_and_no_page_further() {
    let wat = r#"(module (memory 1) (func (export "run") (result i32)
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (memory.size)))"#;
    let limits = |bytes| Limits {
        memory_bytes_max: bytes,
        ..Limits::none()
    };
    assert_eq!(status(&run(wat, limited(limits(5 << 16))).0), 5);
    // More than the engine has is what the engine has: 16 MiB in these tests.
    assert_eq!(status(&run(wat, limited(limits(u64::MAX))).0), 256);
    let node = node(1);
    let refused = prepared(&node, wat)
        .spawn(&node, limited(limits(1000)))
        .err();
    assert!(matches!(
        refused,
        Some(ProgramError::Memory { max: 1000, .. })
    ));
}

#[test]
fn a_table_grows_to_what_was_granted_and_one_too_many_is_no_guest() {
    let limits = Limits {
        tables_max: 1,
        table_elements_max: 7,
        ..Limits::none()
    };
    let wat = r#"(module (table $t 1 funcref) (func (export "run") (result i32)
        (loop $more (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1))))
        (table.size $t)))"#;
    assert_eq!(status(&run(wat, limited(limits.clone())).0), 7);
    for wat in [
        r#"(module (table 1 funcref) (table 1 funcref) (func (export "run")))"#,
        r#"(module (table 8 funcref) (func (export "run")))"#,
    ] {
        let (reason, _) = run(wat, limited(limits.clone()));
        assert!(reason.to_string().contains("table"), "{reason}");
    }
}

#[test]
fn a_mailbox_is_limited_from_the_start() {
    let node = node(1);
    let mailbox = rusm_actor::MailboxLimit {
        messages_max: 3,
        policy: MailboxPolicy::Kill,
    };
    let limits = Limits {
        mailbox: Some(mailbox),
        ..Limits::none()
    };
    let process = prepared(&node, SPIN).spawn(&node, limited(limits)).unwrap();
    eventually("the guest runs", || node.mailbox(process.pid()).is_some());
    assert_eq!(node.mailbox(process.pid()).unwrap().limit, mailbox);
    for _ in 0..4 {
        rusm_actor::send(process.pid(), b"x".as_slice());
    }
    let reason = process.wait_for(PATIENCE).expect("it ends");
    assert!(
        reason.to_string().contains(rusm_actor::MAILBOX_FULL),
        "{reason}"
    );
}

#[test]
fn streams_that_were_not_granted_are_empty_and_swallow() {
    let wat = guest(
        r#"(data (i32.const 1024) "hi")"#,
        "(call $iovec (i32.const 2000) (i32.const 9))
         (call $ok (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $print (i32.const 1024) (i32.const 2))
         (call $proc_exit (i32.load (i32.const 8)))",
    );
    let with = |stdio| {
        let (program, buffers) = captured("input");
        let profile = Profile {
            stdio,
            ..Profile::trusted()
        };
        let grants = Some(Grants::new(profile));
        let node = node(1);
        let program = Program { grants, ..program };
        let process = prepared(&node, &wat).spawn(&node, program).unwrap();
        let reason = process.wait_for(PATIENCE).expect("it ends");
        (status(&reason), buffers.stdout())
    };
    // Its status is what it wrote last: two bytes, where or nowhere.
    assert_eq!(with(StdioGrant::ALL), (2, b"hi".to_vec()));
    assert_eq!(with(StdioGrant::NONE), (2, Vec::new()));
}

#[test]
fn a_granted_directory_is_read_only_unless_it_says_otherwise() {
    // Creates the file `new`, and exits with what came of it.
    let wat = guest(
        r#"(data (i32.const 1024) "new")"#,
        "(call $proc_exit (call $open (i32.const 3) (i32.const 1) (i64.const 66)))",
    );
    let with = |access| {
        let dir = TempDir::new();
        let profile = Profile {
            dirs: vec![DirGrant {
                host: dir.path().into(),
                guest: "/".into(),
                access,
            }],
            ..Profile::sandboxed()
        };
        let program = Program {
            grants: Some(Grants::new(profile)),
            ..Program::default()
        };
        let (reason, _) = run(&wat, program);
        (status(&reason), dir.path().join("new").exists())
    };
    assert_eq!(with(Access::ReadWrite), (0, true));
    let (errno, created) = with(Access::Read);
    assert!(errno != 0 && !created, "{errno}");
}
