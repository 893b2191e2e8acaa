//! What the socket tests share: a scheduler with a reactor, and a limit on waiting. Everything a
//! test runs is a task; the test's own thread only waits.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rusm_io::Reactor;
use rusm_sched::{Config, Handle, Scheduler};

/// A test that takes longer hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Runs `body` as a task on `workers` workers with a reactor, and returns what it returns.
pub(crate) fn run<T, Fut>(workers: usize, body: impl FnOnce(Arc<Reactor>) -> Fut) -> T
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let config = Config {
        workers,
        ..Config::default()
    };
    run_with(config, body)
}

/// As [`run`], with all of the scheduler's settings.
pub(crate) fn run_with<T, Fut>(config: Config, body: impl FnOnce(Arc<Reactor>) -> Fut) -> T
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let reactor = Reactor::new().unwrap();
    let scheduler = Scheduler::start(config, reactor.clone()).unwrap();
    let result = join(&scheduler.handle(), body(reactor));
    let result = result.recv_timeout(LIMIT).expect("the task ends");
    scheduler.shutdown(LIMIT).unwrap();
    result
}

/// Spawns a task; its result arrives in the channel, which is closed if it panics.
pub(crate) fn join<T: Send + 'static>(
    handle: &Handle,
    task: impl Future<Output = T> + Send + 'static,
) -> mpsc::Receiver<T> {
    let (done, result) = mpsc::channel();
    handle.spawn(async move {
        // The test may have given up.
        let _ = done.send(task.await);
    });
    result
}

/// Waits inside a task for a result from [`join`], without blocking the worker.
pub(crate) async fn wait<T>(result: mpsc::Receiver<T>) -> T {
    let deadline = rusm_sched::now() + LIMIT;
    loop {
        match result.try_recv() {
            Ok(value) => return value,
            Err(mpsc::TryRecvError::Disconnected) => panic!("the task ended without a result"),
            Err(mpsc::TryRecvError::Empty) => {}
        }
        assert!(rusm_sched::now() < deadline, "the task hangs");
        rusm_sched::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits inside a task until `happened`.
pub(crate) async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = rusm_sched::now() + LIMIT;
    while !happened() {
        assert!(rusm_sched::now() < deadline, "never happened: {what}");
        rusm_sched::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
