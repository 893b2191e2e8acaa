//! A snapshot as Prometheus reads it: its text format, version 0.0.4, and its conventions for names.

use std::fmt::{Display, Write};
use std::time::{Duration, UNIX_EPOCH};

use rusm_sched::{Histogram, WorkerStats};

use crate::snapshot::Snapshot;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The ends of the histogram's buckets are powers of two of nanoseconds: from this one, about 1 us,
const BUCKET_FIRST: u32 = 10;
/// to this one, about 1 s.
const BUCKET_LAST: u32 = 30;

/// A family of metrics that each worker has one of, and where it is.
type OfWorker = (&'static str, &'static str, fn(&WorkerStats) -> f64);

const WORKER_COUNTERS: [OfWorker; 8] = [
    ("rusm_worker_turns_total", "Turns given.", |it| {
        it.turns as f64
    }),
    ("rusm_worker_reductions_total", "Reductions spent.", |it| {
        it.reductions as f64
    }),
    (
        "rusm_worker_steals_total",
        "Successful thefts by this worker.",
        |it| it.steals as f64,
    ),
    (
        "rusm_worker_stolen_tasks_total",
        "Tasks that came with them.",
        |it| it.stolen as f64,
    ),
    ("rusm_worker_searches_total", "Searches for work.", |it| {
        it.searches as f64
    }),
    ("rusm_worker_parks_total", "Times it went to sleep.", |it| {
        it.parks as f64
    }),
    (
        "rusm_worker_overflows_total",
        "Tasks that its full run queue spilled into the injector.",
        |it| it.overflows as f64,
    ),
    (
        "rusm_worker_busy_seconds_total",
        "Time not spent searching or asleep.",
        |it| it.busy.as_secs_f64(),
    ),
];

/// The whole page.
pub(crate) fn page(snapshot: &Snapshot) -> String {
    let mut page = Page(String::with_capacity(16 * 1024));
    node(&mut page, snapshot);
    scheduler(&mut page, snapshot);
    pools(&mut page, snapshot);
    system(&mut page, snapshot);
    page.0
}

fn node(page: &mut Page, snapshot: &Snapshot) {
    let total = &snapshot.scheduler.total;
    page.family("rusm_build_info", "gauge", "The version of RUSM.");
    page.sample(
        "rusm_build_info",
        concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
        1,
    );
    page.gauge(
        "rusm_uptime_seconds",
        "How long the node has run.",
        snapshot.uptime.as_secs_f64(),
    );
    page.gauge("rusm_processes", "Processes that live.", snapshot.processes);
    page.counter(
        "rusm_process_spawns_total",
        "Processes and tasks started.",
        total.spawned,
    );
    page.counter(
        "rusm_process_exits_total",
        "Processes and tasks ended.",
        total.exited,
    );
    page.counter(
        "rusm_process_panics_total",
        "Native bodies that ended by a panic, and destructors that panicked.",
        total.panics,
    );
    page.counter(
        "rusm_messages_shed_total",
        "Messages shed by mailboxes with a limit.",
        snapshot.messages_shed,
    );
}

fn scheduler(page: &mut Page, snapshot: &Snapshot) {
    let scheduler = &snapshot.scheduler;
    for (name, help, read) in WORKER_COUNTERS {
        page.of_workers(name, "counter", help, &scheduler.workers, read);
    }
    let queued = |it: &WorkerStats| it.queued as f64;
    page.of_workers(
        "rusm_run_queue_tasks",
        "gauge",
        "Tasks in the worker's run queue, as of its last look.",
        &scheduler.workers,
        queued,
    );
    page.gauge(
        "rusm_injector_tasks",
        "Tasks in the injector and the queues of other priorities.",
        scheduler.injected,
    );
    page.histogram(
        "rusm_wake_to_run_seconds",
        "From woken to run; about one wake-up in 64 turns is timed.",
        &scheduler.total.wake_to_run,
    );
    page.counter(
        "rusm_turn_overruns_total",
        "Native turns that outlived the limit and lost their worker.",
        scheduler.rescues,
    );
    page.counter(
        "rusm_turn_overruns_refused_total",
        "Overlong turns that found no spare thread.",
        scheduler.rescues_refused,
    );
    page.gauge(
        "rusm_turns_stuck",
        "Threads in an overlong turn now.",
        scheduler.stuck,
    );
    page.counter(
        "rusm_ticks_total",
        "Times the ticker has ticked.",
        scheduler.ticks,
    );
    page.gauge("rusm_timers", "Timers that are armed.", scheduler.timers);
}

fn pools(page: &mut Page, snapshot: &Snapshot) {
    let (scheduler, io) = (&snapshot.scheduler, &snapshot.io);
    page.gauge(
        "rusm_blocking_threads",
        "Threads of the pool for blocking work.",
        scheduler.blocking_threads,
    );
    page.gauge(
        "rusm_blocking_queued_jobs",
        "Blocking jobs that wait for a thread.",
        scheduler.blocking_queued,
    );
    page.counter(
        "rusm_blocking_jobs_total",
        "Blocking jobs done.",
        scheduler.blocking_done,
    );
    page.counter(
        "rusm_blocking_refused_total",
        "Blocking jobs refused because too many waited.",
        scheduler.blocking_refused,
    );
    page.counter(
        "rusm_io_polls_total",
        "Looks at the system's readiness list.",
        io.polls,
    );
    page.counter("rusm_io_events_total", "Readiness events found.", io.events);
    page.counter(
        "rusm_io_poll_errors_total",
        "Looks that failed.",
        io.poll_errors,
    );
    page.counter(
        "rusm_io_accepts_retried_total",
        "Connections that were gone before they could be accepted.",
        io.accepts_retried,
    );
    page.counter(
        "rusm_io_accepts_paused_total",
        "Times an accept loop paused for want of descriptors or memory.",
        io.accepts_paused,
    );
    page.gauge(
        "rusm_io_sources",
        "Sockets and streams registered now.",
        io.sources_live,
    );
}

/// These names are the conventions' own, the same for all programs.
fn system(page: &mut Page, snapshot: &Snapshot) {
    let system = &snapshot.system;
    let since = snapshot.since.duration_since(UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO).as_secs_f64();
    page.gauge(
        "process_start_time_seconds",
        "When observing began, in Unix time.",
        since,
    );
    if let Some(seconds) = system.cpu_seconds {
        page.counter("process_cpu_seconds_total", "Processor time used.", seconds);
    }
    let gauges = [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            system.resident_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            "Addresses reserved.",
            system.virtual_bytes,
        ),
        ("process_threads", "Threads.", system.threads),
        (
            "process_open_fds",
            "Descriptors that are open.",
            system.descriptors,
        ),
        (
            "process_max_fds",
            "Descriptors that may be open.",
            system.descriptors_max,
        ),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            page.gauge(name, help, value);
        }
    }
    if let Some(load) = system.load_1m {
        page.gauge(
            "rusm_host_load_1m",
            "The machine's load, mean of a minute.",
            load,
        );
    }
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        match labels {
            "" => self.line(format_args!("{name} {value}")),
            _ => self.line(format_args!("{name}{{{labels}}} {value}")),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a `String` takes everything");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        self.sample(name, "", value);
    }

    fn of_workers(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        workers: &[WorkerStats],
        read: impl Fn(&WorkerStats) -> f64,
    ) {
        self.family(name, kind, help);
        for (number, worker) in workers.iter().enumerate() {
            self.sample(name, &format!("worker=\"{number}\""), read(worker));
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for power in BUCKET_FIRST..=BUCKET_LAST {
            let end = Duration::from_nanos(1 << power);
            let within = histogram.buckets().filter(|(longest, _)| *longest < end);
            let count: u64 = within.map(|(_, count)| count).sum();
            self.sample(&bucket, &format!("le=\"{}\"", end.as_secs_f64()), count);
        }
        self.sample(&bucket, "le=\"+Inf\"", histogram.count());
        self.sample(&format!("{name}_sum"), "", histogram.sum().as_secs_f64());
        self.sample(&format!("{name}_count"), "", histogram.count());
    }
}
