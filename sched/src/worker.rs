//! A worker as others see it: its queues, its timers, and the thread that leads it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Config;
use crate::lease::Lease;
use crate::park::Unpark;
use crate::queue::{Public, Queue};
use crate::seat::Private;
use crate::stats::Cells;
use crate::timer::Timers;

/// Its thread is whoever holds its lease.
pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) public: Public,
    pub(crate) queue: Private,
    pub(crate) timers: Timers,
    /// It serves its queue sooner than another thread would be awake. Set by the leading
    /// thread's maintenance, cleared by the ticker when a turn takes long all the same.
    quick: AtomicBool,
    /// When the wake-up that is being timed happened; 0: none is.
    pub(crate) probe_at: AtomicU64,
    /// The thread that leads it now.
    pub(crate) tenant: Mutex<Option<Tenant>>,
}

/// What others need of the thread that leads a worker.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) lease: Arc<Lease>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) unpark: Arc<dyn Unpark>,
}

impl Worker {
    pub(crate) fn new(config: &Config, index: usize, seed: u64) -> Self {
        let (queue, public) = Queue::new(config, seed);
        Worker {
            index,
            public,
            queue: Private::new(queue),
            timers: Timers::new(),
            quick: AtomicBool::new(false),
            probe_at: AtomicU64::new(0),
            tenant: Mutex::new(None),
        }
    }

    pub(crate) fn tenant(&self) -> Option<Tenant> {
        let tenant = self.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        tenant.clone()
    }

    #[inline]
    pub(crate) fn is_quick(&self) -> bool {
        self.quick.load(Ordering::Relaxed)
    }

    pub(crate) fn set_quick(&self, quick: bool) {
        self.quick.store(quick, Ordering::Relaxed);
    }

    /// The worker has no thread until the next one takes the lead.
    pub(crate) fn move_out(&self) {
        *self.tenant.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn unpark(&self) {
        if let Some(tenant) = self.tenant() {
            tenant.unpark.unpark();
        }
    }
}
