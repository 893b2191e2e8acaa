//! Names: one process for each, one for each process, and free when it ends.

use rusm_actor::{ExitReason, NAME_BYTES_MAX, RegisterError, exit, send};

use super::everywhere::{everywhere, races};
use super::tools::{answering, answers, dead, down, foo, idle, stop};

#[test]
fn r1_who_has_a_name_is_found_by_it() {
    everywhere(|mut ctx| async move {
        let (node, pid) = (ctx.node(), ctx.spawn(answering));
        assert_eq!(node.whereis("worker"), None);
        assert_eq!(node.register("worker", pid), Ok(()));
        assert_eq!(ctx.register("me"), Ok(()));
        assert_eq!(ctx.whereis("worker"), Some(pid));
        assert_eq!(node.name_of(pid).as_deref(), Some("worker"));
        let all = [("me".into(), ctx.pid()), ("worker".into(), pid)];
        assert_eq!(node.registered(), all);
        assert_eq!(ctx.send_name("me", b"hello"), Ok(()));
        assert_eq!(ctx.receive().await.bytes(), b"hello");
        stop(&mut ctx, pid).await;
    });
}

#[test]
fn r2_a_taken_name_stays_with_its_owner() {
    everywhere(|mut ctx| async move {
        let (node, pid) = (ctx.node(), ctx.spawn(idle));
        assert_eq!(node.register("worker", pid), Ok(()));
        assert_eq!(ctx.register("worker"), Err(RegisterError::Taken(pid)));
        assert_eq!(node.whereis("worker"), Some(pid));
        assert_eq!(node.name_of(ctx.pid()), None);
        stop(&mut ctx, pid).await;
    });
}

#[test]
fn r3_a_process_has_one_name_at_most() {
    everywhere(|ctx| async move {
        assert_eq!(ctx.register("me"), Ok(()));
        assert_eq!(
            ctx.register("myself"),
            Err(RegisterError::Named("me".into()))
        );
        assert_eq!(ctx.whereis("myself"), None);
        assert_eq!(ctx.node().unregister("me"), Some(ctx.pid()));
        assert_eq!(ctx.register("myself"), Ok(()));
    });
}

#[test]
fn r4_the_dead_get_no_name() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        let node = ctx.node();
        assert_eq!(node.register("ghost", gone), Err(RegisterError::NoProcess));
        assert_eq!(node.whereis("ghost"), None);
    });
}

#[test]
fn r5_the_end_of_its_owner_frees_a_name() {
    everywhere(|mut ctx| async move {
        for reason in [ExitReason::Normal, foo(), ExitReason::Kill] {
            let (pid, reference) = ctx.spawn_monitor(|mut ctx| async move {
                ctx.receive().await;
            });
            assert_eq!(ctx.node().register("worker", pid), Ok(()));
            match reason {
                ExitReason::Normal => send(pid, b"go"),
                reason => exit(pid, reason),
            }
            down(&mut ctx, reference).await;
            assert_eq!(ctx.whereis("worker"), None);
        }
        assert_eq!(ctx.register("worker"), Ok(()));
    });
}

/// Whoever ends while it gets a name either gets none or leaves none behind.
#[test]
fn r5_a_name_given_in_the_last_moment_is_freed_as_well() {
    races(500, |mut ctx| async move {
        let (pid, reference) = ctx.spawn_monitor(|_| async {});
        let outcome = ctx.node().register("worker", pid);
        assert!(matches!(outcome, Ok(()) | Err(RegisterError::NoProcess)));
        down(&mut ctx, reference).await;
        assert_eq!(ctx.register("worker"), Ok(()));
    });
}

#[test]
fn r6_a_name_that_nobody_has_cannot_be_taken_away() {
    everywhere(|ctx| async move {
        assert_eq!(ctx.node().unregister("nobody"), None);
        assert_eq!(ctx.node().unregister(""), None);
    });
}

#[test]
fn r7_who_loses_its_name_lives_on() {
    everywhere(|mut ctx| async move {
        let (node, pid) = (ctx.node(), ctx.spawn(answering));
        assert_eq!(node.register("worker", pid), Ok(()));
        assert_eq!(node.unregister("worker"), Some(pid));
        assert_eq!((node.whereis("worker"), node.name_of(pid)), (None, None));
        assert!(answers(&mut ctx, pid).await);
        stop(&mut ctx, pid).await;
    });
}

#[test]
fn r8_what_is_no_name_is_refused() {
    everywhere(|ctx| async move {
        let (longest, longer) = ("x".repeat(NAME_BYTES_MAX), "x".repeat(NAME_BYTES_MAX + 1));
        // Bytes are counted, not letters.
        let wide = "é".repeat(NAME_BYTES_MAX / 2 + 1);
        for name in ["undefined", "", &longer, &wide] {
            assert_eq!(ctx.register(name), Err(RegisterError::BadName));
            assert_eq!(ctx.whereis(name), None);
            let spawned = ctx.node().whereis_or_spawn(name, |_| async {});
            assert_eq!(spawned, Err(RegisterError::BadName));
        }
        assert_eq!(ctx.register(&longest), Ok(()));
        assert_eq!(ctx.whereis(&longest), Some(ctx.pid()));
    });
}

#[test]
fn r10_the_same_name_again_is_an_error() {
    everywhere(|ctx| async move {
        assert_eq!(ctx.register("me"), Ok(()));
        assert_eq!(ctx.register("me"), Err(RegisterError::Named("me".into())));
        assert_eq!(ctx.whereis("me"), Some(ctx.pid()));
    });
}

#[test]
fn r_of_many_that_start_a_process_for_a_name_one_wins() {
    races(200, |mut ctx| async move {
        let me = ctx.pid();
        for _ in 0..4 {
            ctx.spawn(move |ctx| async move {
                let ran = move |ctx: rusm_actor::Context| async move {
                    send(me, b"ran");
                    idle(ctx).await;
                };
                let owner = ctx.node().whereis_or_spawn("only", ran);
                send(me, super::tools::bytes_of(owner.expect("a good name")));
            });
        }
        let mut owners = Vec::new();
        while owners.len() < 4 {
            let message = ctx.receive_match(|message| message.bytes() != b"ran").await;
            owners.push(super::tools::pid_in(&message));
        }
        assert!(owners.iter().all(|owner| *owner == owners[0]));
        assert_eq!(ctx.receive().await.bytes(), b"ran");
        stop(&mut ctx, owners[0]).await;
        assert!(ctx.try_receive().is_none());
        assert_eq!(ctx.node().registered(), []);
    });
}

#[test]
fn r_who_is_refused_a_name_that_somebody_holds_is_remembered_for_so_long() {
    everywhere(|mut ctx| async move {
        let (node, owner, other) = (ctx.node(), ctx.spawn(idle), ctx.spawn(idle));
        assert_eq!(node.register("orders", owner), Ok(()));
        assert_eq!(node.name_conflicts(), []);
        for pid in [other, ctx.pid()] {
            let refused = node.register("orders", pid);
            assert_eq!(refused, Err(RegisterError::Taken(owner)));
        }
        // Whoever wants a process of that name, whichever it is, has one.
        assert_eq!(node.whereis_or_spawn("orders", |_| async {}), Ok(owner));
        let conflicts = node.name_conflicts();
        let [conflict] = &conflicts[..] else {
            panic!("one name was refused: {conflicts:?}");
        };
        assert_eq!((&*conflict.name, conflict.times), ("orders", 2));
        assert_eq!((conflict.holder, conflict.refused), (owner, ctx.pid()));
        assert!(conflict.last <= node.handle().now());
        stop(&mut ctx, owner).await;
        assert_eq!(node.name_conflicts(), []);
        // The dead hold no names.
        assert_eq!(ctx.register("orders"), Ok(()));
        assert_eq!(node.name_conflicts(), []);
        stop(&mut ctx, other).await;
    });
}
