//! What no limit sheds, and the order of what comes through.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusm_actor::{
    CallError, Content, Context, ExitReason, MailboxLimit, MailboxPolicy, Message, Pid, Spawn,
    exit, kill, send,
};

use super::everywhere::everywhere;
use super::{MOMENT, drain, info, limit, number, sleeper};

#[test]
fn signals_are_never_shed_however_full_the_mailbox_is() {
    for policy in [
        MailboxPolicy::ShedNewest,
        MailboxPolicy::ShedOldest,
        MailboxPolicy::Refuse,
    ] {
        for max in [0, 1] {
            everywhere(move |ctx| signals_come_through(ctx, limit(max, policy)));
        }
    }
}

async fn signals_come_through(mut ctx: Context, limit: MailboxLimit) {
    let me = ctx.pid();
    ctx.trap_exit(true);
    ctx.set_mailbox_limit(limit);
    let flood = move || (0..5_u64).for_each(|n| send(me, n.to_le_bytes()));
    flood();
    // A process that is linked, watched, asked, and told to end.
    let body = |mut ctx: Context| async move {
        let (caller, _) = ctx.receive().await.into_call().expect("a question");
        caller.reply(b"answer");
        ctx.receive_match(|_| false).await;
    };
    let (pid, reference) = ctx.spawn_with(Spawn::new().link().monitor(), body);
    let answer = ctx.call(pid, b"question").await.expect("an answer");
    assert_eq!(answer.bytes(), b"answer");
    flood();
    let (timer, _) = ctx.start_timer(MOMENT, me, b"later");
    ctx.node().watch_group("all", me).expect("it lives");
    ctx.node().join("all", pid).expect("it lives");
    flood();
    exit(pid, ExitReason::error("over"));
    let exited = ctx.receive_match(|message| message.exit().is_some()).await;
    assert_eq!(exited.exit(), Some((Some(pid), &ExitReason::error("over"))));
    let down = ctx.receive_match(|message| message.down().is_some()).await;
    assert_eq!(down.down().map(|down| down.reference), Some(reference));
    ctx.receive_match(|message| message.timeout() == Some(timer))
        .await;
    let joined =
        |message: &Message| matches!(message.content(), Content::Group(event) if event.joined);
    ctx.receive_match(joined).await;
    flood();
    assert_eq!(info(&ctx, me).messages, limit.messages_max);
    assert_eq!(info(&ctx, me).shed, 20 - limit.messages_max as u64);
}

#[test]
fn links_monitors_and_kills_reach_a_receiver_with_a_full_mailbox() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let pid = sleeper(&mut ctx, limit(1, MailboxPolicy::ShedNewest));
        (0..5_u64).for_each(|n| send(pid, n.to_le_bytes()));
        let reference = ctx.monitor(pid);
        assert_eq!(ctx.link(pid), Ok(()));
        kill(pid);
        let exited = ctx.receive_match(|message| message.exit().is_some()).await;
        assert_eq!(exited.exit(), Some((Some(pid), &ExitReason::Killed)));
        let down = ctx.receive().await.down().expect("a monitor");
        assert_eq!(
            (down.reference, down.reason),
            (reference, ExitReason::Killed)
        );
        assert_eq!(
            ctx.monitor(pid),
            ctx.receive().await.down().expect("noproc").reference
        );
    });
}

#[test]
fn what_one_sender_says_keeps_its_order_at_a_gate_signals_included() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        ctx.trap_exit(true);
        ctx.set_mailbox_limit(limit(1000, MailboxPolicy::ShedNewest));
        let mut senders = Vec::new();
        for _ in 0..3 {
            senders.push(ctx.spawn(move |ctx| async move {
                let own = ctx.pid().to_bits();
                for n in 0..30_u32 {
                    if n % 3 == 2 {
                        exit(me, ExitReason::term("n", n.to_le_bytes()));
                    } else {
                        send(me, (u128::from(own) << 64 | u128::from(n)).to_le_bytes());
                    }
                    rusm_sched::reductions(3).await;
                }
            }));
        }
        let mut next = HashMap::new();
        for _ in 0..90 {
            let message = ctx.receive().await;
            let (from, n) = match message.exit() {
                Some((from, ExitReason::Term(term))) => (from, term.bytes[0]),
                _ => {
                    let word = message.bytes()[8..].try_into().expect("a pid");
                    let from = Pid::from_bits(u64::from_le_bytes(word));
                    (Some(from), message.bytes()[0])
                }
            };
            let expected = next.entry(from).or_insert(0);
            assert_eq!(n, *expected);
            *expected += 1;
        }
        assert!(senders.iter().all(|pid| next.get(&Some(*pid)) == Some(&30)));
    });
}

#[test]
fn nothing_sent_after_an_exit_signal_is_seen_by_a_process_with_a_limit() {
    everywhere(|mut ctx| async move {
        let heard = Arc::new(AtomicU64::new(0));
        let count = heard.clone();
        let how = Spawn::new()
            .mailbox(limit(100, MailboxPolicy::ShedOldest))
            .monitor();
        let (pid, _) = ctx.spawn_with(how, move |mut ctx| async move {
            loop {
                if ctx.receive().await.bytes() == b"after" {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        send(pid, b"before");
        rusm_sched::reductions(5).await;
        send(pid, b"before");
        exit(pid, ExitReason::error("enough"));
        send(pid, b"after");
        let down = ctx.receive().await.down().expect("it ends");
        assert_eq!(down.reason, ExitReason::error("enough"));
        assert_eq!(heard.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn messages_that_were_sent_before_an_end_precede_the_news_of_it() {
    everywhere(|mut ctx| async move {
        ctx.set_mailbox_limit(limit(100, MailboxPolicy::ShedNewest));
        let me = ctx.pid();
        for _ in 0..10 {
            ctx.spawn_monitor(move |_| async move {
                send(me, 1_u64.to_le_bytes());
                send(me, 2_u64.to_le_bytes());
            });
            assert_eq!(number(&ctx.receive().await), 1);
            assert_eq!(number(&ctx.receive().await), 2);
            assert!(ctx.receive().await.down().is_some());
        }
    });
}

#[test]
fn who_calls_a_full_process_is_told_at_once() {
    for policy in [MailboxPolicy::ShedNewest, MailboxPolicy::Refuse] {
        everywhere(move |mut ctx| async move {
            let pid = sleeper(&mut ctx, limit(1, policy));
            send(pid, 7_u64.to_le_bytes());
            let patience = Duration::from_secs(3600);
            let answer = ctx.call_within(patience, pid, b"hello?").await;
            assert_eq!(answer.err(), Some(CallError::Full), "{policy:?}");
            assert_eq!(drain(&mut ctx, pid).await, [7]);
            kill(pid);
        });
    }
}

#[test]
fn who_has_called_and_is_shed_for_another_is_told() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let pid = sleeper(&mut ctx, limit(2, MailboxPolicy::ShedOldest));
        for _ in 0..2 {
            ctx.spawn(move |mut ctx| async move {
                let answer = ctx.call_within(Duration::MAX, pid, b"hello?").await;
                assert_eq!(answer.err(), Some(CallError::Full));
                send(me, 1_u64.to_le_bytes());
            });
        }
        // The calls are heard, or not: both must come to the same.
        ctx.reductions(2).await;
        while info(&ctx, pid).messages < 2 {
            ctx.sleep(MOMENT).await;
        }
        send(pid, 5_u64.to_le_bytes());
        send(pid, 6_u64.to_le_bytes());
        for _ in 0..2 {
            assert_eq!(number(&ctx.receive().await), 1);
        }
        assert_eq!(drain(&mut ctx, pid).await, [5, 6]);
        kill(pid);
    });
}
