//! Links.

use rusm_actor::{ExitReason, NoProcess, exit, kill, send};

use super::everywhere::everywhere;

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
fn l12_a_linked_child_dies_with_its_parent() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let parent = ctx.spawn(move |mut ctx| async move {
            let child = ctx.spawn_link(|mut ctx| async move { drop(ctx.receive().await) });
            send(me, child.to_bits().to_le_bytes());
            ctx.receive().await;
        });
        let word = ctx.receive().await.bytes().try_into().expect("a pid");
        let child = rusm_actor::Pid::from_bits(u64::from_le_bytes(word));
        let reference = ctx.monitor(child);
        exit(parent, ExitReason::error("enough"));
        let down = ctx.receive().await.down().expect("the child ends");
        assert_eq!(down.reference, reference);
        assert_eq!(down.reason, ExitReason::error("enough"));
    });
}

#[test]
fn l17_who_is_killed_reaches_trappers_and_watchers_as_killed() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let child = ctx.spawn_link(|mut ctx| async move { drop(ctx.receive().await) });
        let reference = ctx.monitor(child);
        kill(child);
        let linked = |message: &rusm_actor::Message| message.exit().is_some();
        let message = ctx.receive_match(linked).await;
        assert_eq!(message.exit(), Some((Some(child), &ExitReason::Killed)));
        let down = ctx.receive().await.down().expect("the monitor speaks");
        assert_eq!(
            (down.reference, down.reason),
            (reference, ExitReason::Killed)
        );
    });
}
