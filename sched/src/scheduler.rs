//! A scheduler as a whole: starting it, reaching it, stopping it.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_deque::{Injector, Steal};
use crossbeam_utils::CachePadded;

use crate::blocking::Pool;
use crate::clock::Clock;
use crate::config::{Config, Priority};
use crate::idle::Idle;
use crate::inbox::Letter;
use crate::lease::{self, Lease};
use crate::park::Driver;
use crate::seat::{self, Seat};
use crate::stats::{Cells, Stats, WorkerStats};
use crate::task::slot::{Address, TaskRef, all, resolve};
use crate::task::{self, Bare, Kind, Own, Returns, Start};
use crate::ticker::{OVERDUE, Overrun, Ticker};
use crate::timer::PostTimer;
use crate::worker::{self, Worker};

/// How long dropping a scheduler waits for its threads.
const DROP_WAIT_MAX: Duration = Duration::from_secs(5);

/// What all threads of one scheduler share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Which scheduler a slot belongs to.
    pub(crate) home: u16,
    pub(crate) workers: Box<[Arc<Worker>]>,
    pub(crate) idle: CachePadded<Idle>,
    pub(crate) clock: Clock,
    pub(crate) blocking: Pool,
    pub(crate) ticker: Ticker,
    pub(crate) driver: Arc<dyn Driver>,
    injector: Injector<TaskRef>,
    high: Injector<TaskRef>,
    low: Injector<TaskRef>,
    /// Set by the first task that is not of normal priority.
    priorities: AtomicBool,
    stopping: AtomicBool,
    cells: Mutex<Vec<(Option<usize>, Arc<Cells>)>>,
    foreign_spawned: AtomicU64,
    foreign_exited: AtomicU64,
    threads: Mutex<Vec<JoinHandle<()>>>,
    running: Mutex<usize>,
    ended: Condvar,
    me: std::sync::Weak<Shared>,
    simulated: bool,
}

/// All schedulers of this program, by their number: how a wake-up from a foreign thread finds
/// its way. Numbers are used again.
static SCHEDULERS: RwLock<Vec<Option<Arc<Shared>>>> = RwLock::new(Vec::new());

fn find(home: u16) -> Option<Arc<Shared>> {
    let all = SCHEDULERS.read().unwrap_or_else(PoisonError::into_inner);
    all.get(usize::from(home)).cloned().flatten()
}

pub(crate) fn inject_from_outside(home: u16, task: TaskRef) {
    if let Some(shared) = find(home) {
        if task.0.priority.get() == Priority::Normal as u8 {
            shared.inject(task);
        } else {
            shared.push_by_priority(task);
        }
    }
}

pub(crate) fn count_foreign_spawn(home: u16) {
    if let Some(shared) = find(home) {
        shared.foreign_spawned.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn count_foreign_exit(home: u16) {
    if let Some(shared) = find(home) {
        shared.foreign_exited.fetch_add(1, Ordering::Relaxed);
    }
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
        let mut all = SCHEDULERS.write().unwrap_or_else(PoisonError::into_inner);
        let free = all.iter().position(Option::is_none);
        let home = free.unwrap_or_else(|| {
            all.push(None);
            all.len() - 1
        });
        let workers = (0..config.workers)
            .map(|index| Arc::new(Worker::new(&config, index, seed.wrapping_add(index as u64 + 1))))
            .collect();
        let shared = Arc::new_cyclic(|me| Shared {
            home: u16::try_from(home).expect("fewer than 65,536 schedulers at once"),
            workers,
            idle: CachePadded::new(Idle::new(config.workers)),
            clock,
            blocking: Pool::new(me.clone()),
            ticker: Ticker::default(),
            driver,
            injector: Injector::new(),
            high: Injector::new(),
            low: Injector::new(),
            priorities: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            cells: Mutex::default(),
            foreign_spawned: AtomicU64::new(0),
            foreign_exited: AtomicU64::new(0),
            threads: Mutex::default(),
            running: Mutex::new(0),
            ended: Condvar::new(),
            me: me.clone(),
            simulated,
            config,
        });
        all[home] = Some(shared.clone());
        shared
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.simulated
    }

    pub(crate) fn all_asleep(&self) -> bool {
        self.idle.sleeping() == self.workers.len()
    }

    /// The cells for a new thread: those of an ended one in the same place, if there are any.
    pub(crate) fn register(&self, worker: Option<usize>) -> Arc<Cells> {
        let mut all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.iter().find(|(place, cells)| *place == worker && Arc::strong_count(cells) == 1);
        if let Some((_, cells)) = left {
            return cells.clone();
        }
        let cells = Arc::new(Cells::default());
        all.push((worker, cells.clone()));
        cells
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
            let lost = worker::lead(&shared, &worker);
            if lost {
                shared.ticker.stuck.fetch_sub(1, Ordering::Relaxed);
            }
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

    #[cold]
    pub(crate) fn push_by_priority(&self, task: TaskRef) {
        self.priorities.store(true, Ordering::Relaxed);
        if task.0.priority.get() == Priority::High as u8 {
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
        if self.has_priorities() { take(&self.high) } else { None }
    }

    pub(crate) fn take_low(&self) -> Option<TaskRef> {
        if self.has_priorities() { take(&self.low) } else { None }
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

    /// Fires a worker's timers, and those of others whose threads are late.
    pub(crate) fn fire_timers(&self, own: &Worker) {
        let mut now = 0;
        for worker in &self.workers {
            let Some(next) = worker.timers.next() else {
                continue;
            };
            if now == 0 {
                now = self.clock.nanos();
            }
            let slack = if worker.index == own.index { 0 } else { OVERDUE };
            if next.saturating_add(slack) <= now {
                worker.timers.fire(now);
            }
        }
    }

    /// Marks a task whose wake-up is to be timed.
    #[cold]
    pub(crate) fn probe(&self, seat: &Seat, task: TaskRef) {
        seat.probing.set(false);
        let Some(worker) = &seat.worker else { return };
        if worker.probe_at.load(Ordering::Relaxed) == 0 {
            worker.probe_at.store(self.clock.nanos().max(1), Ordering::Relaxed);
            task.0.probe.set(u8::try_from(worker.index + 1).unwrap_or(0));
        }
    }

    /// The marked task runs.
    #[cold]
    pub(crate) fn end_probe(&self, seat: &Seat, task: TaskRef) {
        let worker = usize::from(task.0.probe.replace(0)) - 1;
        let Some(worker) = self.workers.get(worker) else { return };
        let since = worker.probe_at.swap(0, Ordering::Relaxed);
        if since != 0 {
            let waited = self.clock.nanos().saturating_sub(since);
            seat.cells.wake_to_run.note(waited);
        }
    }

    fn stats(&self) -> Stats {
        let now = self.clock.nanos();
        let mut stats = Stats {
            workers: vec![WorkerStats::default(); self.workers.len()],
            ..Stats::default()
        };
        let all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        for (worker, cells) in all.iter() {
            stats.total.add(cells, now);
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

    fn exited(&self) -> u64 {
        let all = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let here: u64 = all.iter().map(|(_, cells)| cells.exited.get()).sum();
        here + self.foreign_exited.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.blocking.stop();
        self.ticker.unpark();
        self.workers.iter().for_each(|worker| worker.unpark());
    }

    /// Waits until all threads have ended; how many have not by then.
    fn wait(&self, until: Instant) -> usize {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while *running > 0 {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
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
    pub(crate) fn drop_tasks(self: &Arc<Self>) {
        let lease = Arc::new(Lease::new());
        let seat = Seat::new(self.clone(), None, lease);
        seat.occupy(|_| {
            // A task's end may start or wake others of them; each round ends what it finds.
            while self.drop_round() {}
        });
        let mut all = SCHEDULERS.write().unwrap_or_else(PoisonError::into_inner);
        all[usize::from(self.home)] = None;
    }

    fn drop_round(&self) -> bool {
        let mut found = false;
        for slot in all() {
            if slot.home.load(Ordering::Relaxed) == self.home && slot.state.is_live() {
                found = true;
                task::finish(slot);
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
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        self.0.ended.notify_all();
    }
}

/// Why a scheduler could not be started.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start the scheduler: {}", self.0)
    }
}

impl std::error::Error for StartError {}

/// Why a scheduler could not be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShutdownError {
    /// It was asked from inside one of its own tasks.
    FromInside,
    /// So many threads did not end in time; they are left behind, and so are the tasks.
    Running(usize),
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShutdownError::FromInside => {
                f.write_str("a scheduler cannot be stopped from inside one of its tasks")
            }
            ShutdownError::Running(threads) => {
                write!(f, "{threads} threads are still in a turn that does not end")
            }
        }
    }
}

impl std::error::Error for ShutdownError {}

/// A running scheduler. Dropping it stops it and waits five seconds at most.
pub struct Scheduler {
    shared: Arc<Shared>,
}

impl Scheduler {
    /// Starts `config.workers` threads and the ticker; the workers sleep as `driver` says.
    ///
    /// # Errors
    /// When a field of `config` makes no sense, or the system gives no more threads.
    pub fn start(config: Config, driver: Arc<dyn Driver>) -> Result<Self, StartError> {
        config.check().map_err(StartError)?;
        let shared = Shared::new(config, driver, Clock::real(), false, 0);
        let scheduler = Scheduler {
            shared: shared.clone(),
        };
        let mut started = true;
        for worker in &shared.workers {
            started &= shared.lead(worker, format!("rusm-worker-{}", worker.index));
        }
        let ticked = shared.clone();
        started &= shared.start_thread("rusm-ticker".to_string(), move || Ticker::run(&ticked));
        if started {
            Ok(scheduler)
        } else {
            Err(StartError("the system gives no more threads".to_string()))
        }
    }

    /// How others reach it.
    pub fn handle(&self) -> Handle {
        Handle {
            shared: self.shared.clone(),
        }
    }

    /// Ends all tasks where they stand and joins every thread.
    ///
    /// # Errors
    /// When called from inside, and when a turn does not end within `wait_max`.
    pub fn shutdown(&self, wait_max: Duration) -> Result<(), ShutdownError> {
        let inside = seat::try_current(|seat| Arc::ptr_eq(&seat.shared, &self.shared));
        if inside == Some(true) {
            return Err(ShutdownError::FromInside);
        }
        self.shared.stop();
        let running = self.shared.wait(Instant::now() + wait_max);
        if running > 0 {
            return Err(ShutdownError::Running(running));
        }
        let mut threads = self.shared.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // What a thread panicked with was reported when it did.
            drop(thread.join());
        }
        drop(threads);
        self.shared.drop_tasks();
        Ok(())
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // Threads that do not end are left behind: there is nobody to tell.
        drop(self.shutdown(DROP_WAIT_MAX));
    }
}

/// Reaches a scheduler from anywhere. Keeps its memory, not its threads.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.shared.home)
    }
}

/// The scheduler the calling task runs on. Panics outside of tasks.
pub fn handle() -> Handle {
    try_handle().expect("this works only inside a task of a scheduler")
}

/// The scheduler the calling task runs on, if there is one.
pub fn try_handle() -> Option<Handle> {
    seat::try_current(|seat| Handle {
        shared: seat.shared.clone(),
    })
}

/// Which worker the calling thread leads, if any.
pub fn worker_index() -> Option<usize> {
    seat::try_current(|seat| seat.worker.as_ref().map(|worker| worker.index)).flatten()
}

/// Starts a task with an inbox on the calling task's scheduler. About 13 ns until it has run
/// and ended. Panics outside of tasks.
#[inline(always)]
pub fn spawn<K, F>(body: impl FnOnce(Own<K>) -> F) -> Address
where
    K: Returns<F::Output>,
    F: Future + Send + 'static,
{
    let start = Start {
        priority: Priority::Normal,
        side: None,
    };
    task::spawn(None, start, body)
}

impl Handle {
    /// Starts a bare task: no inbox, no address.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let start = Start {
            priority: Priority::Normal,
            side: None,
        };
        task::spawn::<Bare, _, _>(Some(self.shared.home), start, |_| future);
    }

    /// Starts a task with an inbox.
    pub fn spawn_kind<K, F>(
        &self,
        priority: Priority,
        side: Option<Box<K::Side>>,
        body: impl FnOnce(Own<K>) -> F,
    ) -> Address
    where
        K: Returns<F::Output>,
        F: Future + Send + 'static,
    {
        task::spawn(Some(self.shared.home), Start { priority, side }, body)
    }

    /// Posts `letter` after `delay`, if it is not cancelled and somebody lives at `to` then.
    pub fn post_after<K: Kind>(
        &self,
        delay: Duration,
        to: Address,
        letter: Letter<K::Mail>,
    ) -> PostTimer {
        PostTimer::new::<K>(&self.shared, delay, to, letter)
    }

    /// Has `hook` called by the ticker, every `Config::tick` while any worker runs something.
    pub fn on_tick(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.shared.ticker.on_tick(Box::new(hook));
    }

    /// Has `report` called for each turn that outlives `Config::turn_limit`.
    pub fn on_overrun(&self, report: impl Fn(&Overrun) + Send + Sync + 'static) {
        self.shared.ticker.on_overrun(Box::new(report));
    }

    /// What the scheduler was started with.
    pub fn driver(&self) -> Arc<dyn Driver> {
        self.shared.driver.clone()
    }

    /// How many workers it has.
    pub fn workers(&self) -> usize {
        self.shared.workers.len()
    }

    /// Its tuning.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Time since it was started.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.shared.clock.nanos())
    }

    /// Is it being stopped, or stopped already?
    pub fn is_stopping(&self) -> bool {
        self.shared.is_stopping()
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Tasks that have ended so far: exact once nothing runs. Cheaper than `stats`.
    pub fn exited(&self) -> u64 {
        self.shared.exited()
    }

    /// Everybody who lives on this scheduler now.
    pub fn tasks(&self) -> Vec<TaskInfo> {
        let own = |slot: &&'static task::slot::Slot| {
            slot.home.load(Ordering::Relaxed) == self.shared.home && slot.state.is_live()
        };
        all().filter(own).map(|slot| TaskInfo::of(slot)).collect()
    }
}

/// What is known of a task from outside. Taken while it runs: the parts may be of slightly
/// different moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    /// Where it is.
    pub address: Address,
    /// Neither queued nor running.
    pub waiting: bool,
    /// Waits for a letter.
    pub receiving: bool,
    /// Letters in its inbox that it has not taken yet, about.
    pub letters: u32,
    /// Reductions spent so far.
    pub reductions: u64,
}

impl TaskInfo {
    fn of(slot: &task::slot::Slot) -> Self {
        TaskInfo {
            address: slot.address(),
            waiting: slot.state.is_waiting(),
            receiving: slot.state.is_receiving(),
            letters: crate::inbox::depth(slot.state.newest()),
            reductions: slot.reductions.load(Ordering::Relaxed),
        }
    }
}

/// What is known of the task at `address`; `None` when it has ended.
pub fn task_info(address: Address) -> Option<TaskInfo> {
    let slot = resolve(address);
    let info = TaskInfo::of(slot);
    let same = info.address == address && slot.address() == address;
    (same && slot.state.is_live()).then_some(info)
}

/// Does the task at `address` live? About 2 ns.
pub fn is_alive(address: Address) -> bool {
    let slot = resolve(address);
    slot.address() == address && slot.state.is_live()
}
