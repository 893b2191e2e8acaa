//! Processes: how they end, and what is known of those that have.

use std::collections::HashSet;
use std::panic::{panic_any, resume_unwind};

use rusm_actor::{ExitReason, exit, info, is_alive, send};

use super::everywhere::{everywhere, everywhere_heavy, on_threads};
use super::tools::{answering, answers, dead, down, foo, idle, stop};

#[test]
fn p1_a_body_that_returns_ends_normally() {
    everywhere(|mut ctx| async move {
        let (_, reference) = ctx.spawn_monitor(|_| async {});
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Normal);
    });
}

#[test]
fn p2_a_process_ends_with_the_very_reason_it_gives() {
    everywhere(|mut ctx| async move {
        for reason in [
            foo(),
            ExitReason::Normal,
            ExitReason::Shutdown,
            ExitReason::shutdown_with("soon", b"enough".as_slice()),
            ExitReason::term("db", vec![0, 255]),
            ExitReason::Status(7),
            ExitReason::Timeout,
            ExitReason::Kill,
            ExitReason::Killed,
            ExitReason::NoProcess,
            ExitReason::trap("unreachable", "at wasm"),
        ] {
            let given = reason.clone();
            let (_, reference) = ctx.spawn_monitor(|_| async move { given });
            assert_eq!(down(&mut ctx, reference).await, reason);
        }
    });
}

/// Capturing a backtrace takes milliseconds, so on a few seeds only.
#[test]
fn p3_p4_a_panic_and_a_thrown_value_end_with_their_cause_and_a_trace() {
    everywhere_heavy(5, |mut ctx| async move {
        let (reader, reference) = ctx.spawn_monitor(|mut ctx| async move {
            let message = ctx.receive().await;
            assert_eq!(message.bytes()[3], 0);
        });
        send(reader, b"ab");
        let failing = ctx.spawn_monitor(|_| async { panic_any(42_u8) });
        let throwing = ctx.spawn_monitor(|_| async { resume_unwind(Box::new("thrown")) });
        let reason = down(&mut ctx, failing.1).await;
        assert!(matches!(&reason, ExitReason::Panic(_)), "{reason:?}");
        assert!(reason.backtrace().is_some_and(|trace| !trace.is_empty()));
        let reason = down(&mut ctx, throwing.1).await;
        assert_eq!(reason.to_string(), "panic: thrown");
        let reason = down(&mut ctx, reference).await;
        assert!(reason.to_string().contains("index out of bounds"));
        assert!(reason.to_string().contains("processes.rs"), "{reason}");
        assert!(reason.backtrace().is_some_and(|trace| !trace.is_empty()));
    });
}

/// A panic that was contained on a thread was told as the reason of the next process there
/// that raised one without calling the hook.
#[test]
fn p4_a_thrown_value_is_not_told_in_the_words_of_another_process() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("somebody else's");
        }
    }
    on_threads(1, |mut ctx| async move {
        let me = ctx.pid();
        let bomb = ctx.spawn(move |ctx| async move {
            let _bomb = Bomb;
            send(me, b"armed");
            idle(ctx).await;
        });
        assert_eq!(ctx.receive().await.bytes(), b"armed");
        stop(&mut ctx, bomb).await;
        let (_, reference) = ctx.spawn_monitor(|_| async { resume_unwind(Box::new("my own")) });
        let reason = down(&mut ctx, reference).await;
        assert_eq!(reason.to_string(), "panic: my own");
    });
}

#[test]
fn p5_the_dead_are_not_alive() {
    everywhere(|mut ctx| async move {
        let pid = ctx.spawn(answering);
        assert!(answers(&mut ctx, pid).await && is_alive(pid));
        stop(&mut ctx, pid).await;
        assert!(!is_alive(pid));
        assert!(!ctx.node().processes().contains(&pid));
    });
}

#[test]
fn p6_a_message_to_the_dead_is_dropped() {
    everywhere(|mut ctx| async move {
        let pid = dead(&mut ctx).await;
        send(pid, b"hello");
        ctx.send(pid, vec![0; 1000]);
        ctx.cast(pid, b"hello");
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn p7_an_exit_signal_to_the_dead_does_nothing() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let pid = dead(&mut ctx).await;
        for reason in [foo(), ExitReason::Normal, ExitReason::Kill] {
            exit(pid, reason);
        }
        assert!(!is_alive(pid) && ctx.try_receive().is_none());
    });
}

#[test]
fn p8_nothing_is_known_of_the_dead() {
    everywhere(|mut ctx| async move {
        let pid = ctx.spawn(answering);
        assert!(answers(&mut ctx, pid).await);
        assert!(info(pid).is_some_and(|info| info.reductions > 0));
        stop(&mut ctx, pid).await;
        assert_eq!(info(pid), None);
        assert_eq!(ctx.node().name_of(pid), None);
    });
}

/// 20,000 in one run are in `floods.rs`.
#[test]
fn p9_no_two_of_many_short_lives_have_the_same_pid() {
    everywhere(|ctx| async move {
        let mut pids = HashSet::from([ctx.pid()]);
        for _ in 0..100 {
            assert!(pids.insert(ctx.spawn(|_| async {})));
            ctx.reductions(1).await;
        }
    });
}
