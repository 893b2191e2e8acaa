//! What `rusm top` shows, as lines of text: the node's overview above, its processes below.

use rusm_observe::protocol::{About, Frame, Overview, Row, Tick};

use crate::command::rows;
use crate::text::{bytes, clock, count, cut, micros};
use rusm_observe::quiet;

/// Columns of the bar of one worker.
const BAR: usize = 20;
/// Columns of a worker with its bar and numbers.
const WORKER: usize = BAR + 24;
/// Lines that workers may take.
const WORKER_LINES_MAX: usize = 8;

/// The latest of a node.
pub(super) struct View {
    pub(super) about: About,
    pub(super) at: String,
    now: Option<Tick>,
    /// The one before: what is told a second is told from one to the other.
    before: Option<Tick>,
    /// The latest shares of wake-ups, when there were any.
    wakes: Option<(f64, f64)>,
    pub(super) rows: Vec<Row>,
    window: bool,
    matched: u64,
    alive: u64,
}

impl View {
    pub(super) fn new(about: About, at: String) -> View {
        View {
            about,
            at,
            now: None,
            before: None,
            wakes: None,
            rows: Vec::new(),
            window: false,
            matched: 0,
            alive: 0,
        }
    }

    /// Takes in what the node says. True: there is something else to be seen.
    pub(super) fn hear(&mut self, frame: Frame) -> bool {
        match frame {
            Frame::Tick(tick) => {
                let times = &tick.overview.wake_to_run.times;
                if times.count > 0 {
                    self.wakes = Some((times.p50, times.p99));
                }
                // Counters of another node are no earlier ones of this.
                let same = |now: &Tick| now.overview.target == tick.overview.target;
                self.before = self.now.take().filter(same);
                self.now = Some(*tick);
            }
            Frame::Rows {
                window,
                alive,
                matched,
                rows,
                ..
            } => {
                (self.window, self.alive) = (window, alive);
                (self.matched, self.rows) = (matched, rows);
            }
            _ => return false,
        }
        true
    }

    /// The overview, in lines of so many columns.
    pub(super) fn head(&self, width: usize) -> Vec<String> {
        let about = &self.about;
        let who = format!(
            "{} at {}   RUSM {}   process {}   {}, {} CPUs",
            quiet(&about.name),
            quiet(&self.at),
            quiet(&about.version),
            about.os_pid,
            quiet(&about.os),
            about.cpus
        );
        let mut lines = vec![who];
        if let Some(now) = &self.now {
            lines.extend(self.counted(&now.overview));
            lines.extend(self.workers(&now.overview, width));
        }
        lines.iter().map(|line| cut(line, width)).collect()
    }

    /// The table, its head first, in so many lines of so many columns.
    pub(super) fn table(&self, width: usize, height: usize) -> Vec<String> {
        let lines = rows::table(&self.rows, self.window).into_iter();
        let lines = lines.take(height);
        lines.map(|line| cut(&line, width)).collect()
    }

    /// How many processes the table is of.
    pub(super) fn summary(&self) -> String {
        rows::summary(self.rows.len(), self.matched, self.alive)
    }

    fn counted(&self, now: &Overview) -> Vec<String> {
        let (processes, counters, gauges) = (&now.processes, &now.counters, &now.gauges);
        let system = &now.system;
        let queued: u64 = now.workers.iter().map(|worker| worker.queued).sum();
        let unknown = || "-".to_owned();
        let number = |number: Option<u64>| number.map_or_else(unknown, count);
        let (p50, p99) = match self.wakes {
            Some((p50, p99)) => (micros(p50), micros(p99)),
            None => (unknown(), unknown()),
        };
        let second = |of: fn(&Overview) -> u64| self.second(of).map_or_else(unknown, count);
        vec![
            format!(
                "up {}   {} processes: {} running, {} runnable, {} waiting   run queues {} + {}",
                clock(now.at / 1_000_000),
                count(processes.alive),
                processes.running,
                processes.runnable,
                processes.waiting,
                queued,
                gauges.injected
            ),
            format!(
                "memory {}   CPU {}   load {}   {} threads   {} of {} descriptors   {} timers",
                system.resident_bytes.map_or_else(unknown, bytes),
                system
                    .cpu_seconds
                    .map_or_else(unknown, |spent| micros(spent * 1e6)),
                system
                    .load_1m
                    .map_or_else(unknown, |load| format!("{load:.2}")),
                number(system.threads),
                number(system.fds),
                number(system.fds_max),
                count(gauges.timers)
            ),
            format!(
                "a second: {} spawns, {} turns, {} reductions   shed {}   panics {}   stuck {}",
                second(|it| it.counters.spawns),
                second(|it| it.counters.turns),
                second(|it| it.counters.reductions),
                count(counters.messages_shed),
                counters.panics,
                gauges.stuck
            ),
            format!("woken to run: half within {p50}, 99 of 100 within {p99}"),
        ]
    }

    /// What is done a second; `None` before there are two looks.
    fn second(&self, of: fn(&Overview) -> u64) -> Option<u64> {
        let (now, before) = (
            &self.now.as_ref()?.overview,
            &self.before.as_ref()?.overview,
        );
        let time = now.at.checked_sub(before.at).filter(|time| *time > 0)?;
        let done = of(now).saturating_sub(of(before));
        Some((done as f64 * 1e6 / time as f64) as u64)
    }

    fn workers(&self, now: &Overview, width: usize) -> Vec<String> {
        let busy = |at: usize| -> Option<f64> {
            let before = &self.before.as_ref()?.overview;
            let time = now.at.checked_sub(before.at).filter(|time| *time > 0)?;
            let (then, busy) = (before.workers.get(at)?.busy, now.workers[at].busy);
            Some((busy.saturating_sub(then) as f64 / time as f64).min(1.0))
        };
        let worker = |at: usize| {
            let share = busy(at);
            let percent = share.map_or("  -".into(), |share| format!("{:3.0}", share * 100.0));
            let filled = (share.unwrap_or(0.0) * BAR as f64).round() as usize;
            let (bar, queued) = ("|".repeat(filled), now.workers[at].queued);
            format!("w{at:<3}[{bar:BAR$}] {percent} %  q {queued:<6}")
        };
        let all: Vec<String> = (0..now.workers.len()).map(worker).collect();
        let in_a_line = (width / WORKER).max(1);
        let mut lines: Vec<String> = all
            .chunks(in_a_line)
            .map(|line| line.join("").trim_end().to_owned())
            .collect();
        if lines.len() > WORKER_LINES_MAX {
            lines.truncate(WORKER_LINES_MAX - 1);
            let more = all.len() - lines.len() * in_a_line;
            lines.push(format!("and {more} more workers"));
        }
        lines
    }
}
