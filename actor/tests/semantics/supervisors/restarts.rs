//! Who is started again, with whom, and how often.

use std::time::Duration;

use rusm_actor::supervisor::{
    AutoShutdown, Backoff, Child, ChildState, INTENSITY_PERIOD, INTENSITY_RESTARTS_MAX, Restart,
    Strategy, Supervisor,
};
use rusm_actor::{ExitReason, exit, kill};

use super::kit::{
    all_started, all_stopped, boom, child, end, end_and_wait, ended, no_more, one, started, state,
    three,
};
use crate::semantics::everywhere::{everywhere, simulate};

fn lenient() -> Supervisor {
    Supervisor::new(Strategy::OneForOne).intensity(9, Duration::MAX)
}

fn orderly() -> [ExitReason; 3] {
    let said = ExitReason::shutdown_with("done", "");
    [ExitReason::Normal, ExitReason::Shutdown, said]
}

#[test]
fn v1_v2_v3_v31_a_permanent_child_is_restarted_whatever_it_ends_with_as_a_new_process() {
    everywhere(|mut ctx| async move {
        let (supervisor, mut pid) = one(&mut ctx, lenient(), |child| child).await;
        for reason in [ExitReason::Normal, boom(), ExitReason::Shutdown] {
            end(pid, reason);
            let successor = started(&mut ctx, "a").await;
            assert_ne!(successor, pid);
            pid = successor;
        }
        let running = Some(ChildState::Running(pid));
        assert_eq!(state(&mut ctx, supervisor, "a").await, running);
    });
}

#[test]
fn v4_v5_v6_a_transient_child_that_ends_in_order_stays_listed_without_a_process() {
    everywhere(|mut ctx| async move {
        for reason in orderly() {
            let transient = |child: Child| child.restart(Restart::Transient);
            let (supervisor, pid) = one(&mut ctx, lenient(), transient).await;
            end_and_wait(&mut ctx, pid, reason).await;
            let stopped = Some(ChildState::Stopped);
            assert_eq!(state(&mut ctx, supervisor, "a").await, stopped);
            no_more(&mut ctx).await;
        }
    });
}

#[test]
fn v7_v44_a_transient_child_that_fails_or_is_killed_is_restarted() {
    everywhere(|mut ctx| async move {
        let transient = |child: Child| child.restart(Restart::Transient);
        let (_, pid) = one(&mut ctx, lenient(), transient).await;
        end(pid, boom());
        let pid = started(&mut ctx, "a").await;
        kill(pid);
        started(&mut ctx, "a").await;
    });
}

#[test]
fn v8_v9_a_temporary_child_is_never_restarted_and_no_longer_listed() {
    everywhere(|mut ctx| async move {
        for reason in orderly().into_iter().chain([boom()]) {
            let temporary = |child: Child| child.restart(Restart::Temporary);
            let (supervisor, pid) = one(&mut ctx, lenient(), temporary).await;
            end_and_wait(&mut ctx, pid, reason).await;
            assert_eq!(state(&mut ctx, supervisor, "a").await, None);
            no_more(&mut ctx).await;
        }
    });
}

#[test]
fn v10_one_for_one_starts_as_listed_and_restarts_only_who_died() {
    everywhere(|mut ctx| async move {
        let (supervisor, [a, b, c]) = three(&mut ctx, Strategy::OneForOne, |_, child| child).await;
        end(b, boom());
        started(&mut ctx, "b").await;
        for (id, pid) in [("a", a), ("c", c)] {
            let running = Some(ChildState::Running(pid));
            assert_eq!(state(&mut ctx, supervisor, id).await, running);
        }
        no_more(&mut ctx).await;
    });
}

#[test]
fn v11_one_for_all_stops_the_others_from_the_right_and_starts_all_from_the_left() {
    everywhere(|mut ctx| async move {
        let (_, [_, b, _]) = three(&mut ctx, Strategy::OneForAll, |_, child| child).await;
        end(b, boom());
        all_stopped(&mut ctx, ["c", "a"]).await;
        all_started(&mut ctx, ["a", "b", "c"]).await;
    });
}

#[test]
fn v12_rest_for_one_restarts_only_those_behind_the_dead_one() {
    everywhere(|mut ctx| async move {
        let (supervisor, [a, b, _]) = three(&mut ctx, Strategy::RestForOne, |_, child| child).await;
        end(b, boom());
        all_stopped(&mut ctx, ["c"]).await;
        all_started(&mut ctx, ["b", "c"]).await;
        let running = Some(ChildState::Running(a));
        assert_eq!(state(&mut ctx, supervisor, "a").await, running);
        no_more(&mut ctx).await;
    });
}

#[test]
fn v34_rest_for_one_restarts_the_last_child_alone() {
    everywhere(|mut ctx| async move {
        let (supervisor, [a, b, c]) = three(&mut ctx, Strategy::RestForOne, |_, child| child).await;
        end(c, boom());
        started(&mut ctx, "c").await;
        for (id, pid) in [("a", a), ("b", b)] {
            let running = Some(ChildState::Running(pid));
            assert_eq!(state(&mut ctx, supervisor, id).await, running);
        }
        no_more(&mut ctx).await;
    });
}

#[test]
fn v14_one_restart_too_many_stops_the_children_and_the_supervisor_says_shutdown() {
    everywhere(|mut ctx| async move {
        let strict = Supervisor::new(Strategy::OneForOne).intensity(2, Duration::MAX);
        let strict = strict.child(child("first", ctx.pid()));
        let me = ctx.pid();
        ctx.trap_exit(true);
        let supervisor = strict.child(child("a", me)).start_link(&mut ctx).await;
        let supervisor = supervisor.expect("it starts");
        let [_, mut pid] = all_started(&mut ctx, ["first", "a"]).await;
        for _ in 0..2 {
            end(pid, boom());
            pid = started(&mut ctx, "a").await;
        }
        end(pid, boom());
        all_stopped(&mut ctx, ["first"]).await;
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
        no_more(&mut ctx).await;
    });
}

#[test]
fn v15_the_window_slides() {
    everywhere(|mut ctx| async move {
        let period = Duration::from_millis(20);
        let strict = Supervisor::new(Strategy::OneForOne).intensity(1, period);
        let (_, mut pid) = one(&mut ctx, strict, |child| child).await;
        for _ in 0..3 {
            end(pid, boom());
            pid = started(&mut ctx, "a").await;
            ctx.sleep(period * 2).await;
        }
    });
}

#[test]
fn v16_an_intensity_of_zero_escalates_the_first_death() {
    everywhere(|mut ctx| async move {
        let strict = Supervisor::new(Strategy::OneForOne).intensity(0, Duration::MAX);
        let (supervisor, pid) = one(&mut ctx, strict, |child| child).await;
        end(pid, ExitReason::Normal);
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
        no_more(&mut ctx).await;
    });
}

#[test]
fn v17_one_restart_in_five_seconds_is_allowed_unless_it_is_said_otherwise() {
    assert_eq!(INTENSITY_RESTARTS_MAX, 1);
    assert_eq!(INTENSITY_PERIOD, Duration::from_secs(5));
    everywhere(|mut ctx| async move {
        let plain = Supervisor::new(Strategy::OneForOne);
        let (supervisor, pid) = one(&mut ctx, plain, |child| child).await;
        end(pid, boom());
        end(started(&mut ctx, "a").await, boom());
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
    });
    simulate(0, |mut ctx| async move {
        let plain = Supervisor::new(Strategy::OneForOne);
        let (_, mut pid) = one(&mut ctx, plain, |child| child).await;
        for _ in 0..5 {
            end(pid, boom());
            pid = started(&mut ctx, "a").await;
            ctx.sleep(Duration::from_millis(5_001)).await;
        }
    });
}

#[test]
fn v36_one_for_all_leaves_the_others_alone_when_a_temporary_child_dies() {
    everywhere(|mut ctx| async move {
        let temporary = |id: &str, child: Child| match id {
            "b" => child.restart(Restart::Temporary),
            _ => child,
        };
        let (supervisor, [_, b, _]) = three(&mut ctx, Strategy::OneForAll, temporary).await;
        end_and_wait(&mut ctx, b, boom()).await;
        assert_eq!(state(&mut ctx, supervisor, "b").await, None);
        no_more(&mut ctx).await;
    });
}

#[test]
fn one_for_all_forgets_temporary_children_and_wakes_those_that_had_ended() {
    everywhere(|mut ctx| async move {
        let mixed = |id: &str, child: Child| match id {
            "b" => child.restart(Restart::Transient),
            "c" => child.restart(Restart::Temporary),
            _ => child,
        };
        let (supervisor, [a, b, _]) = three(&mut ctx, Strategy::OneForAll, mixed).await;
        end_and_wait(&mut ctx, b, ExitReason::Normal).await;
        end(a, boom());
        all_stopped(&mut ctx, ["c"]).await;
        all_started(&mut ctx, ["a", "b"]).await;
        assert_eq!(state(&mut ctx, supervisor, "c").await, None);
    });
}

#[test]
fn v39_a_supervisor_may_end_with_any_significant_child() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let significant = |id| {
            let child = child(id, me).restart(Restart::Transient);
            child.significant()
        };
        let any = lenient().auto_shutdown(AutoShutdown::Any);
        let any = any.child(child("a", me)).child(significant("b"));
        let supervisor = any.start_link(&mut ctx).await.expect("it starts");
        let [a, b] = all_started(&mut ctx, ["a", "b"]).await;
        end(a, ExitReason::Normal);
        started(&mut ctx, "a").await;
        // A significant child that is restarted has not ended.
        end(b, boom());
        let b = started(&mut ctx, "b").await;
        end(b, ExitReason::Normal);
        all_stopped(&mut ctx, ["a"]).await;
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
    });
}

#[test]
fn v40_a_supervisor_may_end_with_its_last_significant_child() {
    everywhere(|mut ctx| async move {
        let temporary = |id: &str, child: Child| match id {
            "a" => child,
            _ => child.restart(Restart::Temporary).significant(),
        };
        ctx.trap_exit(true);
        let me = ctx.pid();
        let all = ["a", "b", "c", "d"]
            .into_iter()
            .fold(lenient().auto_shutdown(AutoShutdown::All), |all, id| {
                all.child(temporary(id, child(id, me)))
            });
        let supervisor = all.start_link(&mut ctx).await.expect("it starts");
        let [_, b, _, d] = all_started(&mut ctx, ["a", "b", "c", "d"]).await;
        end_and_wait(&mut ctx, b, boom()).await;
        // Being stopped by the supervisor is not an end of its own.
        assert_eq!(supervisor.terminate_child(&mut ctx, "c").await, Ok(()));
        all_stopped(&mut ctx, ["c"]).await;
        end(d, ExitReason::Normal);
        all_stopped(&mut ctx, ["a"]).await;
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
    });
}

#[test]
fn v48_a_stray_exit_signal_does_not_concern_a_supervisor() {
    everywhere(|mut ctx| async move {
        let (supervisor, a) = one(&mut ctx, lenient(), |child| child).await;
        let pid = supervisor.pid();
        let (_, stranger) = ctx.spawn_monitor(move |_| async move {
            exit(pid, boom());
            exit(pid, ExitReason::Normal);
        });
        super::kit::down(&mut ctx, stranger).await;
        let running = Some(ChildState::Running(a));
        assert_eq!(state(&mut ctx, supervisor, "a").await, running);
    });
}

#[test]
fn a_child_that_only_says_that_it_ends_is_not_started_twice() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        // It sends the exit signal to whoever started it, and lives on.
        let liar = Child::worker("liar", move |mut ctx| async move {
            rusm_actor::send(me, ctx.pid().to_bits().to_le_bytes());
            let word = ctx.receive().await.bytes().try_into().expect("a pid");
            exit(rusm_actor::Pid::from_bits(u64::from_le_bytes(word)), boom());
            rusm_actor::send(me, b"said");
            ctx.receive().await;
        });
        let supervisor = lenient().child(liar).start_link(&mut ctx).await;
        let supervisor = supervisor.expect("it starts");
        let word = ctx.receive().await.bytes().try_into().expect("a pid");
        let liar = rusm_actor::Pid::from_bits(u64::from_le_bytes(word));
        rusm_actor::send(liar, supervisor.pid().to_bits().to_le_bytes());
        ctx.receive_match(|message| message.bytes() == b"said")
            .await;
        let running = Some(ChildState::Running(liar));
        assert_eq!(state(&mut ctx, supervisor, "liar").await, running);
    });
}

#[test]
fn a_pause_before_a_restart_is_kept_and_seen() {
    everywhere(|mut ctx| async move {
        let pause = Duration::from_millis(5);
        let backoff = Backoff::new(pause, Duration::from_secs(1));
        let (supervisor, mut pid) = one(&mut ctx, lenient(), |child| child.backoff(backoff)).await;
        for factor in [1, 2] {
            let before = rusm_sched::now();
            end_and_wait(&mut ctx, pid, boom()).await;
            let restarting = Some(ChildState::Restarting);
            assert_eq!(state(&mut ctx, supervisor, "a").await, restarting);
            pid = started(&mut ctx, "a").await;
            assert!(rusm_sched::now() - before >= pause * factor);
        }
    });
}

#[test]
fn those_who_depend_on_a_child_are_down_while_it_pauses() {
    everywhere(|mut ctx| async move {
        let backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(1));
        let pausing = move |_: &str, child: Child| child.backoff(backoff);
        let (supervisor, [_, b, _]) = three(&mut ctx, Strategy::RestForOne, pausing).await;
        end(b, boom());
        all_stopped(&mut ctx, ["c"]).await;
        all_started(&mut ctx, ["b", "c"]).await;
        let counts = supervisor.count_children(&mut ctx).await.expect("it lives");
        assert_eq!(counts.active, 3);
    });
}

#[test]
fn a_child_that_is_stopped_while_it_pauses_stays_down() {
    everywhere(|mut ctx| async move {
        let backoff = Backoff::new(Duration::from_millis(2), Duration::MAX);
        let (supervisor, pid) = one(&mut ctx, lenient(), |child| child.backoff(backoff)).await;
        end_and_wait(&mut ctx, pid, boom()).await;
        assert_eq!(supervisor.terminate_child(&mut ctx, "a").await, Ok(()));
        ctx.sleep(Duration::from_millis(4)).await;
        let stopped = Some(ChildState::Stopped);
        assert_eq!(state(&mut ctx, supervisor, "a").await, stopped);
        no_more(&mut ctx).await;
    });
}
