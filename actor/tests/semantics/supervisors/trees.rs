//! Supervisors of supervisors, and the end of a whole node.

use std::time::Duration;

use rusm_actor::supervisor::{
    Child, ChildState, Shutdown, StartError, Strategy, Supervisor, SupervisorRef,
};
use rusm_actor::{Config, Context, ExitReason, Message, Node, Pid, kill, send};

use super::kit::{
    Event, all_started, all_stopped, boom, child, down, end, ended, event, no_more, started, state,
};
use crate::semantics::everywhere::everywhere;

fn plain() -> Supervisor {
    Supervisor::new(Strategy::OneForOne)
}

/// A child that stays when it is asked to go.
fn staying(id: &'static str, to: Pid) -> Child {
    let child = Child::starting(id, move |mut ctx, starter| async move {
        ctx.trap_exit(true);
        send(to, Message::native(Event::Started(id, ctx.pid())));
        starter.started();
        loop {
            ctx.receive().await;
        }
    });
    child.shutdown(Shutdown::Infinity)
}

/// A tree of two levels: `a`, then `inner` with `b` and `c`, then `d`.
fn tree(to: Pid) -> Supervisor {
    let inner = plain().child(child("b", to)).child(child("c", to));
    plain()
        .child(child("a", to))
        .child(Child::supervisor("inner", inner))
        .child(child("d", to))
}

#[test]
fn a_tree_starts_from_the_left_and_stops_from_the_right() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let tree = tree(ctx.pid()).start_link(&mut ctx).await;
        let tree = tree.expect("it starts");
        all_started(&mut ctx, ["a", "b", "c", "d"]).await;
        assert_eq!(tree.stop(&mut ctx).await, Ok(()));
        all_stopped(&mut ctx, ["d", "c", "b", "a"]).await;
        assert_eq!(ended(&mut ctx, tree).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_supervisor_that_gives_up_is_restarted_by_its_own() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let tree = tree(ctx.pid()).start_link(&mut ctx).await;
        let tree = tree.expect("it starts");
        let [_, b, _, _] = all_started(&mut ctx, ["a", "b", "c", "d"]).await;
        end(b, boom());
        let b = started(&mut ctx, "b").await;
        end(b, boom());
        all_stopped(&mut ctx, ["c"]).await;
        let [b, _] = all_started(&mut ctx, ["b", "c"]).await;
        // Once more, and the root gives up as well.
        end(b, boom());
        let b = started(&mut ctx, "b").await;
        end(b, boom());
        all_stopped(&mut ctx, ["c", "d", "a"]).await;
        assert_eq!(ended(&mut ctx, tree).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_killed_supervisor_is_restarted_with_all_its_children() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let quiet = Child::worker("quiet", |mut ctx| async move { drop(ctx.receive().await) });
        let inner = Child::supervisor("inner", plain().child(quiet));
        let tree = plain().child(inner).start_link(&mut ctx).await;
        let tree = tree.expect("it starts");
        let Some(ChildState::Running(inner)) = state(&mut ctx, tree, "inner").await else {
            panic!("it runs");
        };
        let children = SupervisorRef::of(inner).which_children(&mut ctx).await;
        let ChildState::Running(quiet) = children.expect("it lives")[0].state else {
            panic!("it runs");
        };
        let monitors = [ctx.monitor(inner), ctx.monitor(quiet)];
        kill(inner);
        for monitor in monitors {
            assert_eq!(down(&mut ctx, monitor).await, ExitReason::Killed);
        }
        let Some(ChildState::Running(successor)) = state(&mut ctx, tree, "inner").await else {
            panic!("it runs");
        };
        assert_ne!(successor, inner);
        let counts = SupervisorRef::of(successor).count_children(&mut ctx).await;
        assert_eq!(counts.expect("it lives").active, 1);
    });
}

#[test]
fn a_node_stops_its_supervisors_from_the_last_to_the_first() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        plain()
            .child(child("first", me))
            .start(&mut ctx)
            .await
            .expect("it starts");
        let linked = plain().child(child("linked", me));
        linked.start_link(&mut ctx).await.expect("it starts");
        tree(me).start(&mut ctx).await.expect("it starts");
        all_started(&mut ctx, ["first", "linked", "a", "b", "c", "d"]).await;
        let report = ctx.stop_supervisors(Duration::from_secs(60)).await;
        all_stopped(&mut ctx, ["d", "c", "b", "a", "linked", "first"]).await;
        assert_eq!((report.killed, report.stuck), (vec![], vec![]));
        let refused = tree(me).start_link(&mut ctx).await;
        assert_eq!(refused, Err(StartError::NodeStops));
        no_more(&mut ctx).await;
    });
}

#[test]
fn who_does_not_stop_in_time_is_seen_and_killed_and_the_rest_goes_in_order() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let inner = plain().child(child("b", me)).child(staying("c", me));
        let tree = plain()
            .child(staying("a", me))
            .child(Child::supervisor("inner", inner))
            .child(child("d", me));
        let tree = tree.start(&mut ctx).await.expect("it starts");
        let [a, _, c, _] = all_started(&mut ctx, ["a", "b", "c", "d"]).await;
        let patience = Duration::from_millis(20);
        let stopper = ctx.node().spawn_join(move |mut ctx| async move {
            let report = ctx.stop_supervisors(patience).await;
            send(me, Message::native(report));
        });
        all_stopped(&mut ctx, ["d"]).await;
        let (wanted, monitor) = (["c", "inner"], ctx.monitor(c));
        loop {
            let waited: Vec<_> = ctx.node().waited_for();
            let mut ids: Vec<_> = waited.iter().map(|waiting| &*waiting.id).collect();
            ids.sort_unstable();
            if ids == wanted {
                break;
            }
            ctx.sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(down(&mut ctx, monitor).await, ExitReason::Killed);
        // After the deadline there is no time for manners: workers are killed at once.
        let report = ctx
            .receive_match(|m| m.is::<rusm_actor::StopReport>())
            .await;
        let report = report.downcast::<rusm_actor::StopReport>().expect("it is");
        let killed: Vec<_> = report.killed.iter().map(|waiting| waiting.pid).collect();
        assert!(killed.contains(&a) && killed.contains(&c), "{report:?}");
        assert!(report.lasted >= patience && report.stuck.is_empty());
        assert!(!rusm_actor::is_alive(tree.pid()));
        assert_eq!(stopper.await, ExitReason::Normal);
        assert_eq!(ctx.node().waited_for(), []);
    });
}

#[test]
fn a_stop_that_is_asked_for_from_within_the_tree_goes_on_without_who_asked() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let asking = Child::worker("asking", |mut ctx| async move {
            drop(ctx.stop_supervisors(Duration::from_secs(60)).await);
        });
        let tree = plain().child(child("a", me)).child(asking);
        let tree = tree.start(&mut ctx).await.expect("it starts");
        let monitor = ctx.monitor(tree.pid());
        started(&mut ctx, "a").await;
        all_stopped(&mut ctx, ["a"]).await;
        // It may have ended before it was watched.
        let reason = down(&mut ctx, monitor).await;
        let expected = [ExitReason::Shutdown, ExitReason::NoProcess];
        assert!(expected.contains(&reason), "{reason}");
    });
}

fn node() -> Node {
    let config = Config {
        workers: 2,
        ..Config::default()
    };
    Node::start(config).expect("a node starts")
}

async fn hears(ctx: &mut Context) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        events.push(event(ctx).await);
        if events.last() == Some(&Event::Stopped("a", ExitReason::Shutdown)) {
            return events;
        }
    }
}

#[test]
fn a_node_is_stopped_from_outside_with_all_its_supervisors() {
    let node = node();
    let (tell, told) = std::sync::mpsc::channel();
    let witness = node.spawn(move |mut ctx| async move {
        let events = hears(&mut ctx).await;
        tell.send(events.len()).ok();
    });
    node.start_supervisor(tree(witness)).expect("it starts");
    let twice = plain()
        .child(child("a", witness))
        .child(child("a", witness));
    assert!(matches!(
        node.start_supervisor(twice),
        Err(StartError::Invalid(_))
    ));
    let report = node.stop(Duration::from_secs(60));
    assert_eq!(report.threads, Ok(()));
    assert_eq!((report.killed, report.stuck), (vec![], vec![]));
    // Four starts and four stops; unless the witness was ended before it could tell.
    if let Ok(count) = told.try_recv() {
        assert_eq!(count, 8);
    }
    let again = node.stop(Duration::from_secs(1));
    assert_eq!(again.threads, Ok(()));
}

#[test]
fn a_node_is_not_stopped_from_inside_but_says_so() {
    let node = node();
    let outcome = node.block_on(|ctx| async move { ctx.node().stop(Duration::ZERO).threads });
    assert_eq!(outcome, Ok(Err(rusm_actor::ShutdownError::FromInside)));
}

#[test]
fn a_supervisor_that_does_not_end_is_named_as_stuck() {
    let node = node();
    let (begun, wait) = std::sync::mpsc::channel();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let spinning = plain().only_if(move || {
        begun.send(()).ok();
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::yield_now();
        }
        true
    });
    node.spawn(|mut ctx| async move { drop(spinning.start(&mut ctx).await) });
    wait.recv().expect("it spins");
    let stuck = node.block_on(|mut ctx| async move {
        ctx.stop_supervisors(Duration::from_millis(1)).await.stuck
    });
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(stuck.map(|stuck| stuck.len()), Ok(1));
}

#[test]
fn a_worker_that_never_gives_its_turn_back_holds_up_a_stop_no_longer_than_promised() {
    let node = node();
    let (begun, wait) = std::sync::mpsc::channel();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let spinning = Child::worker("spinning", move |_| {
        let (begun, stopped) = (begun.clone(), stopped.clone());
        async move {
            begun.send(()).ok();
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::yield_now();
            }
        }
    });
    let supervisor = plain().child(spinning);
    let top = node.start_supervisor(supervisor).expect("it starts");
    wait.recv().expect("it spins");
    let releaser = std::thread::spawn({
        let node = node.clone();
        move || {
            // The thread can be ended only when the body returns at last.
            while node.is_alive(top.pid()) {
                std::thread::yield_now();
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let report = node.stop(Duration::from_millis(10));
    releaser.join().expect("no panic");
    let killed: Vec<_> = report.killed.iter().map(|waiting| &*waiting.id).collect();
    assert_eq!(killed, ["spinning"]);
    assert_eq!((report.stuck, report.threads), (vec![], Ok(())));
}
