//! Messages: their order, choosing among them, waiting for them, and aliases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusm_actor::{ExitReason, NoProcess, exit, send};

use super::everywhere::{everywhere, everywhere_heavy, simulate};
use super::tools::{answering, down, foo, idle, nothing_comes, number, stop};

const A_WHILE: Duration = Duration::from_millis(3);

#[test]
fn s1_messages_of_one_sender_keep_their_order() {
    everywhere(|ctx| count(ctx, 50));
    everywhere_heavy(1, |ctx| count(ctx, 10_000));
}

async fn count(mut ctx: rusm_actor::Context, messages: u64) {
    let me = ctx.pid();
    ctx.spawn(move |_| async move {
        for n in 0..messages {
            // Short and long ones, and signals between them, share one order.
            match n % 4 {
                0 => send(me, [n.to_le_bytes(); 10].concat()),
                _ => send(me, n.to_le_bytes()),
            }
            if n % 16 == 0 {
                exit(me, ExitReason::Normal);
            }
            rusm_sched::reductions(1).await;
        }
    });
    for expected in 0..messages {
        let message = ctx.receive().await;
        assert_eq!(message.bytes()[..8], expected.to_le_bytes());
    }
}

#[test]
fn doc_messages_of_two_senders_come_in_either_order() {
    let seen = Arc::new([const { AtomicBool::new(false) }; 2]);
    for seed in 0..100 {
        let seen = seen.clone();
        simulate(seed, move |mut ctx| async move {
            let me = ctx.pid();
            for n in 0..2_u64 {
                ctx.spawn(move |_| async move { send(me, n.to_le_bytes()) });
            }
            let first = number(&ctx.receive().await);
            seen[first as usize].store(true, Ordering::Relaxed);
            assert_eq!(number(&ctx.receive().await), 1 - first);
        });
    }
    let both = seen.iter().all(|order| order.load(Ordering::Relaxed));
    assert!(both, "of 100 seeds none was different");
}

#[test]
fn s2_a_selective_receive_takes_the_match_and_leaves_the_rest_in_order() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |_| async move {
            for n in 0..6_u64 {
                send(me, n.to_le_bytes());
                rusm_sched::reductions(1).await;
            }
        });
        for wanted in [5, 1, 3] {
            let message = ctx.receive_match(|message| number(message) == wanted).await;
            assert_eq!(number(&message), wanted);
        }
        for expected in [0, 2, 4] {
            assert_eq!(number(&ctx.receive().await), expected);
        }
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn s3_a_receive_that_gave_up_has_touched_nothing() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for n in 0..3_u64 {
            send(me, n.to_le_bytes());
        }
        // It waits for an answer among them, in vain.
        let silent = ctx.spawn(idle);
        let answer = ctx.call_within(A_WHILE, silent, b"?").await;
        assert!(answer.is_err());
        for expected in 0..3 {
            assert_eq!(number(&ctx.receive().await), expected);
        }
        nothing_comes(&mut ctx).await;
        send(me, b"later");
        assert_eq!(ctx.receive().await.bytes(), b"later");
        stop(&mut ctx, silent).await;
    });
}

#[test]
fn s4_a_receive_gives_up_no_earlier_than_asked() {
    everywhere(|mut ctx| async move {
        for span in [Duration::ZERO, Duration::from_nanos(1), A_WHILE] {
            let begun = rusm_sched::now();
            assert!(ctx.receive_within(span).await.is_none());
            assert!(rusm_sched::now() - begun >= span);
        }
    });
}

/// What was there was missed when the turn was over just then, or a signal had come as well.
#[test]
fn s6_a_receive_that_does_not_wait_takes_what_is_there() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for round in 0..20 {
            send(me, b"first");
            match round % 4 {
                0 => {}
                1 => exit(me, ExitReason::term("never heard by name", Vec::new())),
                2 => assert_eq!(ctx.register("me"), Ok(())),
                _ => drop(ctx.node().unregister("me")),
            }
            if round % 4 == 1 {
                // It traps: the signal is a message behind the first.
                ctx.trap_exit(true);
            }
            send(me, b"last");
            let message = ctx.receive_within(Duration::ZERO).await;
            assert_eq!(
                message.map(|message| message.bytes().to_vec()).as_deref(),
                Some(b"first".as_slice())
            );
            if round % 4 == 1 {
                let message = ctx.try_receive();
                assert!(message.is_some_and(|message| message.exit().is_some()));
            }
            let message = ctx.try_receive();
            assert_eq!(
                message.map(|message| message.bytes().to_vec()).as_deref(),
                Some(b"last".as_slice())
            );
            assert!(ctx.try_receive().is_none());
            assert!(ctx.receive_within(Duration::ZERO).await.is_none());
        }
    });
}

/// It would have kept its worker for ever.
#[test]
fn s6_a_loop_that_only_looks_lets_others_run() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |_| async move { send(me, b"at last") });
        let message = loop {
            if let Some(message) = ctx.receive_within(Duration::ZERO).await {
                break message;
            }
        };
        assert_eq!(message.bytes(), b"at last");
    });
}

#[test]
fn s7_a_message_to_a_name_that_nobody_has_is_an_error() {
    everywhere(|mut ctx| async move {
        assert_eq!(ctx.send_name("nobody", b"hello"), Err(NoProcess));
        assert_eq!(ctx.node().send_name("", b"hello"), Err(NoProcess));
        let (pid, reference) = ctx.spawn_monitor(idle);
        assert_eq!(ctx.node().register("worker", pid), Ok(()));
        assert_eq!(ctx.send_name("worker", b"hello"), Ok(()));
        exit(pid, foo());
        down(&mut ctx, reference).await;
        assert_eq!(ctx.send_name("worker", b"hello"), Err(NoProcess));
    });
}

#[test]
fn s8_a_message_that_expects_nobody_may_find_nobody() {
    everywhere(|mut ctx| async move {
        ctx.cast("nobody", b"hello");
        ctx.send_after(Duration::ZERO, "nobody", b"hello");
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn s9_an_exit_signal_ends_a_process_wherever_it_waits() {
    everywhere(|mut ctx| async move {
        let silent = ctx.spawn(idle);
        let waiting = [
            ctx.spawn_monitor(idle),
            ctx.spawn_monitor(|mut ctx| async move {
                ctx.receive_match(|_| false).await;
            }),
            ctx.spawn_monitor(|mut ctx| async move {
                ctx.receive_within(Duration::MAX).await;
            }),
            ctx.spawn_monitor(|ctx| async move { ctx.sleep(Duration::MAX).await }),
            ctx.spawn_monitor(move |mut ctx| async move {
                drop(ctx.call_within(Duration::MAX, silent, b"?").await);
            }),
            ctx.spawn_monitor(|_| std::future::pending::<()>()),
        ];
        ctx.sleep(A_WHILE).await;
        for (pid, reference) in waiting {
            send(pid, b"not this");
            exit(pid, foo());
            assert_eq!(down(&mut ctx, reference).await, foo());
        }
        stop(&mut ctx, silent).await;
    });
}

/// A duration cannot be negative, so the nearest are none at all and more than there is.
#[test]
fn s11_t12_no_patience_is_too_short_or_too_long() {
    everywhere_heavy(20, |mut ctx| async move {
        let me = ctx.pid();
        assert!(ctx.receive_within(Duration::ZERO).await.is_none());
        ctx.send_after(A_WHILE, me, b"in time");
        let message = ctx.receive_within(Duration::MAX).await;
        assert_eq!(
            message.map(|message| message.bytes().to_vec()).as_deref(),
            Some(b"in time".as_slice())
        );
        let never = ctx.send_after(Duration::MAX, me, b"never");
        nothing_comes(&mut ctx).await;
        assert!(never.remaining() > Some(Duration::from_secs(1 << 32)));
        assert!(never.cancel() > Some(Duration::from_secs(1 << 32)));
        let never = ctx.send_after(Duration::MAX, "nobody", b"never");
        assert!(never.cancel() > Some(Duration::from_secs(1 << 32)));
        let other = ctx.spawn(answering);
        assert!(ctx.call_within(Duration::MAX, other, b"?").await.is_ok());
        stop(&mut ctx, other).await;
    });
}

#[test]
fn a1_an_active_alias_delivers() {
    everywhere(|mut ctx| async move {
        let alias = ctx.alias();
        for n in 0..3_u64 {
            ctx.spawn(move |_| async move { alias.send(n.to_le_bytes()) });
        }
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(number(&ctx.receive().await));
        }
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2]);
    });
}

#[test]
fn a2_what_comes_for_an_alias_after_its_end_is_dropped() {
    everywhere(|mut ctx| async move {
        let alias = ctx.alias();
        alias.send(b"heard when it is over");
        assert!(ctx.unalias(alias));
        alias.send(b"sent when it is over");
        nothing_comes(&mut ctx).await;
        assert!(!ctx.unalias(alias));
        // What has come before stays, and nobody else can end it.
        let alias = ctx.alias();
        alias.send(b"kept");
        let (_, other) = ctx.spawn_monitor(move |mut ctx| async move {
            assert!(!ctx.unalias(alias));
        });
        assert_eq!(down(&mut ctx, other).await, ExitReason::Normal);
        assert!(ctx.unalias(alias));
        assert_eq!(ctx.receive().await.bytes(), b"kept");
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn a3_a_reply_alias_delivers_once() {
    everywhere(|mut ctx| async move {
        let alias = ctx.reply_alias();
        alias.send(b"first");
        alias.send(b"second");
        assert_eq!(ctx.receive().await.bytes(), b"first");
        nothing_comes(&mut ctx).await;
        assert!(!ctx.unalias(alias));
    });
}

#[test]
fn a4_an_alias_of_a_monitor_ends_with_it() {
    everywhere(|mut ctx| async move {
        let peer = ctx.spawn(idle);
        let (reference, alias) = ctx.monitor_with_alias(peer, false);
        assert_eq!(alias.reference(), reference);
        alias.send(b"heard");
        assert_eq!(ctx.receive().await.bytes(), b"heard");
        assert!(ctx.demonitor(reference));
        alias.send(b"dropped");
        // It ends with the process too.
        let (reference, alias) = ctx.monitor_with_alias(peer, false);
        exit(peer, foo());
        assert_eq!(down(&mut ctx, reference).await, foo());
        alias.send(b"dropped");
        // And there is none of a process that has ended.
        let (reference, alias) = ctx.monitor_with_alias(peer, true);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::NoProcess);
        alias.send(b"dropped");
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn a4_a_monitor_ends_with_the_only_message_of_its_alias() {
    everywhere(|mut ctx| async move {
        let peer = ctx.spawn(idle);
        let (reference, alias) = ctx.monitor_with_alias(peer, true);
        alias.send(b"first");
        alias.send(b"second");
        assert_eq!(ctx.receive().await.bytes(), b"first");
        assert!(!ctx.demonitor(reference));
        stop(&mut ctx, peer).await;
        nothing_comes(&mut ctx).await;
    });
}
