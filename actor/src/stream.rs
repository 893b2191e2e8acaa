//! Streams of bytes between processes: whoever writes faster than the other end reads waits.
//!
//! A stream has two ends, values that can be moved into any process inside a message. Between
//! them is a ring of bytes under one lock; bytes are copied in and out under it, a piece at a
//! time, and nobody is woken under it.

pub(crate) mod view;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use crate::context::Context;
use crate::ending;
use crate::exit::ExitReason;
use crate::pid::Pid;

/// Bytes that a stream may hold at most: the greatest capacity it can be opened with.
pub const STREAM_BYTES_MAX: usize = 64 << 20;
/// Bytes that one read or write moves at most: what is copied while the other end may wait for
/// the lock, a few microseconds.
const PIECE_BYTES_MAX: usize = 64 << 10;
/// Copying this much costs one reduction, as sending a message does.
const BYTES_PER_REDUCTION: usize = 512;

/// Opens a stream that holds up to `capacity` bytes on their way. Its memory is taken when the
/// first byte is written.
///
/// # Errors
/// When the capacity is zero, or more than [`STREAM_BYTES_MAX`].
pub fn open_stream(capacity: usize) -> Result<(StreamWriter, StreamReader), OpenStreamError> {
    match capacity {
        0 => return Err(OpenStreamError::NoCapacity),
        1..=STREAM_BYTES_MAX => {}
        _ => return Err(OpenStreamError::TooLarge),
    }
    let pipe = Arc::new(Pipe {
        capacity,
        opener: rusm_sched::current_task().map(Pid::new),
        state: Mutex::default(),
    });
    Ok((StreamWriter { pipe: pipe.clone() }, StreamReader { pipe }))
}

impl Context {
    /// See [`open_stream`].
    ///
    /// # Errors
    /// As [`open_stream`].
    pub fn open_stream(
        &self,
        capacity: usize,
    ) -> Result<(StreamWriter, StreamReader), OpenStreamError> {
        open_stream(capacity)
    }
}

/// The end of a stream that takes bytes. Dropping it ends the stream: the reader gets what was
/// written, and then the end. If it is dropped because its process is ended by a signal or a
/// panic, the stream is aborted with that reason instead.
pub struct StreamWriter {
    pipe: Arc<Pipe>,
}

/// The end of a stream that gives bytes. Dropping it breaks the stream: the writer is told.
pub struct StreamReader {
    pipe: Arc<Pipe>,
}

impl StreamWriter {
    /// Writes some of `bytes`, as many as there is room for, and waits while there is none. How
    /// many: none only if `bytes` is empty. One reduction, and one for each 512 bytes.
    ///
    /// Nothing was written by a call that was given up.
    ///
    /// # Errors
    /// When the reader is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<usize, ReaderGone> {
        rusm_sched::reductions(1).await;
        poll_fn(|cx| self.pipe.poll_write(cx, bytes)).await
    }

    /// Writes all of `bytes`. A call that was given up may have written some of them.
    ///
    /// # Errors
    /// When the reader is gone, or goes meanwhile.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), ReaderGone> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Ends the stream with a reason, which the reader is told after the bytes that were
    /// written.
    pub fn abort(self, reason: ExitReason) {
        self.pipe.end(End::Aborted(reason));
    }

    /// Bytes that it holds on their way at most.
    pub fn capacity(&self) -> usize {
        self.pipe.capacity
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        let end = ending::reason().map_or(End::Clean, End::Aborted);
        self.pipe.end(end);
    }
}

impl StreamReader {
    /// Reads some bytes into `into`, and waits while there are none. How many: none only at the
    /// end of the stream, or if `into` is empty. One reduction, and one for each 512 bytes.
    ///
    /// Nothing is lost with a call that was given up.
    ///
    /// # Errors
    /// When the writer has aborted the stream, after all that it had written.
    pub async fn read(&mut self, into: &mut [u8]) -> Result<usize, StreamAborted> {
        rusm_sched::reductions(1).await;
        poll_fn(|cx| {
            let len = into.len();
            self.pipe.poll_read(cx, len, |front, back| {
                into[..front.len()].copy_from_slice(front);
                into[front.len()..front.len() + back.len()].copy_from_slice(back);
            })
        })
        .await
    }

    /// As [`read`](Self::read), of up to `max` bytes, into memory that is taken when they are
    /// there: whoever waits holds none. Empty at the end of the stream, or if `max` is zero.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_vec(&mut self, max: usize) -> Result<Vec<u8>, StreamAborted> {
        rusm_sched::reductions(1).await;
        let mut piece = Vec::new();
        poll_fn(|cx| {
            self.pipe.poll_read(cx, max, |front, back| {
                piece.reserve_exact(front.len() + back.len());
                piece.extend_from_slice(front);
                piece.extend_from_slice(back);
            })
        })
        .await?;
        Ok(piece)
    }

    /// Bytes that it holds on their way at most.
    pub fn capacity(&self) -> usize {
        self.pipe.capacity
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        self.pipe.abandon();
    }
}

/// What the ends share.
struct Pipe {
    capacity: usize,
    /// The process that opened it, if one did.
    opener: Option<Pid>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    /// Set by the writer, once.
    end: Option<End>,
    reader_gone: bool,
    /// Who waits for room.
    writer: Option<Waker>,
    /// Who waits for bytes.
    reader: Option<Waker>,
    /// Who has, or is about to have, the end that reads, as far as that was told.
    offered_to: Option<Pid>,
    /// Somebody has tried to read.
    was_read: bool,
    /// Bytes that were read.
    passed: u64,
}

enum End {
    Clean,
    Aborted(ExitReason),
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_write(
        &self,
        cx: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, ReaderGone>> {
        // Cloned before the lock, and an older one dropped after it: they may be anybody's.
        let waker = cx.waker().clone();
        let mut state = self.lock();
        if state.reader_gone {
            return Poll::Ready(Err(ReaderGone));
        }
        let room = self.capacity - state.bytes.len();
        let count = room.min(bytes.len()).min(PIECE_BYTES_MAX);
        if count == 0 && !bytes.is_empty() {
            let older = state.writer.replace(waker);
            drop(state);
            drop(older);
            return Poll::Pending;
        }
        if state.bytes.capacity() == 0 {
            state.bytes.reserve_exact(self.capacity);
        }
        state.bytes.extend(&bytes[..count]);
        let reader = state.reader.take();
        drop(state);
        settle(count, reader);
        Poll::Ready(Ok(count))
    }

    /// Has `take` copy up to `max` bytes, which lie in two parts, once there are some.
    fn poll_read(
        &self,
        cx: &mut TaskContext<'_>,
        max: usize,
        take: impl FnOnce(&[u8], &[u8]),
    ) -> Poll<Result<usize, StreamAborted>> {
        let waker = cx.waker().clone();
        let mut state = self.lock();
        state.was_read = true;
        let count = state.bytes.len().min(max).min(PIECE_BYTES_MAX);
        if count == 0 && max > 0 {
            let older = match &state.end {
                Some(End::Clean) => return Poll::Ready(Ok(0)),
                Some(End::Aborted(reason)) => {
                    let reason = reason.clone();
                    return Poll::Ready(Err(StreamAborted { reason }));
                }
                None => state.reader.replace(waker),
            };
            drop(state);
            drop(older);
            return Poll::Pending;
        }
        let (front, back) = state.bytes.as_slices();
        let split = front.len().min(count);
        take(&front[..split], &back[..count - split]);
        state.bytes.drain(..count);
        state.passed += count as u64;
        let writer = state.writer.take();
        drop(state);
        settle(count, writer);
        Poll::Ready(Ok(count))
    }

    /// The writer's last word; only the first one counts.
    fn end(&self, end: End) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        state.end = Some(end);
        let (reader, writer) = (state.reader.take(), state.writer.take());
        drop(state);
        drop(writer);
        settle(0, reader);
    }

    /// The reader is gone, and what it has not read with it.
    fn abandon(&self) {
        let mut state = self.lock();
        state.reader_gone = true;
        let bytes = std::mem::take(&mut state.bytes);
        let (reader, writer) = (state.reader.take(), state.writer.take());
        drop(state);
        drop((bytes, reader));
        settle(0, writer);
    }
}

/// What is left to do after the lock: the price of what was copied, and the other end.
fn settle(copied: usize, other: Option<Waker>) {
    // Pieces are small, so their price fits.
    rusm_sched::spend((copied / BYTES_PER_REDUCTION) as u32);
    if let Some(waker) = other {
        waker.wake();
    }
}

/// Why a stream was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenStreamError {
    /// With room for no byte, nobody could ever write.
    NoCapacity,
    /// More than [`STREAM_BYTES_MAX`].
    TooLarge,
}

impl fmt::Display for OpenStreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            OpenStreamError::NoCapacity => "a stream needs room for one byte at least",
            OpenStreamError::TooLarge => "that is too much room for a stream",
        };
        write!(f, "{what}; choose a capacity of 1 to {STREAM_BYTES_MAX}")
    }
}

impl std::error::Error for OpenStreamError {}

/// Nobody will read what is written: the other end of the stream is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken stream: nobody reads it any more")
    }
}

impl std::error::Error for ReaderGone {}

impl From<ReaderGone> for ExitReason {
    fn from(error: ReaderGone) -> Self {
        ExitReason::error(error.to_string())
    }
}

impl From<ReaderGone> for io::Error {
    fn from(error: ReaderGone) -> Self {
        io::Error::new(io::ErrorKind::BrokenPipe, error)
    }
}

/// The stream ended before its writer was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamAborted {
    /// Why: what the writer said, or why its process ended.
    pub reason: ExitReason,
}

impl fmt::Display for StreamAborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stream was aborted: {}", self.reason)
    }
}

impl std::error::Error for StreamAborted {}

impl From<StreamAborted> for ExitReason {
    fn from(error: StreamAborted) -> Self {
        error.reason
    }
}

impl From<StreamAborted> for io::Error {
    fn from(error: StreamAborted) -> Self {
        io::Error::new(io::ErrorKind::ConnectionAborted, error)
    }
}

impl fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamWriter({} bytes)", self.pipe.capacity)
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamReader({} bytes)", self.pipe.capacity)
    }
}
