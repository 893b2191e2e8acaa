//! Monitors: one `Down` for each, with the reason, and never after it was taken back.

use rusm_actor::{ExitReason, Message, RegisterError, Spawn, Watched, exit, is_alive, kill, send};

use super::everywhere::{everywhere, races};
use super::tools::{answering, answers, dead, down, end, foo, idle, nothing_comes, stop};

#[test]
fn m1_m18_watching_the_dead_says_no_process_at_once() {
    everywhere(|mut ctx| async move {
        let (pid, first) = ctx.spawn_monitor(|_| async { foo() });
        assert_eq!(down(&mut ctx, first).await, foo());
        let second = ctx.monitor(pid);
        let told = ctx.try_receive().and_then(|message| message.down());
        let told = told.expect("it is there already");
        assert_eq!((told.reference, told.watched), (second, Watched::Pid(pid)));
        assert_eq!(told.reason, ExitReason::NoProcess);
    });
}

#[test]
fn m2_m3_each_monitor_speaks_once_and_under_its_own_reference() {
    everywhere(|mut ctx| async move {
        let (pid, first) = ctx.spawn_monitor(idle);
        let (second, third) = (ctx.monitor(pid), ctx.monitor(pid));
        exit(pid, foo());
        let mut told = Vec::new();
        for _ in 0..3 {
            let down = ctx.receive().await.down().expect("nobody else writes");
            assert_eq!((down.watched, down.reason), (Watched::Pid(pid), foo()));
            told.push(down.reference);
        }
        told.sort_unstable();
        let mut all = [first, second, third];
        all.sort_unstable();
        assert_eq!(told, all);
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn m4_a_monitor_that_was_taken_back_says_nothing() {
    everywhere(|mut ctx| async move {
        let (pid, first) = ctx.spawn_monitor(idle);
        let second = ctx.monitor(pid);
        assert!(ctx.demonitor(first));
        kill(pid);
        assert_eq!(down(&mut ctx, second).await, ExitReason::Killed);
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn m5_taking_a_monitor_back_leaves_a_down_that_has_come() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        let reference = ctx.monitor(gone);
        rusm_sched::yield_now().await;
        assert!(!ctx.demonitor(reference));
        assert_eq!(down(&mut ctx, reference).await, ExitReason::NoProcess);
    });
}

#[test]
fn m6_taking_a_monitor_back_can_remove_a_down_that_has_come() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        send(me, b"before");
        let gone = dead(&mut ctx).await;
        let (first, second) = (ctx.monitor(gone), ctx.monitor(gone));
        send(me, b"after");
        rusm_sched::yield_now().await;
        assert!(!ctx.demonitor_flush(first));
        assert_eq!(ctx.receive().await.bytes(), b"before");
        let left = ctx.receive().await.down().expect("the second one stays");
        assert_eq!(left.reference, second);
        assert_eq!(ctx.receive().await.bytes(), b"after");
        nothing_comes(&mut ctx).await;
    });
}

/// The end may be on its way, in the inbox, or in the mailbox: none of them comes through.
#[test]
fn m6_a_removed_down_never_comes_however_near_the_end_was() {
    races(300, |mut ctx| async move {
        let (pid, reference) = ctx.spawn_monitor(|_| async {});
        rusm_sched::yield_now().await;
        ctx.demonitor_flush(reference);
        end(&mut ctx, pid).await;
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn m7_m8_taking_a_monitor_back_says_whether_it_was_there() {
    everywhere(|mut ctx| async move {
        let (pid, reference) = ctx.spawn_monitor(idle);
        assert!(ctx.demonitor(reference));
        assert!(!ctx.demonitor(reference));
        assert!(!ctx.demonitor_flush(reference));
        stop(&mut ctx, pid).await;
        // Somebody else's is not there either.
        let me = ctx.pid();
        let other = ctx.spawn(move |mut ctx| async move {
            let reference = ctx.monitor(me);
            send(me, reference.to_bits().to_le_bytes());
            ctx.receive().await;
            assert!(ctx.demonitor(reference));
        });
        let bits = super::tools::number(&ctx.receive().await);
        assert!(!ctx.demonitor(rusm_actor::Reference::from_bits(bits)));
        let reference = ctx.monitor(other);
        send(other, b"go");
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Normal);
    });
}

#[test]
fn m9_the_watched_hears_nothing_of_its_watchers_end() {
    everywhere(|mut ctx| async move {
        let pid = ctx.spawn(answering);
        let (_, watcher) = ctx.spawn_monitor(move |mut ctx| async move {
            ctx.monitor(pid);
            foo()
        });
        assert_eq!(down(&mut ctx, watcher).await, foo());
        assert!(answers(&mut ctx, pid).await);
        stop(&mut ctx, pid).await;
    });
}

#[test]
fn m10_who_was_watched_by_name_is_told_by_name() {
    everywhere(|mut ctx| async move {
        let pid = ctx.spawn(idle);
        assert_eq!(ctx.node().register("worker", pid), Ok(()));
        let reference = ctx.monitor_name("worker");
        // It is the process that is watched: who has the name later does not matter.
        assert_eq!(ctx.node().unregister("worker"), Some(pid));
        exit(pid, foo());
        let told = ctx.receive().await.down().expect("nobody else writes");
        assert_eq!(told.watched, Watched::Name("worker".into()));
        assert_eq!((told.reference, told.reason), (reference, foo()));
    });
}

#[test]
fn m11_watching_a_name_that_nobody_has_says_no_process() {
    everywhere(|mut ctx| async move {
        let reference = ctx.monitor_name("nobody");
        let told = ctx.receive().await.down().expect("it comes at once");
        assert_eq!(told.watched, Watched::Name("nobody".into()));
        assert_eq!(
            (told.reference, told.reason),
            (reference, ExitReason::NoProcess)
        );
    });
}

#[test]
fn m12_watching_oneself_gives_a_reference_and_no_message() {
    everywhere(|mut ctx| async move {
        assert_eq!(ctx.register("me"), Ok(()));
        let me = ctx.pid();
        let (first, second) = (ctx.monitor(me), ctx.monitor_name("me"));
        assert_ne!(first, second);
        nothing_comes(&mut ctx).await;
        assert!(!ctx.demonitor(first) && !ctx.demonitor(second));
    });
}

#[test]
fn m13_a_watched_child_that_dies_at_once_gives_its_own_reason() {
    races(2000, |mut ctx| async move {
        let (child, reference) = ctx.spawn_monitor(|_| async { foo() });
        let told = ctx.receive().await.down().expect("nobody else writes");
        assert_eq!((told.reference, told.reason), (reference, foo()));
        assert_eq!(told.watched, Watched::Pid(child));
    });
}

#[test]
fn m15_who_is_linked_and_watches_is_told_twice() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let how = Spawn::new().link().monitor();
        let (child, reference) = ctx.spawn_with(how, |_| async { foo() });
        let message = ctx.receive_match(|message| message.exit().is_some()).await;
        assert_eq!(message.exit(), Some((Some(child), &foo())));
        assert_eq!(down(&mut ctx, reference).await, foo());
    });
}

#[test]
fn m16_what_was_sent_before_the_end_comes_before_the_down() {
    races(1000, |mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn_monitor(move |_| async move {
            for n in 0..5_u64 {
                send(me, n.to_le_bytes());
                rusm_sched::reductions(1).await;
            }
            foo()
        });
        for n in 0..5 {
            let message = ctx.receive().await;
            assert!(message.down().is_none(), "before message {n}");
            assert_eq!(super::tools::number(&message), n);
        }
        let told = ctx.receive().await.down().expect("it comes last");
        assert_eq!(told.reason, foo());
    });
}

#[test]
fn doc_names_and_groups_are_free_before_anybody_hears_of_the_end() {
    races(300, |mut ctx| async move {
        ctx.trap_exit(true);
        let node = ctx.node();
        for linked in [true, false] {
            let how = match linked {
                true => Spawn::new().link(),
                false => Spawn::new().monitor(),
            };
            let (child, _) = ctx.spawn_with(how, idle);
            assert_eq!(node.register("worker", child), Ok(()));
            assert_eq!(node.join("workers", child), Ok(()));
            exit(child, foo());
            let message: Message = ctx.receive().await;
            assert_eq!(message.exit().is_some(), linked, "{message:?}");
            assert_eq!(node.whereis("worker"), None);
            assert_eq!(node.members("workers").as_slice(), []);
            assert_eq!((node.registered(), node.groups()), (vec![], vec![]));
            assert_eq!(ctx.register("worker"), Ok(()));
            assert_eq!(node.unregister("worker"), Some(ctx.pid()));
        }
    });
}

/// The pid was dead before its name was taken off the list, which showed it meanwhile.
#[test]
fn doc_who_is_not_alive_has_no_name() {
    races(1000, |mut ctx| async move {
        let node = ctx.node();
        let (child, reference) = ctx.spawn_monitor(|mut ctx| async move {
            ctx.receive().await;
        });
        assert_eq!(node.register("worker", child), Ok(()));
        send(child, b"go");
        while is_alive(child) {
            rusm_sched::yield_now().await;
        }
        assert_eq!((node.whereis("worker"), node.name_of(child)), (None, None));
        assert_eq!(node.registered(), []);
        assert_eq!(
            node.register("worker", child),
            Err(RegisterError::NoProcess)
        );
        assert_eq!(ctx.register("worker"), Ok(()));
        assert_eq!(down(&mut ctx, reference).await, ExitReason::Normal);
        assert_eq!(node.whereis("worker"), Some(ctx.pid()));
    });
}
