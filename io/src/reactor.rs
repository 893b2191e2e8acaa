//! Decides what a node is started with to have sockets, and how a socket finds it.

use std::any::Any;
use std::io;
use std::sync::Arc;

use rusm_sched::{Driver, Park};

use crate::park::ReactorPark;
use crate::poller::Poller;
use crate::stats::Stats;

/// One readiness poll per node, shared by its workers; pass it to the node at start. It has no
/// thread of its own: an idle worker sleeps in the poll, and busy ones look in from time to time.
/// Holds three descriptors.
pub struct Reactor {
    poller: Arc<Poller>,
}

impl Reactor {
    /// Fails if the system has no descriptors left.
    pub fn new() -> io::Result<Arc<Self>> {
        let poller = Arc::new(Poller::new()?);
        Ok(Arc::new(Self { poller }))
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.poller.counters.read()
    }

    /// The reactor's part that sources keep, of the node that runs the calling task.
    pub(crate) fn here() -> io::Result<Arc<Poller>> {
        let handle = rusm_sched::try_handle().ok_or_else(|| {
            io::Error::other("sockets belong to a node: make them inside one of its tasks")
        })?;
        let driver: Arc<dyn Any + Send + Sync> = handle.driver();
        match driver.downcast::<Self>() {
            Ok(reactor) => Ok(reactor.poller.clone()),
            Err(_) => Err(io::Error::other(
                "sockets need the reactor: start the node with `rusm_io::Reactor`",
            )),
        }
    }
}

impl Driver for Reactor {
    fn park(&self, _worker: usize) -> Box<dyn Park> {
        Box::new(ReactorPark::new(self.poller.clone()))
    }
}

impl std::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reactor").field(&self.stats()).finish()
    }
}
