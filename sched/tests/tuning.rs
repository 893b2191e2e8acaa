//! What changes while a scheduler runs: its tuning, and what the next turns make of it.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use rusm_sched::sim::Simulation;
use rusm_sched::{Config, Handle, reductions, worker_index, yield_now};

use support::{WAIT_MAX, start, workers};

const HOUR: &str = "3600000000";

/// Turns that a task needs to spend a thousand reductions, one by one.
fn turns_of_a_thousand(handle: &Handle) -> u64 {
    let before = handle.stats().total.turns;
    let (done, wait) = mpsc::channel();
    handle.spawn(async move {
        for _ in 0..1000 {
            reductions(1).await;
        }
        done.send(()).expect("the test listens");
    });
    wait.recv_timeout(WAIT_MAX).expect("it ends");
    handle.stats().total.turns - before
}

#[test]
fn a_budget_of_one_makes_turns_short_from_then_on() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    assert_eq!(turns_of_a_thousand(&handle), 1);
    assert_eq!(handle.set_live("budget", "1"), Ok(()));
    assert!(turns_of_a_thousand(&handle) >= 1000);
    assert_eq!(handle.config().budget, 1);
    assert_eq!(handle.set_live("budget", "4000"), Ok(()));
    assert_eq!(turns_of_a_thousand(&handle), 1);
}

/// Keeps a worker busy with yields until it is told to stop.
fn busy(handle: &Handle, stop: &Arc<AtomicBool>) {
    let stop = stop.clone();
    handle.spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            yield_now().await;
        }
    });
}

#[test]
fn a_tick_that_was_to_last_an_hour_ends_when_ticks_are_made_short() {
    let scheduler = start(Config {
        tick: Duration::from_secs(3600),
        ..workers(1)
    });
    let (handle, stop) = (scheduler.handle(), Arc::new(AtomicBool::new(false)));
    let (ticked, ticks) = mpsc::channel();
    handle.on_tick(move || {
        // The test may be over already.
        let _ = ticked.send(());
    });
    busy(&handle, &stop);
    assert_eq!(handle.stats().ticks, 0);
    assert_eq!(handle.set_live("tick", "500"), Ok(()));
    assert_eq!(handle.config().tick, Duration::from_micros(500));
    for _ in 0..3 {
        ticks.recv_timeout(WAIT_MAX).expect("it ticks");
    }
    stop.store(true, Ordering::Relaxed);
}

#[test]
fn long_ticks_hold_up_nobody_who_stops() {
    let scheduler = start(workers(1));
    assert_eq!(scheduler.handle().set_live("tick", HOUR), Ok(()));
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
}

#[test]
fn who_raises_the_turn_limit_has_turns_that_last_and_who_lowers_it_has_them_rescued() {
    let scheduler = start(workers(1));
    let (handle, stop) = (scheduler.handle(), Arc::new(AtomicBool::new(false)));
    let (ticked, ticks) = mpsc::channel();
    handle.on_tick(move || {
        // The test may be over already.
        let _ = ticked.send(());
    });
    let (overrun, overruns) = mpsc::channel();
    handle.on_overrun(move |it| {
        // As above.
        let _ = overrun.send(it.rescued);
    });
    assert_eq!(handle.set_live("turn_limit", HOUR), Ok(()));
    let (begin, begun) = mpsc::channel();
    let until = stop.clone();
    handle.spawn(async move {
        begin.send(()).expect("the test listens");
        while !until.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    begun.recv_timeout(WAIT_MAX).expect("it runs");
    while ticks.try_recv().is_ok() {}
    // A tick lasts a millisecond, and the limit was ten.
    for _ in 0..40 {
        ticks.recv_timeout(WAIT_MAX).expect("it ticks");
    }
    assert_eq!(handle.stats().rescues, 0);
    assert_eq!(handle.set_live("turn_limit", "2000"), Ok(()));
    assert_eq!(overruns.recv_timeout(WAIT_MAX), Ok(true));
    stop.store(true, Ordering::Relaxed);
}

/// Passes only if two tasks that were started by one run on two workers at once.
fn two_run_side_by_side(handle: &Handle) {
    let (meeting, (done, wait)) = (Arc::new(Barrier::new(2)), mpsc::channel());
    let spawner = handle.clone();
    handle.spawn(async move {
        for _ in 0..2 {
            let (meeting, done) = (meeting.clone(), done.clone());
            spawner.spawn(async move {
                meeting.wait();
                done.send(()).expect("the test listens");
            });
        }
    });
    for _ in 0..2 {
        wait.recv_timeout(WAIT_MAX).expect("they meet");
    }
}

/// Looks for work by the worker that is not `own`.
fn searches_of_the_other(handle: &Handle, own: usize) -> u64 {
    handle.stats().workers[1 - own].searches
}

#[test]
fn with_steal_off_tasks_stay_on_the_worker_of_who_started_them() {
    // Whoever waits for another in its turn is to keep its worker, and no more than its turn.
    let scheduler = start(Config {
        claim: 1,
        turn_limit: Duration::from_secs(3600),
        ..workers(2)
    });
    let handle = scheduler.handle();
    two_run_side_by_side(&handle);
    assert_eq!(handle.set_live("steal", "off"), Ok(()));
    let (spawner, (tell, told)) = (handle.clone(), mpsc::channel());
    handle.spawn(async move {
        let own = worker_index().expect("a worker runs it");
        for _ in 0..500 {
            let tell = tell.clone();
            spawner.spawn(async move {
                let worker = worker_index().expect("a worker runs it");
                tell.send((own, worker)).expect("the test listens");
            });
        }
        // The other one has time to look for them twice.
        let (before, begun) = (searches_of_the_other(&spawner, own), Instant::now());
        while searches_of_the_other(&spawner, own) < before + 2 {
            assert!(begun.elapsed() < WAIT_MAX, "nobody looks");
        }
    });
    for _ in 0..500 {
        let (own, worker) = told.recv_timeout(WAIT_MAX).expect("all run");
        assert_eq!(own, worker, "it was stolen");
    }
    assert_eq!(handle.set_live("steal", "one"), Ok(()));
    two_run_side_by_side(&handle);
}

#[test]
fn what_cannot_be_changed_is_refused_and_all_stays_as_it_was() {
    let scheduler = start(workers(2));
    let handle = scheduler.handle();
    let before = handle.config();
    for (field, value, sentence) in [
        ("queue", "fifo", "fixed"),
        ("times", "true", "fixed"),
        ("budget", "0", "at least 1"),
        ("claim", "1000", "more than 16"),
        ("spin", "soon", "no value"),
        ("colour", "red", "there is no field"),
    ] {
        let refused = handle.set_live(field, value).expect_err(field);
        assert!(refused.contains(sentence), "{refused}");
    }
    assert_eq!(handle.config(), before);
}

#[test]
fn a_simulation_says_that_it_is_not_tuned() {
    let refused = Simulation::new(1).run(|handle| async move { handle.set_live("budget", "7") });
    let text = refused.expect("it ends").expect_err("a simulation");
    assert!(
        text.contains("`budget`") && text.contains("simulation"),
        "{text}"
    );
}
