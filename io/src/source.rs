//! Decides how a non-blocking call becomes a future: try first, wait for an edge only when there is
//! nothing. Knows neither addresses nor protocols.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use mio::{Interest, Token};

use crate::poller::Poller;
use crate::readiness::{Direction, Edges, Readiness};

/// What one attempt costs in reductions: a system call on a socket takes about as long as this many
/// messages. It bounds the turn of a task whose peer is never slower than itself.
pub(crate) const ATTEMPT_COST: u32 = 50;

/// A registered descriptor. Dropping it ends the registration, then closes the descriptor.
pub(crate) struct Source<S: AsRawFd> {
    io: S,
    token: Token,
    readiness: Arc<Readiness>,
    poller: Arc<Poller>,
}

/// What one direction's user knows.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// From before the last attempt.
    edges: Edges,
    /// The last attempt took all there was.
    drained: bool,
    /// The next attempt is paid for: its price has ended a turn, and may be larger than a whole
    /// budget.
    paid: bool,
}

impl Seen {
    /// The last attempt succeeded and took all there was, so that the next one need not try before
    /// the next edge. Not so at the end of a stream: its edge has come already.
    pub(crate) fn drained(&mut self) {
        self.drained = !self.edges.closed();
    }
}

impl<S: AsRawFd> Source<S> {
    /// Registers for both directions. `io` must not block.
    pub(crate) fn new(poller: &Arc<Poller>, io: S) -> io::Result<Self> {
        Self::with_interest(poller, io, Interest::READABLE | Interest::WRITABLE)
    }

    pub(crate) fn with_interest(
        poller: &Arc<Poller>,
        io: S,
        interest: Interest,
    ) -> io::Result<Self> {
        let (token, readiness) = poller.register(&io, interest)?;
        let poller = poller.clone();
        Ok(Self {
            io,
            token,
            readiness,
            poller,
        })
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn poller(&self) -> &Arc<Poller> {
        &self.poller
    }

    pub(crate) fn poll_read<T>(
        &self,
        seen: &mut Seen,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_io(&self.readiness.read, seen, cx, attempt)
    }

    pub(crate) fn poll_write<T>(
        &self,
        seen: &mut Seen,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        self.poll_io(&self.readiness.write, seen, cx, attempt)
    }

    /// Asks the poll to report the present state of a source with a single `interest` once more.
    /// Returns what its user has seen before, so that the next `poll_read` or `poll_write` waits
    /// for that report.
    pub(crate) fn rearm(&self, interest: Interest) -> io::Result<Seen> {
        let edges = match interest.is_readable() {
            true => self.readiness.read.edges(),
            false => self.readiness.write.edges(),
        };
        self.poller
            .rearm(self.io.as_raw_fd(), self.token, interest)?;
        Ok(Seen {
            edges,
            drained: true,
            paid: false,
        })
    }

    fn poll_io<T>(
        &self,
        direction: &Direction,
        seen: &mut Seen,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            if seen.drained && direction.wait(seen.edges, cx.waker()) {
                return Poll::Pending;
            }
            if !seen.paid {
                seen.paid = true;
                ready!(rusm_sched::charge(cx, ATTEMPT_COST));
            }
            *seen = Seen {
                edges: direction.edges(),
                drained: false,
                paid: false,
            };
            match attempt(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => seen.drained = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl<S: AsRawFd> Drop for Source<S> {
    fn drop(&mut self) {
        self.poller.deregister(self.io.as_raw_fd(), self.token);
    }
}
