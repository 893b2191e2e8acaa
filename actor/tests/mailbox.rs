//! What a mailbox does: keep the order, wait, choose, give up in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusm_actor::{Config, ExitReason, Message, Node, exit, send};

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

/// A receive that was given up left the process marked as receiving. When it then slept with
/// a message taken over but not read, the next message replaced that one.
#[test]
fn a_message_that_comes_during_a_sleep_replaces_none_that_came_before() {
    let node = node(2);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        assert!(ctx.receive_within(Duration::ZERO).await.is_none());
        send(me, 1_u64.to_le_bytes());
        send(me, 2_u64.to_le_bytes());
        assert_eq!(number(&ctx.receive().await), 1);
        ctx.spawn(move |_| async move { send(me, 3_u64.to_le_bytes()) });
        ctx.sleep(Duration::from_millis(5)).await;
        assert_eq!(number(&ctx.receive().await), 2);
        assert_eq!(number(&ctx.receive().await), 3);
    });
    assert_eq!(outcome, Ok(()));
}

/// A message that panics when it is dropped was dropped twice when a timer found its receiver
/// dead, and took the worker with it.
#[test]
fn a_message_that_panics_when_dropped_hurts_nobody_but_itself() {
    struct Bomb(Arc<std::sync::atomic::AtomicUsize>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
    let node = node(1);
    let dropped = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let dead = node.spawn_join(|_| async {});
    let to = dead.pid();
    dead.wait();
    let bomb = Message::native(Bomb(dropped.clone()));
    node.send_after(Duration::from_millis(1), to, bomb);
    let count = dropped.clone();
    let outcome = node.block_on(|ctx| async move {
        while count.load(Ordering::SeqCst) == 0 {
            ctx.sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

/// Sixteen that send without end are no match for one reader if each gets the same turns: what
/// they overspend must cost them turns.
#[test]
fn who_floods_a_mailbox_waits_for_its_reader() {
    const READ: u64 = 100_000;
    let config = Config {
        workers: 1,
        // On a machine that is busy otherwise a turn may seem to take long; a spare thread
        // beside this one would change who gets how many turns.
        turn_limit: Duration::from_secs(3600),
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    let behind = node.block_on(|mut ctx| async move {
        let sent = Arc::new(AtomicU64::new(0));
        let reader = ctx.pid();
        for _ in 0..16 {
            let sent = sent.clone();
            ctx.spawn(move |_ctx| async move {
                loop {
                    (0..256).for_each(|_| send(reader, b"flood"));
                    sent.fetch_add(256, Ordering::Relaxed);
                    rusm_sched::yield_now().await;
                }
            });
        }
        for _ in 0..READ {
            ctx.receive().await;
        }
        sent.load(Ordering::Relaxed) - READ
    });
    let behind = behind.expect("the reader returns");
    assert!(behind < READ / 2, "{behind} letters lie unread");
}

/// A trapped exit or a `Down` that was sent on to another process was a message to it, unless a
/// signal came with it: then it was obeyed like a signal. The exit ended who trapped nothing,
/// the `Down` was lost.
#[test]
fn a_system_message_that_is_sent_on_is_a_message_and_no_signal() {
    let node = node(1);
    let outcome = node.block_on(|mut ctx| async move {
        let me = ctx.pid();
        ctx.trap_exit(true);
        let (one, _) = ctx.spawn_monitor(|_| async { ExitReason::error("down") });
        let down = ctx.receive().await;
        exit(me, ExitReason::error("exit"));
        let exited = ctx.receive().await;
        assert_eq!(ctx.link(one), Ok(()));
        let unlinkable = ctx.receive().await;
        ctx.monitor(one);
        let gone = ctx.receive().await;
        let (other, _) = ctx.spawn_monitor(move |mut ctx| async move {
            for _ in 0..4 {
                let message = ctx.receive().await;
                send(me, message);
            }
        });
        for message in [down, exited, unlinkable, gone] {
            send(other, message);
        }
        // A signal: all of them are heard together.
        exit(other, ExitReason::Normal);
        let reason = |message: &Message| {
            let down = message.down().map(|down| down.reason);
            down.or_else(|| message.exit().map(|(_, reason)| reason.clone()))
        };
        let mut reasons = Vec::new();
        for _ in 0..5 {
            reasons.extend(reason(&ctx.receive().await));
        }
        reasons
    });
    let expected = [
        ExitReason::error("down"),
        ExitReason::error("exit"),
        ExitReason::NoProcess,
        ExitReason::NoProcess,
        ExitReason::Normal,
    ];
    assert_eq!(outcome.as_deref(), Ok(expected.as_slice()));
}
