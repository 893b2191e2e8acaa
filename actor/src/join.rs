//! Waiting for a process's end, from another process or from a plain thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::exit::ExitReason;
use crate::pid::Pid;

/// What the process and its waiter share.
#[derive(Default)]
pub(crate) struct JoinCell {
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Default)]
struct State {
    reason: Option<ExitReason>,
    waker: Option<Waker>,
}

impl JoinCell {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn close(&self, reason: ExitReason) {
        let mut state = self.lock();
        state.reason = Some(reason);
        let waker = state.waker.take();
        drop(state);
        self.closed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Waits for the end of a process; awaiting it gives the exit reason. Dropping it leaves the
/// process alone.
#[must_use = "a process that nobody waits for is better started with `spawn`"]
pub struct JoinHandle {
    pid: Pid,
    cell: Arc<JoinCell>,
}

impl JoinHandle {
    pub(crate) fn new(pid: Pid, cell: Arc<JoinCell>) -> Self {
        JoinHandle { pid, cell }
    }

    /// Whom it waits for.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Blocks the calling thread until the process has ended. Not inside of processes: await
    /// the handle there.
    pub fn wait(self) -> ExitReason {
        let mut state = self.cell.lock();
        loop {
            if let Some(reason) = state.reason.clone() {
                return reason;
            }
            let waited = self.cell.closed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As `wait`, but not longer than `span`.
    pub fn wait_for(&self, span: Duration) -> Option<ExitReason> {
        // Not an instant to wait for: `Duration::MAX` from now there is none.
        let begun = Instant::now();
        let mut state = self.cell.lock();
        while state.reason.is_none() {
            let left = span.checked_sub(begun.elapsed())?;
            let waited = self.cell.closed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.reason.clone()
    }

    /// The reason, if the process has ended.
    pub fn try_reason(&self) -> Option<ExitReason> {
        self.cell.lock().reason.clone()
    }
}

impl Future for JoinHandle {
    type Output = ExitReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExitReason> {
        // Wakers are cloned before the lock and dropped after it: they may be anybody's.
        let waker = cx.waker().clone();
        let mut state = self.cell.lock();
        if let Some(reason) = state.reason.clone() {
            return Poll::Ready(reason);
        }
        let older = state.waker.replace(waker);
        drop(state);
        drop(older);
        Poll::Pending
    }
}
