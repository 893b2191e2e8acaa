//! How an idle worker sleeps. The reactor's way comes from the layer above; plain threads'
//! way is here.

use std::any::Any;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

/// Puts one worker's thread to sleep. Made by a [`Driver`] on that thread's behalf, and used
/// on that thread only.
pub trait Park: Send {
    /// Sleeps until unparked or until `timeout` has passed (`None`: no limit). An unpark that
    /// came before makes it return at once; it may also return for no reason.
    fn park(&mut self, timeout: Option<Duration>);

    /// Looks for readiness without sleeping. Busy workers call it every 50 microseconds or
    /// so, searching ones more often: it must cost next to nothing when nothing is registered.
    fn poll(&mut self);

    /// What ends the sleep, from any thread.
    fn unparker(&self) -> Arc<dyn Unpark>;
}

/// Ends one worker's sleep.
pub trait Unpark: Send + Sync {
    /// Makes the current `park`, or else the next one, return.
    fn unpark(&self);
}

/// Makes the parks of one scheduler, and is what tasks reach through
/// [`Handle::driver`](crate::Handle::driver).
pub trait Driver: Any + Send + Sync {
    /// A new park for worker `worker`; called on the thread that will use it.
    fn park(&self, worker: usize) -> Box<dyn Park>;
}

/// Workers sleep as plain threads do; there is no I/O.
pub struct ThreadDriver;

struct ThreadPark(Arc<ThreadUnpark>);

struct ThreadUnpark(Thread);

impl Driver for ThreadDriver {
    fn park(&self, _worker: usize) -> Box<dyn Park> {
        Box::new(ThreadPark(Arc::new(ThreadUnpark(std::thread::current()))))
    }
}

impl Park for ThreadPark {
    fn park(&mut self, timeout: Option<Duration>) {
        match timeout {
            Some(timeout) => std::thread::park_timeout(timeout),
            None => std::thread::park(),
        }
    }

    fn poll(&mut self) {}

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.0.clone()
    }
}

impl Unpark for ThreadUnpark {
    fn unpark(&self) {
        self.0.unpark();
    }
}
