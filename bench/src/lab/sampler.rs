//! Looks at a run from outside, 20 times a second: how many processes live, what was done since the look before (what
//! the scenario tells, or else what its node counts), how late what was woken came to run, and what each process that
//! is shown has done.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusm_observe::protocol::{Lane as Shown, Side, Times};
use rusm_sched::{Config, Histogram, Stats};

use super::series::Series;
use crate::lanes::{Lane, Lanes, jain};
use crate::latency::curve;
use crate::report::tidy;
use crate::watch::{Progress, Watch};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(50);

/// What the latest look found.
#[derive(Clone, Default)]
pub(super) struct Look {
    pub(super) alive: u64,
    /// Most of them at any look.
    pub(super) peak: u64,
    /// A second, since the look before.
    pub(super) throughput: f64,
    pub(super) latency: Times,
    pub(super) curve: Vec<(f64, f64)>,
    pub(super) sides: Vec<Side>,
    /// Of the node: some of it may be set while it runs.
    pub(super) config: Option<Config>,
}

/// Whoever looks at one run.
pub(super) struct Sampler {
    watch: Arc<Watch>,
    storm: bool,
    start: Instant,
    before: Option<Before>,
    /// What the bystanders of each side had done.
    woken: Vec<Vec<u64>>,
    latest: Look,
    series: Series,
}

/// What the look before found.
struct Before {
    node: u64,
    /// What the scenario told, if it told anything: what is counted differently cannot be compared.
    unit: Option<&'static str>,
    at: Instant,
    done: u64,
}

impl Sampler {
    /// `storm`: unless the scenario tells, what counts is the processes that have ended, not turns.
    pub(super) fn new(watch: Arc<Watch>, storm: bool) -> Self {
        Sampler {
            watch,
            storm,
            start: Instant::now(),
            before: None,
            woken: Vec::new(),
            latest: Look::default(),
            series: Series::new(),
        }
    }

    /// Looks until nobody can say any more that the run is over, and tells each look.
    pub(super) fn run(mut self, over: &Receiver<()>, tell: impl Fn(&Look)) -> Self {
        while over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            self.look(Instant::now());
            tell(&self.latest);
        }
        self
    }

    fn look(&mut self, now: Instant) {
        let Some((which, node)) = self.watch.node() else {
            return;
        };
        let stats = node.stats();
        self.latest.config = Some(node.handle().config());
        self.latest.alive = stats.live();
        self.latest.peak = self.latest.peak.max(self.latest.alive);
        self.latest.latency = times(&stats.total.wake_to_run);
        self.latest.curve = wake_curve(&stats.total.wake_to_run);
        let told = self.watch.progress();
        let latest = Before {
            node: which,
            unit: told.as_ref().map(|told| told.unit),
            at: now,
            done: self.done(told.as_deref(), &stats),
        };
        if let Some(rate) = self.before.as_ref().and_then(|it| it.rate_to(&latest)) {
            self.latest.throughput = tidy(rate);
            let at = (now - self.start).as_millis() as u64;
            self.series.note(at, self.latest.throughput);
        }
        self.before = Some(latest);
        self.look_at_sides();
    }

    fn done(&self, told: Option<&Progress>, stats: &Stats) -> u64 {
        match told {
            Some(progress) => progress.done(),
            None if self.storm => stats.total.exited,
            None => stats.total.turns,
        }
    }

    fn look_at_sides(&mut self) {
        let sides = self.watch.sides();
        self.woken.resize(sides.len(), Vec::new());
        let sides = sides.iter().zip(&mut self.woken);
        self.latest.sides = sides.map(|(lanes, before)| side(lanes, before)).collect();
    }

    /// The last look, and throughput over time.
    pub(super) fn end(self) -> (Look, Vec<(u64, f64)>) {
        (self.latest, self.series.into_points())
    }
}

impl Before {
    /// A second, until `next`.
    fn rate_to(&self, next: &Before) -> Option<f64> {
        let alike = (self.node, self.unit) == (next.node, next.unit);
        let span = (next.at - self.at).as_secs_f64().max(1e-6);
        alike.then(|| next.done.saturating_sub(self.done) as f64 / span)
    }
}

fn side(lanes: &Lanes, before: &mut Vec<u64>) -> Side {
    let now: Vec<u64> = lanes.bystanders.iter().map(Lane::done).collect();
    before.resize(now.len(), 0);
    let since = now.iter().zip(before.iter());
    let since: Vec<u64> = since.map(|(now, then)| now - then).collect();
    *before = now;
    let hogs = lanes.hogs.iter().enumerate().map(shown(lanes, "hog"));
    let bystanders = lanes.bystanders.iter().enumerate();
    let bystanders = bystanders.map(shown(lanes, "bystander"));
    Side {
        name: lanes.name.to_string(),
        jain: jain(&since),
        lanes: hogs.chain(bystanders).collect(),
    }
}

fn shown(lanes: &Lanes, kind: &str) -> impl Fn((usize, &Lane)) -> Shown {
    move |(index, lane)| Shown {
        name: format!("{kind} {}", index + 1),
        kind: kind.to_string(),
        done: lane.done(),
        late: lanes.late_us(lane),
    }
}

fn times(histogram: &Histogram) -> Times {
    let micros = |share| histogram.quantile(share).as_nanos() as f64 / 1e3;
    Times {
        count: histogram.count(),
        p50: micros(0.5),
        p95: micros(0.95),
        p99: micros(0.99),
        p999: micros(0.999),
        max: micros(1.0),
    }
}

fn wake_curve(histogram: &Histogram) -> Vec<(f64, f64)> {
    match histogram.count() {
        0 => Vec::new(),
        _ => curve(|share| histogram.quantile(share).as_nanos() as f64 / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;

    #[test]
    fn a_look_counts_what_was_done_since_the_look_before_and_keeps_the_peak() {
        let node = rusm_actor::Node::start(rusm_sched::Config::default()).unwrap();
        let watch = Arc::new(Watch::default());
        let shown = watch.show(&node);
        let mut sampler = Sampler::new(watch.clone(), true);
        let start = Instant::now();
        let waiting = || node.spawn(|_ctx| std::future::pending::<()>());
        let pids = [waiting(), waiting()];
        sampler.look(start);
        assert_eq!((sampler.latest.alive, sampler.latest.throughput), (2, 0.0));
        for pid in pids {
            node.kill(pid);
        }
        while node.process_count() > 0 {
            std::thread::yield_now();
        }
        sampler.look(start + Duration::from_millis(500));
        let (latest, series) = {
            drop(shown);
            // Nothing is shown any more: what was found stays.
            sampler.look(start + Duration::from_secs(9));
            sampler.end()
        };
        assert_eq!((latest.alive, latest.peak), (0, 2));
        assert_eq!(latest.throughput, 4.0);
        assert_eq!(series.len(), 1);
    }

    #[test]
    fn what_the_scenario_tells_is_shown_instead_of_what_the_node_counts() {
        let node = rusm_actor::Node::start(rusm_sched::Config::default()).unwrap();
        let watch = Arc::new(Watch::default());
        let _shown = watch.show(&node);
        let mut sampler = Sampler::new(watch.clone(), false);
        let start = Instant::now();
        let told = Arc::new(AtomicU64::new(7));
        let done = told.clone();
        // Whatever the node did until then is no message.
        sampler.look(start);
        watch.show_progress("msgs/s", move || done.load(Relaxed));
        sampler.look(start + Duration::from_millis(250));
        assert_eq!(sampler.latest.throughput, 0.0);
        told.store(107, Relaxed);
        sampler.look(start + Duration::from_millis(750));
        let (latest, series) = sampler.end();
        assert_eq!(latest.throughput, 200.0);
        assert_eq!(series.len(), 1);
    }

    #[test]
    fn a_side_tells_its_lanes_and_how_alike_the_bystanders_fared_since_the_look_before() {
        let lanes = Lanes::new("rusm", 1, 2);
        let mut before = Vec::new();
        lanes.hogs[0].did(5);
        lanes.bystanders[0].woke(Duration::from_micros(7));
        assert_eq!(side(&lanes, &mut before).jain, 0.5);
        for lane in &lanes.bystanders {
            lane.woke(Duration::from_micros(3));
        }
        let side = side(&lanes, &mut before);
        assert_eq!(side.jain, 1.0);
        let told: Vec<(&str, u64, Option<f64>)> = side
            .lanes
            .iter()
            .map(|lane| (lane.name.as_str(), lane.done, lane.late))
            .collect();
        let expected = [
            ("hog 1", 5, None),
            ("bystander 1", 2, Some(3.0)),
            ("bystander 2", 1, Some(3.0)),
        ];
        assert_eq!(told, expected);
    }
}
