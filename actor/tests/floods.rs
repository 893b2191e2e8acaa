//! Much of everything: lives, links, messages nobody reads, and messages read slowly. A program
//! of its own: simulations are slow where there once were many processes.

mod semantics {
    pub(crate) mod everywhere;
    pub(crate) mod tools;
}

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rusm_actor::{Context, ExitReason, Message, exit, is_alive, kill, send};

use semantics::everywhere::{everywhere_heavy, on_threads, simulate};
use semantics::tools::{down, foo, idle, number};

#[test]
fn p9_no_two_of_twenty_thousand_short_lives_have_the_same_pid() {
    everywhere_heavy(3, |ctx| async move {
        let mut pids = HashSet::from([ctx.pid()]);
        for _ in 0..20_000 {
            assert!(pids.insert(ctx.spawn(|_| async {})));
            ctx.reductions(1).await;
        }
    });
}

async fn linked_to_one(mut ctx: Context, links: usize) {
    ctx.trap_exit(true);
    let me = ctx.pid();
    let hub = ctx.spawn_link(idle);
    // Half of them link to the hub, and the hub's owner is linked to the other half.
    for n in 0..links {
        match n % 2 {
            0 => drop(ctx.spawn(move |mut ctx| async move {
                let outcome = ctx.link(hub);
                send(me, [u8::from(outcome.is_ok())]);
                idle(ctx).await;
            })),
            _ => drop(ctx.spawn_link(move |_| async move { foo() })),
        }
    }
    for _ in (0..links).step_by(2) {
        let linked = |message: &Message| message.exit().is_none();
        assert_eq!(ctx.receive_match(linked).await.bytes(), [1]);
    }
    exit(hub, foo());
    for _ in 0..=links / 2 {
        let message = ctx.receive().await;
        assert_eq!(message.exit().map(|(_, reason)| reason), Some(&foo()));
    }
    let node = ctx.node();
    while node.process_count() > 1 {
        ctx.sleep(Duration::from_millis(1)).await;
    }
    assert!(ctx.try_receive().is_none());
}

#[test]
fn ten_thousand_links_break_with_the_one_they_lead_to() {
    for workers in [1, 2] {
        on_threads(workers, |ctx| linked_to_one(ctx, 10_000));
    }
    simulate(0, |ctx| linked_to_one(ctx, 1000));
}

async fn read_slowly(mut ctx: Context, messages: u64) {
    let me = ctx.pid();
    let (_, reference) = ctx.spawn_monitor(move |_| async move {
        for n in 0..messages {
            send(me, n.to_le_bytes());
            rusm_sched::reductions(1).await;
        }
    });
    for expected in 0..messages {
        if expected % 1024 == 0 {
            rusm_sched::yield_now().await;
        }
        let message = ctx.receive().await;
        assert_eq!(number(&message), expected);
    }
    assert_eq!(down(&mut ctx, reference).await, ExitReason::Normal);
}

#[test]
fn a_million_messages_to_a_slow_reader_all_arrive_in_order() {
    for workers in [1, 2] {
        on_threads(workers, |ctx| read_slowly(ctx, 1_000_000));
    }
    simulate(0, |ctx| read_slowly(ctx, 20_000));
}

#[test]
fn who_never_receives_can_be_killed_with_all_its_mail() {
    everywhere_heavy(5, |mut ctx| async move {
        let content: Arc<[u8]> = vec![7; 1000].into();
        let (pid, reference) = ctx.spawn_monitor(|_| std::future::pending::<()>());
        for n in 0..20_000 {
            match n % 2 {
                0 => send(pid, Message::shared(content.clone())),
                _ => send(pid, Message::native(content.clone())),
            }
        }
        kill(pid);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
        // All copies are gone: the monitor may speak before the mail is thrown away.
        while Arc::strong_count(&content) > 1 {
            ctx.sleep(Duration::from_millis(1)).await;
        }
    });
}

/// Each answers an exit signal with another one for ever: the woken one runs next, on what is
/// left of the sender's turn, and a turn must end all the same.
#[test]
fn who_trade_exit_signals_for_ever_keep_nobody_else_waiting() {
    async fn trade(mut ctx: Context) {
        loop {
            let message = ctx.receive().await;
            if let Some((Some(other), reason)) = message.exit() {
                exit(other, reason.clone());
            }
        }
    }
    on_threads(1, |mut ctx| async move {
        let (first, reference) = ctx.spawn_monitor(|mut ctx| async move {
            ctx.trap_exit(true);
            trade(ctx).await;
        });
        // It has to trap before the first signal comes.
        rusm_sched::yield_now().await;
        let second = ctx.spawn(move |mut ctx| async move {
            ctx.trap_exit(true);
            exit(first, foo());
            trade(ctx).await;
        });
        for _ in 0..1_000 {
            rusm_sched::yield_now().await;
        }
        assert!(is_alive(first) && is_alive(second));
        kill(first);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
    });
}
