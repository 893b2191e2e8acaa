//! What a recording shows: who had turns and why they ended, what moved, who slept, what lasted too long.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use rusm_sched::sim::Simulation;
use rusm_sched::{
    Address, Config, Event, Handle, RECORD_EVENTS_MAX, Recording, Scheduler, TurnEnd, What,
    blocking, reductions, sleep, yield_now,
};

use support::{WAIT_MAX, start, workers};

/// A scheduler that records from before its first turn: a worker begins to when it wakes.
fn recorded(config: Config, events_max: usize) -> (Scheduler, Handle) {
    let asleep = config.workers as u64;
    let scheduler = start(config);
    let (handle, begun) = (scheduler.handle(), Instant::now());
    while handle.stats().total.parks < asleep {
        assert!(begun.elapsed() < WAIT_MAX, "they do not sleep");
        std::thread::yield_now();
    }
    handle.record(events_max).expect("so many are kept");
    (scheduler, handle)
}

/// Runs a task to its end.
fn run(handle: &Handle, task: impl Future<Output = ()> + Send + 'static) {
    let (done, wait) = mpsc::channel();
    handle.spawn(async move {
        task.await;
        done.send(()).expect("the test listens");
    });
    wait.recv_timeout(WAIT_MAX).expect("it ends");
}

/// Reads what is recorded until it looks as wanted: a turn is noted after what the test hears of it.
fn until(handle: &Handle, wanted: impl Fn(&Recording) -> bool) -> Recording {
    let begun = Instant::now();
    loop {
        let recording = handle.recording().expect("it records");
        if wanted(&recording) {
            return recording;
        }
        assert!(begun.elapsed() < WAIT_MAX, "it looks like {recording:?}");
        std::thread::yield_now();
    }
}

fn events(recording: &Recording) -> impl Iterator<Item = What> {
    let lanes = recording.workers.iter();
    lanes.flat_map(|lane| lane.events.iter().map(|event| event.what))
}

fn has_ended(what: &What) -> bool {
    let end = TurnEnd::Ended;
    matches!(what, What::Turn { end: it, .. } if *it == end)
}

/// How the turns of a task ended, in their order.
fn ends(recording: &Recording, whose: Address) -> Vec<TurnEnd> {
    let ends = events(recording).filter_map(|what| match what {
        What::Turn { task, end, .. } if task == whose => Some(end),
        _ => None,
    });
    ends.collect()
}

/// The children of the first task that started any.
fn spawned(recording: &Recording) -> Option<Address> {
    events(recording).find_map(|what| match what {
        What::Spawn { task, .. } => Some(task),
        _ => None,
    })
}

#[test]
fn nothing_is_recorded_unless_that_is_asked_for() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    run(&handle, yield_now());
    assert_eq!(handle.recording(), None);
    for events_max in [0, RECORD_EVENTS_MAX + 1] {
        let refused = handle.record(events_max).expect_err("no such ring");
        assert!(refused.contains("give a number from 1 to"), "{refused}");
    }
    assert_eq!(handle.stop_recording(), None);
}

#[test]
fn each_turn_is_noted_with_why_it_was_over() {
    use TurnEnd::{Ended, Moved, Spent, Waiting, Woken, Yielded};
    let (_scheduler, handle) = recorded(workers(1), 1000);
    let spawner = handle.clone();
    run(&handle, async move {
        spawner.spawn(async move {
            yield_now().await;
            reductions(1_000_000).await;
            std::future::poll_fn(woken_at_once()).await;
            sleep(Duration::from_micros(100)).await;
            blocking::enter().await.expect("there is room");
            yield_now().await;
        });
    });
    let wanted = |recording: &Recording| {
        spawned(recording).is_some_and(|child| ends(recording, child).last() == Some(&Ended))
    };
    let recording = until(&handle, wanted);
    let child = spawned(&recording).expect("it was seen");
    // What goes on as blocking work is not this worker's: it comes back with the yield.
    assert_eq!(
        ends(&recording, child),
        [Yielded, Spent, Woken, Waiting, Moved, Ended]
    );
}

/// Waits once, and wakes itself before.
fn woken_at_once() -> impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<()> + Send {
    let mut woken = false;
    move |context| {
        if std::mem::replace(&mut woken, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}

#[test]
fn all_turns_are_there_one_after_the_other_with_what_they_spent() {
    let (_scheduler, handle) = recorded(workers(1), 10_000);
    let spawner = handle.clone();
    run(&handle, async move {
        for n in 0..100 {
            spawner.spawn(async move {
                for _ in 0..n % 4 {
                    reductions(n).await;
                    yield_now().await;
                }
            });
            yield_now().await;
        }
    });
    let stats = |handle: &Handle| {
        let total = handle.stats().total;
        (total.turns, total.reductions)
    };
    let sums = |recording: &Recording| {
        events(recording).fold((0, 0), |(turns, spent), what| match what {
            What::Turn { reductions, .. } => (turns + 1, spent + u64::from(reductions)),
            _ => (turns, spent),
        })
    };
    let recording = until(&handle, |recording| sums(recording) == stats(&handle));
    assert_eq!(recording.workers[0].missed, 0);
    let mut now = recording.began;
    for Event { at, what } in &recording.workers[0].events {
        if let What::Turn { lasted, .. } = what {
            assert!(*at >= now, "a turn began before the one before was over");
            now = at + lasted;
        }
    }
    assert!(now <= recording.taken);
    let starts = events(&recording).filter(|what| matches!(what, What::Spawn { .. }));
    assert_eq!(starts.count(), 100);
}

#[test]
fn only_the_latest_events_are_kept() {
    let (_scheduler, handle) = recorded(workers(1), 8);
    run(&handle, async {
        for _ in 0..1000 {
            yield_now().await;
        }
    });
    let lane = &until(&handle, |it| events(it).any(|it| has_ended(&it))).workers[0];
    assert_eq!(lane.events.len(), 8);
    assert!(lane.missed >= 993, "{}", lane.missed);
}

#[test]
fn a_recording_can_be_read_at_any_time_and_its_events_are_whole() {
    let (_scheduler, handle) = recorded(workers(2), 64);
    let stop = Arc::new(AtomicBool::new(false));
    for _ in 0..4 {
        let stop = stop.clone();
        handle.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                reductions(7).await;
                yield_now().await;
            }
        });
    }
    let mut seen = 0;
    while seen < 2000 {
        let recording = handle.recording().expect("it records");
        for what in events(&recording) {
            if let What::Turn {
                reductions, end, ..
            } = what
            {
                assert_eq!((reductions, end), (7, TurnEnd::Yielded));
                seen += 1;
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
}

#[test]
fn thefts_and_sleep_are_noted_by_the_thief_and_the_sleeper() {
    let (_scheduler, handle) = recorded(
        Config {
            claim: 1,
            ..workers(2)
        },
        1000,
    );
    let spawner = handle.clone();
    run(&handle, async move {
        let meeting = Arc::new(Barrier::new(2));
        for _ in 0..2 {
            let meeting = meeting.clone();
            spawner.spawn(async move {
                meeting.wait();
            });
        }
        sleep(Duration::from_millis(5)).await;
    });
    let parked = |lane: &rusm_sched::Lane| lane.events.last().map(|it| it.what) == Some(What::Park);
    let over = |it: &Recording| events(it).filter(has_ended).count() == 3;
    let recording = until(&handle, |it| over(it) && it.workers.iter().all(parked));
    let mut stolen = 0;
    for (index, lane) in recording.workers.iter().enumerate() {
        let mut asleep = false;
        for event in &lane.events {
            match event.what {
                What::Park => assert!(!std::mem::replace(&mut asleep, true)),
                What::Unpark => asleep = false,
                What::Steal { from, tasks } => {
                    assert_eq!(from, 1 - index);
                    stolen += u64::from(tasks);
                }
                _ => {}
            }
        }
    }
    assert_eq!(stolen, handle.stats().total.stolen);
    assert!(stolen > 0);
    assert!(events(&recording).any(|what| what == What::Timers { fired: 1 }));
}

#[test]
fn a_turn_that_costs_its_thread_the_worker_is_noted_by_the_ticker() {
    let (_scheduler, handle) = recorded(workers(1), 1000);
    let stop = Arc::new(AtomicBool::new(false));
    let (begin, begun) = mpsc::channel();
    let until_then = stop.clone();
    handle.spawn(async move {
        begin.send(()).expect("the test listens");
        while !until_then.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    begun.recv_timeout(WAIT_MAX).expect("it runs");
    let running = until(&handle, |it| it.workers[0].running.is_some());
    let (stuck, _) = running.workers[0].running.expect("just seen");
    let recording = until(&handle, |it| !it.ticker.events.is_empty());
    let What::Overrun {
        task,
        worker,
        lasted,
        rescued,
    } = recording.ticker.events[0].what
    else {
        unreachable!("{:?}", recording.ticker);
    };
    assert_eq!((task, worker, rescued), (stuck, 0, true));
    assert!(lasted >= 10_000_000);
    // The worker's next thread goes on in the same lane, and the lost turn is in none.
    run(&handle, yield_now());
    stop.store(true, Ordering::Relaxed);
    let recording = until(&handle, |it| {
        events(it)
            .filter(|it| matches!(it, What::Turn { .. }))
            .count()
            == 2
    });
    assert_eq!(ends(&recording, stuck), []);
}

#[test]
fn a_recording_that_was_stopped_is_handed_over_and_the_next_one_begins_anew() {
    let (_scheduler, handle) = recorded(workers(1), 1000);
    run(&handle, yield_now());
    until(&handle, |it| events(it).count() > 1);
    let stopped = handle.stop_recording().expect("it recorded");
    assert!(events(&stopped).count() > 1);
    assert_eq!(handle.recording(), None);
    run(&handle, yield_now());
    handle.record(1000).expect("so many are kept");
    run(&handle, reductions(5_000));
    let recording = until(&handle, |it| events(it).count() > 0);
    assert!(recording.began >= stopped.taken);
    for lane in &recording.workers {
        assert!(lane.events.iter().all(|event| event.at >= stopped.taken));
    }
}

fn simulated(seed: u64) -> Recording {
    let recording = Simulation::new(seed).run(|handle| async move {
        handle.record(1000).expect("so many are kept");
        for _ in 0..5 {
            handle.spawn(async {
                sleep(Duration::from_millis(3)).await;
                reductions(20).await;
            });
        }
        sleep(Duration::from_millis(10)).await;
        handle.stop_recording().expect("it recorded")
    });
    recording.expect("it ends")
}

#[test]
fn a_simulation_is_recorded_on_its_own_time_and_the_same_seed_decides_the_same() {
    let first = simulated(11);
    assert_eq!(first.seed, Some(11));
    assert_eq!(
        events(&first)
            .filter(|it| *it == What::Timers { fired: 5 })
            .count(),
        1
    );
    assert_eq!(events(&first).filter(has_ended).count(), 5);
    // Slots are used again, so addresses differ from run to run.
    let shape = |recording: &Recording| -> Vec<(u64, Option<(TurnEnd, u32)>)> {
        let events = recording.workers[0].events.iter();
        let shape = events.map(|event| match event.what {
            What::Turn {
                end, reductions, ..
            } => (event.at, Some((end, reductions))),
            _ => (event.at, None),
        });
        shape.collect()
    };
    assert_eq!(shape(&first), shape(&simulated(11)));
    assert!((12..40).any(|seed| shape(&simulated(seed)) != shape(&first)));
}
