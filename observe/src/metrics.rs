//! What is measured of a node, by the names of the Prometheus conventions; how it is written down is decided elsewhere.

use std::time::{Duration, UNIX_EPOCH};

use rusm_sched::{Histogram, WorkerStats};

use crate::snapshot::Snapshot;

/// One metric.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) value: Value,
}

/// What a metric is now.
pub(crate) enum Value {
    /// Goes up and down.
    Gauge(f64),
    /// Only grows.
    Counter(f64),
    /// One for each worker.
    Gauges(Vec<f64>),
    /// One for each worker.
    Counters(Vec<f64>),
    /// Durations, in seconds.
    Histogram(Histogram),
    /// The label says all.
    Version,
}

/// Ours.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// All of them.
pub(crate) fn all(snapshot: &Snapshot) -> Vec<Metric> {
    let mut list = List(Vec::with_capacity(64));
    node(&mut list, snapshot);
    scheduler(&mut list, snapshot);
    pools(&mut list, snapshot);
    system(&mut list, snapshot);
    list.0
}

fn node(list: &mut List, snapshot: &Snapshot) {
    let total = &snapshot.scheduler.total;
    list.push("rusm_build_info", "The version of RUSM.", Value::Version);
    list.gauge(
        "rusm_uptime_seconds",
        "How long the node has run.",
        snapshot.uptime.as_secs_f64(),
    );
    list.gauge("rusm_processes", "Processes that live.", snapshot.processes);
    list.counter(
        "rusm_process_spawns_total",
        "Processes and tasks started.",
        total.spawned,
    );
    list.counter(
        "rusm_process_exits_total",
        "Processes and tasks ended.",
        total.exited,
    );
    list.counter(
        "rusm_process_panics_total",
        "Native bodies that ended by a panic, and destructors that panicked.",
        total.panics,
    );
    list.counter(
        "rusm_messages_shed_total",
        "Messages shed by mailboxes with a limit.",
        snapshot.messages_shed,
    );
}

fn scheduler(list: &mut List, snapshot: &Snapshot) {
    let scheduler = &snapshot.scheduler;
    for (name, help, read) in WORKER_COUNTERS {
        list.push(
            name,
            help,
            Value::Counters(of_workers(&scheduler.workers, read)),
        );
    }
    let queued = |it: &WorkerStats| it.queued as f64;
    list.push(
        "rusm_run_queue_tasks",
        "Tasks in the worker's run queue, as of its last look.",
        Value::Gauges(of_workers(&scheduler.workers, queued)),
    );
    list.gauge(
        "rusm_injector_tasks",
        "Tasks in the injector and the queues of other priorities.",
        scheduler.injected,
    );
    list.push(
        "rusm_wake_to_run_seconds",
        "From woken to run; about one wake-up in 64 turns is timed.",
        Value::Histogram(scheduler.total.wake_to_run.clone()),
    );
    list.counter(
        "rusm_turn_overruns_total",
        "Native turns that outlived the limit and lost their worker.",
        scheduler.rescues,
    );
    list.counter(
        "rusm_turn_overruns_refused_total",
        "Overlong turns that found no spare thread.",
        scheduler.rescues_refused,
    );
    list.gauge(
        "rusm_turns_stuck",
        "Threads in an overlong turn now.",
        scheduler.stuck,
    );
    list.counter(
        "rusm_ticks_total",
        "Times the ticker has ticked.",
        scheduler.ticks,
    );
    list.gauge("rusm_timers", "Timers that are armed.", scheduler.timers);
}

fn pools(list: &mut List, snapshot: &Snapshot) {
    let (scheduler, io) = (&snapshot.scheduler, &snapshot.io);
    list.gauge(
        "rusm_blocking_threads",
        "Threads of the pool for blocking work.",
        scheduler.blocking_threads,
    );
    list.gauge(
        "rusm_blocking_queued_jobs",
        "Blocking jobs that wait for a thread.",
        scheduler.blocking_queued,
    );
    list.counter(
        "rusm_blocking_jobs_total",
        "Blocking jobs done.",
        scheduler.blocking_done,
    );
    list.counter(
        "rusm_blocking_refused_total",
        "Blocking jobs refused because too many waited.",
        scheduler.blocking_refused,
    );
    list.counter(
        "rusm_io_polls_total",
        "Looks at the system's readiness list.",
        io.polls,
    );
    list.counter("rusm_io_events_total", "Readiness events found.", io.events);
    list.counter(
        "rusm_io_poll_errors_total",
        "Looks that failed.",
        io.poll_errors,
    );
    list.counter(
        "rusm_io_accepts_retried_total",
        "Connections that were gone before they could be accepted.",
        io.accepts_retried,
    );
    list.counter(
        "rusm_io_accepts_paused_total",
        "Times an accept loop paused for want of descriptors or memory.",
        io.accepts_paused,
    );
    list.gauge(
        "rusm_io_sources",
        "Sockets and streams registered now.",
        io.sources_live,
    );
}

/// These names are the conventions' own, the same for all programs.
fn system(list: &mut List, snapshot: &Snapshot) {
    let system = &snapshot.system;
    let since = snapshot.since.duration_since(UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO).as_secs_f64();
    list.gauge(
        "process_start_time_seconds",
        "When observing began, in Unix time.",
        since,
    );
    if let Some(seconds) = system.cpu_seconds {
        list.counter("process_cpu_seconds_total", "Processor time used.", seconds);
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
            list.gauge(name, help, value);
        }
    }
    if let Some(load) = system.load_1m {
        list.gauge(
            "rusm_host_load_1m",
            "The machine's load, mean of a minute.",
            load,
        );
    }
}

struct List(Vec<Metric>);

impl List {
    fn push(&mut self, name: &'static str, help: &'static str, value: Value) {
        self.0.push(Metric { name, help, value });
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, value: impl Number) {
        self.push(name, help, Value::Gauge(value.to_f64()));
    }

    fn counter(&mut self, name: &'static str, help: &'static str, value: impl Number) {
        self.push(name, help, Value::Counter(value.to_f64()));
    }
}

fn of_workers(workers: &[WorkerStats], read: impl Fn(&WorkerStats) -> f64) -> Vec<f64> {
    workers.iter().map(read).collect()
}

/// What is counted in whole numbers or measured in others.
trait Number {
    fn to_f64(self) -> f64;
}

impl Number for f64 {
    fn to_f64(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Number for usize {
    fn to_f64(self) -> f64 {
        self as f64
    }
}
