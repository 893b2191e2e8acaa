//! Work that blocks: a bounded pool of threads beside the workers.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use crate::contain::contain;
use crate::lease::Lease;
use crate::run::{Outcome, take_turn};
use crate::seat::{self, MOVING, Seat};
use crate::shared::Shared;
use crate::task::is_waker_of;
use crate::task::slot::TaskRef;

/// Why blocking work was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// `Config::blocking_queue_max` jobs are waiting already.
    Full,
    /// The job panicked; the text says how.
    Panicked(String),
    /// The scheduler is stopping.
    Stopping,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Full => f.write_str("too many blocking jobs are waiting already"),
            Refused::Panicked(text) => write!(f, "the blocking job panicked: {text}"),
            Refused::Stopping => f.write_str("the scheduler is stopping"),
        }
    }
}

impl std::error::Error for Refused {}

/// Runs `job` on a thread where it may block, and waits for its result. Dropping the future
/// does not stop a job that has begun.
///
/// # Errors
/// See [`Refused`].
pub async fn run<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    let shared = seat::current(|seat| seat.shared.clone());
    let cell = Arc::new(Mutex::new(Answer::Waiting(None)));
    let place = cell.clone();
    let work = move || {
        let outcome = catch_unwind(AssertUnwindSafe(job));
        let outcome = outcome.map_err(|payload| {
            let text = panic_text(&*payload);
            // The caller must hear of it even if that panics as well.
            contain(|| drop(payload));
            Refused::Panicked(text)
        });
        deliver(&place, outcome);
    };
    if shared.is_simulated() {
        work();
    } else {
        shared.blocking.submit(Job::Run(Box::new(work)))?;
    }
    Pending { cell }.await
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_string())
}

enum Answer<T> {
    Waiting(Option<Waker>),
    Here(Result<T, Refused>),
}

fn deliver<T>(cell: &Mutex<Answer<T>>, outcome: Result<T, Refused>) {
    let mut answer = cell.lock().unwrap_or_else(PoisonError::into_inner);
    let before = std::mem::replace(&mut *answer, Answer::Here(outcome));
    drop(answer);
    if let Answer::Waiting(Some(waker)) = before {
        waker.wake();
    }
}

struct Pending<T> {
    cell: Arc<Mutex<Answer<T>>>,
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Refused>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Wakers are cloned before the lock and dropped after it: they may be anybody's.
        let waiting = Answer::Waiting(Some(cx.waker().clone()));
        let mut answer = self.cell.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *answer, waiting);
        drop(answer);
        match before {
            Answer::Here(outcome) => Poll::Ready(outcome),
            Answer::Waiting(_) => Poll::Pending,
        }
    }
}

/// Moves the rest of this task's turn to a thread where it may block. The task's next
/// suspension brings it back. Ready at once where it is on such a thread already.
pub fn enter() -> Enter {
    Enter { asked: false }
}

/// See [`enter`].
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct Enter {
    asked: bool,
}

impl Future for Enter {
    type Output = Result<(), Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        seat::current(|seat| {
            if seat.worker.is_none() || seat.shared.is_simulated() {
                return Poll::Ready(Ok(()));
            }
            if self.asked && seat.wishes() & MOVING == 0 {
                // It asked, and runs on a worker all the same: nobody took it.
                let stopping = seat.shared.is_stopping();
                let why = if stopping {
                    Refused::Stopping
                } else {
                    Refused::Full
                };
                return Poll::Ready(Err(why));
            }
            self.asked = true;
            seat.wish(MOVING);
            // The thread that takes the task over polls it; a combinator with wakers of its own
            // must be told to poll this future, too.
            if !seat.slot().is_some_and(|slot| is_waker_of(slot, cx)) {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }
}

pub(crate) enum Job {
    Run(Box<dyn FnOnce() + Send>),
    Task(TaskRef),
}

/// The threads, and the jobs that wait for them.
pub(crate) struct Pool {
    shared: Weak<Shared>,
    state: Mutex<State>,
    wanted: Condvar,
    /// Tasks that go on here or are about to: they need the ticker like others.
    tasks: AtomicUsize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    stopping: bool,
    started: u64,
    done: u64,
    refused: u64,
}

/// Threads, waiting jobs, jobs done, jobs refused.
pub(crate) struct PoolStats {
    pub(crate) threads: usize,
    pub(crate) queued: usize,
    pub(crate) done: u64,
    pub(crate) refused: u64,
}

impl Pool {
    pub(crate) fn new(shared: Weak<Shared>) -> Self {
        Pool {
            shared,
            state: Mutex::default(),
            wanted: Condvar::new(),
            tasks: AtomicUsize::new(0),
        }
    }

    pub(crate) fn tasks(&self) -> usize {
        self.tasks.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let state = self.lock();
        PoolStats {
            threads: state.threads,
            queued: state.jobs.len(),
            done: state.done,
            refused: state.refused,
        }
    }

    /// Lets a task go on here; back to the workers with it when nobody can take it.
    pub(crate) fn take_over(&self, task: TaskRef) {
        self.tasks.fetch_add(1, Ordering::SeqCst);
        if self.submit(Job::Task(task)).is_err() {
            self.tasks.fetch_sub(1, Ordering::SeqCst);
            if let Some(shared) = self.shared.upgrade() {
                shared.inject(task);
            }
        }
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), Refused> {
        let shared = self.shared.upgrade().ok_or(Refused::Stopping)?;
        let mut state = self.lock();
        if state.stopping {
            return Err(Refused::Stopping);
        }
        if state.jobs.len() >= shared.config.blocking_queue_max {
            state.refused += 1;
            return Err(Refused::Full);
        }
        let all_busy = state.idle <= state.jobs.len();
        if all_busy && state.threads < shared.config.blocking_threads_max {
            start_thread(&shared, &mut state);
        }
        // With other threads there the job is done later; else nobody would come for it.
        if state.threads == 0 {
            state.refused += 1;
            return Err(Refused::Full);
        }
        state.jobs.push_back(job);
        drop(state);
        self.wanted.notify_one();
        Ok(())
    }

    fn serve(&self, shared: &Arc<Shared>) {
        let seat = Seat::new(shared.clone(), None, Arc::new(Lease::new()));
        seat.occupy(|seat| {
            while let Some(job) = self.next(shared) {
                match job {
                    Job::Run(work) => {
                        contain(work);
                    }
                    Job::Task(task) => {
                        contain(|| run_task(shared, seat, task));
                        self.tasks.fetch_sub(1, Ordering::SeqCst);
                    }
                }
                self.lock().done += 1;
            }
        });
    }

    fn next(&self, shared: &Shared) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.stopping {
                break;
            }
            state.idle += 1;
            let idle_max = shared.config.blocking_idle_max;
            let (guard, timeout) = self
                .wanted
                .wait_timeout(state, idle_max)
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        None
    }

    /// No new jobs; the waiting ones are still done. Returns at once.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
        self.wanted.notify_all();
    }
}

/// Starts one more thread, if the system has one. Under the lock, which the new thread waits for:
/// two that tried at once would count each other's failures.
fn start_thread(shared: &Arc<Shared>, state: &mut State) {
    state.started += 1;
    let name = format!("rusm-blocking-{}", state.started);
    let served = shared.clone();
    if shared.start_thread(name, move || served.blocking.serve(&served)) {
        state.threads += 1;
    }
}

/// One turn of a task, away from the workers.
fn run_task(shared: &Shared, seat: &Seat, task: TaskRef) {
    seat.left.set(i64::from(shared.tuning.budget()));
    if shared.config.times {
        seat.cells.turn_began.set(shared.clock.nanos());
    }
    match take_turn(seat, task.0) {
        Outcome::Over => {}
        Outcome::Again => shared.inject(task),
        Outcome::Moving => shared.blocking.take_over(task),
    }
}
