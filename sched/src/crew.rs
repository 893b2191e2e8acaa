//! A leading thread's loop: which task runs next, where to look for more, when to sleep.

mod pace;
mod search;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::contain::or_abort;
use crate::lease::Lease;
use crate::park::Park;
use crate::queue::Queue;
use crate::record::What;
use crate::run::{Outcome, pay, take_turn};
use crate::seat::{NO_HAND_OFF, PROBING, Seat, URGENT};
use crate::shared::Shared;
use crate::task::slot::TaskRef;
use crate::worker::{Tenant, Worker};
use pace::{Pace, Period};

/// Low-priority tasks get a turn after this many others, even on a busy worker.
const LOW_EVERY: u32 = 32;
/// High-priority tasks in a row.
const HIGH_RUN_MAX: u32 = 8;
/// Tasks that a worker must have for a busy one to take some.
const LONG: usize = 8;

/// Leads a worker until the scheduler stops or a turn took too long.
pub(crate) fn lead(shared: &Arc<Shared>, worker: &Arc<Worker>) {
    let lease = Arc::new(Lease::new());
    // First of all, so that it is dropped last: the driver's part runs code of others, too.
    let _leaving = Leaving(shared, lease.clone());
    let mut park = or_abort(|| shared.driver.park(worker.index));
    let seat = Seat::new(shared.clone(), Some(worker.clone()), lease.clone());
    let tenant = Tenant {
        lease,
        cells: seat.cells.clone(),
        unpark: park.unparker(),
    };
    *worker.tenant.lock().unwrap_or_else(PoisonError::into_inner) = Some(tenant);
    seat.occupy(|seat| {
        let mut crew = Crew {
            seat,
            shared,
            worker,
            park: park.as_mut(),
            turns_left: 0,
            reductions_left: 0,
            maintained: 0,
            turns: 0,
            served: 0,
            pace: Pace::new(shared.clock.nanos()),
            high_run: 0,
            low_in: LOW_EVERY,
        };
        // Lost or stopped: `Leaving` knows. What is left is for `Shared::drop_tasks`.
        drop(or_abort(|| crew.run()));
        // Whoever looks at the worker is not to see this thread work for ever.
        crew.rest();
    });
}

/// Counts a thread that lost its worker out of the stuck ones, however it ends.
struct Leaving<'a>(&'a Shared, Arc<Lease>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        // A lease that is still there stays entered, and so is never taken from now on.
        if !self.1.enter() {
            self.0.ticker.stuck.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Everything a leading thread works with.
struct Crew<'a> {
    seat: &'a Seat,
    shared: &'a Shared,
    worker: &'a Worker,
    park: &'a mut dyn Park,
    /// Until the next maintenance.
    turns_left: u32,
    reductions_left: i64,
    maintained: u32,
    /// Turns given until then.
    turns: u64,
    /// Tasks taken from the queue since then.
    served: u64,
    pace: Pace,
    high_run: u32,
    low_in: u32,
}

/// The lease is another thread's.
struct Lost;

impl Crew<'_> {
    fn run(&mut self) -> Result<(), Lost> {
        self.begin_busy();
        // A thread that lost this worker in a turn may have left a receiver there.
        let hand_off = self.seat.within(|queue, _| queue.take_hand_off()).flatten();
        hand_off.into_iter().for_each(|task| self.seat.push(task));
        loop {
            if self.turns_left == 0 || self.reductions_left <= 0 {
                if self.shared.is_stopping() {
                    return Ok(());
                }
                self.maintain();
            }
            let task = match self.next() {
                Some(task) => task,
                None => match self.idle() {
                    Some(task) => task,
                    None if self.shared.is_stopping() => return Ok(()),
                    None => continue,
                },
            };
            self.turn(task)?;
        }
    }

    /// The next task of this worker's own.
    #[inline(always)]
    fn next(&mut self) -> Option<TaskRef> {
        if !self.shared.has_priorities() {
            let claimed = |queue: &mut Queue, worker: &Worker| queue.pop_claimed(&worker.public);
            if let Some(task) = self.seat.within(claimed).flatten() {
                return Some(task);
            }
        }
        self.next_of_all()
    }

    #[inline(never)]
    fn next_of_all(&mut self) -> Option<TaskRef> {
        if self.shared.has_priorities()
            && let Some(task) = self.next_by_priority()
        {
            return Some(task);
        }
        let shared = self.shared;
        let show = shared.idle.any_idle() && !self.worker.is_quick();
        let task = self
            .seat
            .within(|queue, worker| queue.pop(&worker.public, show, |task| shared.inject(task)))
            .flatten();
        if self.seat.calling.get() {
            self.call();
        }
        task
    }

    /// Help was wanted when the queue was longer: is it still?
    #[cold]
    #[inline(never)]
    fn call(&self) {
        self.seat.calling.set(false);
        if self.waiting() > 0 {
            self.shared.wake_one();
        }
    }

    #[cold]
    fn next_by_priority(&mut self) -> Option<TaskRef> {
        if self.high_run < HIGH_RUN_MAX {
            self.high_run += 1;
            if let Some(task) = self.shared.take_high() {
                return Some(task);
            }
        }
        self.high_run = 0;
        self.low_in -= 1;
        if self.low_in == 0 {
            self.low_in = LOW_EVERY;
            return self.shared.take_low();
        }
        None
    }

    /// Gives `first` a turn, and then the receivers of messages, on what is left of it.
    #[inline(always)]
    fn turn(&mut self, first: TaskRef) -> Result<(), Lost> {
        let seat = self.seat;
        let budget = i64::from(self.shared.tuning.budget());
        seat.left.set(budget);
        self.served += 1;
        if !pay(seat, first.0) {
            self.turns_left = self.turns_left.saturating_sub(1);
            seat.push(first);
            return Ok(());
        }
        let mut task = first;
        loop {
            if task.0.probe.get() != 0 {
                self.shared.end_probe(seat, task);
            }
            seat.go_outside();
            let outcome = take_turn(seat, task.0);
            let leased = seat.come_inside();
            if seat.is_recorded() {
                seat.note_turn(&outcome);
            }
            match outcome {
                Outcome::Over => {}
                Outcome::Again => seat.push_yielded(task),
                Outcome::Moving => self.shared.blocking.take_over(task),
            }
            if !leased {
                return Err(Lost);
            }
            self.turns_left = self.turns_left.saturating_sub(1);
            let next = seat.within(|queue, _| queue.take_hand_off()).flatten();
            match next {
                None => break,
                Some(next) if seat.left.get() <= 0 || !pay(seat, next.0) => {
                    seat.push(next);
                    break;
                }
                Some(next) => task = next,
            }
        }
        self.reductions_left -= budget - seat.left.get();
        Ok(())
    }

    /// What has to be done now and then even by a worker that never runs out of tasks.
    #[inline(never)]
    fn maintain(&mut self) {
        let tuning = &self.shared.tuning;
        self.turns_left = tuning.maintain_turns();
        self.reductions_left = i64::from(tuning.maintain_reductions());
        self.tune();
        self.maintained = self.maintained.wrapping_add(1);
        self.seat
            .set_unusual(PROBING, self.maintained.is_multiple_of(16));
        self.fire_timers();
        self.poll();
        for _ in 0..self.share() {
            match self.shared.take_injected() {
                Some(task) => self.seat.push(task),
                None => break,
            }
        }
        let waiting = self.waiting();
        self.seat.cells.queued.set(waiting as u64);
        self.judge_pace(waiting);
        if waiting > 1 && !self.worker.is_quick() && self.shared.idle.any_sleeping() {
            self.shared.wake_one();
        }
    }

    /// Takes over what is too dear to look up each time.
    fn tune(&self) {
        self.seat.look_at_recorder();
        let tuning = &self.shared.tuning;
        self.seat.set_unusual(NO_HAND_OFF, !tuning.hand_off());
        self.seat.within(|queue, _| queue.tune(tuning));
    }

    fn judge_pace(&mut self, waiting: usize) {
        let turns = self.seat.cells.turns.get();
        let period = Period {
            now: self.shared.clock.nanos(),
            waiting,
            turns: turns - std::mem::replace(&mut self.turns, turns),
            served: std::mem::take(&mut self.served),
            receivers: self.seat.receivers.replace(0),
            sends: self.seat.sends.replace(0),
            deep_sends: self.seat.deep_sends.replace(0),
        };
        // No task is charged for what maintenance does.
        self.seat.cells.turn_began.set(period.now);
        self.worker.set_quick(self.pace.is_quick(&period));
        self.seat.brief.set(self.pace.is_brief());
        if self.pace.is_lonely(waiting)
            && let Some(task) = self.steal(LONG)
        {
            self.seat.push(task);
        }
    }

    fn waiting(&self) -> usize {
        let waiting = |queue: &mut Queue, worker: &Worker| queue.waiting(&worker.public);
        self.seat.within(waiting).unwrap_or(0)
    }

    /// This worker's part of the injector.
    fn share(&self) -> usize {
        let all = self.shared.injected();
        let part = all.div_ceil(self.shared.workers.len());
        part.min(self.shared.tuning.injector_share())
    }

    fn poll(&mut self) {
        self.seat.set_unusual(URGENT, true);
        self.park.poll();
        self.seat.set_unusual(URGENT, false);
    }

    fn fire_timers(&mut self) {
        self.seat.set_unusual(URGENT, true);
        let fired = self.shared.fire_timers(self.worker);
        self.seat.set_unusual(URGENT, false);
        if fired > 0 {
            let fired = u32::try_from(fired).unwrap_or(u32::MAX);
            self.seat.note(|| What::Timers { fired });
        }
    }

    /// Looks for work elsewhere, then sleeps. `None`: look again, or stop.
    #[inline(never)]
    fn idle(&mut self) -> Option<TaskRef> {
        self.rest();
        self.pace.was_idle();
        self.shared.idle.search();
        self.seat.cells.searches.add(1);
        if let Some(task) = self.search() {
            self.end_search();
            return Some(task);
        }
        self.shared.idle.sleep(self.worker.index);
        let mut task = self.find();
        if task.is_none() && !self.shared.is_stopping() {
            self.sleep();
        }
        self.shared.idle.rise(self.worker.index);
        self.fire_timers();
        if task.is_none() {
            task = self.next();
        }
        self.end_search();
        task
    }

    fn sleep(&mut self) {
        self.seat.cells.parks.add(1);
        self.seat.note(|| What::Park);
        let now = self.shared.clock.nanos();
        let timeout = self.worker.timers.next().map(|at| at.saturating_sub(now));
        self.seat.set_unusual(URGENT, true);
        self.park.park(timeout.map(Duration::from_nanos));
        self.seat.set_unusual(URGENT, false);
        self.seat.look_at_recorder();
        self.seat.note(|| What::Unpark);
    }

    /// Ends the busy period, if it is in one.
    fn rest(&self) {
        let cells = &self.seat.cells;
        let since = cells.busy_since.get();
        if since == 0 {
            return;
        }
        let now = self.shared.clock.nanos();
        cells.busy_nanos.add(now.saturating_sub(since));
        cells.busy_since.set(0);
        cells.queued.set(0);
    }

    fn end_search(&mut self) {
        let last = self.shared.idle.found();
        if last && (self.waiting() > 1 || self.shared.injected() > 0) {
            self.shared.wake_one();
        }
        self.tune();
        self.begin_busy();
        self.shared.ticker.start();
    }

    fn begin_busy(&self) {
        let now = self.shared.clock.nanos().max(1);
        self.seat.cells.busy_since.set(now);
        self.seat.cells.turn_began.set(now);
    }
}
