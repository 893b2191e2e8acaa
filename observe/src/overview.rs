//! The overview: what is counted anyway, in the words of the protocol.

use std::time::Duration;

use rusm_sched::{Histogram, Stats, WorkerStats};

use crate::protocol::{Counters, Gauges, Overview, Processes, Times, WakeToRun, Worker};
use crate::shared::Target;
use crate::system::System;

/// Remembers the look before: wake-ups are told by the difference.
#[derive(Default)]
pub(crate) struct Looker {
    target: String,
    woken: Histogram,
}

impl Looker {
    /// Reads the counters: microseconds, and no process notices.
    pub(crate) fn look(&mut self, target: &Target, system: System) -> Overview {
        let stats = target.node.stats();
        let woken = stats.total.wake_to_run.clone();
        if self.target != target.name {
            // Another node: it has had no look before.
            self.target.clone_from(&target.name);
            self.woken = Histogram::default();
        }
        let wake_to_run = wakes(&woken.since(&self.woken));
        self.woken = woken;
        let io = target.reactor.as_ref().map(|reactor| reactor.stats());
        Overview {
            at: micros(target.node.handle().now()),
            target: self.target.clone(),
            processes: processes(target.node.process_count() as u64, &stats),
            counters: Counters {
                messages_shed: target.node.messages_shed(),
                io_polls: io.as_ref().map(|io| io.polls),
                io_events: io.as_ref().map(|io| io.events),
                ..counters(&stats)
            },
            gauges: Gauges {
                io_sources: io.as_ref().map(|io| io.sources_live),
                ..gauges(&stats)
            },
            workers: stats.workers.iter().map(worker).collect(),
            wake_to_run,
            system: system.into(),
        }
    }
}

pub(crate) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds with what is left of them.
pub(crate) fn exact_micros(span: Duration) -> f64 {
    span.as_nanos() as f64 / 1e3
}

fn processes(alive: u64, stats: &Stats) -> Processes {
    let queued: u64 = stats.workers.iter().map(|worker| worker.queued).sum();
    // They are read one after the other, and tasks are counted that are no processes.
    let running = (stats.running as u64).min(alive);
    let runnable = (queued + stats.injected as u64).min(alive - running);
    Processes {
        alive,
        running,
        runnable,
        waiting: alive - running - runnable,
    }
}

fn counters(stats: &Stats) -> Counters {
    let total = &stats.total;
    Counters {
        spawns: total.spawned,
        exits: total.exited,
        panics: total.panics,
        turns: total.turns,
        reductions: total.reductions,
        steals: total.steals,
        stolen: total.stolen,
        searches: total.searches,
        parks: total.parks,
        overflows: total.overflows,
        overruns: stats.rescues,
        overruns_refused: stats.rescues_refused,
        ticks: stats.ticks,
        blocking_jobs: stats.blocking_done,
        blocking_refused: stats.blocking_refused,
        ..Counters::default()
    }
}

fn gauges(stats: &Stats) -> Gauges {
    Gauges {
        injected: stats.injected as u64,
        timers: stats.timers as u64,
        stuck: stats.stuck as u64,
        blocking_threads: stats.blocking_threads as u64,
        blocking_queued: stats.blocking_queued as u64,
        io_sources: None,
    }
}

fn worker(stats: &WorkerStats) -> Worker {
    Worker {
        busy: micros(stats.busy),
        turns: stats.turns,
        reductions: stats.reductions,
        steals: stats.steals,
        parks: stats.parks,
        queued: stats.queued,
        overflows: stats.overflows,
    }
}

fn wakes(histogram: &Histogram) -> WakeToRun {
    let share = |share| exact_micros(histogram.quantile(share));
    let full = histogram.buckets().filter(|(_, count)| *count > 0);
    WakeToRun {
        times: Times {
            count: histogram.count(),
            p50: share(0.5),
            p95: share(0.95),
            p99: share(0.99),
            p999: share(0.999),
            max: share(1.0),
        },
        buckets: full
            .map(|(longest, count)| (exact_micros(longest), count))
            .collect(),
    }
}

impl From<System> for crate::protocol::System {
    fn from(system: System) -> Self {
        crate::protocol::System {
            resident_bytes: system.resident_bytes,
            virtual_bytes: system.virtual_bytes,
            cpu_seconds: system.cpu_seconds,
            threads: system.threads,
            fds: system.descriptors,
            fds_max: system.descriptors_max,
            load_1m: system.load_1m,
        }
    }
}
