//! Exit signals: who ends by them, and who is told instead.

use rusm_actor::{Context, ExitReason, Message, Pid, Spawn, exit, kill, send};

use super::everywhere::{everywhere, races};
use super::tools::{
    answering, answers, bytes_of, down, end, foo, idle, nothing_comes, pid_in, stop,
};

#[test]
fn x1_normal_from_another_process_is_ignored() {
    everywhere(|mut ctx| async move {
        let pid = ctx.spawn(answering);
        exit(pid, ExitReason::Normal);
        assert!(answers(&mut ctx, pid).await);
        stop(&mut ctx, pid).await;
    });
}

#[test]
fn x2_any_other_reason_ends_who_gets_it() {
    everywhere(|mut ctx| async move {
        for reason in [
            foo(),
            ExitReason::Shutdown,
            ExitReason::shutdown_with("later", Vec::new()),
            ExitReason::Timeout,
            ExitReason::NoProcess,
            ExitReason::Killed,
        ] {
            let (pid, reference) = ctx.spawn_monitor(idle);
            exit(pid, reason.clone());
            assert_eq!(down(&mut ctx, reference).await, reason);
        }
    });
}

#[test]
fn x3_who_is_killed_is_seen_as_killed() {
    everywhere(|mut ctx| async move {
        let (pid, reference) = ctx.spawn_monitor(idle);
        kill(pid);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
        let (pid, reference) = ctx.spawn_monitor(idle);
        exit(pid, ExitReason::Kill);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
    });
}

#[test]
fn x4_x5_who_traps_is_told_by_whom_and_why_even_if_that_is_normal() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        for reason in [foo(), ExitReason::Normal, ExitReason::Killed] {
            let given = reason.clone();
            let other = ctx.spawn(move |_| async move { exit(me, given) });
            let message = ctx.receive().await;
            assert_eq!(message.exit(), Some((Some(other), &reason)));
        }
    });
}

#[test]
fn x6_a_kill_cannot_be_trapped() {
    everywhere(|mut ctx| async move {
        let (pid, reference) = ctx.spawn_monitor(|mut ctx| async move {
            ctx.trap_exit(true);
            idle(ctx).await;
        });
        exit(pid, ExitReason::Kill);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
    });
}

/// Only a kill that somebody sends is one: a peer's own reason may be called so.
#[test]
fn x6_a_peer_that_ends_with_the_reason_kill_can_be_trapped() {
    everywhere(|mut ctx| async move {
        let (_, reference) = ctx.spawn_monitor(|mut ctx| async move {
            ctx.spawn_link(|_| async { ExitReason::Kill });
            idle(ctx).await;
        });
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Kill);
        ctx.trap_exit(true);
        let peer = ctx.spawn_link(|_| async { ExitReason::Kill });
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(peer), &ExitReason::Kill)));
    });
}

#[test]
fn x8_who_sends_itself_a_reason_ends_with_it() {
    everywhere(|mut ctx| async move {
        for (sent, seen) in own_reasons() {
            let (_, reference) = ctx.spawn_monitor(move |ctx| async move {
                exit(ctx.pid(), sent);
                idle(ctx).await;
            });
            assert_eq!(down(&mut ctx, reference).await, seen);
        }
    });
}

/// What one may send oneself, and how that is seen.
fn own_reasons() -> [(ExitReason, ExitReason); 3] {
    [
        (foo(), foo()),
        (ExitReason::Normal, ExitReason::Normal),
        (ExitReason::Kill, ExitReason::Killed),
    ]
}

/// Nothing is awaited afterwards, and the body's own return came first.
#[test]
fn x8_a_reason_sent_to_oneself_counts_even_if_that_was_the_last_one_did() {
    everywhere(|mut ctx| async move {
        for (sent, seen) in own_reasons() {
            let last = move |ctx: Context| async move { exit(ctx.pid(), sent) };
            let (_, reference) = ctx.spawn_monitor(last);
            assert_eq!(down(&mut ctx, reference).await, seen);
        }
    });
}

#[test]
fn x13_a_killed_peer_reaches_me_as_killed() {
    everywhere(|mut ctx| async move {
        let (_, reference) = ctx.spawn_monitor(|mut ctx| async move {
            kill(ctx.spawn_link(idle));
            idle(ctx).await;
        });
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
    });
}

#[test]
fn x14_a_peer_that_ends_normally_leaves_me_alone() {
    everywhere(|mut ctx| async move {
        let (_, reference) = ctx.spawn_with(Spawn::new().link().monitor(), |_| async {});
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Normal);
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn x15_a_peer_that_shuts_down_takes_me_along() {
    everywhere(|mut ctx| async move {
        let (_, reference) = ctx.spawn_monitor(|mut ctx| async move {
            ctx.spawn_link(|_| async { ExitReason::Shutdown });
            idle(ctx).await;
        });
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Shutdown);
    });
}

#[test]
fn x16_who_traps_is_told_of_a_normal_end_too() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let peer = ctx.spawn_link(|_| async {});
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(peer), &ExitReason::Normal)));
    });
}

/// Links to the process it is told of, says so, and waits.
async fn chained(mut ctx: Context, first: Pid) {
    let next = pid_in(&ctx.receive().await);
    assert_eq!(ctx.link(next), Ok(()));
    send(first, b"linked");
    idle(ctx).await;
}

#[test]
fn x17_a_chain_of_links_ends_with_the_reason_of_the_one_that_was_hit() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let chain: Vec<_> = (0..10)
            .map(|_| ctx.spawn_monitor(move |ctx| chained(ctx, me)))
            .collect();
        for pair in chain.windows(2) {
            send(pair[0].0, bytes_of(pair[1].0));
        }
        for _ in 1..10 {
            assert_eq!(ctx.receive().await.bytes(), b"linked");
        }
        exit(chain[9].0, foo());
        for (_, reference) in chain {
            assert_eq!(down(&mut ctx, reference).await, foo());
        }
    });
}

#[test]
fn x18_nothing_sent_after_an_exit_signal_is_ever_processed() {
    races(1000, |mut ctx| async move {
        let me = ctx.pid();
        let (b, reference) = ctx.spawn_monitor(move |mut ctx| async move {
            loop {
                let taken = match ctx.try_receive() {
                    Some(message) => message,
                    None => ctx.receive().await,
                };
                send(me, taken);
                rusm_sched::reductions(1).await;
            }
        });
        ctx.spawn(move |_| async move {
            send(b, b"m");
            send(b, b"m");
            exit(b, foo());
            send(b, b"m'");
        });
        assert_eq!(down(&mut ctx, reference).await, foo());
        while let Some(message) = ctx.try_receive() {
            assert_eq!(message.bytes(), b"m");
        }
    });
}

#[test]
fn x19_reasons_with_content_arrive_as_they_were() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        for reason in [
            ExitReason::term("db", (0..=255).collect::<Vec<u8>>()),
            ExitReason::shutdown_with("", Vec::new()),
            ExitReason::error("é".repeat(1000)),
            ExitReason::Status(-1),
            ExitReason::trap("unreachable", "at wasm"),
        ] {
            let given = reason.clone();
            let (peer, reference) =
                ctx.spawn_with(Spawn::new().link().monitor(), |_| async move { given });
            assert_eq!(down(&mut ctx, reference).await, reason);
            let message = ctx.receive().await;
            assert_eq!(message.exit(), Some((Some(peer), &reason)));
            let target = ctx.spawn(idle);
            exit(target, reason.clone());
            // The monitor may come too late, but never with another reason.
            let seen = end(&mut ctx, target).await;
            assert!(seen == reason || seen == ExitReason::NoProcess, "{seen}");
        }
    });
}

/// Only a pid can be sent an exit signal; a text is one or it is not.
#[test]
fn x20_r11_what_is_no_pid_is_refused_before_a_signal_could_be_sent() {
    for text in ["", "worker", "<0.1>", "<1.2.3>", "<0.-1.2>", "<0.1.2>x"] {
        assert!(text.parse::<Pid>().is_err(), "{text}");
    }
    everywhere(|ctx| async move {
        let text = ctx.pid().to_string();
        assert_eq!(text.parse(), Ok(ctx.pid()));
    });
}

/// A process's own turn goes on to its next await, and sees nothing of what follows the signal.
#[test]
fn x18_a_process_that_looks_for_messages_hears_the_exit_signal_among_them() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (_, reference) = ctx.spawn_monitor(move |mut ctx| async move {
            let itself = ctx.pid();
            exit(itself, foo());
            send(itself, b"m'");
            let seen: Option<Message> = ctx.try_receive();
            send(me, [u8::from(seen.is_some())]);
            assert!(
                ctx.receive_within(std::time::Duration::ZERO)
                    .await
                    .is_some()
            );
            send(me, [2]);
        });
        assert_eq!(down(&mut ctx, reference).await, foo());
        assert_eq!(ctx.receive().await.bytes(), [0]);
        assert!(ctx.try_receive().is_none());
    });
}
