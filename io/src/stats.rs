//! Decides what the reactor counts. Plain numbers that others read; nothing here acts on them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a reactor has done since it was made. Reading it costs a few loads; the fields are not one
/// atomic picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Looks at the system's readiness list, sleeping ones included.
    pub polls: u64,
    /// Readiness events found.
    pub events: u64,
    /// Looks that failed. Other than zero means that the system refuses to wait, which is a bug
    /// somewhere.
    pub poll_errors: u64,
    /// Connections that were gone before they could be accepted (`ECONNABORTED` and its like).
    pub accepts_retried: u64,
    /// Times that an accept loop paused because descriptors or memory had run out (`EMFILE` and its
    /// like).
    pub accepts_paused: u64,
    /// Sockets and streams registered now.
    pub sources_live: u64,
}

/// The shared cells behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) polls: Counter,
    pub(crate) events: Counter,
    pub(crate) poll_errors: Counter,
    pub(crate) accepts_retried: Counter,
    pub(crate) accepts_paused: Counter,
    pub(crate) sources_live: Counter,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            polls: self.polls.get(),
            events: self.events.get(),
            poll_errors: self.poll_errors.get(),
            accepts_retried: self.accepts_retried.get(),
            accepts_paused: self.accepts_paused.get(),
            sources_live: self.sources_live.get(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// For a counter that is written under a lock anyway: no read-modify-write.
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }
}
