//! Decides how readiness is collected: the system's poll, the table of sources behind its tokens,
//! and the rule that wakers are collected under the lock and called after it. Does not know who
//! sleeps where.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Waker;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use slab::Slab;

use crate::readiness::Readiness;
use crate::stats::Counters;

/// Events taken by one look; more are found by the next.
pub(crate) const EVENTS_MAX: usize = 256;

/// The token of [`Poller::interrupt`]. No slab grows to this index.
const INTERRUPT: Token = Token(usize::MAX);

/// One per node. The table needs no limit of its own: each entry holds a descriptor open, and those
/// are limited.
pub(crate) struct Poller {
    pub(crate) counters: Counters,
    poll: Mutex<(Poll, Events)>,
    registry: Registry,
    interrupt: mio::Waker,
    sources: Mutex<Slab<Arc<Readiness>>>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            counters: Counters::default(),
            registry: poll.registry().try_clone()?,
            interrupt: mio::Waker::new(poll.registry(), INTERRUPT)?,
            poll: Mutex::new((poll, Events::with_capacity(EVENTS_MAX))),
            sources: Mutex::default(),
        })
    }

    /// Whether a look can find anything. One relaxed load.
    pub(crate) fn has_sources(&self) -> bool {
        self.counters.sources_live.get() != 0
    }

    /// The right to look, unless another worker has it.
    pub(crate) fn try_look(&self) -> Option<Look<'_>> {
        let poll = match self.poll.try_lock() {
            Ok(poll) => poll,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Look { poller: self, poll })
    }

    /// Ends the sleep of whoever is in the poll.
    pub(crate) fn interrupt(&self) {
        // It fails only if the descriptor behind it is gone, and that lives as long as `self`.
        self.interrupt.wake().expect("the poll can be interrupted");
    }

    /// From now on edges of `fd` are noted in the returned readiness, at first the present state as
    /// an edge.
    pub(crate) fn register(
        &self,
        fd: &impl AsRawFd,
        interest: Interest,
    ) -> io::Result<(Token, Arc<Readiness>)> {
        let readiness = Arc::new(Readiness::default());
        let token = Token(self.edit(|sources| sources.insert(readiness.clone())));
        let registered = self
            .registry
            .register(&mut SourceFd(&fd.as_raw_fd()), token, interest);
        if let Err(error) = registered {
            self.forget(token);
            return Err(error);
        }
        Ok((token, readiness))
    }

    /// Reports the present state as an edge once more, even if nothing has changed.
    pub(crate) fn rearm(&self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.registry
            .reregister(&mut SourceFd(&fd), token, interest)
    }

    /// Undoes `register`. An event that a worker has already taken from the system may still
    /// arrive; if the token has a new owner by then, that one makes one attempt for nothing.
    pub(crate) fn deregister(&self, fd: RawFd, token: Token) {
        // It fails only for a descriptor that is not registered, which is what is wanted.
        let _ = self.registry.deregister(&mut SourceFd(&fd));
        self.forget(token);
    }

    /// The removed entry may own a waker, so it is dropped when the lock is free again.
    fn forget(&self, token: Token) {
        drop(self.edit(|sources| sources.try_remove(token.0)));
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Slab<Arc<Readiness>>) -> T) -> T {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut sources);
        self.counters.sources_live.set(sources.len() as u64);
        result
    }
}

/// The right to look at the poll: the lock on it.
pub(crate) struct Look<'a> {
    poller: &'a Poller,
    poll: MutexGuard<'a, (Poll, Events)>,
}

impl Look<'_> {
    /// Waits for readiness, at most `timeout`, and adds whom it concerns to `wakers`. The caller
    /// wakes them after it has dropped the look.
    pub(crate) fn collect(&mut self, timeout: Option<Duration>, wakers: &mut Vec<Waker>) {
        let counters = &self.poller.counters;
        let (poll, events) = &mut *self.poll;
        // Under the lock of the poll, hence no read-modify-write.
        counters.polls.set(counters.polls.get() + 1);
        match poll.poll(events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(_) => return counters.poll_errors.add(1),
        }
        if events.is_empty() {
            return;
        }
        let sources = self
            .poller
            .sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut noted = 0;
        for event in events.iter() {
            if let Some(readiness) = sources.get(event.token().0) {
                readiness.note(event, wakers);
                noted += 1;
            }
        }
        counters.events.set(counters.events.get() + noted);
    }
}
