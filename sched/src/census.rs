//! Gathering what the threads of a scheduler count, and timing a wake-up now and then.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::seat::{PROBING, Seat};
use crate::shared::Shared;
use crate::stats::{Cells, Stats, WorkerStats};
use crate::task::slot::{Address, TaskRef};
use crate::task::times::{self, Times};

/// Those whose turn it was at some moment.
pub(crate) struct InTurns {
    /// Their addresses, and when their turns began, if turns are timed.
    turns: Vec<(u64, u64)>,
    /// The moment, if turns are timed.
    now: Option<u64>,
}

impl InTurns {
    /// Was it this task's?
    pub(crate) fn has(&self, address: Address) -> bool {
        self.began(address).is_some()
    }

    fn began(&self, address: Address) -> Option<u64> {
        let of = |(task, _): &&(u64, u64)| *task == address.to_bits();
        self.turns.iter().find(of).map(|(_, began)| *began)
    }

    /// This task's times, the turn that it is in included: `ended` is when that began if it is in
    /// one. `None` if turns are not timed.
    pub(crate) fn times(&self, address: Address) -> Option<Times> {
        let now = self.now?;
        let times = times::of(address).unwrap_or_default();
        // A turn that has ended since then is in the sum already.
        let began = self
            .began(address)
            .filter(|began| Some(*began) >= times.ended);
        let lasts = began.map_or(0, |began| now.saturating_sub(began));
        Some(Times {
            ran: times.ran.saturating_add(lasts),
            ended: began.or(times.ended),
            ..times
        })
    }
}

impl Shared {
    /// The cells for a new thread: those of an ended one in the same place, if there are any.
    pub(crate) fn register(&self, worker: Option<usize>) -> Arc<Cells> {
        let mut all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all
            .iter()
            .find(|(place, cells)| *place == worker && Arc::strong_count(cells) == 1);
        if let Some((_, cells)) = left {
            return cells.clone();
        }
        let cells = Arc::new(Cells::default());
        cells.task.set(Address::NOBODY.to_bits());
        all.push((worker, cells.clone()));
        cells
    }

    /// Marks a task whose wake-up is to be timed.
    #[cold]
    pub(crate) fn probe(&self, seat: &Seat, task: TaskRef) {
        seat.set_unusual(PROBING, false);
        let Some(worker) = &seat.worker else { return };
        if worker.probe_at.load(Ordering::Relaxed) == 0 {
            worker
                .probe_at
                .store(self.clock.nanos().max(1), Ordering::Relaxed);
            task.0
                .probe
                .set(u8::try_from(worker.index + 1).unwrap_or(0));
        }
    }

    /// The marked task runs.
    #[cold]
    pub(crate) fn end_probe(&self, seat: &Seat, task: TaskRef) {
        let worker = usize::from(task.0.probe.replace(0)) - 1;
        let Some(worker) = self.workers.get(worker) else {
            return;
        };
        let since = worker.probe_at.swap(0, Ordering::Relaxed);
        if since != 0 {
            let waited = self.clock.nanos().saturating_sub(since);
            seat.cells.wake_to_run.note(waited);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let now = self.clock.nanos();
        let mut stats = Stats {
            workers: vec![WorkerStats::default(); self.workers.len()],
            ..Stats::default()
        };
        let all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        for (worker, cells) in all.iter() {
            stats.total.add(cells, now);
            let in_turn =
                cells.busy_since.get() != 0 && cells.task.get() != Address::NOBODY.to_bits();
            stats.running += usize::from(in_turn);
            if let Some(worker) = worker {
                stats.workers[*worker].add(cells, now);
            }
        }
        drop(all);
        stats.total.spawned += self.foreign_spawned.load(Ordering::Relaxed);
        stats.total.exited += self.foreign_exited.load(Ordering::Relaxed);
        stats.injected = self.injector.len() + self.high.len() + self.low.len();
        stats.rescues = self.ticker.rescues.load(Ordering::Relaxed);
        stats.rescues_refused = self.ticker.refused.load(Ordering::Relaxed);
        stats.stuck = self.ticker.stuck.load(Ordering::Relaxed);
        stats.ticks = self.ticker.ticks.load(Ordering::Relaxed);
        stats.timers = self.workers.iter().map(|worker| worker.timers.len()).sum();
        let pool = self.blocking.stats();
        stats.blocking_threads = pool.threads;
        stats.blocking_queued = pool.queued;
        stats.blocking_done = pool.done;
        stats.blocking_refused = pool.refused;
        stats
    }

    /// Whose turn it is now on each of the threads.
    pub(crate) fn in_turns(&self) -> InTurns {
        let all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = |cells: &Cells| (cells.task.get(), cells.turn_began.get());
        let turns = all.iter().map(|(_, cells)| turn(cells)).collect();
        drop(all);
        let now = self.config.times.then(|| self.clock.nanos());
        InTurns { turns, now }
    }

    pub(crate) fn exited(&self) -> u64 {
        let all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let here: u64 = all.iter().map(|(_, cells)| cells.exited.get()).sum();
        here + self.foreign_exited.load(Ordering::Relaxed)
    }
}
