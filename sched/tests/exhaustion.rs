//! What happens when the system gives no more threads. A program of its own, and one test in it,
//! because the limit belongs to the whole process, and so do the stacks of threads that have ended:
//! the C library keeps them for the next ones. Each part begins with as many threads as the one
//! before it ended with.

#![cfg(target_os = "linux")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use rlimit::Resource;
use rusm_sched::blocking::{self, Refused};
use rusm_sched::{Handle, Scheduler};

use support::{WAIT_MAX, start, workers};

/// Address space that is left when threads are not to be had, in bytes: a stack takes twice as
/// much, and everything else next to nothing.
const ROOM: u64 = 1 << 20;

/// While this exists no thread can be started.
struct NoThreads {
    soft: u64,
    hard: u64,
}

impl NoThreads {
    fn begin() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
        let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        let kib: Option<u64> = number.and_then(|text| text.parse().ok());
        let (soft, hard) = Resource::AS.get().expect("it can be asked");
        let limit = 1024 * kib.expect("a number of KiB") + ROOM;
        Resource::AS.set(limit, hard).expect("it can be lowered");
        assert!(std::thread::Builder::new().spawn(|| ()).is_err());
        NoThreads { soft, hard }
    }
}

impl Drop for NoThreads {
    fn drop(&mut self) {
        Resource::AS
            .set(self.soft, self.hard)
            .expect("it can be raised again");
    }
}

/// A scheduler whose only worker is held up by a turn that lasts until `stop`, and is about to be
/// told that nobody can take its place.
struct HeldUp {
    scheduler: Scheduler,
    handle: Handle,
    stop: Arc<AtomicBool>,
    overruns: mpsc::Receiver<bool>,
    no_threads: NoThreads,
}

/// Starts a scheduler and waits until all its threads have been at work: a thread's first use of
/// memory takes a lot of address space for a moment.
fn start_and_warm_up(count: usize) -> Scheduler {
    let scheduler = start(workers(count));
    let (done, wait) = mpsc::channel();
    let ticked = done.clone();
    scheduler.handle().on_tick(move || {
        // The test may have seen enough, here and below.
        let _ = ticked.send(usize::MAX);
    });
    let mut seen = std::collections::HashSet::new();
    while seen.len() < count + 1 {
        let done = done.clone();
        scheduler.handle().spawn(async move {
            let worker = rusm_sched::worker_index().expect("it runs on a worker");
            let _ = done.send(worker);
        });
        seen.insert(wait.recv_timeout(WAIT_MAX).expect("it runs, or ticks"));
    }
    scheduler
}

/// The task that holds the worker up spawns another first, which owns `token`.
fn hold_up(token: &Arc<()>) -> HeldUp {
    let scheduler = start_and_warm_up(1);
    let handle = scheduler.handle();
    let (report, overruns) = mpsc::channel();
    handle.on_overrun(move |overrun| {
        // The test may be over already.
        let _ = report.send(overrun.rescued);
    });
    let no_threads = NoThreads::begin();
    let stop = Arc::new(AtomicBool::new(false));
    let (until, token) = (stop.clone(), token.clone());
    handle.spawn(async move {
        rusm_sched::handle().spawn(async move {
            let _token = token;
            std::future::pending().await
        });
        while !until.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    HeldUp {
        scheduler,
        handle,
        stop,
        overruns,
        no_threads,
    }
}

/// What lay in the queue of such a worker was waited for by a shutdown that never ended.
fn a_worker_without_a_thread_keeps_no_task_from_its_end() {
    let token = Arc::new(());
    let held_up = hold_up(&token);
    assert_eq!(held_up.overruns.recv_timeout(WAIT_MAX), Ok(false));
    held_up.stop.store(true, Ordering::Relaxed);
    assert_eq!(held_up.scheduler.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(Arc::strong_count(&token), 1);
}

/// Nobody tried a second time.
fn a_worker_without_a_thread_gets_one_when_there_are_some_again() {
    let held_up = hold_up(&Arc::new(()));
    assert_eq!(held_up.overruns.recv_timeout(WAIT_MAX), Ok(false));
    assert_eq!(held_up.handle.stats().rescues, 0);
    drop(held_up.no_threads);
    let (done, wait) = mpsc::channel();
    held_up.handle.spawn(async move {
        done.send(()).expect("the test listens");
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(()));
    assert_eq!(held_up.handle.stats().rescues, 1);
    held_up.stop.store(true, Ordering::Relaxed);
    assert_eq!(held_up.scheduler.shutdown(WAIT_MAX), Ok(()));
}

/// Two jobs were submitted, neither found a thread, and one of them was refused for both: its
/// submitter heard of it, and the other one waited for ever.
fn blocking_work_without_threads_is_refused_to_each_who_asks() {
    const JOBS: usize = 20_000;
    let scheduler = start_and_warm_up(2);
    let no_threads = NoThreads::begin();
    let (done, wait) = mpsc::channel();
    for _ in 0..2 {
        let done = done.clone();
        scheduler.handle().spawn(async move {
            let mut refused = 0;
            for _ in 0..JOBS {
                refused += usize::from(blocking::run(|| ()).await == Err(Refused::Full));
            }
            done.send(refused).expect("the test listens");
        });
    }
    for _ in 0..2 {
        assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(JOBS));
    }
    drop(no_threads);
    scheduler.handle().spawn(async move {
        let done_now = blocking::run(|| 1).await;
        done.send(done_now.unwrap_or(0)).expect("the test listens");
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(1));
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
}

#[test]
fn a_scheduler_survives_the_end_of_threads() {
    a_worker_without_a_thread_keeps_no_task_from_its_end();
    a_worker_without_a_thread_gets_one_when_there_are_some_again();
    blocking_work_without_threads_is_refused_to_each_who_asks();
}
