//! What a running supervisor can be asked.

use std::time::Duration;

use rusm_actor::supervisor::{
    AutoShutdown, Child, ChildError, ChildKind, ChildState, Counts, DynamicSupervisor, Restart,
    SpecError, StartChildError, Started, Strategy, Supervisor, SupervisorRef,
};
use rusm_actor::{CallError, Context, ExitReason, kill};

use super::kit::{
    all_stopped, boom, child, end, end_and_wait, no_more, one, started, state, three,
};
use crate::semantics::everywhere::everywhere;

fn plain() -> Supervisor {
    Supervisor::new(Strategy::OneForOne).intensity(9, Duration::MAX)
}

async fn start(
    ctx: &mut Context,
    supervisor: SupervisorRef,
    child: Child,
) -> Result<Option<rusm_actor::Pid>, StartChildError> {
    let started = supervisor.start_child(ctx, child).await?;
    Ok(started.pid())
}

#[test]
fn v24_v25_a_known_id_is_not_started_twice() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (supervisor, pid) = one(&mut ctx, plain(), |child| child).await;
        let error = StartChildError::AlreadyStarted(pid);
        assert_eq!(
            start(&mut ctx, supervisor, child("a", me)).await,
            Err(error)
        );
        assert_eq!(supervisor.terminate_child(&mut ctx, "a").await, Ok(()));
        all_stopped(&mut ctx, ["a"]).await;
        let error = StartChildError::AlreadyPresent;
        assert_eq!(
            start(&mut ctx, supervisor, child("a", me)).await,
            Err(error)
        );
        no_more(&mut ctx).await;
    });
}

#[test]
fn v26_a_running_child_is_not_deleted_and_a_stopped_one_is() {
    everywhere(|mut ctx| async move {
        let (supervisor, _) = one(&mut ctx, plain(), |child| child).await;
        let running = Err(ChildError::Running);
        assert_eq!(supervisor.delete_child(&mut ctx, "a").await, running);
        assert_eq!(supervisor.terminate_child(&mut ctx, "a").await, Ok(()));
        assert_eq!(supervisor.delete_child(&mut ctx, "a").await, Ok(()));
        let unknown = Err(ChildError::NotFound);
        assert_eq!(supervisor.delete_child(&mut ctx, "a").await, unknown);
    });
}

#[test]
fn v27_only_a_stopped_child_is_restarted_on_request() {
    everywhere(|mut ctx| async move {
        let (supervisor, _) = one(&mut ctx, plain(), |child| child).await;
        let error = supervisor.restart_child(&mut ctx, "a").await.err();
        assert_eq!(error, Some(ChildError::Running));
        let error = supervisor.restart_child(&mut ctx, "z").await.err();
        assert_eq!(error, Some(ChildError::NotFound));
        assert_eq!(supervisor.terminate_child(&mut ctx, "a").await, Ok(()));
        all_stopped(&mut ctx, ["a"]).await;
        let restarted = supervisor.restart_child(&mut ctx, "a").await;
        let pid = started(&mut ctx, "a").await;
        assert_eq!(restarted.ok().and_then(|child| child.pid()), Some(pid));
        let unknown = Err(ChildError::NotFound);
        assert_eq!(supervisor.terminate_child(&mut ctx, "z").await, unknown);
    });
}

#[test]
fn v28_a_temporary_child_that_is_stopped_is_forgotten() {
    everywhere(|mut ctx| async move {
        let temporary = |child: Child| child.restart(Restart::Temporary);
        let (supervisor, _) = one(&mut ctx, plain(), temporary).await;
        assert_eq!(supervisor.terminate_child(&mut ctx, "a").await, Ok(()));
        assert_eq!(state(&mut ctx, supervisor, "a").await, None);
    });
}

#[test]
fn v41_counts_are_of_descriptions_lives_supervisors_and_workers() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let all = plain()
            .child(child("a", me))
            .child(Child::supervisor("inner", plain().child(child("b", me))))
            .child(Child::dynamic_supervisor("many", DynamicSupervisor::new()))
            .child(child("c", me).restart(Restart::Transient));
        let supervisor = all.start_link(&mut ctx).await.expect("it starts");
        let [_, _, c] = super::kit::all_started(&mut ctx, ["a", "b", "c"]).await;
        end_and_wait(&mut ctx, c, ExitReason::Normal).await;
        let counts = supervisor.count_children(&mut ctx).await;
        let expected = Counts {
            specs: 4,
            active: 3,
            supervisors: 2,
            workers: 2,
        };
        assert_eq!(counts, Ok(expected));
        let children = supervisor.which_children(&mut ctx).await.expect("it lives");
        let kinds: Vec<_> = children.iter().map(|child| child.kind).collect();
        let (worker, inner) = (ChildKind::Worker, ChildKind::Supervisor);
        assert_eq!(kinds, [worker, inner, inner, worker]);
        let ids = children.iter().filter_map(|child| child.id.as_deref());
        assert_eq!(ids.collect::<Vec<_>>(), ["a", "inner", "many", "c"]);
    });
}

#[test]
fn a_child_that_was_added_comes_last_and_is_looked_after_like_the_others() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (supervisor, [_, b, _]) = three(&mut ctx, Strategy::RestForOne, |_, child| child).await;
        assert!(start(&mut ctx, supervisor, child("d", me)).await.is_ok());
        started(&mut ctx, "d").await;
        end(b, boom());
        all_stopped(&mut ctx, ["d", "c"]).await;
        super::kit::all_started(&mut ctx, ["b", "c", "d"]).await;
    });
}

#[test]
fn a_child_says_something_to_whoever_had_it_started() {
    everywhere(|mut ctx| async move {
        let supervisor = plain().start_link(&mut ctx).await.expect("it starts");
        let telling = Child::starting("x", |mut ctx, starter| async move {
            starter.started_with(b"port 80");
            ctx.receive().await;
        });
        match supervisor.start_child(&mut ctx, telling).await {
            Ok(Started::Running {
                info: Some(info), ..
            }) => assert_eq!(info.bytes(), b"port 80"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_child_that_cannot_be_added_leaves_nothing_behind() {
    everywhere(|mut ctx| async move {
        let limited = plain().children_max(1).start_link(&mut ctx).await;
        let supervisor = limited.expect("it starts");
        let failing = Child::starting("x", |_, starter| async move { starter.failed(boom()) });
        let error = StartChildError::Failed(boom());
        assert_eq!(start(&mut ctx, supervisor, failing).await, Err(error));
        assert_eq!(state(&mut ctx, supervisor, "x").await, None);
        let me = ctx.pid();
        let significant = child("x", me).significant();
        let error = SpecError::NeverSignificant("x".into());
        let refused = start(&mut ctx, supervisor, significant).await;
        assert_eq!(refused, Err(StartChildError::Invalid(error)));
        assert!(start(&mut ctx, supervisor, child("x", me)).await.is_ok());
        let full = start(&mut ctx, supervisor, child("y", me)).await;
        assert_eq!(full, Err(StartChildError::TooMany(1)));
    });
}

#[test]
fn a_supervisor_that_has_ended_is_unreachable() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let supervisor = plain().start_link(&mut ctx).await.expect("it starts");
        assert_eq!(supervisor.stop(&mut ctx).await, Ok(()));
        let gone = CallError::NoProcess;
        assert_eq!(supervisor.stop(&mut ctx).await, Err(gone.clone()));
        let counts = supervisor.count_children(&mut ctx).await;
        assert_eq!(counts, Err(gone.clone()));
        let unreachable = Err(ChildError::Unreachable(gone));
        let terminated = supervisor.terminate_child(&mut ctx, "a").await;
        assert_eq!(terminated, unreachable);
    });
}

#[test]
fn dynamic_children_are_restarted_alone_and_stopped_by_their_pids() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let dynamic = DynamicSupervisor::new()
            .intensity(9, Duration::MAX)
            .children_max(2);
        let dynamic = dynamic.start_link(&mut ctx).await.expect("it starts");
        for _ in 0..2 {
            let added = dynamic.start_child(&mut ctx, child("one", me)).await;
            assert!(added.is_ok());
        }
        let first = started(&mut ctx, "one").await;
        let second = started(&mut ctx, "one").await;
        let full = dynamic.start_child(&mut ctx, child("one", me)).await.err();
        assert_eq!(full, Some(StartChildError::TooMany(2)));
        kill(first);
        let successor = started(&mut ctx, "one").await;
        let stopped = dynamic.terminate_child(&mut ctx, second).await;
        assert_eq!(stopped, Ok(()));
        let children = dynamic.which_children(&mut ctx).await.expect("it lives");
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].state, ChildState::Running(successor));
        let unknown = dynamic.terminate_child(&mut ctx, first).await;
        assert_eq!(unknown, Err(ChildError::NotFound));
    });
}

#[test]
fn dynamic_children_that_have_ended_for_good_are_forgotten() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let dynamic = DynamicSupervisor::new().auto_shutdown(AutoShutdown::All);
        let dynamic = dynamic.start_link(&mut ctx).await.expect("it starts");
        let child = child("one", me).restart(Restart::Transient).significant();
        let mut pids = Vec::new();
        for _ in 0..2 {
            let added = dynamic.start_child(&mut ctx, child.clone()).await;
            pids.extend(added.expect("it starts").pid());
        }
        end_and_wait(&mut ctx, pids[0], ExitReason::Normal).await;
        let counts = dynamic.count_children(&mut ctx).await.expect("it lives");
        assert_eq!(counts.specs, 1);
        let monitor = ctx.monitor(dynamic.pid());
        end(pids[1], ExitReason::Normal);
        let reason = super::kit::down(&mut ctx, monitor).await;
        assert_eq!(reason, ExitReason::Shutdown);
    });
}
