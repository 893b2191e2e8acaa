//! What the tests of running schedulers share: how to start one, and how long to wait for it.

use std::sync::Arc;
use std::time::Duration;

use rusm_sched::{Config, Scheduler, ThreadDriver};

/// A test that waits longer hangs.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);

pub(crate) fn start(config: Config) -> Scheduler {
    Scheduler::start(config, Arc::new(ThreadDriver)).expect("a scheduler starts")
}

pub(crate) fn workers(workers: usize) -> Config {
    Config {
        workers,
        ..Config::default()
    }
}
