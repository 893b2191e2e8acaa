//! A tracer's limits: what is too much is counted and not kept.

use std::time::Duration;

use rusm_actor::{Context, Spawn, TraceError, TraceLimits, Traced, kill, send};

use super::everywhere::{everywhere, simulate};
use super::{ALL, after_go, ended};

#[test]
fn a_flood_is_counted_and_not_kept() {
    everywhere(|mut ctx| async move {
        let mut tracer = ctx.node().tracer(TraceLimits {
            events_max: 10,
            ..ALL
        });
        let me = ctx.pid();
        let pid = after_go(&ctx, move |ctx| async move {
            for _ in 0..1_000 {
                ctx.send(me, b"flood");
                ctx.reductions(1).await;
            }
        });
        tracer.trace(pid).expect("it lives");
        send(pid, b"go");
        for _ in 0..1_000 {
            ctx.receive_match(|message| message.bytes() == b"flood")
                .await;
        }
        ended(&mut ctx, pid).await;
        let Traced { events, dropped } = tracer.take();
        // What came, the flood, and the end.
        assert_eq!((events.len(), dropped), (10, 1_002 - 10));
        assert_eq!(tracer.take(), Traced::default());
    });
}

/// The clock of the simulation stands still while anybody runs.
#[test]
fn so_many_are_told_a_second_and_more_in_the_next_one() {
    simulate(1, |ctx| async move {
        let mut tracer = ctx.node().tracer(TraceLimits {
            events_per_second_max: 5,
            ..ALL
        });
        let pid = ctx.spawn(|mut ctx: Context| async move {
            loop {
                ctx.receive().await;
            }
        });
        tracer.trace(pid).expect("it lives");
        for _ in 0..3 {
            for _ in 0..8 {
                send(pid, b"");
            }
            ctx.sleep(Duration::from_secs(1)).await;
            let Traced { events, dropped } = tracer.take();
            assert_eq!((events.len(), dropped), (5, 3));
        }
        kill(pid);
    });
}

#[test]
fn so_many_processes_are_traced_and_no_more_while_they_live() {
    everywhere(|mut ctx| async move {
        let mut tracer = ctx.node().tracer(TraceLimits {
            processes_max: 2,
            ..ALL
        });
        let mut start = || {
            ctx.spawn_with(Spawn::new(), |_| std::future::pending::<()>())
                .0
        };
        let pids = [start(), start(), start()];
        assert_eq!(tracer.trace(pids[0]), Ok(()));
        assert_eq!(tracer.trace(pids[1]), Ok(()));
        assert_eq!(tracer.trace(pids[2]), Err(TraceError::TooMany(2)));
        kill(pids[0]);
        ended(&mut ctx, pids[0]).await;
        assert_eq!(tracer.trace(pids[2]), Ok(()));
        let mut living = [pids[1], pids[2]];
        living.sort_unstable();
        assert_eq!(tracer.traced(), living);
        living.into_iter().for_each(kill);
    });
}
