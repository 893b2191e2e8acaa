//! More messages than a process can read, and a process that reads none.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusm_actor::{Context, ExitReason, MAILBOX_FULL, MailboxPolicy, Message, Spawn, kill, send};

use super::everywhere::{everywhere, on_threads, simulate};
use super::{MOMENT, info, limit, number};

/// Random senders, readers and policies beside a plain count: what was sent is what was read,
/// shed, or still there.
#[test]
fn every_message_is_received_shed_or_waits() {
    for policy in [
        MailboxPolicy::ShedNewest,
        MailboxPolicy::ShedOldest,
        MailboxPolicy::Refuse,
    ] {
        everywhere(move |mut ctx| async move {
            let me = ctx.pid();
            ctx.set_mailbox_limit(limit(8, policy));
            let done = Arc::new(AtomicU64::new(0));
            for sender in 0..3_u64 {
                let done = done.clone();
                ctx.spawn(move |_| async move {
                    for n in 0..60_u64 {
                        send(me, (sender << 32 | n).to_le_bytes());
                        rusm_sched::reductions(1 + (n % 3) as u32 * 4).await;
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                });
            }
            let (mut received, mut seen) = (0, HashSet::new());
            loop {
                let over = done.load(Ordering::SeqCst) == 3;
                let found = match received % 3 {
                    0 => ctx.receive_within(Duration::from_micros(10)).await,
                    1 => ctx.try_receive(),
                    _ => pick(&mut ctx).await,
                };
                assert!(info(&ctx, me).messages <= 8);
                match found {
                    // Of a `pick` that found a number first.
                    Some(message) if message.timeout().is_some() => {}
                    Some(message) => {
                        assert!(seen.insert(number(&message)), "it came twice");
                        received += 1;
                    }
                    None if over => break,
                    None => ctx.reductions(1).await,
                }
            }
            let left = info(&ctx, me);
            assert_eq!(
                received + left.shed + left.messages as u64,
                180,
                "{policy:?}"
            );
            assert_eq!(ctx.node().messages_shed(), left.shed);
        });
    }
}

/// The oldest odd number, if there is one: what comes first of that and a timeout.
async fn pick(ctx: &mut Context) -> Option<Message> {
    let (timer, _) = ctx.start_timer(Duration::from_micros(10), ctx.pid(), b"");
    let wanted = |message: &Message| {
        message.timeout() == Some(timer) || message.bytes().first().is_some_and(|low| low % 2 == 1)
    };
    let message = ctx.receive_match(wanted).await;
    message.timeout().is_none().then_some(message)
}

const MILLION: u64 = 1_000_000;

/// A million messages at once to a process that reads one in a while.
async fn flood(mut ctx: Context, policy: MailboxPolicy) {
    let me = ctx.pid();
    let how = Spawn::new().mailbox(limit(100, policy)).monitor();
    let (pid, _) = ctx.spawn_with(how, move |mut ctx| async move {
        let mut count = 0_u64;
        loop {
            match ctx.receive().await {
                message if message.bytes().len() == 8 => count += 1,
                // The end, which is not shed since there is room for it.
                _ => break,
            }
            if count.is_multiple_of(64) {
                ctx.sleep(Duration::from_micros(100)).await;
            }
        }
        send(me, count.to_le_bytes());
        ctx.receive_match(|_| false).await;
    });
    for n in 0..MILLION {
        send(pid, n.to_le_bytes());
        if n % 100_000 == 0 {
            ctx.reductions(1).await;
        }
    }
    if policy == MailboxPolicy::Kill {
        let down = ctx.receive().await.down().expect("it is killed");
        assert_eq!(down.reason, ExitReason::error(MAILBOX_FULL));
        return;
    }
    assert!(info(&ctx, pid).messages <= 100);
    while info(&ctx, pid).messages > 0 {
        ctx.sleep(MOMENT).await;
    }
    send(pid, b"end");
    let received = number(&ctx.receive().await);
    let left = info(&ctx, pid);
    assert_eq!(received + left.shed, MILLION, "{policy:?}");
    assert_eq!(ctx.node().messages_shed(), left.shed);
    assert!(received >= 100);
    kill(pid);
}

#[test]
fn a_million_messages_to_a_slow_process_are_received_or_shed() {
    for policy in super::ALL {
        simulate(1, move |ctx| flood(ctx, policy));
        for workers in [1, 2] {
            on_threads(workers, move |ctx| flood(ctx, policy));
        }
    }
}

/// The receiver holds its thread and looks at nothing: its senders must see that it is full.
#[test]
fn a_receiver_that_does_not_run_at_all_is_limited_all_the_same() {
    for policy in [
        MailboxPolicy::ShedNewest,
        MailboxPolicy::ShedOldest,
        MailboxPolicy::Refuse,
    ] {
        on_threads(2, move |mut ctx| async move {
            let (spins, stop) = (
                Arc::new(AtomicBool::new(false)),
                Arc::new(AtomicBool::new(false)),
            );
            let (begun, until) = (spins.clone(), stop.clone());
            let to = ctx.pid();
            let how = Spawn::new().mailbox(limit(10, policy));
            let (pid, _) = ctx.spawn_with(how, move |mut ctx| async move {
                begun.store(true, Ordering::SeqCst);
                while !until.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                while let Some(message) = ctx.receive_within(MOMENT).await {
                    send(to, number(&message).to_le_bytes());
                }
                send(to, 999_u64.to_le_bytes());
                ctx.receive().await;
            });
            while !spins.load(Ordering::SeqCst) {
                rusm_sched::yield_now().await;
            }
            (0..100_000_u64).for_each(|n| send(pid, n.to_le_bytes()));
            assert_eq!(info(&ctx, pid).messages, 10);
            assert_eq!(info(&ctx, pid).shed, 99_990);
            stop.store(true, Ordering::SeqCst);
            let mut all = Vec::new();
            loop {
                match number(&ctx.receive().await) {
                    999 => break,
                    number => all.push(number),
                }
            }
            let oldest = policy == MailboxPolicy::ShedOldest;
            let first = if oldest { 99_990 } else { 0 };
            assert_eq!(all, (first..first + 10).collect::<Vec<_>>(), "{policy:?}");
            kill(pid);
        });
    }
}
