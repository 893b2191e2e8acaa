//! The two streams of a TCP connection. What the guest was allowed to write and the system has no
//! room for goes out from a task of its own, because the guest may never look at the stream again.

use std::future::poll_fn;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use super::convert::StreamFailure;
use crate::net::{NetError, TcpHandle};

/// Bytes that one call reads at most.
const READ_BYTES_MAX: usize = 64 << 10;
/// Bytes that one call may write when there is room: mostly as much as the system then takes.
const WRITE_BYTES_MAX: usize = 16 << 10;
/// Bytes that are copied for one reduction.
const BYTES_PER_REDUCTION: usize = 256;

/// Both directions of one connection.
pub(super) struct Sides {
    handle: Arc<TcpHandle>,
    input_closed: AtomicBool,
    output: Mutex<Outgoing>,
}

/// What is on its way out.
#[derive(Default)]
struct Outgoing {
    /// What the system had no room for; a task sends it.
    rest: Bytes,
    /// Bytes that the guest may write in its next call.
    permit: usize,
    /// The direction ends once the rest is gone.
    ending: bool,
    ended: Option<Ended>,
    /// Waits for the rest to be gone.
    waiter: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Ended {
    Closed,
    Failed(NetError),
}

impl From<Ended> for StreamError {
    fn from(ended: Ended) -> Self {
        match ended {
            // Nobody reads any more: the standard calls that closed.
            Ended::Closed | Ended::Failed(NetError::ConnectionBroken) => Self::Closed,
            Ended::Failed(error) => Self::LastOperationFailed(StreamFailure(error).into()),
        }
    }
}

impl Sides {
    pub(super) fn new(handle: Arc<TcpHandle>) -> Self {
        Self {
            handle,
            input_closed: AtomicBool::new(false),
            output: Mutex::default(),
        }
    }

    /// Ends one direction or both: what has arrived and was not read is gone, what was written
    /// still goes out.
    pub(super) fn shutdown(&self, how: Shutdown) {
        if how != Shutdown::Write {
            self.input_closed.store(true, Relaxed);
            self.handle.shutdown(Shutdown::Read);
        }
        if how != Shutdown::Read {
            let mut output = self.output();
            output.ending = true;
            if output.rest.is_empty() {
                self.end(&mut output, Ended::Closed);
            }
        }
    }

    fn output(&self) -> MutexGuard<'_, Outgoing> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, output: &mut Outgoing, why: Ended) {
        output.ended.get_or_insert(why);
        output.rest = Bytes::new();
        self.handle.shutdown(Shutdown::Write);
    }

    /// Sends the rest as far as there is room; ready when it is gone, or will never go.
    fn poll_rest(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut output = self.output();
            if output.ended.is_some() || output.rest.is_empty() {
                return Poll::Ready(());
            }
            match self.handle.write(&output.rest) {
                Ok(Some(count)) => {
                    let _ = output.rest.split_to(count);
                    if output.rest.is_empty() && output.ending {
                        self.end(&mut output, Ended::Closed);
                    }
                }
                Ok(None) => {
                    drop(output);
                    ready!(self.handle.poll_writable(cx));
                }
                Err(error) => self.end(&mut output, Ended::Failed(error)),
            }
        }
    }

    /// The task that sends the rest. It ends at the latest when the guest has ended.
    async fn send_rest(self: Arc<Self>) {
        poll_fn(|cx| self.poll_rest(cx)).await;
        let waiter = self.output().waiter.take();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    fn poll_output(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut output = self.output();
        if output.ended.is_some() {
            return Poll::Ready(());
        }
        if !output.rest.is_empty() {
            output.waiter = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(output);
        self.handle.poll_writable(cx)
    }
}

/// The reading side.
pub(super) struct Input(Arc<Sides>);

impl Input {
    pub(super) fn new(sides: Arc<Sides>) -> Self {
        Self(sides)
    }

    fn close(&self, error: StreamError) -> StreamError {
        self.0.input_closed.store(true, Relaxed);
        error
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        if !self.0.input_closed.load(Relaxed) {
            poll_fn(|cx| self.0.handle.poll_readable(cx)).await;
        }
    }
}

impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.0.input_closed.load(Relaxed) {
            return Err(StreamError::Closed);
        }
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut bytes = BytesMut::zeroed(size.min(READ_BYTES_MAX));
        match self.0.handle.read(&mut bytes) {
            Ok(None) => Ok(Bytes::new()),
            Ok(Some(0)) => Err(self.close(StreamError::Closed)),
            Ok(Some(count)) => {
                spend_for(count);
                bytes.truncate(count);
                Ok(bytes.freeze())
            }
            Err(error) => Err(self.close(Ended::Failed(error).into())),
        }
    }
}

/// The writing side.
pub(super) struct Output(Arc<Sides>);

impl Output {
    pub(super) fn new(sides: Arc<Sides>) -> Self {
        Self(sides)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let mut output = self.0.output();
        // A guest that drops its stream waits for the rest to go; this one was ended.
        if !output.rest.is_empty() {
            self.0.end(&mut output, Ended::Closed);
        }
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        poll_fn(|cx| self.0.poll_output(cx)).await;
    }
}

#[wasmtime_wasi_io::async_trait]
impl OutputStream for Output {
    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        let mut output = self.0.output();
        if let Some(ended) = output.ended {
            return Err(ended.into());
        }
        if bytes.len() > output.permit {
            return Err(StreamError::trap("written more than `check-write` allowed"));
        }
        output.permit = 0;
        if output.ending {
            return Err(StreamError::Closed);
        }
        spend_for(bytes.len());
        while !bytes.is_empty() {
            match self.0.handle.write(&bytes) {
                Ok(Some(count)) => drop(bytes.split_to(count)),
                Ok(None) => {
                    output.rest = bytes;
                    rusm_sched::handle().spawn(self.0.clone().send_rest());
                    break;
                }
                Err(error) => {
                    let ended = Ended::Failed(error);
                    self.0.end(&mut output, ended);
                    return Err(ended.into());
                }
            }
        }
        Ok(())
    }

    /// What was written is on its way; nothing is gathered.
    fn flush(&mut self) -> StreamResult<()> {
        match self.0.output().ended {
            Some(ended) => Err(ended.into()),
            None => Ok(()),
        }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let mut look = Context::from_waker(Waker::noop());
        let has_room = {
            let output = self.0.output();
            if let Some(ended) = output.ended {
                return Err(ended.into());
            }
            output.rest.is_empty() && !output.ending
        };
        // Whoever waits for the rest keeps waiting: that waker is another one.
        let permit = match has_room && self.0.handle.poll_writable(&mut look).is_ready() {
            true => WRITE_BYTES_MAX,
            false => 0,
        };
        self.0.output().permit = permit;
        Ok(permit)
    }

    async fn cancel(&mut self) {
        poll_fn(|cx| {
            let mut output = self.0.output();
            if output.ended.is_some() || output.rest.is_empty() {
                return Poll::Ready(());
            }
            output.waiter = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

fn spend_for(bytes: usize) {
    rusm_sched::spend(u32::try_from(bytes / BYTES_PER_REDUCTION).unwrap_or(u32::MAX));
}
