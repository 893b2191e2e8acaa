//! Starts that succeed, fail, are not wanted, or never end.

use std::time::Duration;

use rusm_actor::supervisor::{
    Child, ChildState, Restart, SpecError, StartError, Strategy, Supervisor,
};
use rusm_actor::{ExitReason, Message, RegisterError, exit, send};

use super::kit::{
    all_started, all_stopped, boom, child, down, ended, no_more, one, started, state,
};
use crate::semantics::everywhere::everywhere;

fn plain() -> Supervisor {
    Supervisor::new(Strategy::OneForOne)
}

/// A child that cannot start.
fn failing(id: &str) -> Child {
    Child::starting(id, |_, starter| async move { starter.failed(boom()) })
}

/// A child that is not needed.
fn ignoring(id: &str) -> Child {
    Child::starting(id, |_, starter| async move { starter.ignore() })
}

/// What the start of a child of the given body fails with.
async fn failure(ctx: &mut rusm_actor::Context, child: Child) -> ExitReason {
    let error = plain().child(child).start_link(ctx).await.err();
    match error.expect("it fails") {
        StartError::Child { id, reason } if &*id == "x" => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn v20_a_child_that_does_not_start_stops_those_before_it_and_the_supervisor() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let supervisor = plain()
            .child(child("a", me))
            .child(child("b", me))
            .child(failing("c"))
            .child(child("d", me));
        // The caller does not trap exits, and lives.
        let error = supervisor.clone().start_link(&mut ctx).await;
        let (id, reason) = ("c".into(), boom());
        assert_eq!(error, Err(StartError::Child { id, reason }));
        all_started(&mut ctx, ["a", "b"]).await;
        all_stopped(&mut ctx, ["b", "a"]).await;
        // Below another supervisor, the reason that it ends with is seen.
        let reason = failure(&mut ctx, Child::supervisor("x", supervisor)).await;
        let expected = ExitReason::shutdown_with("failed_to_start_child", "c: boom");
        assert_eq!(reason, expected);
        all_started(&mut ctx, ["a", "b"]).await;
        all_stopped(&mut ctx, ["b", "a"]).await;
        no_more(&mut ctx).await;
    });
}

#[test]
fn v21_a_supervisor_may_be_told_not_to_start() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let unwanted = plain().child(child("a", me)).only_if(|| false);
        let error = unwanted.clone().start_link(&mut ctx).await;
        assert_eq!(error, Err(StartError::Ignored));
        let outer = plain().child(Child::supervisor("inner", unwanted));
        let outer = outer.start_link(&mut ctx).await.expect("it starts");
        let stopped = Some(ChildState::Stopped);
        assert_eq!(state(&mut ctx, outer, "inner").await, stopped);
        no_more(&mut ctx).await;
    });
}

#[test]
fn v22_v23_a_child_may_be_ignored_and_stays_listed_unless_it_is_temporary() {
    everywhere(|mut ctx| async move {
        let supervisor = plain()
            .child(ignoring("permanent"))
            .child(ignoring("temporary").restart(Restart::Temporary));
        let supervisor = supervisor.start_link(&mut ctx).await.expect("it starts");
        let stopped = Some(ChildState::Stopped);
        assert_eq!(state(&mut ctx, supervisor, "permanent").await, stopped);
        assert_eq!(state(&mut ctx, supervisor, "temporary").await, None);
    });
}

#[test]
fn v42_two_children_of_one_id_are_refused() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let twice = plain().child(child("a", me)).child(child("a", me));
        let error = SpecError::DuplicateId("a".into());
        let refused = twice.clone().start_link(&mut ctx).await;
        assert_eq!(refused, Err(StartError::Invalid(error.clone())));
        let reason = failure(&mut ctx, Child::supervisor("x", twice)).await;
        assert_eq!(reason, ExitReason::error(error.to_string()));
        no_more(&mut ctx).await;
    });
}

#[test]
fn a_start_that_panics_or_ends_too_soon_fails_with_its_own_reason() {
    everywhere(|mut ctx| async move {
        let panics = Child::starting("x", |_, starter| async move {
            let _kept = starter;
            assert!(std::thread::panicking(), "no luck");
        });
        let reason = failure(&mut ctx, panics).await;
        assert!(reason.to_string().contains("no luck"), "{reason}");
        // Already while the body is being made.
        let panics = Child::starting("x", |_, _| {
            assert!(std::thread::panicking(), "bad luck");
            async {}
        });
        let reason = failure(&mut ctx, panics).await;
        assert!(reason.to_string().contains("bad luck"), "{reason}");
        let fails = Child::starting("x", |_, starter| async move {
            let _kept = starter;
            Err::<(), _>(ExitReason::Status(3))
        });
        assert_eq!(failure(&mut ctx, fails).await, ExitReason::Status(3));
        let returns = Child::starting("x", |_, starter| async move { drop(starter) });
        assert_eq!(failure(&mut ctx, returns).await, ExitReason::Normal);
    });
}

#[test]
fn a_start_that_never_ends_has_a_deadline_if_one_was_given() {
    everywhere(|mut ctx| async move {
        let forever = Child::starting("x", |mut ctx, starter| async move {
            let _kept = starter;
            ctx.receive().await;
        });
        let child = forever.start_timeout(Duration::from_millis(5));
        assert_eq!(failure(&mut ctx, child).await, ExitReason::Timeout);
    });
}

#[test]
fn a_child_that_loses_its_starter_and_goes_on_has_not_started() {
    everywhere(|mut ctx| async move {
        let careless = Child::starting("x", |mut ctx, starter| async move {
            drop(starter);
            ctx.receive().await;
        });
        let reason = failure(&mut ctx, careless).await;
        assert!(reason.to_string().contains("starter"), "{reason}");
    });
}

#[test]
fn a_supervisor_that_waits_for_a_start_still_obeys_its_parent() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let parent = ctx.spawn(move |mut ctx| async move {
            let forever = Child::starting("forever", move |mut ctx, starter| async move {
                let _kept = starter;
                ctx.trap_exit(true);
                send(me, b"waits");
                let message = ctx.receive().await;
                let asked = message.exit().map(|(_, reason)| reason.clone());
                send(me, Message::native(asked));
            });
            let supervisor = plain().child(child("a", me)).child(forever);
            drop(supervisor.start_link(&mut ctx).await);
        });
        started(&mut ctx, "a").await;
        ctx.receive_match(|message| message.bytes() == b"waits")
            .await;
        exit(parent, boom());
        let asked = ctx.receive().await.downcast::<Option<ExitReason>>();
        assert_eq!(asked.ok(), Some(Some(ExitReason::Shutdown)));
        all_stopped(&mut ctx, ["a"]).await;
    });
}

#[test]
fn a_restart_that_fails_is_tried_again_and_counts_each_time() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let once = Child::starting("once", move |mut ctx, starter| {
            let first = tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            async move {
                send(me, b"tried");
                if !first {
                    return starter.failed(boom());
                }
                starter.started();
                ctx.receive().await;
                ExitReason::Normal
            }
        });
        let strict = plain().intensity(3, Duration::MAX).child(child("a", me));
        let supervisor = strict.child(once).start_link(&mut ctx).await;
        let supervisor = supervisor.expect("it starts");
        started(&mut ctx, "a").await;
        let Some(ChildState::Running(pid)) = state(&mut ctx, supervisor, "once").await else {
            panic!("it runs");
        };
        send(pid, b"end");
        all_stopped(&mut ctx, ["a"]).await;
        assert_eq!(ended(&mut ctx, supervisor).await, ExitReason::Shutdown);
        let mut tried = 0;
        while let Some(message) = ctx.try_receive() {
            tried += u32::from(message.bytes() == b"tried");
        }
        // The first start, the restart, and two more: the fourth would be too many.
        assert_eq!(tried, 4);
    });
}

#[test]
fn one_for_all_starts_from_anew_when_a_sibling_does_not_come_back() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        // Fails at its second start, which is the first one after the death of `a`.
        let moody = Child::starting("moody", move |mut ctx, starter| {
            let second = tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1;
            async move {
                if second {
                    return starter.failed(boom());
                }
                starter.started();
                ctx.receive().await;
                ExitReason::Normal
            }
        });
        let all = Supervisor::new(Strategy::OneForAll).intensity(2, Duration::MAX);
        let all = all.child(child("a", me)).child(moody).child(child("c", me));
        let supervisor = all.start_link(&mut ctx).await.expect("it starts");
        let [a, _] = all_started(&mut ctx, ["a", "c"]).await;
        super::kit::end(a, boom());
        all_stopped(&mut ctx, ["c"]).await;
        all_started(&mut ctx, ["a"]).await;
        all_stopped(&mut ctx, ["a"]).await;
        all_started(&mut ctx, ["a", "c"]).await;
        let counts = supervisor.count_children(&mut ctx).await.expect("it lives");
        assert_eq!(counts.active, 3);
    });
}

#[test]
fn a_supervisor_may_have_a_name_which_is_free_again_when_it_ends() {
    everywhere(|mut ctx| async move {
        let named = plain().named("boss");
        let (first, _) = one(&mut ctx, named.clone(), |child| child).await;
        assert_eq!(ctx.whereis("boss"), Some(first.pid()));
        let taken = named.clone().start_link(&mut ctx).await;
        let owner = RegisterError::Taken(first.pid());
        assert_eq!(taken, Err(StartError::Name(owner)));
        let monitor = ctx.monitor(first.pid());
        assert_eq!(first.stop(&mut ctx).await, Ok(()));
        assert_eq!(down(&mut ctx, monitor).await, ExitReason::Shutdown);
        let second = named.start_link(&mut ctx).await.expect("the name is free");
        assert_eq!(ctx.whereis("boss"), Some(second.pid()));
    });
}

#[test]
fn a_question_that_panics_is_a_failed_start() {
    everywhere(|mut ctx| async move {
        let odd = plain().only_if(|| panic!("who knows"));
        match odd.start_link(&mut ctx).await {
            Err(StartError::Ended(reason)) => {
                assert!(reason.to_string().contains("who knows"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_supervisor_that_is_killed_while_it_starts_is_an_error_and_nothing_else() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let fatal = Child::starting("x", |mut ctx, starter| async move {
            let _kept = starter;
            rusm_actor::kill(ctx.whereis("boss").expect("it starts this"));
            ctx.receive().await;
        });
        let error = plain()
            .named("boss")
            .child(fatal)
            .start_link(&mut ctx)
            .await;
        assert_eq!(error, Err(StartError::Ended(ExitReason::Killed)));
        assert!(ctx.try_receive().is_none());
    });
}
