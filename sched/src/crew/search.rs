//! Where a worker looks for tasks when its own queue is empty, and whom it steals from.

use std::time::Instant;

use super::Crew;
use crate::record::What;
use crate::task::slot::TaskRef;

/// A thief's pause between looks grows to this many spins, about 1 us.
const PAUSE_MAX: u32 = 256;

impl Crew<'_> {
    /// Looks everywhere again and again for a while: a wake-up costs far more.
    pub(super) fn search(&mut self) -> Option<TaskRef> {
        let start = Instant::now();
        let mut pause = 1;
        loop {
            self.seat.look_at_recorder();
            if let Some(task) = self.find() {
                return Some(task);
            }
            self.poll();
            self.fire_timers();
            if let Some(task) = self.next() {
                return Some(task);
            }
            if start.elapsed() >= self.shared.tuning.spin() || self.shared.is_stopping() {
                return None;
            }
            // Each look pulls at the cache lines of those who work.
            for _ in 0..pause {
                std::hint::spin_loop();
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One look everywhere: the shared queues, then the other workers'.
    pub(super) fn find(&mut self) -> Option<TaskRef> {
        let shared = self.shared;
        if let Some(task) = shared.take_high().or_else(|| shared.take_injected()) {
            for _ in 1..self.share() {
                match shared.take_injected() {
                    Some(more) => self.seat.push(more),
                    None => break,
                }
            }
            return Some(task);
        }
        self.steal(1).or_else(|| shared.take_low())
    }

    /// Takes tasks of a worker that has at least `least`.
    pub(super) fn steal(&mut self, least: usize) -> Option<TaskRef> {
        let workers = &self.shared.workers;
        let policy = self.shared.tuning.steal();
        let first = self.seat.within(|queue, _| queue.random(workers.len()))?;
        for at in 0..workers.len() {
            let victim = &workers[(first + at) % workers.len()];
            let own = victim.index == self.worker.index;
            if own || victim.is_quick() || victim.public.len() < least {
                continue;
            }
            let cells = &self.seat.cells;
            let (task, count) = self.seat.within(|queue, worker| {
                let spill = |task| self.shared.spill(cells, task);
                queue.steal(&worker.public, &victim.public, policy, spill)
            })?;
            if task.is_some() {
                cells.steals.add(1);
                cells.stolen.add(count as u64);
                let (from, tasks) = (victim.index, count as u32);
                self.seat.note(|| What::Steal { from, tasks });
                return task;
            }
        }
        None
    }
}
