//! What goes wrong in code of others stays there: in drivers, destructors, hooks and jobs.

mod support;

use std::os::unix::process::ExitStatusExt;
use std::panic::resume_unwind;
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use rusm_sched::{Driver, Handle, Park, Scheduler, ThreadDriver, Unpark, blocking, yield_now};

use support::{WAIT_MAX, start, workers};

/// What a destructor asked for was granted to the next task of that worker.
#[test]
fn a_task_that_asks_to_block_when_it_is_dropped_moves_nobody_else() {
    struct Asks;
    impl Drop for Asks {
        fn drop(&mut self) {
            let mut context = Context::from_waker(Waker::noop());
            assert!(pin!(blocking::enter()).poll(&mut context).is_pending());
        }
    }
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let handle = rusm_sched::handle();
        let asks = Asks;
        handle.spawn(std::future::poll_fn(move |_| {
            let _ = &asks;
            std::task::Poll::Ready(())
        }));
        handle.spawn(async move {
            yield_now().await;
            let name = std::thread::current().name().map(str::to_string);
            done.send(name).expect("the test listens");
        });
    });
    let name = wait.recv_timeout(WAIT_MAX).expect("it ends");
    assert_eq!(name.as_deref(), Some("rusm-worker-0"));
}

/// Where the threads of a driver panic.
#[derive(Clone, Copy, PartialEq)]
enum Faulty {
    /// As soon as they have nothing to do.
    InPark,
    /// When they leave.
    InDrop,
}

struct FaultyPark(Faulty, Box<dyn Park>);

impl Driver for Faulty {
    fn park(&self, worker: usize) -> Box<dyn Park> {
        Box::new(FaultyPark(*self, ThreadDriver.park(worker)))
    }
}

impl Park for FaultyPark {
    fn park(&mut self, timeout: Option<Duration>) {
        assert!(self.0 != Faulty::InPark, "broken on purpose");
        self.1.park(timeout);
    }

    fn poll(&mut self) {
        self.1.poll();
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.1.unparker()
    }
}

impl Drop for FaultyPark {
    fn drop(&mut self) {
        if self.0 == Faulty::InDrop {
            resume_unwind(Box::new("on purpose"));
        }
    }
}

/// What `abort` ends a program with.
const SIGABRT: i32 = 6;
/// The variable that tells this program that it is the one to break.
const BREAK: &str = "RUSM_TEST_BREAK";

/// A worker whose thread has gone keeps its tasks for ever: the program would hang, and nobody be told.
#[test]
fn a_panic_of_the_scheduler_itself_ends_the_program() {
    if std::env::var_os(BREAK).is_some() {
        let _scheduler = Scheduler::start(workers(1), Arc::new(Faulty::InPark));
        std::thread::sleep(WAIT_MAX);
        return;
    }
    let own = std::env::current_exe().expect("tests are programs");
    let test = "a_panic_of_the_scheduler_itself_ends_the_program";
    let broken = Command::new(own)
        .args(["--exact", test, "--nocapture"])
        .env(BREAK, "1")
        .output()
        .expect("it starts");
    assert_eq!(broken.status.signal(), Some(SIGABRT));
    let said = String::from_utf8_lossy(&broken.stderr);
    assert!(said.contains("broken on purpose"), "{said}");
}

/// Begins a turn that lasts until what this returns is set. When this returns its thread has lost its worker.
fn lose_a_worker(handle: &Handle) -> Arc<AtomicBool> {
    let (overruns, seen) = mpsc::channel();
    handle.on_overrun(move |overrun| {
        // The test may be over already.
        let _ = overruns.send(overrun.rescued);
    });
    let stop = Arc::new(AtomicBool::new(false));
    let until = stop.clone();
    handle.spawn(async move {
        while !until.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    assert_eq!(seen.recv_timeout(WAIT_MAX), Ok(true));
    stop
}

/// A thread that lost its worker and then panicked was counted as stuck for ever: the ticker
/// never rested, and in the end no other worker could be rescued.
#[test]
fn a_thread_that_panics_after_it_lost_its_worker_is_not_stuck_any_more() {
    let scheduler =
        Scheduler::start(workers(1), Arc::new(Faulty::InDrop)).expect("a scheduler starts");
    let handle = scheduler.handle();
    let stop = lose_a_worker(&handle);
    assert_eq!(handle.stats().stuck, 1);
    stop.store(true, Ordering::Relaxed);
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(handle.stats().stuck, 0);
}

/// A thread that lost its worker in a turn went on working for it in the books, long after it had ended.
#[test]
fn a_worker_that_was_rescued_once_is_not_busy_twice_for_ever() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    let stop = lose_a_worker(&handle);
    stop.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    while handle.stats().stuck > 0 || handle.stats().running > 0 {
        assert!(begun.elapsed() < WAIT_MAX, "it does not come to rest");
        std::thread::yield_now();
    }
    let (before, begun) = (handle.stats().total.busy, Instant::now());
    std::thread::sleep(Duration::from_millis(50));
    // Looking after the time is a little work.
    let worked = handle.stats().total.busy - before;
    assert!(worked < begun.elapsed() / 2, "{worked:?}");
}
