//! Decides whether trying a source again is worth a system call, and who waits for it. Knows no
//! system calls.
//!
//! Each direction counts the edges that the poll has reported. An attempt remembers the count from
//! before its system call; if that came back empty and the count still stands, nothing can have
//! arrived, and the task waits. So a successful attempt costs one load here, and an edge that comes
//! during an attempt is never overlooked.

use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use mio::event::Event;

/// Both directions of one source; the poller's table and the source share it.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    pub(crate) read: Direction,
    pub(crate) write: Direction,
}

impl Readiness {
    /// Takes in one event of the poll and adds whom it concerns to `wakers`, to be woken when no
    /// lock is held.
    pub(crate) fn note(&self, event: &Event, wakers: &mut Vec<Waker>) {
        // An error belongs to whichever direction asks first, so both have to.
        let read_closed = event.is_read_closed() || event.is_error();
        let write_closed = event.is_write_closed() || event.is_error();
        if event.is_readable() || read_closed {
            wakers.extend(self.read.edge(read_closed));
        }
        if event.is_writable() || write_closed {
            wakers.extend(self.write.edge(write_closed));
        }
    }
}

/// How many edges a direction has seen, and whether its end was among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edges(usize);

impl Edges {
    const CLOSED: usize = 1;
    const ONE: usize = 2;

    /// The end of the stream or an error was reported: what stands behind the bytes comes without
    /// another edge.
    pub(crate) fn closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }
}

/// One direction. At most one task waits: the sources' methods take `&mut self`.
#[derive(Debug, Default)]
pub(crate) struct Direction {
    edges: AtomicUsize,
    waiter: Mutex<Option<Waker>>,
}

impl Direction {
    /// To be asked before the system call. Pairs with the store in [`Direction::edge`]: the call
    /// that follows finds what these edges announced.
    pub(crate) fn edges(&self) -> Edges {
        Edges(self.edges.load(Acquire))
    }

    /// The poll reports an edge; returns the task to wake.
    pub(crate) fn edge(&self, closed: bool) -> Option<Waker> {
        let mut waiter = self.waiter.lock().unwrap_or_else(PoisonError::into_inner);
        // Written under the lock only, hence no read-modify-write.
        let closed = if closed { Edges::CLOSED } else { 0 };
        let edges = self.edges.load(Relaxed).wrapping_add(Edges::ONE) | closed;
        self.edges.store(edges, Release);
        waiter.take()
    }

    /// Leaves a waker for the next edge, in the place of any older one. False: there was an edge
    /// after `seen`, so the caller tries again instead.
    pub(crate) fn wait(&self, seen: Edges, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut waiter = self.waiter.lock().unwrap_or_else(PoisonError::into_inner);
        if self.edges.load(Relaxed) != seen.0 {
            return false;
        }
        let old = waiter.replace(waker);
        drop(waiter);
        drop(old);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::SeqCst;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn an_edge_between_the_attempt_and_the_wait_forbids_the_wait() {
        let direction = Direction::default();
        let seen = direction.edges();
        assert!(direction.edge(false).is_none());
        assert!(!direction.wait(seen, Waker::noop()));
        assert!(direction.wait(direction.edges(), Waker::noop()));
    }

    #[test]
    fn the_last_waker_given_is_the_one_that_is_woken_and_only_once() {
        let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let direction = Direction::default();
        let seen = direction.edges();
        for waker in [
            Waker::noop().clone(),
            first.clone().into(),
            last.clone().into(),
        ] {
            assert!(direction.wait(seen, &waker));
        }
        assert_eq!(
            Arc::strong_count(&first),
            1,
            "the replaced waker is dropped"
        );
        direction.edge(false).expect("a task waits").wake();
        assert!(direction.edge(false).is_none());
        assert_eq!((first.0.load(SeqCst), last.0.load(SeqCst)), (0, 1));
    }

    #[test]
    fn a_closed_direction_stays_closed_and_can_still_be_waited_for() {
        let direction = Direction::default();
        direction.edge(true);
        direction.edge(false);
        let seen = direction.edges();
        assert!(seen.closed());
        assert!(direction.wait(seen, Waker::noop()));
    }
}
