//! Links: made once, cut by either side, and never there for one half only.

use rusm_actor::{ExitReason, Message, NoProcess, Pid, exit, kill, send};

use super::everywhere::{everywhere, races};
use super::tools::{
    answering, answers, bytes_of, dead, down, end, foo, idle, nothing_comes, pid_in, stop,
};

#[test]
fn l1_linking_the_dead_while_trapping_gives_an_exit_message() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let (pid, _) = ctx.spawn_monitor(|_| async {});
        ctx.receive().await;
        assert_eq!(ctx.link(pid), Ok(()));
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(pid), &ExitReason::NoProcess)));
    });
}

#[test]
fn l2_linking_the_dead_without_trapping_is_an_error() {
    everywhere(|mut ctx| async move {
        let (pid, _) = ctx.spawn_monitor(|_| async {});
        ctx.receive().await;
        assert_eq!(ctx.link(pid), Err(NoProcess));
    });
}

#[test]
fn l3_a_link_to_oneself_has_no_effect() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.link(me), Ok(()));
        assert!(!ctx.is_linked(me));
        ctx.unlink(me);
        ctx.trap_exit(true);
        assert_eq!(ctx.link(me), Ok(()));
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn l4_linking_twice_makes_one_link() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let peer = ctx.spawn_link(idle);
        assert_eq!((ctx.link(peer), ctx.link(peer)), (Ok(()), Ok(())));
        kill(peer);
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(peer), &ExitReason::Killed)));
        nothing_comes(&mut ctx).await;
        let peer = ctx.spawn_link(idle);
        assert_eq!(ctx.link(peer), Ok(()));
        ctx.unlink(peer);
        assert!(!ctx.is_linked(peer));
        stop(&mut ctx, peer).await;
        nothing_comes(&mut ctx).await;
    });
}

/// Both say so at the same time, so that each has a name for the link that the other has not.
#[test]
fn l4_linking_from_both_sides_makes_one_link() {
    races(300, |mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let peer = ctx.spawn(move |mut ctx| async move {
            assert_eq!(ctx.link(me), Ok(()));
            idle(ctx).await;
        });
        assert_eq!(ctx.link(peer), Ok(()));
        kill(peer);
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(peer), &ExitReason::Killed)));
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn l6_after_an_unlink_no_exit_comes() {
    everywhere(|mut ctx| async move {
        let peer = ctx.spawn_link(idle);
        ctx.unlink(peer);
        exit(peer, foo());
        end(&mut ctx, peer).await;
        ctx.trap_exit(true);
        let peer = ctx.spawn_link(idle);
        ctx.unlink(peer);
        exit(peer, foo());
        end(&mut ctx, peer).await;
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn l8_either_side_may_unlink() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let child = ctx.spawn_link(move |mut ctx| async move {
            assert!(ctx.is_linked(me));
            ctx.unlink(me);
            foo()
        });
        end(&mut ctx, child).await;
        assert!(!ctx.is_linked(child));
        // The other way round: the child lives on when its parent fails.
        let (_, parent) = ctx.spawn_monitor(move |mut ctx| async move {
            let child = ctx.spawn_link(answering);
            ctx.unlink(child);
            send(me, bytes_of(child));
            foo()
        });
        assert_eq!(down(&mut ctx, parent).await, foo());
        let child = pid_in(&ctx.receive().await);
        assert!(answers(&mut ctx, child).await);
        stop(&mut ctx, child).await;
    });
}

#[test]
fn l9_cutting_what_is_no_link_does_nothing() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let gone = dead(&mut ctx).await;
        let stranger = ctx.spawn(answering);
        for pid in [gone, stranger, ctx.pid(), Pid::from_bits(u64::MAX)] {
            ctx.unlink(pid);
            ctx.unlink(pid);
        }
        assert!(answers(&mut ctx, stranger).await);
        stop(&mut ctx, stranger).await;
        nothing_comes(&mut ctx).await;
    });
}

fn is_exit(message: &Message) -> bool {
    message.exit().is_some()
}

#[test]
fn l11_once_an_unlink_has_returned_no_exit_of_that_link_comes() {
    races(300, |mut ctx| async move {
        ctx.trap_exit(true);
        let peer = ctx.spawn_link(|_| async { foo() });
        rusm_sched::yield_now().await;
        ctx.unlink(peer);
        // What came before may lie there.
        while let Some(message) = ctx.try_receive() {
            assert_eq!(message.exit(), Some((Some(peer), &foo())));
        }
        let reference = ctx.monitor(peer);
        down(&mut ctx, reference).await;
        assert!(!ctx.try_receive().is_some_and(|message| is_exit(&message)));
    });
}

/// A cut link and a new one are told apart, though both are with the same peer.
#[test]
fn l11_a_new_link_is_not_cut_by_the_unlink_of_an_old_one() {
    races(300, |mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let peer = ctx.spawn(move |mut ctx| async move {
            ctx.trap_exit(true);
            for _ in 0..3 {
                ctx.link(me).expect("it lives as long as this one");
                ctx.unlink(me);
                rusm_sched::yield_now().await;
            }
            send(me, b"done");
            ctx.receive_match(|message| message.bytes() == b"go").await;
            foo()
        });
        for _ in 0..3 {
            assert_eq!(ctx.link(peer), Ok(()));
            ctx.unlink(peer);
            rusm_sched::yield_now().await;
        }
        assert_eq!(ctx.receive().await.bytes(), b"done");
        assert_eq!(ctx.link(peer), Ok(()));
        send(peer, b"go");
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(peer), &foo())));
    });
}

#[test]
fn l12_a_linked_child_dies_with_its_parent() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let parent = ctx.spawn(move |mut ctx| async move {
            let child = ctx.spawn_link(|mut ctx| async move { drop(ctx.receive().await) });
            send(me, bytes_of(child));
            ctx.receive().await;
        });
        let child = pid_in(&ctx.receive().await);
        let reference = ctx.monitor(child);
        exit(parent, ExitReason::error("enough"));
        let down = ctx.receive().await.down().expect("the child ends");
        assert_eq!(down.reference, reference);
        assert_eq!(down.reason, ExitReason::error("enough"));
    });
}

#[test]
fn l13_a_child_outlives_a_parent_that_ends_normally() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (_, parent) = ctx.spawn_monitor(move |mut ctx| async move {
            let child = ctx.spawn_link(answering);
            send(me, bytes_of(child));
        });
        assert_eq!(down(&mut ctx, parent).await, ExitReason::Normal);
        let child = pid_in(&ctx.receive().await);
        assert!(answers(&mut ctx, child).await);
        stop(&mut ctx, child).await;
    });
}

#[test]
fn l14_a_child_that_dies_at_once_gives_its_own_reason() {
    races(2000, |mut ctx| async move {
        ctx.trap_exit(true);
        let child = ctx.spawn_link(|_| async { foo() });
        let message = ctx.receive().await;
        assert_eq!(message.exit(), Some((Some(child), &foo())));
    });
}

#[test]
fn l16_trapping_or_not_says_what_was_so_before() {
    everywhere(|mut ctx| async move {
        assert!(!ctx.trap_exit(true));
        assert!(ctx.trap_exit(true));
        assert!(ctx.trap_exit(false));
        assert!(!ctx.trap_exit(false));
    });
}

#[test]
fn l17_who_is_killed_reaches_trappers_and_watchers_as_killed() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let child = ctx.spawn_link(|mut ctx| async move { drop(ctx.receive().await) });
        let reference = ctx.monitor(child);
        kill(child);
        let message = ctx.receive_match(is_exit).await;
        assert_eq!(message.exit(), Some((Some(child), &ExitReason::Killed)));
        let down = ctx.receive().await.down().expect("the monitor speaks");
        assert_eq!(
            (down.reference, down.reason),
            (reference, ExitReason::Killed)
        );
    });
}
