//! What processes do: run, hear, wait, die.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rusm_actor::{
    Config, ExitReason, Message, Node, Pid, Priority, SpawnOptions, exit, kill, send,
};

const WAIT_MAX: Duration = Duration::from_secs(20);

fn node(workers: usize) -> Node {
    let config = Config {
        workers,
        ..Config::default()
    };
    Node::start(config).expect("a node starts")
}

fn number(message: &Message) -> u64 {
    u64::from_le_bytes(message.bytes().try_into().expect("eight bytes"))
}

#[test]
fn a_body_that_returns_ends_normally_and_hands_out_its_value() {
    let node = node(2);
    assert_eq!(node.block_on(|_| async { 42 }), Ok(42));
    assert_eq!(node.spawn_join(|_| async {}).wait(), ExitReason::Normal);
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
fn messages_of_one_sender_arrive_in_their_order() {
    let node = node(2);
    let sum = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |_| async move {
            for n in 0..10_000_u64 {
                send(me, n.to_le_bytes());
            }
        });
        for expected in 0..10_000_u64 {
            assert_eq!(number(&ctx.receive().await), expected);
        }
    });
    assert_eq!(sum, Ok(()));
}

#[test]
fn messages_of_all_sizes_arrive_whole() {
    let node = node(2);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        for len in [0, 1, 45, 46, 47, 48, 49, 1000, 100_000] {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            send(me, bytes.as_slice());
            assert_eq!(ctx.receive().await.bytes(), bytes);
            send(me, bytes.clone());
            assert_eq!(ctx.receive().await.bytes(), bytes);
        }
        send(me, Message::native(vec![1, 2, 3]));
        let message = ctx.receive().await;
        assert!(message.is_native());
        let message = message.downcast::<String>().expect_err("no string");
        assert_eq!(message.downcast::<Vec<i32>>().ok(), Some(vec![1, 2, 3]));
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_selective_receive_takes_the_match_and_leaves_the_rest_in_order() {
    let node = node(1);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        for n in 0..6_u64 {
            send(me, n.to_le_bytes());
        }
        let odd = |message: &Message| number(message) % 2 == 1;
        assert_eq!(number(&ctx.receive_match(odd).await), 1);
        assert_eq!(number(&ctx.receive_match(odd).await), 3);
        let mut rest = Vec::new();
        while let Some(message) = ctx.try_receive() {
            rest.push(number(&message));
        }
        assert_eq!(rest, [0, 2, 4, 5]);
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_selective_receive_waits_for_its_match_and_keeps_what_comes_before() {
    let node = node(2);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |_| async move {
            for n in 0..100_u64 {
                send(me, n.to_le_bytes());
                rusm_sched::yield_now().await;
            }
        });
        assert_eq!(number(&ctx.receive_match(|m| number(m) == 99).await), 99);
        for expected in 0..99_u64 {
            assert_eq!(number(&ctx.receive().await), expected);
        }
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_receive_with_a_deadline_gives_up_no_sooner_and_loses_nothing() {
    let node = node(1);
    let outcome = node.block_on(|mut ctx| async move {
        let start = Instant::now();
        assert!(
            ctx.receive_within(Duration::from_millis(20))
                .await
                .is_none()
        );
        assert!(start.elapsed() >= Duration::from_millis(20));
        send(ctx.pid(), 5_u64.to_le_bytes());
        let message = ctx.receive_within(Duration::ZERO).await;
        assert_eq!(message.as_ref().map(number), Some(5));
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_message_sent_later_comes_no_sooner_and_can_be_taken_back() {
    let node = node(2);
    let outer = node.clone();
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        let late = outer.send_after(Duration::from_secs(3600), me, b"late");
        let left = late.cancel().expect("an hour is left");
        assert!(left > Duration::from_secs(3590));
        assert_eq!(late.cancel(), None);
        let start = Instant::now();
        let soon = outer.send_after(Duration::from_millis(10), me, b"soon");
        assert!(soon.remaining().is_some());
        assert_eq!(ctx.receive().await.bytes(), b"soon");
        assert!(start.elapsed() >= Duration::from_millis(10));
        assert_eq!(soon.cancel(), None);
    });
    assert_eq!(outcome, Ok(()));
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
fn a_receive_inside_a_combinator_with_wakers_of_its_own_is_woken() {
    let node = node(2);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |ctx| async move {
            ctx.sleep(Duration::from_millis(5)).await;
            send(me, b"through");
        });
        let mut receive = std::pin::pin!(ctx.receive());
        let woken = Arc::new(Relay::default());
        std::future::poll_fn(move |cx| {
            woken
                .waker
                .lock()
                .expect("no panic")
                .replace(cx.waker().clone());
            if !woken.called.swap(false, Ordering::SeqCst) {
                return std::task::Poll::Pending;
            }
            let inner = std::task::Waker::from(woken.clone());
            let mut cx = std::task::Context::from_waker(&inner);
            receive
                .as_mut()
                .poll(&mut cx)
                .map(|message| message.bytes().to_vec())
        })
        .await
    });
    assert_eq!(outcome.as_deref(), Ok(b"through".as_slice()));
}

/// Polls its child only when the child's own waker was called, as `FuturesUnordered` does.
struct Relay {
    called: std::sync::atomic::AtomicBool,
    waker: std::sync::Mutex<Option<std::task::Waker>>,
}

impl Default for Relay {
    fn default() -> Self {
        Relay {
            called: true.into(),
            waker: std::sync::Mutex::default(),
        }
    }
}

impl std::task::Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.called.store(true, Ordering::SeqCst);
        if let Some(waker) = self.waker.lock().expect("no panic").take() {
            waker.wake();
        }
    }
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
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let done = done.clone();
        let options = SpawnOptions {
            priority,
            label: Some("worker".into()),
        };
        node.spawn_with(options, move |ctx| async move {
            for _ in 0..200 {
                ctx.reductions(10_000).await;
            }
            done.send(priority).expect("the test listens");
        });
    }
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
