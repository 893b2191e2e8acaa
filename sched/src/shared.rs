//! What the threads of one scheduler share, and how they and others reach it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_deque::{Injector, Steal};
use crossbeam_utils::CachePadded;

use crate::blocking::Pool;
use crate::clock::Clock;
use crate::config::{Config, Priority};
use crate::crew;
use crate::extension::Extension;
use crate::homes;
use crate::idle::Idle;
use crate::lease::{self, Lease};
use crate::park::Driver;
use crate::record::Recorder;
use crate::seat::Seat;
use crate::stats::Cells;
use crate::task;
use crate::task::slot::{TaskRef, all};
use crate::task::state::Wake;
use crate::ticker::{OVERDUE, Ticker};
use crate::tuning::Tuning;
use crate::worker::Worker;

/// What all threads of one scheduler share.
pub(crate) struct Shared {
    /// As it was started. What may change since then is read from `tuning`.
    pub(crate) config: Config,
    pub(crate) tuning: CachePadded<Tuning>,
    /// Which scheduler a slot belongs to.
    pub(crate) home: u16,
    /// Which of all schedulers there ever were.
    pub(crate) serial: u32,
    pub(crate) workers: Box<[Arc<Worker>]>,
    pub(crate) idle: CachePadded<Idle>,
    pub(crate) clock: Clock,
    pub(crate) blocking: Pool,
    pub(crate) ticker: Ticker,
    pub(crate) recorder: Recorder,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) injector: Injector<TaskRef>,
    pub(crate) high: Injector<TaskRef>,
    pub(crate) low: Injector<TaskRef>,
    /// Set by the first task that is not of normal priority.
    priorities: AtomicBool,
    stopping: AtomicBool,
    /// No task of it is left, and none can be added.
    pub(crate) gone: AtomicBool,
    pub(crate) cells: Mutex<Vec<(Option<usize>, Arc<Cells>)>>,
    pub(crate) foreign_spawned: AtomicU64,
    pub(crate) foreign_exited: AtomicU64,
    pub(crate) threads: Mutex<Vec<JoinHandle<()>>>,
    running: Mutex<usize>,
    ended: Condvar,
    pub(crate) extension: Extension,
    me: std::sync::Weak<Shared>,
    /// What a simulation goes by.
    seed: Option<u64>,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        driver: Arc<dyn Driver>,
        clock: Clock,
        simulated: bool,
        seed: u64,
    ) -> Arc<Self> {
        lease::prepare();
        let workers = (0..config.workers)
            .map(|index| {
                Arc::new(Worker::new(
                    &config,
                    index,
                    seed.wrapping_add(index as u64 + 1),
                ))
            })
            .collect();
        homes::register(|home| {
            Arc::new_cyclic(|me| Shared {
                home,
                serial: homes::next_serial(),
                workers,
                idle: CachePadded::new(Idle::new(config.workers)),
                clock,
                blocking: Pool::new(me.clone()),
                ticker: Ticker::default(),
                recorder: Recorder::default(),
                driver,
                injector: Injector::new(),
                high: Injector::new(),
                low: Injector::new(),
                priorities: AtomicBool::new(false),
                stopping: AtomicBool::new(false),
                gone: AtomicBool::new(false),
                cells: Mutex::default(),
                foreign_spawned: AtomicU64::new(0),
                foreign_exited: AtomicU64::new(0),
                threads: Mutex::default(),
                running: Mutex::new(0),
                ended: Condvar::new(),
                extension: Extension::default(),
                me: me.clone(),
                seed: simulated.then_some(seed),
                tuning: CachePadded::new(Tuning::new(&config)),
                config,
            })
        })
    }

    /// The configuration as it is now.
    pub(crate) fn config_now(&self) -> Config {
        let mut config = self.config.clone();
        self.tuning.read_into(&mut config);
        config
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.seed.is_some()
    }

    /// What repeats a simulation.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Does no task run anywhere? One may run away from the workers: as blocking work, or on a
    /// thread that lost its worker.
    pub(crate) fn all_asleep(&self) -> bool {
        self.idle.sleeping() == self.workers.len()
            && self.ticker.stuck.load(Ordering::SeqCst) == 0
            && self.blocking.tasks() == 0
    }

    /// How many threads it has now.
    pub(crate) fn threads_running(&self) -> usize {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread that is waited for at the end. False: the system gave none.
    pub(crate) fn start_thread(&self, name: String, body: impl FnOnce() + Send + 'static) -> bool {
        let shared = self.me.upgrade().expect("called through an `Arc`");
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let ended = Ended(shared);
        let spawned = std::thread::Builder::new().name(name).spawn(move || {
            let _ended = ended;
            body();
        });
        let Ok(thread) = spawned else {
            return false;
        };
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        true
    }

    /// Starts a thread that leads `worker`.
    pub(crate) fn lead(&self, worker: &Arc<Worker>, name: String) -> bool {
        let shared = self.me.upgrade().expect("called through an `Arc`");
        let worker = worker.clone();
        self.start_thread(name, move || {
            if shared.config.pin_workers {
                pin(worker.index);
            }
            crew::lead(&shared, &worker);
        })
    }

    /// Queues a task where any worker finds it, and sees to it that one looks.
    #[cold]
    pub(crate) fn inject(&self, task: TaskRef) {
        self.injector.push(task);
        self.wake_one();
    }

    /// Takes what a full queue had no room for.
    pub(crate) fn spill(&self, cells: &Cells, task: TaskRef) {
        cells.overflows.add(1);
        self.injector.push(task);
    }

    /// Queues a task behind what was spilled. Nobody is told: the worker that does it finds it.
    pub(crate) fn put_behind(&self, task: TaskRef) {
        self.injector.push(task);
    }

    #[cold]
    pub(crate) fn push_by_priority(&self, task: TaskRef) {
        self.priorities.store(true, Ordering::Relaxed);
        if task.0.priority() == Priority::High {
            self.high.push(task);
        } else {
            self.low.push(task);
        }
        self.wake_one();
    }

    #[inline]
    pub(crate) fn has_priorities(&self) -> bool {
        self.priorities.load(Ordering::Relaxed)
    }

    pub(crate) fn injected(&self) -> usize {
        self.injector.len()
    }

    pub(crate) fn take_injected(&self) -> Option<TaskRef> {
        take(&self.injector)
    }

    pub(crate) fn take_high(&self) -> Option<TaskRef> {
        if self.has_priorities() {
            take(&self.high)
        } else {
            None
        }
    }

    pub(crate) fn take_low(&self) -> Option<TaskRef> {
        if self.has_priorities() {
            take(&self.low)
        } else {
            None
        }
    }

    /// From any of the shared queues: the simulation has one order for all.
    pub(crate) fn take_any_injected(&self) -> Option<TaskRef> {
        let task = self.take_high().or_else(|| self.take_injected());
        task.or_else(|| self.take_low())
    }

    pub(crate) fn wake_one(&self) {
        if let Some(worker) = self.idle.wake_one() {
            self.workers[worker].unpark();
        }
    }

    /// Fires a worker's timers, and those of others whose threads are late. How many fired.
    pub(crate) fn fire_timers(&self, own: &Worker) -> usize {
        let (mut now, mut fired) = (0, 0);
        for worker in &self.workers {
            let Some(next) = worker.timers.next() else {
                continue;
            };
            if now == 0 {
                now = self.clock.nanos();
            }
            let slack = if worker.index == own.index {
                0
            } else {
                OVERDUE
            };
            if next.saturating_add(slack) <= now {
                fired += worker.timers.fire(now);
            }
        }
        fired
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.blocking.stop();
        self.ticker.unpark();
        self.workers.iter().for_each(|worker| worker.unpark());
    }

    /// Waits until all threads have ended, `wait_max` at most; how many have not by then.
    pub(crate) fn wait(&self, wait_max: Duration) -> usize {
        let begun = Instant::now();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while *running > 0 {
            let Some(left) = wait_max.checked_sub(begun.elapsed()) else {
                return *running;
            };
            // A worker that was just going to sleep may have missed the first call.
            let step = left.min(Duration::from_millis(10));
            let waited = self.ended.wait_timeout(running, step);
            running = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *running > 0 {
                drop(running);
                self.stop();
                running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
        0
    }

    /// Ends the tasks that are left. No thread of the scheduler runs any more.
    ///
    /// A task is ended by whoever owns it: what lies in a queue belongs to its taker, and what
    /// waits belongs to whoever wakes it. A foreign thread may be between the two.
    pub(crate) fn drop_tasks(self: &Arc<Self>) {
        let seat = |worker| Seat::new(self.clone(), worker, Arc::new(Lease::new()));
        for worker in &self.workers {
            // Whoever led it has ended, or was never there.
            seat(Some(worker.clone())).within(|queue, worker| {
                queue.empty(&worker.public, |task| self.injector.push(task));
            });
        }
        seat(None).occupy(|_| {
            homes::close(self);
            // What others gave may hold this, and nobody could ever let go of either. Before
            // the tasks: whoever is dropped here may still start some.
            self.workers.iter().for_each(|worker| worker.timers.clear());
            self.ticker.clear();
            while self.drop_round() {
                std::thread::yield_now();
            }
        });
        // Only now: the number is another scheduler's from here on.
        homes::forget(self.home);
    }

    /// False once nobody is left.
    fn drop_round(&self) -> bool {
        while let Some(task) = self.take_any_injected() {
            task::finish(task.0);
        }
        let mut found = false;
        for slot in all() {
            // Before the look: a later tenant, another scheduler's, has a later generation.
            let generation = slot.address().generation();
            if slot.is_live_at(self.home) {
                found = true;
                if slot.state.wake(generation) == Wake::Schedule {
                    task::finish(slot);
                }
            }
        }
        found
    }
}

fn take(injector: &Injector<TaskRef>) -> Option<TaskRef> {
    loop {
        match injector.steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}

fn pin(worker: usize) {
    let cpus = core_affinity::get_core_ids().unwrap_or_default();
    if !cpus.is_empty() {
        core_affinity::set_for_current(cpus[worker % cpus.len()]);
    }
}

/// Says that a thread has ended, however it did.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        let mut running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        self.0.ended.notify_all();
    }
}
