//! Times of tasks: how long they run, and since when they wait, seen from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rusm_sched::sim::Simulation;
use rusm_sched::{Config, Handle, TaskInfo, blocking, now, sleep, yield_now};

mod support;
use support::{WAIT_MAX, start, workers};

fn timed(count: usize) -> Config {
    Config {
        times: true,
        ..workers(count)
    }
}

/// Looks at the only task until it looks as `wanted` says.
fn until(handle: &Handle, wanted: impl Fn(&TaskInfo) -> bool) -> TaskInfo {
    let begun = Instant::now();
    loop {
        let tasks = handle.tasks();
        match &tasks[..] {
            [task] if wanted(task) => return task.clone(),
            _ => assert!(begun.elapsed() < WAIT_MAX, "it looks like {tasks:?}"),
        }
        std::thread::yield_now();
    }
}

fn cpu(task: &TaskInfo) -> Duration {
    task.cpu.expect("turns are timed")
}

/// Keeps its turn for so long.
fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
fn nobody_is_timed_unless_that_is_asked_for() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    handle.spawn(std::future::pending());
    let waiting = until(&handle, |task| task.waiting);
    assert_eq!((waiting.cpu, waiting.since), (None, None));
}

#[test]
fn a_turn_that_does_not_end_is_seen_to_run_and_counts_when_it_has_ended() {
    const WHILE: Duration = Duration::from_millis(15);
    let scheduler = start(timed(1));
    let handle = scheduler.handle();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    handle.spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        std::future::pending().await
    });
    // Longer than `Config::turn_limit`: another thread leads the worker by then.
    let first = until(&handle, |task| task.running && cpu(task) >= WHILE);
    let second = until(&handle, |task| cpu(task) >= cpu(&first) + WHILE);
    assert!(second.running);
    assert_eq!(first.since, second.since, "one turn has one begin");
    stop.store(true, Ordering::Relaxed);
    let waiting = until(&handle, |task| task.waiting);
    assert!(cpu(&waiting) >= cpu(&second), "{waiting:?} {second:?}");
    assert_eq!(
        cpu(&waiting) + first.since.expect("it ran"),
        waiting.since.expect("it waits")
    );
    // Waiting takes no time.
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(until(&handle, |_| true), waiting);
}

#[test]
fn turns_add_up_and_what_lies_between_them_does_not() {
    const TURNS: u32 = 20;
    let scheduler = start(timed(2));
    let handle = scheduler.handle();
    let (tell, hear) = channel();
    handle.spawn(async move {
        let (mut own, mut slept) = (Duration::ZERO, Duration::ZERO);
        for turn in 0..TURNS {
            let begun = Instant::now();
            spin(Duration::from_millis(1));
            own += begun.elapsed();
            let begun = Instant::now();
            if turn % 2 == 0 {
                sleep(Duration::from_millis(3)).await;
            } else {
                yield_now().await;
            }
            slept += begun.elapsed();
        }
        tell.send((own, slept)).expect("somebody listens");
        std::future::pending().await
    });
    let begun = Instant::now();
    let (own, slept) = hear.recv_timeout(WAIT_MAX).expect("it tells");
    let waiting = until(&handle, |task| task.waiting);
    let all = begun.elapsed();
    assert!(cpu(&waiting) >= own, "{waiting:?} {own:?}");
    // Half of the time between its turns, which leaves room for a busy machine.
    assert!(
        cpu(&waiting) + slept / 2 <= all + Duration::from_millis(5),
        "{waiting:?} {slept:?} {all:?}"
    );
}

#[test]
fn a_turn_on_a_thread_for_blocking_work_counts_and_that_threads_rest_does_not() {
    const REST: Duration = Duration::from_millis(20);
    let scheduler = start(timed(1));
    let handle = scheduler.handle();
    let begun = Instant::now();
    handle.spawn(async {
        for _ in 0..2 {
            sleep(REST).await;
            blocking::enter().await.expect("there is a thread");
            spin(Duration::from_millis(5));
        }
        std::future::pending().await
    });
    let done = |task: &TaskInfo| task.waiting && cpu(task) >= Duration::from_millis(10);
    let waiting = until(&handle, done);
    let all = begun.elapsed();
    // Half of its rests, which leaves room for a busy machine.
    assert!(cpu(&waiting) + REST <= all, "{waiting:?} {all:?}");
}

#[test]
fn in_a_simulation_a_task_waits_since_exactly_when_its_turn_ended() {
    let at = Duration::from_millis;
    let looked = Simulation::new(7).run(move |handle| async move {
        let (tell, hear) = channel();
        handle.spawn(async move {
            sleep(at(10)).await;
            tell.send(now()).expect("somebody listens");
            sleep(at(70)).await;
        });
        sleep(at(50)).await;
        (handle.tasks(), now(), hear.try_recv())
    });
    let (tasks, looked, slept) = looked.expect("it ends");
    let (own, others): (Vec<_>, Vec<_>) = tasks.iter().partition(|task| task.running);
    assert_eq!((own[0].since, own[0].cpu), (Some(looked), Some(at(0))));
    assert_eq!((others[0].since, others[0].cpu), (slept.ok(), Some(at(0))));
    assert!(others[0].sleeping && others[0].since < Some(at(11)));
}
