//! The simulation: any order, the same again from the same seed, time that jumps.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusm_sched::sim::{Simulation, Stuck};
use rusm_sched::{blocking, now, sleep, yield_now};

/// How many seeds a property is tried with; `RUSM_SIM_SEEDS` says otherwise.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("RUSM_SIM_SEEDS").ok();
    let first = Simulation::seed_or(0);
    let count = if std::env::var_os("RUSM_SEED").is_some() {
        1
    } else {
        count.and_then(|text| text.parse().ok()).unwrap_or(500)
    };
    first..first + count
}

/// The order in which five tasks with pauses of all kinds get on.
fn order(seed: u64) -> Vec<(u32, u32)> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let shared = log.clone();
    let outcome = Simulation::new(seed).run(move |handle| async move {
        for task in 0..5 {
            let log = shared.clone();
            handle.spawn(async move {
                for step in 0..4 {
                    log.lock().expect("no panic").push((task, step));
                    match step {
                        0 => yield_now().await,
                        1 => sleep(Duration::from_millis(10)).await,
                        _ => rusm_sched::reductions(5).await,
                    }
                }
            });
        }
    });
    assert_eq!(outcome, Ok(()), "seed {seed}");
    Arc::into_inner(log)
        .expect("all tasks are gone")
        .into_inner()
        .expect("no panic")
}

#[test]
fn the_same_seed_gives_the_same_run_and_other_seeds_other_runs() {
    let mut orders = std::collections::HashSet::new();
    for seed in seeds() {
        let first = order(seed);
        assert_eq!(first, order(seed), "seed {seed}");
        assert_eq!(first.len(), 20, "seed {seed}");
        orders.insert(first);
    }
    assert!(
        orders.len() as u64 >= seeds().count() as u64 / 2,
        "{} orders",
        orders.len()
    );
}

#[test]
fn a_year_passes_in_an_instant() {
    let begin = Instant::now();
    let year = Duration::from_secs(365 * 24 * 3600);
    let woke = Simulation::new(1).run(|_| async move {
        sleep(year).await;
        now()
    });
    let woke = woke.expect("it ends");
    assert!(
        woke >= year && woke < year + Duration::from_millis(1),
        "{woke:?}"
    );
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn who_waits_for_what_cannot_come_is_named() {
    let outcome = Simulation::new(7).run(|_| std::future::pending::<()>());
    let Err(Stuck::Deadlock { seed, waiting }) = outcome else {
        unreachable!("{outcome:?}");
    };
    assert_eq!((seed, waiting.len()), (7, 1));
    let text = Stuck::Deadlock { seed, waiting }.to_string();
    assert!(
        text.starts_with("seed 7: nothing is runnable and no timer is armed"),
        "{text}"
    );
}

#[test]
fn blocking_work_is_done_at_once() {
    let outcome = Simulation::new(3).run(|_| async {
        blocking::enter().await.expect("always there");
        blocking::run(|| 42).await
    });
    assert_eq!(outcome, Ok(Ok(42)));
}

/// A lock-free counter that forgets to exchange: two tasks read, yield, and write.
fn lost_update(seed: u64) -> bool {
    let count = Arc::new(AtomicUsize::new(0));
    let shared = count.clone();
    let outcome = Simulation::new(seed).run(move |handle| async move {
        for _ in 0..2 {
            let count = shared.clone();
            handle.spawn(async move {
                let seen = count.load(Ordering::Relaxed);
                yield_now().await;
                count.store(seen + 1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(outcome, Ok(()));
    count.load(Ordering::Relaxed) < 2
}

#[test]
fn some_seeds_show_a_race_and_others_do_not() {
    let lost = seeds().filter(|&seed| lost_update(seed)).count() as u64;
    if seeds().count() > 100 {
        assert!(
            lost > 0 && lost < seeds().count() as u64,
            "{lost} seeds lose an update"
        );
    }
}
