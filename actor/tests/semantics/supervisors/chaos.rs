//! Deaths and requests from all sides at once: whatever their order, nobody is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusm_actor::supervisor::{
    Backoff, Child, ChildState, Restart, Shutdown, Strategy, Supervisor, SupervisorRef,
};
use rusm_actor::{Context, ExitReason, Pid, exit, is_alive, kill};

use super::kit::{Event, boom, child, down, end};
use crate::semantics::everywhere::everywhere;

const IDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const TORMENTORS: u32 = 3;
const BLOWS: u32 = 12;

/// A child whose every third start fails.
fn moody(id: &'static str) -> Child {
    let starts = Arc::new(AtomicU32::new(0));
    Child::starting(id, move |mut ctx, starter| {
        let fails = starts.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        async move {
            if fails {
                return starter.failed(boom());
            }
            starter.started();
            ctx.receive().await;
            ExitReason::Normal
        }
    })
}

fn all(strategy: Strategy, to: Pid) -> Supervisor {
    let pause = Backoff::new(Duration::from_micros(100), Duration::from_millis(1));
    let lenient = || Supervisor::new(strategy).intensity(100_000, Duration::MAX);
    lenient()
        .child(child("a", to))
        .child(child("b", to).restart(Restart::Transient))
        .child(Child::supervisor("c", lenient().child(child("x", to))))
        .child(moody("d"))
        .child(child("e", to).backoff(pause).shutdown(Shutdown::Kill))
        .child(child("f", to).restart(Restart::Temporary))
}

/// Does one thing or another to a child.
async fn strike(ctx: &mut Context, supervisor: SupervisorRef, number: u32, to: Pid) {
    let id = IDS[number as usize % IDS.len()];
    let children = supervisor.which_children(ctx).await.expect("it lives");
    let pid = children.iter().find_map(|child| match child.state {
        ChildState::Running(pid) if child.id.as_deref() == Some(id) => Some(pid),
        _ => None,
    });
    match (number / 6 % 7, pid) {
        (0, Some(pid)) => kill(pid),
        (1, Some(pid)) => exit(pid, boom()),
        (2, Some(pid)) => end(pid, ExitReason::Normal),
        (3, Some(pid)) => end(pid, boom()),
        (4, _) => drop(supervisor.terminate_child(ctx, id).await),
        (5, _) => drop(supervisor.delete_child(ctx, id).await),
        (6, _) => drop(supervisor.start_child(ctx, child(id, to)).await),
        _ => drop(supervisor.restart_child(ctx, id).await),
    }
}

#[test]
fn nobody_outlives_a_supervisor_whatever_was_done_to_it_before() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for strategy in [
            Strategy::OneForOne,
            Strategy::OneForAll,
            Strategy::RestForOne,
        ] {
            let supervisor = all(strategy, me).start(&mut ctx).await.expect("it starts");
            let mut monitors = Vec::new();
            for tormentor in 0..TORMENTORS {
                let (_, monitor) = ctx.spawn_monitor(move |mut ctx| async move {
                    let mut number = tormentor;
                    for _ in 0..BLOWS {
                        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        strike(&mut ctx, supervisor, number >> 8, me).await;
                    }
                });
                monitors.push(monitor);
            }
            for monitor in monitors {
                assert_eq!(down(&mut ctx, monitor).await, ExitReason::Normal);
            }
            let children = supervisor.which_children(&mut ctx).await.expect("it lives");
            let counts = supervisor.count_children(&mut ctx).await.expect("it lives");
            assert_eq!(children.len(), counts.specs);
            assert_eq!(supervisor.stop(&mut ctx).await, Ok(()));
            while let Some(message) = ctx.try_receive() {
                if let Ok(Event::Started(id, pid)) = message.downcast() {
                    assert!(!is_alive(pid), "`{id}` is left behind");
                }
            }
            assert_eq!(ctx.node().waited_for(), []);
        }
    });
}
