//! Timers: never early, in their order, and only to be taken back before they fire.

use std::time::Duration;

use rusm_actor::{ExitReason, exit, kill};

use super::everywhere::everywhere;
use super::tools::{MOMENT, dead, down, foo, idle, nothing_comes, number, stop};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn t1_a_message_comes_not_before_its_time_and_then_it_does() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.register("me"), Ok(()));
        let begun = rusm_sched::now();
        ctx.send_after(MOMENT, me, b"by pid");
        assert_eq!(ctx.receive().await.bytes(), b"by pid");
        assert!(rusm_sched::now() - begun >= MOMENT);
        let begun = rusm_sched::now();
        ctx.send_after(MOMENT, "me", b"by name");
        assert_eq!(ctx.receive().await.bytes(), b"by name");
        assert!(rusm_sched::now() - begun >= MOMENT);
    });
}

#[test]
fn t2_taking_a_message_back_says_how_much_time_was_left_once() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.register("me"), Ok(()));
        let by_pid = ctx.send_after(HOUR, me, b"never");
        let by_name = ctx.send_after(HOUR, "me", b"never");
        for timer in [by_pid, by_name] {
            let left = timer.cancel().expect("an hour is left");
            assert!(left <= HOUR && left > HOUR - Duration::from_secs(60));
            assert_eq!((timer.cancel(), timer.remaining()), (None, None));
        }
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn t3_t13_taking_back_what_was_sent_already_changes_nothing() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.register("me"), Ok(()));
        let by_pid = ctx.send_after(Duration::ZERO, me, b"sent");
        let by_name = ctx.send_after(Duration::ZERO, "me", b"sent");
        ctx.sleep(MOMENT).await;
        for timer in [by_pid, by_name] {
            while timer.remaining().is_some() {
                ctx.sleep(MOMENT).await;
            }
            assert_eq!(timer.cancel(), None);
            assert_eq!(ctx.receive().await.bytes(), b"sent");
        }
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn t4_a_timeout_says_which_timer_it_is_of() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.register("me"), Ok(()));
        let (first, _) = ctx.start_timer(Duration::ZERO, me, b"first");
        let message = ctx.receive().await;
        assert_eq!(message.timeout(), Some(first));
        let (reference, content) = message.into_timeout().expect("it was looked at");
        assert_eq!((reference, content.bytes()), (first, b"first".as_slice()));
        let (second, _) = ctx.start_timer(Duration::ZERO, "me", b"second");
        assert_eq!(ctx.receive().await.timeout(), Some(second));
        assert_ne!(first, second);
        let (_, timer) = ctx.start_timer(HOUR, me, b"never");
        assert!(timer.cancel().is_some());
    });
}

#[test]
fn t5_a_message_to_who_has_ended_meanwhile_is_dropped() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        let (pid, reference) = ctx.spawn_monitor(idle);
        assert_eq!(ctx.node().register("worker", pid), Ok(()));
        ctx.send_after(Duration::ZERO, gone, b"late");
        ctx.send_after(MOMENT, pid, b"late");
        ctx.send_after(MOMENT, "worker", b"late");
        kill(pid);
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
        ctx.sleep(2 * MOMENT).await;
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn t8_the_end_of_who_started_a_timer_does_not_stop_it() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.register("me"), Ok(()));
        let (_, reference) = ctx.spawn_monitor(move |ctx| async move {
            ctx.send_after(MOMENT, me, b"by pid");
            ctx.send_after(2 * MOMENT, "me", b"by name");
            ctx.start_timer(3 * MOMENT, me, b"timeout");
            foo()
        });
        assert_eq!(down(&mut ctx, reference).await, foo());
        assert_eq!(ctx.receive().await.bytes(), b"by pid");
        let named = |message: &rusm_actor::Message| message.bytes() == b"by name";
        ctx.receive_match(named).await;
        assert!(ctx.receive().await.timeout().is_some());
    });
}

#[test]
fn t9_no_time_at_all_is_a_time() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        ctx.send_after(Duration::ZERO, me, b"now");
        assert_eq!(ctx.receive().await.bytes(), b"now");
        ctx.sleep(Duration::ZERO).await;
    });
}

#[test]
fn t10_timers_of_one_process_fire_in_the_order_of_their_deadlines() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for n in [4, 1, 3, 0, 2_u64] {
            ctx.send_after(Duration::from_micros(300) * n as u32, me, n.to_le_bytes());
        }
        for expected in 0..5 {
            assert_eq!(number(&ctx.receive().await), expected);
        }
    });
}

#[test]
fn t11_a_timer_says_how_much_time_is_left() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for timer in [
            ctx.send_after(HOUR, me, b"never"),
            ctx.send_after(HOUR, "nobody", b"never"),
        ] {
            let first = timer.remaining().expect("it has not fired");
            ctx.sleep(MOMENT).await;
            let second = timer.remaining().expect("it has not fired");
            assert!(first <= HOUR && second <= first - MOMENT);
            assert!(timer.cancel() <= Some(second));
        }
        let soon = ctx.send_after(Duration::ZERO, me, b"now");
        ctx.receive().await;
        assert_eq!(soon.remaining(), None);
    });
}

/// A message by name is for whoever has the name when its time has come.
#[test]
fn t_a_name_is_looked_up_when_the_time_has_come() {
    everywhere(|mut ctx| async move {
        let first = ctx.spawn(idle);
        assert_eq!(ctx.node().register("worker", first), Ok(()));
        ctx.send_after(MOMENT, "worker", b"for me");
        stop(&mut ctx, first).await;
        assert_eq!(ctx.register("worker"), Ok(()));
        assert_eq!(ctx.receive().await.bytes(), b"for me");
        exit(first, foo());
    });
}
