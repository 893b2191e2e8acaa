//! What becomes of timers whose process has ended.

#[path = "semantics/everywhere.rs"]
mod everywhere;

use std::sync::Arc;
use std::time::Duration;

use everywhere::{everywhere, on_threads, simulate};
use rusm_actor::{Context, Message, send_after};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// Timers that a worker keeps without looking whether anybody wants them, and some more.
const KEPT_MAX: usize = 1100;

/// Arms `count` timers of a year, `each` to one process, which ends before or after that.
async fn arm(mut ctx: Context, count: usize, each: usize) {
    let mut armed = 0;
    while armed < count {
        let (pid, _) = ctx.spawn_monitor(|mut ctx| async move { drop(ctx.receive().await) });
        let before = armed / 2 % 2 == 0;
        if before {
            ctx.send(pid, b"end");
            ctx.receive().await;
        }
        for _ in 0..each {
            send_after(YEAR, pid, b"never");
            armed += 1;
        }
        if !before {
            ctx.send(pid, b"end");
            ctx.receive().await;
        }
        // What a process left may lie there until others are armed, twice as many as now.
        let timers = ctx.node().stats().timers;
        assert!(timers <= 2 * (KEPT_MAX + each), "{timers} of {armed}");
    }
}

#[test]
fn timers_to_processes_that_have_ended_are_freed() {
    everywhere(|ctx| arm(ctx, 3_000, 10));
}

#[test]
fn a_million_long_timers_to_processes_that_have_ended_are_freed() {
    simulate(1, |ctx| arm(ctx, 1_000_000, 1_000));
    for workers in [1, 2] {
        on_threads(workers, |ctx| arm(ctx, 1_000_000, 1_000));
    }
}

#[test]
fn what_a_freed_timer_was_to_bring_is_dropped_and_living_ones_stay() {
    everywhere(|mut ctx| async move {
        let (dead, _) = ctx.spawn_monitor(|_| async {});
        ctx.receive().await;
        let value = Arc::new(());
        let late = send_after(YEAR, dead, Message::native(value.clone()));
        let own = send_after(YEAR, ctx.pid(), b"mine");
        let others: Vec<_> = (0..4_000)
            .map(|_| send_after(YEAR, ctx.pid(), b"more"))
            .collect();
        assert_eq!(Arc::strong_count(&value), 1);
        assert_eq!(late.remaining(), None);
        assert_eq!(late.cancel(), None);
        assert!(own.cancel().is_some());
        assert!(others.into_iter().all(|timer| timer.cancel().is_some()));
    });
}
