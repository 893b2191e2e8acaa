//! Native turns that do not end: who goes on meanwhile, and who is told.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rusm_sched::{Config, Handle, ShutdownError, sleep};

use support::{WAIT_MAX, start, workers};

/// Spins until told to stop, and never awaits.
fn hog(handle: &Handle, stop: &Arc<AtomicBool>, begun: &mpsc::Sender<()>) {
    let (stop, begun) = (stop.clone(), begun.clone());
    handle.spawn(async move {
        begun.send(()).expect("the test listens");
        while !stop.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
}

#[test]
fn bodies_that_never_await_do_not_starve_the_others() {
    let scheduler = start(workers(2));
    let handle = scheduler.handle();
    let (overruns, seen) = mpsc::channel();
    handle.on_overrun(move |overrun| {
        // The test may be over already.
        let _ = overruns.send(overrun.clone());
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (begun, hogs) = mpsc::channel();
    for _ in 0..6 {
        hog(&handle, &stop, &begun);
    }
    // The later ones begin on spare threads, while the earlier ones spin.
    for _ in 0..6 {
        hogs.recv_timeout(WAIT_MAX)
            .expect("every hog gets a thread");
    }
    let (done, wait) = mpsc::channel();
    handle.spawn(async move {
        sleep(Duration::from_millis(1)).await;
        done.send(()).expect("the test listens");
    });
    wait.recv_timeout(WAIT_MAX)
        .expect("a bystander gets its turn");
    let first = seen.recv_timeout(WAIT_MAX).expect("it is reported");
    assert!(first.rescued && first.lasted >= Duration::from_millis(10));
    assert!(first.name.contains("hog"), "{}", first.name);
    stop.store(true, Ordering::Relaxed);
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(handle.stats().stuck, 0);
}

#[test]
fn without_spare_threads_an_endless_turn_is_only_reported() {
    let scheduler = start(Config {
        rescue_threads_max: 0,
        ..workers(1)
    });
    let handle = scheduler.handle();
    let (overruns, seen) = mpsc::channel();
    handle.on_overrun(move |overrun| {
        // The test may be over already.
        let _ = overruns.send(overrun.rescued);
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (begun, _hogs) = mpsc::channel();
    hog(&handle, &stop, &begun);
    assert_eq!(seen.recv_timeout(WAIT_MAX), Ok(false));
    assert_eq!(
        scheduler.shutdown(Duration::from_millis(50)),
        Err(ShutdownError::Running(1))
    );
    stop.store(true, Ordering::Relaxed);
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
}
