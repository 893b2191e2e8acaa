//! What is left after millions of lives: nothing. A program of its own, since it looks at the
//! whole program's memory, threads and descriptors. Linux only.

#![cfg(target_os = "linux")]

use std::time::Duration;

use rusm_actor::{Config, Node, send_after};

const WAIT_MAX: Duration = Duration::from_secs(60);
/// Memory that may come and go for reasons of its own, in KiB.
const SLACK: u64 = 4 * 1024;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|text| text.parse().ok())
        .expect("a number of KiB")
}

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).expect("Linux has it").count()
}

fn spawn_and_exit(node: &Node, count: u64) {
    let outcome = node.block_on(move |ctx| async move {
        for _ in 0..count {
            ctx.spawn(|_| async {});
            ctx.reductions(1).await;
        }
    });
    assert_eq!(outcome, Ok(()));
}

fn arm_and_cancel(node: &Node, count: u64) {
    let outcome = node.block_on(move |ctx| async move {
        for _ in 0..count {
            let timer = send_after(Duration::from_secs(3600), ctx.pid(), b"never");
            assert!(timer.cancel().is_some());
            ctx.reductions(1).await;
        }
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn ten_million_lives_and_a_million_timers_leave_no_memory_threads_or_descriptors() {
    // One after the other: each looks at the whole program.
    for workers in [1, 2] {
        live_and_leave(workers);
    }
}

fn live_and_leave(workers: usize) {
    let (threads, descriptors) = (entries("/proc/self/task"), entries("/proc/self/fd"));
    let config = Config {
        workers,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    // The first million fills the pools that stay.
    spawn_and_exit(&node, 1_000_000);
    arm_and_cancel(&node, 100_000);
    let before = resident_kib();
    spawn_and_exit(&node, 10_000_000);
    arm_and_cancel(&node, 1_000_000);
    let after = resident_kib();
    assert!(after <= before + SLACK, "{before} KiB became {after} KiB");
    assert_eq!(node.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(entries("/proc/self/task"), threads);
    assert_eq!(entries("/proc/self/fd"), descriptors);
}
