//! A stream as it is seen from outside, by somebody who holds neither end.

use std::sync::{Arc, Weak};

use super::{End, Pipe, StreamReader, StreamWriter};
use crate::pid::Pid;

/// Looks at a stream as long as somebody holds an end of it, and keeps nothing of it alive but a few words. Clones look
/// at the same one.
#[derive(Clone, Debug)]
pub struct StreamView(Weak<Pipe>);

/// A stream at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// The process that opened it, which writes unless it gave that end away.
    pub writer: Option<Pid>,
    /// The process that was offered the other end last; see [`StreamReader::offered_to`].
    pub reader: Option<Pid>,
    /// What goes on.
    pub state: StreamState,
    /// Who waits for the other one.
    pub waits: Option<StreamEnd>,
    /// Bytes that are written and not read.
    pub waiting: usize,
    /// Bytes that may be.
    pub capacity: usize,
    /// Bytes that were read so far.
    pub passed: u64,
}

/// What goes on in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// Nobody has tried to read yet.
    Offered,
    /// Both ends are held.
    Open,
    /// The writer has closed it, or gone; what waits is still there to be read.
    Ended,
    /// The reader has gone: who writes is told.
    Broken,
}

/// An end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The one that takes bytes.
    Writer,
    /// The one that gives bytes.
    Reader,
}

impl StreamWriter {
    /// A look at the stream from outside.
    pub fn view(&self) -> StreamView {
        StreamView(Arc::downgrade(&self.pipe))
    }
}

impl StreamReader {
    /// A look at the stream from outside.
    pub fn view(&self) -> StreamView {
        StreamView(Arc::downgrade(&self.pipe))
    }

    /// Has those who look told that this end is a process's now, or on the way to it. Who it was before, if that was told.
    pub fn offered_to(&self, pid: Pid) -> Option<Pid> {
        self.pipe.lock().offered_to.replace(pid)
    }
}

impl StreamView {
    /// Does anybody hold an end? About a nanosecond.
    pub fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// The stream now; `None` once nobody holds an end of it. Takes its lock for a moment.
    pub fn info(&self) -> Option<StreamInfo> {
        let pipe = self.0.upgrade()?;
        let state = pipe.lock();
        let waits = match (&state.writer, &state.reader) {
            (Some(_), _) => Some(StreamEnd::Writer),
            (None, Some(_)) => Some(StreamEnd::Reader),
            (None, None) => None,
        };
        Some(StreamInfo {
            writer: pipe.opener,
            reader: state.offered_to,
            state: match (&state.end, state.reader_gone) {
                (_, true) => StreamState::Broken,
                (Some(End::Clean | End::Aborted(_)), false) => StreamState::Ended,
                (None, false) if state.was_read => StreamState::Open,
                (None, false) => StreamState::Offered,
            },
            waits,
            waiting: state.bytes.len(),
            capacity: pipe.capacity,
            passed: state.passed,
        })
    }
}
