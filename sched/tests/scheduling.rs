//! What a scheduler does with bare tasks: run them all, in time, and stop.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake};
use std::time::{Duration, Instant};

use rusm_sched::{
    Config, Handle, QueueKind, Scheduler, ShutdownError, StealPolicy, blocking, sleep, yield_now,
};

use support::{WAIT_MAX, start, workers};

/// Spawns `count` tasks from inside, each yielding a few times, and waits for all.
fn run_many(scheduler: &Scheduler, count: usize) {
    let (done, wait) = mpsc::channel();
    let handle = scheduler.handle();
    let left = Arc::new(AtomicUsize::new(count));
    let spawner = handle.clone();
    handle.spawn(async move {
        for n in 0..count {
            let (left, done) = (left.clone(), done.clone());
            spawner.spawn(async move {
                for _ in 0..n % 4 {
                    yield_now().await;
                }
                if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    done.send(()).expect("the test listens");
                }
            });
        }
    });
    wait.recv_timeout(WAIT_MAX).expect("all tasks end");
}

#[test]
fn all_tasks_run_whatever_the_queue_and_the_thieves() {
    for queue in [QueueKind::Ring, QueueKind::Deque, QueueKind::Fifo] {
        for steal in [StealPolicy::Half, StealPolicy::One, StealPolicy::Off] {
            for spin in [0, 10] {
                let scheduler = start(Config {
                    queue,
                    steal,
                    spin: Duration::from_micros(spin),
                    hand_off: spin == 0,
                    ..workers(3)
                });
                run_many(&scheduler, 20_000);
                assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()), "{queue:?} {steal:?}");
            }
        }
    }
}

/// Those that a timer has woken go first, and lie where thieves look first.
#[test]
fn nothing_is_stolen_where_stealing_is_off() {
    for queue in [QueueKind::Ring, QueueKind::Deque, QueueKind::Fifo] {
        let scheduler = start(Config {
            queue,
            steal: StealPolicy::Off,
            ..workers(2)
        });
        let (handle, (done, wait)) = (scheduler.handle(), mpsc::channel());
        for _ in 0..200 {
            let done = done.clone();
            handle.spawn(async move {
                for _ in 0..20 {
                    rusm_sched::sleep(Duration::from_micros(100)).await;
                }
                done.send(()).expect("the test listens");
            });
        }
        for _ in 0..200 {
            wait.recv_timeout(WAIT_MAX).expect("all tasks end");
        }
        assert_eq!(handle.stats().total.stolen, 0, "{queue:?}");
    }
}

#[test]
fn a_burst_far_beyond_the_queue_length_is_all_run() {
    let scheduler = start(workers(2));
    run_many(&scheduler, 300_000);
    let stats = scheduler.handle().stats();
    assert!(stats.total.overflows > 0);
    assert_eq!(stats.total.spawned, 300_001);
}

#[test]
fn workers_that_are_taken_away_all_the_time_lose_no_task() {
    let scheduler = start(Config {
        tick: Duration::from_micros(50),
        turn_limit: Duration::ZERO,
        ..workers(3)
    });
    for _ in 0..20 {
        run_many(&scheduler, 5_000);
    }
    let handle = scheduler.handle();
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
    let stats = handle.stats();
    assert!(stats.rescues > 0, "the test took no worker away");
    assert_eq!((stats.total.spawned, stats.live()), (20 * 5_001, 0));
}

#[test]
fn who_starts_tasks_without_end_waits_for_them() {
    let scheduler = start(workers(1));
    let (handle, (done, wait)) = (scheduler.handle(), mpsc::channel());
    let ended = Arc::new(AtomicUsize::new(0));
    let spawner = handle.clone();
    handle.spawn(async move {
        let mut most = 0;
        for started in 1..200_000 {
            let count = ended.clone();
            spawner.spawn(async move {
                count.fetch_add(1, Ordering::Relaxed);
            });
            rusm_sched::reductions(1).await;
            most = most.max(started - ended.load(Ordering::Relaxed));
        }
        done.send(most).expect("the test listens");
    });
    let most = wait.recv_timeout(WAIT_MAX).expect("it ends");
    // It starts one for every two reductions.
    let in_a_turn = Config::default().budget as usize / 2;
    assert!(most <= 2 * in_a_turn, "{most} were alive at a time");
}

#[test]
fn after_many_short_turns_a_sleeping_worker_is_still_called_for_long_ones() {
    // The ticker would help at its second look.
    let scheduler = start(Config {
        tick: Duration::from_secs(2),
        claim: 1,
        ..workers(2)
    });
    let (handle, (done, wait)) = (scheduler.handle(), mpsc::channel());
    let meeting = Arc::new(std::sync::Barrier::new(2));
    let spawner = handle.clone();
    handle.spawn(async move {
        for _ in 0..100_000 {
            yield_now().await;
        }
        for _ in 0..2 {
            let (meeting, done) = (meeting.clone(), done.clone());
            spawner.spawn(async move {
                meeting.wait();
                done.send(()).expect("the test listens");
            });
        }
    });
    for _ in 0..2 {
        wait.recv_timeout(WAIT_MAX).expect("both run at once");
    }
    assert!(scheduler.handle().stats().ticks < 2, "nobody was called");
}

#[test]
fn tasks_from_foreign_threads_wake_sleeping_workers() {
    let scheduler = start(workers(2));
    for _ in 0..2000 {
        let (done, wait) = mpsc::channel();
        scheduler.handle().spawn(async move {
            done.send(()).expect("the test listens");
        });
        wait.recv_timeout(WAIT_MAX).expect("the task runs");
    }
}

#[test]
fn a_sleep_is_never_early_and_many_run_side_by_side() {
    let scheduler = start(workers(2));
    let (done, wait) = mpsc::channel();
    let begin = Instant::now();
    for n in 0..1000_u64 {
        let done = done.clone();
        scheduler.handle().spawn(async move {
            let span = Duration::from_micros(n * 50);
            let start = Instant::now();
            sleep(span).await;
            done.send(start.elapsed() >= span)
                .expect("the test listens");
        });
    }
    for _ in 0..1000 {
        assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(true));
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(scheduler.handle().stats().timers, 0);
}

#[test]
fn a_dropped_sleep_disarms_its_timer() {
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
        let armed =
            std::future::poll_fn(|cx| std::task::Poll::Ready(sleep.as_mut().poll(cx).is_pending()));
        assert!(armed.await);
        let before = rusm_sched::handle().stats().timers;
        drop(sleep);
        let after = rusm_sched::handle().stats().timers;
        done.send((before, after)).expect("the test listens");
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok((1, 0)));
}

#[test]
fn the_ticker_ticks_while_somebody_runs_and_then_rests() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    let (ticked, ticks) = mpsc::channel();
    handle.on_tick(move || {
        // The test may be over already.
        let _ = ticked.send(());
    });
    let stop = Arc::new(AtomicBool::new(false));
    let until = stop.clone();
    handle.spawn(async move {
        while !until.load(Ordering::Relaxed) {
            yield_now().await;
        }
    });
    for _ in 0..5 {
        ticks.recv_timeout(WAIT_MAX).expect("it ticks");
    }
    stop.store(true, Ordering::Relaxed);
    while ticks.recv_timeout(Duration::from_millis(300)).is_ok() {}
    assert!(ticks.recv_timeout(Duration::from_millis(100)).is_err());
}

/// A guest whose worker was taken away spun for ever once the ticker had gone to sleep,
/// because only the workers were asked whether anybody runs.
#[test]
fn the_ticker_goes_on_for_tasks_that_run_away_from_the_workers() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    let ticks = Arc::new(AtomicUsize::new(0));
    let count = ticks.clone();
    handle.on_tick(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (done, wait) = mpsc::channel();
    for moves in [false, true] {
        let (ticks, done) = (ticks.clone(), done.clone());
        handle.spawn(async move {
            if moves {
                blocking::enter().await.expect("there is room");
            }
            let until = ticks.load(Ordering::Relaxed) + 100;
            while ticks.load(Ordering::Relaxed) < until {
                std::hint::spin_loop();
            }
            done.send(()).expect("the test listens");
        });
    }
    for _ in 0..2 {
        wait.recv_timeout(WAIT_MAX).expect("it saw a hundred ticks");
    }
}

#[test]
fn a_panicking_task_is_counted_and_its_worker_goes_on() {
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    handle.spawn(async {
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    run_many(&scheduler, 10);
    assert_eq!(handle.stats().total.panics, 1);
}

#[test]
fn a_scheduler_cannot_be_stopped_from_inside() {
    let scheduler = Arc::new(start(workers(1)));
    let inner = Arc::downgrade(&scheduler);
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let outcome = inner
            .upgrade()
            .map(|scheduler| scheduler.shutdown(WAIT_MAX));
        done.send(outcome).expect("the test listens");
    });
    let outcome = wait.recv_timeout(WAIT_MAX).expect("it answers");
    assert_eq!(outcome, Some(Err(ShutdownError::FromInside)));
}

#[test]
fn a_shutdown_may_wait_for_ever() {
    let scheduler = start(workers(1));
    run_many(&scheduler, 10);
    assert_eq!(scheduler.shutdown(Duration::MAX), Ok(()));
}

/// A hook that held a handle of its own scheduler kept both for ever.
#[test]
fn a_stopped_scheduler_lets_go_of_hooks_reports_and_timers() {
    struct Holds {
        handle: Handle,
        _token: Arc<()>,
    }
    impl Wake for Holds {
        fn wake(self: Arc<Self>) {}
    }
    let scheduler = start(workers(1));
    let handle = scheduler.handle();
    let token = Arc::new(());
    let holds = || {
        Arc::new(Holds {
            handle: handle.clone(),
            _token: token.clone(),
        })
    };
    let (hook, report, waker) = (holds(), holds(), holds().into());
    handle.on_tick(move || drop(hook.handle.clone()));
    handle.on_overrun(move |_| drop(report.handle.clone()));
    let (done, wait) = mpsc::channel();
    handle.spawn(async move {
        let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
        let armed = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        drop(waker);
        // Nobody disarms it.
        std::mem::forget(sleep);
        done.send(armed.is_pending()).expect("the test listens");
    });
    assert_eq!(wait.recv_timeout(WAIT_MAX), Ok(true));
    assert_eq!(Arc::strong_count(&token), 4);
    assert_eq!(scheduler.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn statistics_say_what_was_done() {
    let scheduler = start(workers(2));
    run_many(&scheduler, 50_000);
    let stats = scheduler.handle().stats();
    assert_eq!(stats.workers.len(), 2);
    assert!(stats.total.turns >= 50_000 && stats.total.reductions >= 50_000);
    assert!(stats.total.busy > Duration::ZERO);
    assert!(stats.total.wake_to_run.count() > 0);
}
