//! The ticker: drives epochs, watches for turns that never end, sleeps when nobody runs.
//!
//! A native body that never awaits cannot be preempted. When its turn outlives the limit, its
//! worker is taken away from the thread it blocks and led by a new thread; the blocked thread
//! ends when the turn does.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::clock::to_nanos;
use crate::contain::contain;
use crate::record::{Event, What};
use crate::shared::Shared;
use crate::task::slot::{Address, resolve};
use crate::worker::{Tenant, Worker};

/// Idle ticks before the ticker sleeps: short pauses shall not cost the next task a system
/// call to wake it.
const LINGER: u32 = 20;
/// The longest tick while the scheduler stops.
const STOP_TICK_MAX: Duration = Duration::from_millis(10);
/// A timer this late is fired by whoever is awake, in nanoseconds.
pub(crate) const OVERDUE: u64 = 3_000_000;

type Hook = Arc<dyn Fn() + Send + Sync>;
type Report = Arc<dyn Fn(&Overrun) + Send + Sync>;

/// A turn that outlived `Config::turn_limit`.
#[derive(Clone, Debug)]
pub struct Overrun {
    /// The task that does not give its turn back.
    pub task: Address,
    /// The type of its body, which names the function it was made in.
    pub name: &'static str,
    /// The worker it held up.
    pub worker: usize,
    /// How long its turn has lasted.
    pub lasted: Duration,
    /// False: no spare thread was left, and the worker stays held up.
    pub rescued: bool,
    /// Threads stuck in such turns now, this one included.
    pub stuck: usize,
}

#[derive(Default)]
pub(crate) struct Ticker {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
    hooks: RwLock<Vec<Hook>>,
    report: Mutex<Option<Report>>,
    pub(crate) ticks: AtomicU64,
    pub(crate) rescues: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) stuck: AtomicUsize,
}

impl Ticker {
    /// Makes it tick if it sleeps: called by a worker that found work after a pause.
    #[inline]
    pub(crate) fn start(&self) {
        // Pairs with the fence in `rest`: the caller has just left the ranks of the idle.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) {
            self.unpark();
        }
    }

    pub(crate) fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(crate) fn on_tick(&self, hook: Hook) {
        let mut hooks = self.hooks.write().unwrap_or_else(PoisonError::into_inner);
        hooks.push(hook);
    }

    pub(crate) fn on_overrun(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    /// Drops hooks and report. What they hold may in turn hold the scheduler.
    pub(crate) fn clear(&self) {
        let mut held = self.hooks.write().unwrap_or_else(PoisonError::into_inner);
        let hooks = std::mem::take(&mut *held);
        drop(held);
        for hook in hooks {
            contain(|| drop(hook));
        }
        let mut held = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let report = held.take();
        drop(held);
        contain(|| drop(report));
    }

    /// The ticker's thread.
    pub(crate) fn run(shared: &Arc<Shared>) {
        let ticker = &shared.ticker;
        ticker.thread.get_or_init(std::thread::current);
        let mut watches: Vec<Watch> = shared.workers.iter().map(|_| Watch::default()).collect();
        let mut idle_ticks = 0;
        // A guest that spins ends its turn on a tick: the ticker is the last to go.
        while !shared.is_stopping() || shared.threads_running() > 1 {
            pause(shared);
            if !shared.all_asleep() {
                idle_ticks = 0;
                ticker.tick(shared, &mut watches);
                continue;
            }
            idle_ticks += 1;
            if idle_ticks > LINGER {
                ticker.rest(shared);
                idle_ticks = 0;
            }
        }
    }

    fn tick(&self, shared: &Arc<Shared>, watches: &mut [Watch]) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        // Called without the lock, and contained: everybody's preemption depends on the ticker.
        let hooks = self
            .hooks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for hook in hooks {
            contain(|| hook());
        }
        let now = shared.clock.nanos();
        let limit = to_nanos(shared.tuning.turn_limit());
        for (worker, watch) in shared.workers.iter().zip(watches) {
            if watch.vacant {
                watch.vacant = !self.staff(shared, worker);
            } else if let Some(tenant) = worker.tenant()
                && let Some(lasted) = watch.look(tenant.cells.turns.get(), now, limit)
                && tenant.lease.is_outside()
            {
                let vacant = self.rescue(shared, worker, &tenant, Duration::from_nanos(lasted));
                *watch = Watch {
                    vacant,
                    ..Watch::default()
                };
            }
            // Its own thread may be in a long turn, and the others asleep.
            let late = worker.timers.next().is_some_and(|at| at + OVERDUE < now);
            let slow = watch.since < now && worker.public.len() > 0;
            if slow {
                worker.set_quick(false);
            }
            if late || slow {
                shared.wake_one();
            }
        }
    }

    /// Starts a thread that leads the worker. False: the system gives none.
    fn staff(&self, shared: &Arc<Shared>, worker: &Arc<Worker>) -> bool {
        let number = self.rescues.load(Ordering::Relaxed) + 1;
        let started = shared.lead(worker, format!("rusm-spare-{number}"));
        if started {
            self.rescues.store(number, Ordering::Relaxed);
        }
        started
    }

    /// Takes the worker away and gives it to a new thread; true if there is none to be had.
    fn rescue(
        &self,
        shared: &Arc<Shared>,
        worker: &Arc<Worker>,
        held: &Tenant,
        lasted: Duration,
    ) -> bool {
        let task = Address::from_bits(held.cells.task.get());
        let room = self.stuck.load(Ordering::Relaxed) < shared.config.rescue_threads_max;
        // Counted before: a thread that notices at once counts itself out.
        self.stuck.fetch_add(1, Ordering::SeqCst);
        let taken = room && held.lease.take();
        let mut rescued = false;
        if taken {
            // Until the new thread has moved in there is nobody to watch; the old one, whose
            // turn still lasts, must not be taken for the worker's a second time.
            worker.move_out();
            rescued = self.staff(shared, worker);
        } else {
            self.stuck.fetch_sub(1, Ordering::SeqCst);
            if room {
                // The turn has just ended.
                return false;
            }
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        shared.recorder.note_overrun(Event {
            at: shared.clock.nanos(),
            what: What::Overrun {
                task,
                worker: worker.index,
                lasted: to_nanos(lasted),
                rescued,
            },
        });
        let overrun = Overrun {
            task,
            name: resolve(task).vtable().map_or("", |vtable| (vtable.name)()),
            worker: worker.index,
            lasted,
            rescued,
            stuck: self.stuck.load(Ordering::Relaxed),
        };
        let report = self
            .report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(report) = report {
            contain(|| report(&overrun));
        }
        taken && !rescued
    }

    /// Sleeps until a worker has something to do.
    fn rest(&self, shared: &Shared) {
        self.asleep.store(true, Ordering::Relaxed);
        // Pairs with the fence in `start`.
        fence(Ordering::SeqCst);
        while shared.all_asleep() && !shared.is_stopping() {
            std::thread::park();
        }
        self.asleep.store(false, Ordering::Relaxed);
    }
}

/// Waits for a tick. One that is made shorter meanwhile is, and one that was made very long holds up
/// nobody's stop.
fn pause(shared: &Shared) {
    let begun = Instant::now();
    loop {
        let mut tick = shared.tuning.tick();
        if shared.is_stopping() {
            tick = tick.min(STOP_TICK_MAX);
        }
        match tick.checked_sub(begun.elapsed()) {
            None | Some(Duration::ZERO) => return,
            Some(left) => std::thread::park_timeout(left),
        }
    }
}

/// Since when a worker has been in the turn it is in.
#[derive(Default)]
struct Watch {
    turns: u64,
    since: u64,
    /// It was taken away from its thread, and no other could be started yet.
    vacant: bool,
}

impl Watch {
    /// How long the current turn has lasted, if that is longer than `limit`.
    fn look(&mut self, turns: u64, now: u64, limit: u64) -> Option<u64> {
        if turns != self.turns || self.since == 0 {
            (self.turns, self.since) = (turns, now);
            return None;
        }
        let lasted = now.saturating_sub(self.since);
        (lasted >= limit).then_some(lasted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_overlong_once_it_has_been_seen_for_the_limit() {
        let mut watch = Watch::default();
        assert_eq!(watch.look(7, 1_000, 500), None);
        assert_eq!(watch.look(7, 1_400, 500), None);
        assert_eq!(watch.look(7, 1_500, 500), Some(500));
        assert_eq!(watch.look(8, 1_600, 500), None);
        assert_eq!(watch.look(8, 2_000, 500), None);
    }
}
