//! The ticker: drives epochs, watches for turns that never end, sleeps when nobody runs.
//!
//! A native body that never awaits cannot be preempted. When its turn outlives the limit, its
//! worker is taken away from the thread it blocks and led by a new thread; the blocked thread
//! ends when the turn does.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::Thread;
use std::time::Duration;

use crate::clock::to_nanos;
use crate::contain::contain;
use crate::shared::Shared;
use crate::task::slot::{Address, resolve};
use crate::worker::{Tenant, Worker};

/// Idle ticks before the ticker sleeps: short pauses shall not cost the next task a system
/// call to wake it.
const LINGER: u32 = 20;
/// A worker that began fewer turns than this since the last tick has long ones: it would come to
/// its timers late.
const TURNS_FEW: u64 = 16;
/// Ticks for timers come no sooner than this part of a tick after the one before.
const TICK_PARTS_MAX: u32 = 4;
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
        let mut pause = shared.config.tick;
        // A guest that spins ends its turn on a tick: the ticker is the last to go.
        while !shared.is_stopping() || shared.threads_running() > 1 {
            std::thread::sleep(pause);
            pause = shared.config.tick;
            if !shared.all_asleep() {
                idle_ticks = 0;
                pause = ticker.tick(shared, &mut watches);
                continue;
            }
            idle_ticks += 1;
            if idle_ticks > LINGER {
                ticker.rest(shared);
                idle_ticks = 0;
            }
        }
    }

    /// How long to sleep until the next tick.
    fn tick(&self, shared: &Arc<Shared>, watches: &mut [Watch]) -> Duration {
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
        let limit = to_nanos(shared.config.turn_limit);
        let mut due = None;
        for (worker, watch) in shared.workers.iter().zip(watches) {
            let tenant = worker.tenant();
            let turns = tenant.as_ref().map_or(0, |tenant| tenant.cells.turns.get());
            let more = watch.more(turns);
            if more < TURNS_FEW
                && let Some(at) = worker.timers.next()
                // Else it has not looked at its timers since the last tick, and may not soon.
                && (at > now || more > 0)
            {
                due = Some(due.map_or(at, |due: u64| due.min(at)));
            }
            if watch.vacant {
                watch.vacant = !self.staff(shared, worker);
            } else if let Some(tenant) = tenant
                && let Some(lasted) = watch.look(turns, now, limit)
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
        pause(shared.config.tick, now, due)
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

/// What to sleep after a tick: as long as a tick lasts, or up to the first timer of a worker with long
/// turns. What computes gives way at ticks, so that others are woken on time then and not up to a
/// tick later. When a timer was due the next one is known only once the worker has looked.
fn pause(tick: Duration, now: u64, due: Option<u64>) -> Duration {
    let left = due.map(|at| Duration::from_nanos(at.saturating_sub(now)));
    left.map_or(tick, |left| left.clamp(tick / TICK_PARTS_MAX, tick))
}

/// Since when a worker has been in the turn it is in.
#[derive(Default)]
struct Watch {
    /// Turns it had begun at the last tick.
    begun: u64,
    turns: u64,
    since: u64,
    /// It was taken away from its thread, and no other could be started yet.
    vacant: bool,
}

impl Watch {
    /// How many turns the worker began since this was asked.
    fn more(&mut self, turns: u64) -> u64 {
        turns.wrapping_sub(std::mem::replace(&mut self.begun, turns))
    }

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
    fn a_tick_comes_sooner_for_a_timer_but_not_at_once() {
        let tick = Duration::from_nanos(1_000);
        let span = |due| pause(tick, 5_000, due).as_nanos();
        assert_eq!((span(None), span(Some(9_000))), (1_000, 1_000));
        assert_eq!((span(Some(5_700)), span(Some(5_100))), (700, 250));
        assert_eq!((span(Some(5_000)), span(Some(4_000))), (250, 250));
    }

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
