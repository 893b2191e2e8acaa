//! Groups: who is in them, who hears of it, and what is sent to all.

use std::sync::Arc;

use rusm_actor::{Context, ExitReason, GroupEvent, NoProcess, Pid, Reference, exit, send};

use super::everywhere::{everywhere, races};
use super::tools::{bytes_of, dead, down, foo, idle, nothing_comes, pid_in, stop};

/// What a watcher is told next: who, and whether it came.
async fn event(ctx: &mut Context, reference: Reference) -> (Pid, bool) {
    let message = ctx.receive().await;
    match message.content() {
        rusm_actor::Content::Group(event) => {
            assert_eq!((&*event.group, event.reference), ("g", reference));
            (event.pid, event.joined)
        }
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn members_are_listed_in_the_order_of_joining() {
    everywhere(|mut ctx| async move {
        let (node, me) = (ctx.node(), ctx.pid());
        let (a, b) = (ctx.spawn(idle), ctx.spawn(idle));
        assert_eq!((node.members("g").len(), node.groups().len()), (0, 0));
        for pid in [b, me, a] {
            assert_eq!(node.join("g", pid), Ok(()));
        }
        assert_eq!(node.members("g").as_slice(), [b, me, a]);
        assert_eq!(node.join("h", a), Ok(()));
        assert_eq!(node.groups(), ["g".into(), "h".into()]);
        assert!(node.leave("g", me));
        assert_eq!(node.members("g").as_slice(), [b, a]);
        stop(&mut ctx, a).await;
        stop(&mut ctx, b).await;
        assert_eq!(node.groups(), Vec::<Arc<str>>::new());
    });
}

#[test]
fn who_joins_twice_is_in_twice_and_leaves_twice() {
    everywhere(|mut ctx| async move {
        let (node, me) = (ctx.node(), ctx.pid());
        assert_eq!((node.join("g", me), node.join("g", me)), (Ok(()), Ok(())));
        assert_eq!(node.members("g").as_slice(), [me, me]);
        assert_eq!(node.publish("g", b"twice"), 2);
        for _ in 0..2 {
            assert_eq!(ctx.receive().await.bytes(), b"twice");
        }
        assert!(node.leave("g", me) && node.leave("g", me));
        assert!(!node.leave("g", me));
        assert!(!node.leave("unknown", me));
        assert_eq!(node.publish("g", b"nobody"), 0);
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn the_dead_can_neither_join_nor_watch() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        let node = ctx.node();
        assert_eq!(node.join("g", gone), Err(NoProcess));
        assert_eq!(node.watch_group("g", gone), Err(NoProcess));
        assert!(!node.leave("g", gone));
        assert_eq!(node.groups(), Vec::<Arc<str>>::new());
    });
}

#[test]
fn what_is_published_reaches_all_members_short_or_long() {
    everywhere(|mut ctx| async move {
        let (node, me) = (ctx.node(), ctx.pid());
        let relaying = move |mut ctx: Context| async move {
            loop {
                let message = ctx.receive().await;
                send(me, message);
            }
        };
        let members = [
            ctx.spawn(relaying),
            ctx.spawn(relaying),
            ctx.spawn(relaying),
        ];
        for pid in members {
            assert_eq!(node.join("g", pid), Ok(()));
        }
        for content in [b"".as_slice(), b"short", &[7; 46], &[7; 47], &[7; 10_000]] {
            assert_eq!(node.publish("g", content), 3);
            for _ in 0..3 {
                assert_eq!(ctx.receive().await.bytes(), content);
            }
        }
        assert_eq!(node.publish("empty", b"nobody"), 0);
        for pid in members {
            stop(&mut ctx, pid).await;
        }
    });
}

#[test]
fn a_group_can_be_killed() {
    everywhere(|mut ctx| async move {
        let node = ctx.node();
        let children: Vec<_> = (0..5).map(|_| ctx.spawn_monitor(idle)).collect();
        for (pid, _) in &children {
            assert_eq!(node.join("g", *pid), Ok(()));
        }
        assert_eq!(node.kill_group("g"), 5);
        for (_, reference) in children {
            assert_eq!(down(&mut ctx, reference).await, ExitReason::Killed);
        }
        assert_eq!(node.members("g").as_slice(), []);
        assert_eq!(node.kill_group("g"), 0);
    });
}

#[test]
fn the_end_of_a_process_takes_it_out_of_all_its_groups_before_its_down() {
    races(200, |mut ctx| async move {
        let node = ctx.node();
        let (pid, reference) = ctx.spawn_monitor(idle);
        for group in ["g", "h", "g"] {
            assert_eq!(node.join(group, pid), Ok(()));
        }
        assert!(node.watch_group("watched", pid).is_ok());
        exit(pid, foo());
        assert_eq!(down(&mut ctx, reference).await, foo());
        assert_eq!(node.groups(), Vec::<Arc<str>>::new());
        assert!(!node.leave("g", pid));
    });
}

/// Whoever ends while it joins either cannot or is taken out.
#[test]
fn who_joins_in_its_last_moment_does_not_stay() {
    races(500, |mut ctx| async move {
        let (pid, reference) = ctx.spawn_monitor(|_| async {});
        let outcome = ctx.node().join("g", pid);
        assert!(matches!(outcome, Ok(()) | Err(NoProcess)));
        down(&mut ctx, reference).await;
        assert_eq!(ctx.node().members("g").as_slice(), []);
    });
}

#[test]
fn watchers_see_who_comes_and_goes_in_order() {
    everywhere(|mut ctx| async move {
        let (node, me) = (ctx.node(), ctx.pid());
        let (a, b) = (ctx.spawn(idle), ctx.spawn(idle));
        assert_eq!(node.join("g", a), Ok(()));
        let (reference, members) = node.watch_group("g", me).expect("it lives");
        assert_eq!(members.as_slice(), [a]);
        assert_eq!((node.join("g", b), node.join("g", b)), (Ok(()), Ok(())));
        assert!(node.leave("g", a));
        assert_eq!(node.join("other", a), Ok(()));
        stop(&mut ctx, b).await;
        let expected = [(b, true), (b, true), (a, false), (b, false), (b, false)];
        for expected in expected {
            assert_eq!(event(&mut ctx, reference).await, expected);
        }
        assert!(node.unwatch_group("g", me, reference));
        assert!(!node.unwatch_group("g", me, reference));
        assert_eq!(node.join("g", a), Ok(()));
        nothing_comes(&mut ctx).await;
        stop(&mut ctx, a).await;
    });
}

#[test]
fn a_watcher_hears_that_a_member_left_before_it_hears_of_its_end() {
    races(300, |mut ctx| async move {
        let (node, me) = (ctx.node(), ctx.pid());
        let (reference, _) = node.watch_group("g", me).expect("it lives");
        let (pid, monitor) = ctx.spawn_monitor(|_| async { foo() });
        let joined = node.join("g", pid).is_ok();
        if joined {
            assert_eq!(event(&mut ctx, reference).await, (pid, true));
            assert_eq!(event(&mut ctx, reference).await, (pid, false));
        }
        let told = ctx.receive().await.down().expect("it comes last");
        assert_eq!((told.reference, told.reason), (monitor, foo()));
    });
}

/// Many join and leave at once: what a watcher is told adds up to what is so.
#[test]
fn all_watchers_see_the_same_changes_in_the_same_order() {
    races(100, |mut ctx| async move {
        let (node, me) = (ctx.node(), ctx.pid());
        let watches = [
            node.watch_group("g", me).expect("it lives").0,
            node.watch_group("g", me).expect("it lives").0,
        ];
        let mut movers = Vec::new();
        for _ in 0..3 {
            let (_, monitor) = ctx.spawn_monitor(move |ctx| async move {
                let (node, pid) = (ctx.node(), ctx.pid());
                for _ in 0..3 {
                    assert_eq!(node.join("g", pid), Ok(()));
                    rusm_sched::yield_now().await;
                    assert!(node.leave("g", pid));
                }
                send(me, bytes_of(pid));
            });
            movers.push(monitor);
        }
        for monitor in movers {
            assert_eq!(down(&mut ctx, monitor).await, ExitReason::Normal);
        }
        let mut seen: [Vec<(Pid, bool)>; 2] = [vec![], vec![]];
        while let Some(message) = ctx.try_receive() {
            let rusm_actor::Content::Group(event) = message.content() else {
                assert_ne!(pid_in(&message), me);
                continue;
            };
            let event: &GroupEvent = event;
            let watch = usize::from(event.reference == watches[1]);
            seen[watch].push((event.pid, event.joined));
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0].len(), 18);
    });
}
