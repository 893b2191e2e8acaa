//! Streams behind which the operating system may block: files, stdout and stderr. They wrap the
//! stock ones, which block where they are called, and see to it that this is never a worker.
//!
//! A call that may wait leaves the worker and goes on in place. A call that must not wait hands
//! its bytes to a blocking thread and has the guest wait for the stream.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use rusm_sched::blocking::{self, Refused};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

use super::leave_worker;
use crate::link::opaque;

/// What a stream that was only waited for reads ahead.
const READ_AHEAD_BYTES: usize = 4096;
/// The most a guest may have on its way through one output stream.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// What a job on a blocking thread has done: the stock stream comes back with what it said.
type Job<S, T> = Pin<Box<dyn Future<Output = Done<S, T>> + Send>>;
type Done<S, T> = Result<(S, StreamResult<T>), Refused>;

/// A file that is read.
pub(super) struct Input(InputState);

enum InputState {
    Idle(DynInputStream),
    Reading(Job<DynInputStream, Bytes>),
    /// Read ahead of the guest; never empty.
    Data(DynInputStream, Bytes),
    /// The stream is there unless it was lost with the error.
    Failed(Option<DynInputStream>, StreamError),
    Closed,
}

impl Input {
    pub(super) fn wrap(stock: DynInputStream) -> DynInputStream {
        Box::new(Self(InputState::Idle(stock)))
    }

    /// Has a blocking thread read up to `len` bytes.
    fn start(&mut self, len: usize) {
        if let Some(stock) = self.idle() {
            let read = move |stock: &mut DynInputStream| at_once(stock.blocking_read(len));
            self.0 = match Started::new(stock, read) {
                Started::Job(job) => InputState::Reading(job),
                // All threads are busy: the guest asks again.
                Started::Full(stock) => InputState::Idle(stock),
            };
        }
    }

    /// Takes the stock stream if it is not in use; a new state must follow.
    fn idle(&mut self) -> Option<DynInputStream> {
        match mem::replace(&mut self.0, InputState::Closed) {
            InputState::Idle(stock) => Some(stock),
            other => {
                self.0 = other;
                None
            }
        }
    }

    fn done(&mut self, done: Done<DynInputStream, Bytes>) {
        self.0 = match done {
            Ok((stock, Ok(data))) if data.is_empty() => InputState::Idle(stock),
            Ok((stock, Ok(data))) => InputState::Data(stock, data),
            Ok((stock, Err(error))) => InputState::Failed(Some(stock), error),
            Err(refused) => InputState::Failed(None, lost(refused)),
        };
    }

    /// Waits for what was started, and starts nothing.
    async fn settle(&mut self) {
        if let InputState::Reading(job) = &mut self.0 {
            let done = job.await;
            self.done(done);
        }
    }

    async fn read_in_place(&mut self, len: usize) {
        if leave_worker().await.is_err() {
            return;
        }
        if let Some(mut stock) = self.idle() {
            let read = stock.blocking_read(len).await;
            self.done(Ok((stock, read)));
        }
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        Box::into_pin(opaque(async {
            self.start(READ_AHEAD_BYTES);
            self.settle().await;
            if matches!(self.0, InputState::Idle(_)) {
                self.read_in_place(READ_AHEAD_BYTES).await;
            }
        }))
        .await;
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, len: usize) -> StreamResult<Bytes> {
        match mem::replace(&mut self.0, InputState::Closed) {
            InputState::Idle(stock) => {
                self.0 = InputState::Idle(stock);
                if len > 0 {
                    self.start(len);
                }
                Ok(Bytes::new())
            }
            InputState::Data(stock, mut data) => {
                let taken = data.split_to(len.min(data.len()));
                self.0 = if data.is_empty() {
                    InputState::Idle(stock)
                } else {
                    InputState::Data(stock, data)
                };
                Ok(taken)
            }
            InputState::Failed(stock, error) => {
                // The stock stream says what comes after an error.
                self.0 = stock.map_or(InputState::Closed, InputState::Idle);
                Err(error)
            }
            InputState::Closed => Err(StreamError::Closed),
            reading @ InputState::Reading(_) => {
                self.0 = reading;
                Ok(Bytes::new())
            }
        }
    }

    async fn blocking_read(&mut self, len: usize) -> StreamResult<Bytes> {
        Box::into_pin(opaque(async {
            self.settle().await;
            if len > 0 && matches!(self.0, InputState::Idle(_)) {
                self.read_in_place(len).await;
            }
            self.read(len)
        }))
        .await
    }

    async fn cancel(&mut self) {
        Box::into_pin(opaque(self.settle())).await;
    }
}

/// A file that is written, stdout or stderr.
pub(super) struct Output(OutputState);

enum OutputState {
    Idle(DynOutputStream),
    Writing(Job<DynOutputStream, ()>),
    /// No blocking thread was free for these bytes.
    Unsent(DynOutputStream, Bytes),
    Failed(StreamError),
    Closed,
}

impl Output {
    pub(super) fn wrap(stock: DynOutputStream) -> DynOutputStream {
        Box::new(Self(OutputState::Idle(stock)))
    }

    fn done(&mut self, done: Done<DynOutputStream, ()>) {
        self.0 = match done {
            Ok((stock, Ok(()))) => OutputState::Idle(stock),
            Ok((_, Err(error))) => OutputState::Failed(error),
            Err(refused) => OutputState::Failed(lost(refused)),
        };
    }

    /// Waits until all that was written has gone out.
    async fn settle(&mut self) {
        if let OutputState::Writing(job) = &mut self.0 {
            let done = job.await;
            self.done(done);
        }
        if let OutputState::Unsent(..) = &self.0
            && leave_worker().await.is_ok()
            && let OutputState::Unsent(mut stock, bytes) =
                mem::replace(&mut self.0, OutputState::Closed)
        {
            let written = stock.blocking_write_and_flush(bytes).await;
            self.done(Ok((stock, written)));
        }
    }

    /// An error is told once; after it the stream is closed.
    fn check(&mut self) -> StreamResult<()> {
        match mem::replace(&mut self.0, OutputState::Closed) {
            OutputState::Failed(error) => Err(error),
            OutputState::Closed => Err(StreamError::Closed),
            working => {
                self.0 = working;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        Box::into_pin(opaque(self.settle())).await;
    }
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        let stock = match mem::replace(&mut self.0, OutputState::Closed) {
            OutputState::Idle(stock) if bytes.len() <= WRITE_BYTES_MAX => stock,
            _ => return Err(StreamError::trap("write without a permit of check-write")),
        };
        let kept = bytes.clone();
        let write =
            move |stock: &mut DynOutputStream| at_once(stock.blocking_write_and_flush(bytes));
        self.0 = match Started::new(stock, write) {
            Started::Job(job) => OutputState::Writing(job),
            Started::Full(stock) => OutputState::Unsent(stock, kept),
        };
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        // Every write is flushed already, and `check_write` gives no permit before it is done.
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        Ok(match self.0 {
            OutputState::Idle(_) => WRITE_BYTES_MAX,
            _ => 0,
        })
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        Box::into_pin(opaque(async {
            self.settle().await;
            self.check()?;
            leave_worker().await.map_err(|_| stopping())?;
            if let OutputState::Idle(mut stock) = mem::replace(&mut self.0, OutputState::Closed) {
                let written = stock.blocking_write_and_flush(bytes).await;
                self.done(Ok((stock, written)));
            }
            match self.check() {
                Err(StreamError::Closed) => Ok(()),
                checked => checked,
            }
        }))
        .await
    }

    async fn cancel(&mut self) {
        Box::into_pin(opaque(self.settle())).await;
    }
}

fn lost(refused: Refused) -> StreamError {
    StreamError::LastOperationFailed(io::Error::other(refused).into())
}

fn stopping() -> StreamError {
    StreamError::LastOperationFailed(io::Error::from(ErrorKind::Interrupted).into())
}

/// A job that was given to a blocking thread, or what it was to be done with, because there is
/// none.
enum Started<S, T> {
    Job(Job<S, T>),
    Full(S),
}

impl<S: Send + 'static, T: Send + 'static> Started<S, T> {
    fn new(stock: S, work: impl FnOnce(&mut S) -> StreamResult<T> + Send + 'static) -> Self {
        // A job that is refused is dropped, but the stream must not be.
        let parcel = Arc::new(Mutex::new(Some(stock)));
        let taken = parcel.clone();
        let mut job: Job<S, T> = Box::pin(async move {
            blocking::run(move || {
                let mut stock = take(&taken).expect("a job runs once");
                let said = work(&mut stock);
                (stock, said)
            })
            .await
        });
        // The first poll gives it away; whoever waits for it polls again with a waker.
        match job.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Self::Job(job),
            Poll::Ready(done) => match (done, take(&parcel)) {
                (Err(_), Some(stock)) => Self::Full(stock),
                (done, _) => Self::Job(Box::pin(std::future::ready(done))),
            },
        }
    }
}

fn take<S>(parcel: &Mutex<Option<S>>) -> Option<S> {
    parcel.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// What a stock call says that blocks instead of waiting.
fn at_once<T>(
    mut call: Pin<Box<dyn Future<Output = StreamResult<T>> + Send + '_>>,
) -> StreamResult<T> {
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(said) => said,
        Poll::Pending => Err(StreamError::trap("a stream that should block has waited")),
    }
}
