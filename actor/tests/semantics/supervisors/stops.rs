//! How children and supervisors are stopped.

use std::time::Duration;

use rusm_actor::supervisor::{
    Child, DynamicSupervisor, SHUTDOWN_TIMEOUT, Shutdown, Strategy, Supervisor,
};
use rusm_actor::{Context, ExitReason, Message, Pid, exit, send};

use super::kit::{
    Event, all_started, all_stopped, boom, child, down, ended, no_more, started, three,
};
use crate::semantics::everywhere::{everywhere, simulate};

/// A child that hears `shutdown`, and does not care.
fn deaf(to: Pid) -> Child {
    Child::starting("deaf", move |mut ctx, starter| async move {
        ctx.trap_exit(true);
        send(to, Message::native(Event::Started("deaf", ctx.pid())));
        starter.started();
        loop {
            ctx.receive().await;
        }
    })
}

/// Stops a supervisor of one child; how long that took, and why the child ended.
async fn stop(ctx: &mut Context, child: Child) -> (Duration, ExitReason) {
    ctx.trap_exit(true);
    let supervisor = Supervisor::new(Strategy::OneForOne).child(child);
    let supervisor = supervisor.start_link(ctx).await.expect("it starts");
    let pid = started(ctx, "deaf").await;
    let (monitor, before) = (ctx.monitor(pid), rusm_sched::now());
    exit(supervisor.pid(), ExitReason::Shutdown);
    assert_eq!(ended(ctx, supervisor).await, ExitReason::Shutdown);
    let lasted = rusm_sched::now() - before;
    (lasted, down(ctx, monitor).await)
}

#[test]
fn v13_a_stop_goes_from_the_right_and_ends_with_the_supervisor() {
    everywhere(|mut ctx| async move {
        let (supervisor, _) = three(&mut ctx, Strategy::OneForOne, |_, child| child).await;
        exit(supervisor.pid(), ExitReason::Shutdown);
        all_stopped(&mut ctx, ["c", "b", "a"]).await;
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
    });
}

#[test]
fn v18_a_child_that_ignores_shutdown_is_killed_when_its_time_is_up() {
    everywhere(|mut ctx| async move {
        let patience = Duration::from_millis(10);
        let child = deaf(ctx.pid()).shutdown(Shutdown::After(patience));
        let (lasted, reason) = stop(&mut ctx, child).await;
        assert_eq!(reason, ExitReason::Killed);
        assert!(lasted >= patience, "{lasted:?}");
    });
    simulate(0, |mut ctx| async move {
        let patience = Duration::from_millis(200);
        let child = deaf(ctx.pid()).shutdown(Shutdown::After(patience));
        assert!(stop(&mut ctx, child).await.0 < patience * 2);
    });
}

#[test]
fn v19_a_child_may_be_killed_at_once() {
    everywhere(|mut ctx| async move {
        let child = deaf(ctx.pid()).shutdown(Shutdown::Kill);
        assert_eq!(stop(&mut ctx, child).await.1, ExitReason::Killed);
    });
}

#[test]
fn v46_workers_have_five_seconds_to_stop_and_supervisors_all_the_time() {
    assert_eq!(SHUTDOWN_TIMEOUT, Duration::from_millis(5_000));
    simulate(0, |mut ctx| async move {
        let child = deaf(ctx.pid());
        let (lasted, reason) = stop(&mut ctx, child).await;
        assert_eq!(reason, ExitReason::Killed);
        assert!(lasted >= SHUTDOWN_TIMEOUT && lasted < SHUTDOWN_TIMEOUT * 2);
    });
    simulate(0, |mut ctx| async move {
        let long = Duration::from_secs(3_600);
        let slow = deaf(ctx.pid()).shutdown(Shutdown::After(long));
        let inner = Supervisor::new(Strategy::OneForOne).child(slow);
        let (lasted, _) = stop(&mut ctx, Child::supervisor("inner", inner)).await;
        assert!(lasted >= long, "{lasted:?}");
    });
}

#[test]
fn v33_a_parent_that_dies_takes_its_supervisor_along_in_order() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let parent = ctx.spawn(move |mut ctx| async move {
            let supervisor = Supervisor::new(Strategy::OneForOne)
                .child(child("a", me))
                .child(child("b", me));
            let supervisor = supervisor.start_link(&mut ctx).await.expect("it starts");
            send(me, supervisor.pid().to_bits().to_le_bytes());
            ctx.receive().await;
        });
        all_started(&mut ctx, ["a", "b"]).await;
        let word = ctx.receive().await.bytes().try_into().expect("a pid");
        let monitor = ctx.monitor(Pid::from_bits(u64::from_le_bytes(word)));
        exit(parent, boom());
        all_stopped(&mut ctx, ["b", "a"]).await;
        assert_eq!(down(&mut ctx, monitor).await, boom());
    });
}

#[test]
fn v47_an_odd_reason_during_a_stop_stops_nothing() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let odd = Child::worker("odd", |mut ctx| async move {
            ctx.trap_exit(true);
            ctx.receive().await;
            ExitReason::error("odd")
        });
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .child(child("a", me))
            .child(odd);
        let supervisor = supervisor.start_link(&mut ctx).await.expect("it starts");
        started(&mut ctx, "a").await;
        exit(supervisor.pid(), ExitReason::Shutdown);
        all_stopped(&mut ctx, ["a"]).await;
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_killed_supervisor_takes_its_children_along() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let waiting = Child::worker("w", |mut ctx| async move { drop(ctx.receive().await) });
        let supervisor = Supervisor::new(Strategy::OneForOne).child(waiting);
        let supervisor = supervisor.start_link(&mut ctx).await.expect("it starts");
        let children = supervisor.which_children(&mut ctx).await.expect("it lives");
        let rusm_actor::supervisor::ChildState::Running(pid) = children[0].state else {
            panic!("it runs");
        };
        let monitor = ctx.monitor(pid);
        rusm_actor::kill(supervisor.pid());
        assert_eq!(down(&mut ctx, monitor).await, ExitReason::Killed);
    });
}

#[test]
fn v29_v43_dynamic_children_have_no_ids_and_are_all_stopped() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let dynamic = DynamicSupervisor::new().start_link(&mut ctx).await;
        let dynamic = dynamic.expect("it starts");
        for _ in 0..20 {
            let pid = dynamic.start_child(&mut ctx, child("one", me)).await;
            let pid = pid.expect("it starts").pid();
            assert_eq!(pid, Some(started(&mut ctx, "one").await));
        }
        let children = dynamic.which_children(&mut ctx).await.expect("it lives");
        assert_eq!(children.len(), 20);
        assert!(children.iter().all(|child| child.id.is_none()));
        exit(dynamic.pid(), ExitReason::Shutdown);
        all_stopped(&mut ctx, ["one"; 20]).await;
        let wanted = |message: &Message| message.exit().is_some();
        let message = ctx.receive_match(wanted).await;
        let end = (Some(dynamic.pid()), &ExitReason::Shutdown);
        assert_eq!(message.exit(), Some(end));
        no_more(&mut ctx).await;
    });
}

#[test]
fn dynamic_children_that_do_not_stop_are_killed_each_at_its_time() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let dynamic = DynamicSupervisor::new().start(&mut ctx).await;
        let dynamic = dynamic.expect("it starts");
        let mut monitors = Vec::new();
        for millis in [6, 3, 9, 0] {
            let child = match millis {
                0 => deaf(me).shutdown(Shutdown::Kill),
                _ => deaf(me).shutdown(Shutdown::After(Duration::from_millis(millis))),
            };
            dynamic
                .start_child(&mut ctx, child)
                .await
                .expect("it starts");
            let pid = started(&mut ctx, "deaf").await;
            monitors.push(ctx.monitor(pid));
        }
        let before = rusm_sched::now();
        assert_eq!(dynamic.stop(&mut ctx).await, Ok(()));
        assert!(rusm_sched::now() - before >= Duration::from_millis(9));
        for monitor in monitors {
            assert_eq!(down(&mut ctx, monitor).await, ExitReason::Killed);
        }
    });
}
