//! Decides how a socket serves a user that must not wait where it tries, such as a guest's host
//! call: every attempt returns at once, and readiness is a question of its own.
//!
//! Edges alone cannot answer that question: they say that something has changed, not what is true
//! now, and such users show the answer to others, who count on it. So readiness costs a system
//! call here.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::task::{Context, Poll};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::reactor::Reactor;
use crate::readiness::Direction;
use crate::source::{ATTEMPT_COST, Source};

/// A registered socket in any state: unbound, bound, connecting, connected, listening.
///
/// The attempts are the owner's own calls on [`Polled::get`]; one that would block says so, and is
/// to be tried again when [`Polled::readable`] or [`Polled::writable`] says so. Of each direction
/// one task waits at a time: a second one takes the place of the first, which then is not woken.
pub struct Polled<S: AsFd + AsRawFd> {
    source: Source<S>,
}

impl<S: AsFd + AsRawFd> Polled<S> {
    /// Registers `io`, which must not block; to be called inside a task.
    pub fn new(io: S) -> io::Result<Self> {
        let source = Source::new(&Reactor::here()?, io)?;
        Ok(Self { source })
    }

    /// The socket itself, for its options and addresses.
    pub fn get(&self) -> &S {
        self.source.io()
    }

    /// One system call that reads, writes, accepts or connects: repeated if a signal interrupts it,
    /// and paid for. `WouldBlock` is an error like any other.
    pub fn attempt<T>(&self, mut call: impl FnMut(&S) -> io::Result<T>) -> io::Result<T> {
        rusm_sched::spend(ATTEMPT_COST);
        loop {
            match call(self.source.io()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Waits until there is something to read, to accept, an error or an end.
    pub async fn readable(&self) {
        poll_fn(|cx| self.poll_readable(cx)).await;
    }

    /// Waits until there is room to write, an error, an end, or the answer to a connect.
    pub async fn writable(&self) {
        poll_fn(|cx| self.poll_writable(cx)).await;
    }

    /// [`Polled::readable`] for futures that are written by hand.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_ready(&self.source.readiness().read, PollFlags::IN, cx)
    }

    /// [`Polled::writable`] for futures that are written by hand.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_ready(&self.source.readiness().write, PollFlags::OUT, cx)
    }

    fn poll_ready(
        &self,
        direction: &Direction,
        flags: PollFlags,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        rusm_sched::spend(ATTEMPT_COST);
        loop {
            // Before the look: a change after it is an edge after these.
            let edges = direction.edges();
            let mut fds = [PollFd::new(self.source.io(), flags)];
            // An error of the look itself is for the next attempt to meet.
            if rustix::event::poll(&mut fds, Some(&Timespec::default())) != Ok(0) {
                return Poll::Ready(());
            }
            if direction.wait(edges, cx.waker()) {
                return Poll::Pending;
            }
        }
    }
}
