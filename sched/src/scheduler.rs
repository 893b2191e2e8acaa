//! Starting a scheduler, and stopping it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::contain::or_abort;
use crate::handle::Handle;
use crate::park::Driver;
use crate::seat;
use crate::shared::Shared;
use crate::ticker::Ticker;

/// How long dropping a scheduler waits for its threads.
const DROP_WAIT_MAX: Duration = Duration::from_secs(5);

/// A running scheduler. Dropping it stops it and waits five seconds at most.
pub struct Scheduler {
    shared: Arc<Shared>,
    /// One stops it; the others wait for that one.
    stopping: Mutex<()>,
}

impl Scheduler {
    /// Starts `config.workers` threads and the ticker; the workers sleep as `driver` says.
    ///
    /// # Errors
    /// When a field of `config` makes no sense, or the system gives no more threads.
    pub fn start(config: Config, driver: Arc<dyn Driver>) -> Result<Self, StartError> {
        config.check().map_err(StartError)?;
        let shared = Shared::new(config, driver, Clock::real(), false, 0);
        let scheduler = Scheduler {
            shared: shared.clone(),
            stopping: Mutex::default(),
        };
        let mut started = true;
        for worker in &shared.workers {
            started &= shared.lead(worker, format!("rusm-worker-{}", worker.index));
        }
        let ticked = shared.clone();
        started &= shared.start_thread("rusm-ticker".to_string(), move || {
            or_abort(|| Ticker::run(&ticked));
        });
        if started {
            Ok(scheduler)
        } else {
            Err(StartError("the system gives no more threads".to_string()))
        }
    }

    /// How others reach it.
    pub fn handle(&self) -> Handle {
        Handle {
            shared: self.shared.clone(),
        }
    }

    /// Ends all tasks where they stand and joins every thread.
    ///
    /// # Errors
    /// When called from inside, and when a turn does not end within `wait_max`.
    pub fn shutdown(&self, wait_max: Duration) -> Result<(), ShutdownError> {
        let inside = seat::try_current(|seat| Arc::ptr_eq(&seat.shared, &self.shared));
        if inside == Some(true) {
            return Err(ShutdownError::FromInside);
        }
        let _stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.is_gone() {
            return Ok(());
        }
        self.shared.stop();
        let running = self.shared.wait(wait_max);
        if running > 0 {
            // The ticker stays as long as they do.
            return Err(ShutdownError::Running(running.max(2) - 1));
        }
        let mut threads = self
            .shared
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // What a thread panicked with was reported when it did.
            drop(thread.join());
        }
        drop(threads);
        self.shared.drop_tasks();
        Ok(())
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // Threads that do not end are left behind: there is nobody to tell.
        drop(self.shutdown(DROP_WAIT_MAX));
    }
}

/// Why a scheduler could not be started.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start the scheduler: {}", self.0)
    }
}

impl std::error::Error for StartError {}

/// Why a scheduler could not be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShutdownError {
    /// It was asked from inside one of its own tasks.
    FromInside,
    /// So many threads did not end in time; they are left behind, and so are the tasks.
    Running(usize),
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShutdownError::FromInside => {
                f.write_str("a scheduler cannot be stopped from inside one of its tasks")
            }
            ShutdownError::Running(threads) => {
                write!(f, "{threads} threads are still in a turn that does not end")
            }
        }
    }
}

impl std::error::Error for ShutdownError {}
