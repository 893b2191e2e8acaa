//! What processes do: run, hear, wait, die.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use rusm_actor::{Config, ExitReason, Node, Pid, Priority, SpawnOptions, exit, kill, send};

const WAIT_MAX: Duration = Duration::from_secs(20);

fn node(workers: usize) -> Node {
    let config = Config {
        workers,
        ..Config::default()
    };
    Node::start(config).expect("a node starts")
}

#[test]
fn a_body_that_returns_ends_normally_and_hands_out_its_value() {
    let node = node(2);
    assert_eq!(node.block_on(|_| async { 42 }), Ok(42));
    assert_eq!(node.spawn_join(|_| async {}).wait(), ExitReason::Normal);
}

#[test]
fn a_thread_may_wait_for_ever_or_not_at_all() {
    let node = node(1);
    let (open, gate) = mpsc::channel::<()>();
    let joined = node.spawn_join(move |_| async move {
        rusm_sched::blocking::run(move || gate.recv().is_ok())
            .await
            .expect("there is room");
    });
    assert_eq!(joined.wait_for(Duration::ZERO), None);
    open.send(()).expect("the process waits");
    assert_eq!(joined.wait_for(Duration::MAX), Some(ExitReason::Normal));
}

/// A waker that was replaced was dropped under the lock that the end of the process needs.
#[test]
fn a_waker_may_wait_for_the_end_of_the_process_when_it_is_dropped() {
    struct Waits(Node, Pid, mpsc::Sender<()>);
    impl Wake for Waits {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Waits {
        fn drop(&mut self) {
            kill(self.1);
            // The only worker has done with the process once it runs another.
            assert_eq!(self.0.block_on(|_| async { 1 }), Ok(1));
            self.2.send(()).expect("the test listens");
        }
    }
    let config = Config {
        workers: 1,
        // Nobody helps a worker that waits for the lock.
        rescue_threads_max: 0,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    let (done, wait) = mpsc::channel();
    let mut joined = node.spawn_join(|mut ctx| async move {
        ctx.receive().await;
    });
    let waits = Waits(node, joined.pid(), done);
    std::thread::spawn(move || {
        let waker = Arc::new(waits).into();
        let mut poll = |waker: &Waker| Pin::new(&mut joined).poll(&mut Context::from_waker(waker));
        assert!(poll(&waker).is_pending());
        drop(waker);
        // Replaces the waker, and drops it.
        assert!(poll(Waker::noop()).is_pending());
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(()));
}

#[test]
fn a_body_may_return_its_reason() {
    let node = node(1);
    let joined = node.spawn_join(|_| async { ExitReason::error("out of luck") });
    assert_eq!(joined.wait(), ExitReason::error("out of luck"));
    let joined = node.spawn_join(|_| async { Err::<(), _>(ExitReason::Status(7)) });
    assert_eq!(joined.wait(), ExitReason::Status(7));
}

#[test]
fn a_panic_becomes_the_exit_reason_and_hurts_nobody_else() {
    let node = node(1);
    let joined = node.spawn_join(|_| async { panic!("lost {}", "it") });
    let reason = joined.wait();
    let ExitReason::Panic(fault) = &reason else {
        unreachable!("{reason}");
    };
    assert!(fault.text.starts_with("lost it at "), "{}", fault.text);
    assert!(fault.text.contains("processes.rs"), "{}", fault.text);
    assert!(!fault.backtrace.is_empty());
    assert_eq!(node.block_on(|_| async { 1 }), Ok(1));
}

#[test]
fn a_killed_process_says_killed_wherever_it_waits() {
    let node = node(2);
    let receiving = node.spawn_join(|mut ctx| async move {
        ctx.receive().await;
    });
    let sleeping = node.spawn_join(|ctx| async move { ctx.sleep(Duration::MAX).await });
    let busy = node.spawn_join(|ctx| async move {
        loop {
            ctx.reductions(1).await;
        }
    });
    for joined in [receiving, sleeping, busy] {
        assert!(node.is_alive(joined.pid()));
        kill(joined.pid());
        assert_eq!(joined.wait_for(WAIT_MAX), Some(ExitReason::Killed));
        assert!(!node.is_alive(joined.pid()));
        assert_eq!(node.info(joined.pid()), None);
    }
}

#[test]
fn a_process_killed_before_its_first_turn_never_runs() {
    let node = node(1);
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let outcome = node.block_on(move |ctx| async move {
        for _ in 0..1000 {
            let count = count.clone();
            let pid = ctx.spawn(move |_| async move {
                count.fetch_add(1, Ordering::Relaxed);
            });
            kill(pid);
        }
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[test]
fn an_exit_signal_ends_a_process_with_its_reason_but_normal_does_not() {
    let node = node(2);
    let joined = node.spawn_join(|mut ctx| async move {
        ctx.receive().await;
    });
    exit(joined.pid(), ExitReason::Normal);
    send(joined.pid(), b"still there");
    assert_eq!(joined.wait_for(WAIT_MAX), Some(ExitReason::Normal));
    let joined = node.spawn_join(|mut ctx| async move {
        ctx.receive().await;
    });
    exit(joined.pid(), ExitReason::Shutdown);
    assert_eq!(joined.wait_for(WAIT_MAX), Some(ExitReason::Shutdown));
}

#[test]
fn nothing_sent_after_an_exit_signal_is_processed() {
    let node = node(2);
    for _ in 0..1000 {
        let heard = Arc::new(AtomicUsize::new(0));
        let count = heard.clone();
        let joined = node.spawn_join(move |mut ctx| async move {
            loop {
                if ctx.receive().await.bytes() == b"after" {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        send(joined.pid(), b"before");
        send(joined.pid(), b"before");
        exit(joined.pid(), ExitReason::error("enough"));
        send(joined.pid(), b"after");
        assert_eq!(joined.wait_for(WAIT_MAX), Some(ExitReason::error("enough")));
        assert_eq!(heard.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn the_dead_take_mail_and_signals_without_a_word() {
    let node = node(1);
    let joined = node.spawn_join(|_| async {});
    let pid = joined.pid();
    assert_eq!(joined.wait(), ExitReason::Normal);
    send(pid, b"hello");
    kill(pid);
    send(Pid::from_bits(u64::MAX), b"nobody");
    send(Pid::from_bits(0xFFFF_FFF0), b"never used");
    assert!(!node.is_alive(Pid::from_bits(0xFFFF_FFF0)));
}

#[test]
fn twenty_thousand_short_lives_have_twenty_thousand_pids() {
    let node = node(2);
    let pids = node.block_on(|ctx| async move {
        let mut pids = std::collections::HashSet::new();
        for _ in 0..20_000 {
            pids.insert(ctx.spawn(|_| async {}));
            ctx.reductions(1).await;
        }
        pids.len()
    });
    assert_eq!(pids, Ok(20_000));
}

#[test]
fn a_large_body_is_boxed_and_runs_all_the_same() {
    let node = node(1);
    let sum = node.block_on(|ctx| async move {
        let block = [3_u8; 100_000];
        ctx.reductions(2000).await;
        block.iter().map(|&byte| u64::from(byte)).sum::<u64>()
    });
    assert_eq!(sum, Ok(300_000));
}

#[test]
fn priorities_change_the_order_and_starve_nobody() {
    let node = node(1);
    let (done, ended) = mpsc::channel();
    // From inside, so that all three are there before the first of them runs.
    let begun = node.block_on(move |ctx| async move {
        for priority in [Priority::Low, Priority::Normal, Priority::High] {
            let done = done.clone();
            let options = SpawnOptions {
                priority,
                label: Some("worker".into()),
                ..SpawnOptions::default()
            };
            ctx.node().spawn_with(options, move |ctx| async move {
                for _ in 0..200 {
                    ctx.reductions(10_000).await;
                }
                done.send(priority).expect("the test listens");
            });
        }
    });
    assert_eq!(begun, Ok(()));
    let order: Vec<Priority> = (0..3)
        .map(|_| ended.recv_timeout(WAIT_MAX).expect("all end"))
        .collect();
    assert_eq!(order.last(), Some(&Priority::Low));
}

#[test]
fn a_node_that_is_shut_down_ends_its_processes_and_says_so() {
    let node = node(2);
    let joined = node.spawn_join(|mut ctx| async move {
        ctx.receive().await;
    });
    let dropped = Arc::new(());
    let held = dropped.clone();
    node.spawn(move |mut ctx| async move {
        ctx.receive().await;
        drop(held);
    });
    assert_eq!(node.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(joined.try_reason(), Some(ExitReason::Shutdown));
    assert_eq!(Arc::strong_count(&dropped), 1);
}

#[test]
fn a_body_that_never_awaits_is_reported_by_pid_and_name() {
    let node = node(1);
    let (overruns, seen) = mpsc::channel();
    node.on_overrun(move |overrun| {
        // The test may be over already.
        let _ = overruns.send(overrun.clone());
    });
    let stop = Arc::new(AtomicUsize::new(0));
    let until = stop.clone();
    let hog = node.spawn(move |_| async move {
        while until.load(Ordering::Relaxed) == 0 {
            std::hint::spin_loop();
        }
    });
    let overrun = seen.recv_timeout(WAIT_MAX).expect("it is reported");
    assert_eq!(overrun.pid, hog);
    assert!(
        overrun.body.contains("a_body_that_never_awaits"),
        "{}",
        overrun.body
    );
    assert_eq!(node.block_on(|_| async { 1 }), Ok(1));
    stop.store(1, Ordering::Relaxed);
    assert_eq!(node.shutdown(WAIT_MAX), Ok(()));
}

#[test]
fn a_context_outside_of_its_own_process_is_refused() {
    let node = node(2);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        let thief = ctx.node().spawn_join(move |_| async move {
            ctx.try_receive();
        });
        let reason = thief.await;
        assert!(matches!(reason, ExitReason::Panic(_)), "{reason} {me}");
    });
    assert_eq!(outcome, Ok(()));
}
