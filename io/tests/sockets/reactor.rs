//! The reactor itself: who finds it, and that tasks on it are woken from anywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::support::{LIMIT, join, loopback, run, wait};
use crate::tcp_pair;
use rusm_io::{TcpListener, TcpStream};
use rusm_sched::sim::Simulation;
use rusm_sched::{Config, Scheduler, ThreadDriver};

#[test]
fn without_a_reactor_a_socket_says_what_to_do() {
    let scheduler = Scheduler::start(Config::default(), Arc::new(ThreadDriver)).unwrap();
    let bound = join(&scheduler.handle(), async {
        TcpListener::bind(loopback()).map(drop)
    });
    let error = bound.recv_timeout(LIMIT).unwrap().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("start the node with `rusm_io::Reactor`"),
        "{error}"
    );
    scheduler.shutdown(LIMIT).unwrap();
}

#[test]
fn in_a_simulation_a_socket_says_what_to_do() {
    let bound = Simulation::new(1).run(|_| async { TcpListener::bind(loopback()).map(drop) });
    let error = bound.unwrap().unwrap_err();
    assert!(error.to_string().contains("start the node with"), "{error}");
}

#[test]
fn outside_of_a_task_a_socket_says_where_it_belongs() {
    let error = TcpListener::bind(loopback()).map(drop).unwrap_err();
    assert!(
        error.to_string().contains("inside one of its tasks"),
        "{error}"
    );
}

/// Foreign threads spawn tasks while the workers go to sleep in the poll and on their threads in
/// turn; each task that is not run at once means a lost wake-up.
#[test]
fn tasks_spawned_from_other_threads_always_run() {
    for workers in [1, 2, 3] {
        run(workers, |_| async {
            let (_one, mut idle) = tcp_pair().await;
            let handle = rusm_sched::handle();
            handle.spawn(async move {
                let _ = idle.read(&mut [0]).await;
            });
            let spawner = rusm_sched::blocking::run(move || {
                for _ in 0..2_000 {
                    join(&handle, async {})
                        .recv_timeout(LIMIT)
                        .expect("a lost wake-up");
                }
            });
            spawner.await.unwrap();
        });
    }
}

/// Every worker always has a task to run, so none ever sleeps in the poll: it has to look in
/// between turns. Without that, chance finds some readiness too, after millions of turns.
#[test]
fn readiness_is_noticed_while_every_worker_is_busy() {
    const TURNS_MAX: usize = 3_000_000;
    for workers in [1, 2] {
        run(workers, move |_| async move {
            let (mut one, mut other) = tcp_pair().await;
            let handle = rusm_sched::handle();
            let (stop, turns) = (
                Arc::new(AtomicBool::new(false)),
                Arc::new(AtomicUsize::new(0)),
            );
            for _ in 0..workers {
                let (stop, turns) = (stop.clone(), turns.clone());
                handle.spawn(async move {
                    while !stop.load(SeqCst) {
                        turns.fetch_add(1, SeqCst);
                        rusm_sched::yield_now().await;
                    }
                });
            }
            let echo = join(&handle, async move {
                let mut byte = [0];
                while let Ok(1..) = other.read(&mut byte).await {
                    other.write_all(&byte).await.unwrap();
                }
            });
            for _ in 0..100 {
                one.write_all(&[1]).await.unwrap();
                one.read_exact(&mut [0]).await.unwrap();
            }
            assert!(
                turns.load(SeqCst) < TURNS_MAX,
                "{turns:?} turns for 100 echoes"
            );
            drop(one);
            wait(echo).await;
            stop.store(true, SeqCst);
        });
    }
}

#[test]
fn a_socket_outlives_the_task_that_made_it_and_wakes_the_one_that_uses_it() {
    run(2, |_| async {
        let handle = rusm_sched::handle();
        let (mut one, mut other) = tcp_pair().await;
        for round in 0..100 {
            // Each round reads in a new task, which may run on another worker.
            let read = join(&handle, async move {
                let mut byte = [0];
                other.read_exact(&mut byte).await.unwrap();
                (other, byte[0])
            });
            one.write_all(&[round]).await.unwrap();
            let (back, byte) = wait(read).await;
            assert_eq!(byte, round);
            other = back;
        }
    });
}

#[test]
fn sleeps_are_not_held_up_by_registered_sources() {
    run(1, |_| async {
        let listener = TcpListener::bind(loopback()).unwrap();
        let begun = rusm_sched::now();
        for _ in 0..20 {
            rusm_sched::sleep(Duration::from_millis(1)).await;
        }
        let lasted = rusm_sched::now() - begun;
        assert!(
            lasted >= Duration::from_millis(20) && lasted < LIMIT / 2,
            "{lasted:?}"
        );
        drop(
            TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap(),
        );
    });
}
