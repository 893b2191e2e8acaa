//! Blocking work: it holds up no worker, and there is only so much of it.

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake};
use std::time::Instant;

use rusm_sched::{Config, Handle, blocking, yield_now};

use support::{WAIT_MAX, start, workers};

#[test]
fn blocking_work_holds_up_no_worker() {
    let scheduler = start(workers(1));
    let (open, gate) = mpsc::channel::<()>();
    let (done, wait) = mpsc::channel();
    let ended = done.clone();
    scheduler.handle().spawn(async move {
        let outcome = blocking::run(move || gate.recv_timeout(WAIT_MAX).is_ok()).await;
        ended.send(outcome == Ok(true)).expect("the test listens");
    });
    scheduler.handle().spawn(async move {
        yield_now().await;
        open.send(()).expect("the job waits");
        done.send(true).expect("the test listens");
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(true));
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(true));
}

#[test]
fn a_task_that_enters_blocking_work_goes_there_and_comes_back() {
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let name = || {
            std::thread::current()
                .name()
                .unwrap_or_default()
                .to_string()
        };
        let before = name();
        blocking::enter().await.expect("there is room");
        let during = name();
        blocking::enter().await.expect("it is there already");
        yield_now().await;
        done.send([before, during, name()])
            .expect("the test listens");
    });
    let [before, during, after] = wait.recv_timeout(WAIT_MAX).expect("it ends");
    assert!(before.starts_with("rusm-worker"), "{before}");
    assert!(during.starts_with("rusm-blocking"), "{during}");
    assert!(after.starts_with("rusm-worker"), "{after}");
}

#[test]
fn more_blocking_work_than_may_wait_is_refused_and_counted() {
    let scheduler = start(Config {
        blocking_threads_max: 1,
        blocking_queue_max: 1,
        ..workers(1)
    });
    let (open, gate) = mpsc::channel::<()>();
    let (done, wait) = mpsc::channel();
    let begun = Arc::new(AtomicBool::new(false));
    let (flag, first) = (begun.clone(), done.clone());
    scheduler.handle().spawn(async move {
        let job = move || {
            flag.store(true, Ordering::Release);
            gate.recv_timeout(WAIT_MAX).is_ok()
        };
        first
            .send(blocking::run(job).await)
            .expect("the test listens");
    });
    scheduler.handle().spawn(async move {
        while !begun.load(Ordering::Acquire) {
            yield_now().await;
        }
        let handle = rusm_sched::handle();
        let second = done.clone();
        handle.spawn(async move {
            second
                .send(blocking::run(|| true).await)
                .expect("the test listens");
        });
        while handle.stats().blocking_queued == 0 {
            yield_now().await;
        }
        let refused = blocking::run(|| true).await;
        assert_eq!(refused, Err(blocking::Refused::Full));
        assert_eq!(blocking::enter().await, Err(blocking::Refused::Full));
        assert_eq!(handle.stats().blocking_refused, 2);
        open.send(()).expect("the job waits");
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(Ok(true)));
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(Ok(true)));
}

#[test]
fn a_panic_in_blocking_work_is_an_error_of_its_caller() {
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let outcome = blocking::run(|| std::panic::panic_any("no")).await;
        done.send(outcome).expect("the test listens");
    });
    let refused = blocking::Refused::Panicked("no".to_string());
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(Err(refused)));
}

/// Its caller waited for ever.
#[test]
fn a_panic_whose_payload_panics_is_an_error_of_its_caller_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("again"));
        }
    }
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let outcome = blocking::run(|| std::panic::resume_unwind(Box::new(Bomb))).await;
        done.send(outcome).expect("the test listens");
    });
    let refused = blocking::Refused::Panicked("a value that is no text".to_string());
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(Err(refused)));
}

/// A waker that was replaced was dropped under the lock under which the job leaves its result.
#[test]
fn a_waker_that_waits_for_the_job_when_it_is_dropped_sees_it_done() {
    struct Waits(Handle, Option<mpsc::Sender<()>>, mpsc::Sender<bool>);
    impl Wake for Waits {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Waits {
        fn drop(&mut self) {
            // The job goes on now.
            drop(self.1.take());
            let begun = Instant::now();
            let done = || self.0.stats().blocking_done == 1;
            while !done() && begun.elapsed() < WAIT_MAX {
                std::thread::yield_now();
            }
            self.2.send(done()).expect("the test listens");
        }
    }
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let waits = Waits(scheduler.handle(), Some(open), done);
    scheduler.handle().spawn(async move {
        let mut job = pin!(blocking::run(move || gate.recv().is_err()));
        let waker = Arc::new(waits).into();
        assert!(
            job.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        drop(waker);
        // Replaces the waker, and drops it.
        poll_fn(|cx| Poll::Ready(job.as_mut().poll(cx).is_pending())).await;
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX * 2), Ok(true));
}
