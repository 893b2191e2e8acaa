//! Decides what a stream socket can do, whatever its family: read, write, end, come apart in two
//! halves.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;

use crate::poller::Poller;
use crate::source::{Seen, Source};

/// What the families differ in.
pub trait Socket: AsFd + AsRawFd {
    /// Whether a read that does not fill its buffer, or a write that does not empty it, proves that
    /// the next one would block until a new edge. If so, the call that would only say so is saved.
    ///
    /// It holds for TCP. On Linux `recv` copies until the buffer is full or the queue empty (only
    /// an out-of-band byte cuts it short, and a peer that sends such can but delay its own stream),
    /// and epoll(7) names this way of noticing that a stream is exhausted; a short `send` has asked
    /// for an edge when there is room. With kqueue `EV_CLEAR` reports every arrival after the last
    /// report likewise. What arrives between the read and the next wait has an edge of its own. The
    /// end of the stream may have come together with the bytes, under a single edge; that edge says
    /// so, and `Seen::drained` heeds it.
    const SHORT_IS_DRAINED: bool;

    fn receive(&self, into: &mut [u8]) -> io::Result<usize>;
    fn send(&self, from: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// A connected stream socket: [`crate::TcpStream`] or [`crate::UnixStream`]. Dropping it closes the
/// connection.
///
/// A `read` or `write` that is dropped while it waits has taken and given nothing; a `read_exact`
/// or `write_all` may have done a part of its work.
pub struct Stream<S: Socket> {
    source: Source<S>,
    read: Seen,
    write: Seen,
}

impl<S: Socket> Stream<S> {
    pub(crate) fn new(poller: &Arc<Poller>, io: S) -> io::Result<Self> {
        let source = Source::new(poller, io)?;
        Ok(Self {
            source,
            read: Seen::default(),
            write: Seen::default(),
        })
    }

    pub(crate) fn io(&self) -> &S {
        self.source.io()
    }

    /// Waits until `attempt` no longer says that it would block, as of a stream that is being
    /// connected.
    pub(crate) async fn writable<T>(
        &mut self,
        attempt: impl Fn(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        poll_fn(|cx| self.source.poll_write(&mut self.write, cx, &attempt)).await
    }

    /// Reads what is there, at least one byte, into the front of `into`; 0 is the end of the
    /// stream.
    pub async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, into)).await
    }

    /// Fills `into`. The end of the stream before that is `UnexpectedEof`; what was read till then
    /// is lost.
    pub async fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        poll_fn(|cx| poll_fill(into, &mut done, |rest| self.poll_read(cx, rest))).await
    }

    /// Writes as much of `from` as there is room for, at least one byte.
    pub async fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write(cx, from)).await
    }

    /// Writes several pieces with one system call; returns how many bytes of them were taken.
    pub async fn write_vectored(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        poll_fn(|cx| poll_send(&self.source, &mut self.write, cx, from)).await
    }

    /// Writes all of `from`. Waits as long as the peer does not read.
    pub async fn write_all(&mut self, from: &[u8]) -> io::Result<()> {
        let mut done = 0;
        poll_fn(|cx| poll_empty(from, &mut done, |rest| self.poll_write(cx, rest))).await
    }

    /// [`Stream::read`] for futures that are written by hand.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_receive(&self.source, &mut self.read, cx, into)
    }

    /// [`Stream::write`] for futures that are written by hand.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        poll_send(&self.source, &mut self.write, cx, &[IoSlice::new(from)])
    }

    /// Ends one direction or both at once; the peer reads what is under way and then the end of the
    /// stream.
    pub fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        SockRef::from(self.io()).shutdown(how)
    }

    /// Two halves for two tasks. The connection closes when both are dropped; the peer reads the
    /// end of the stream then, or after [`WriteHalf::shutdown`].
    pub fn into_split(self) -> (ReadHalf<S>, WriteHalf<S>) {
        let source = Arc::new(self.source);
        let read = ReadHalf {
            source: source.clone(),
            read: self.read,
        };
        (
            read,
            WriteHalf {
                source,
                write: self.write,
            },
        )
    }
}

impl<S: Socket> AsFd for Stream<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io().as_fd()
    }
}

impl<S: Socket> AsRawFd for Stream<S> {
    fn as_raw_fd(&self) -> RawFd {
        self.io().as_raw_fd()
    }
}

/// The reading half of a [`Stream`].
pub struct ReadHalf<S: Socket> {
    source: Arc<Source<S>>,
    read: Seen,
}

impl<S: Socket> ReadHalf<S> {
    /// As [`Stream::read`].
    pub async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, into)).await
    }

    /// As [`Stream::read_exact`].
    pub async fn read_exact(&mut self, into: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        poll_fn(|cx| poll_fill(into, &mut done, |rest| self.poll_read(cx, rest))).await
    }

    /// As [`Stream::poll_read`].
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        poll_receive(&self.source, &mut self.read, cx, into)
    }
}

/// The writing half of a [`Stream`].
pub struct WriteHalf<S: Socket> {
    source: Arc<Source<S>>,
    write: Seen,
}

impl<S: Socket> WriteHalf<S> {
    /// As [`Stream::write`].
    pub async fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write(cx, from)).await
    }

    /// As [`Stream::write_all`].
    pub async fn write_all(&mut self, from: &[u8]) -> io::Result<()> {
        let mut done = 0;
        poll_fn(|cx| poll_empty(from, &mut done, |rest| self.poll_write(cx, rest))).await
    }

    /// As [`Stream::poll_write`].
    pub fn poll_write(&mut self, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        poll_send(&self.source, &mut self.write, cx, &[IoSlice::new(from)])
    }

    /// Tells the peer that nothing more will come.
    pub fn shutdown(&mut self) -> io::Result<()> {
        SockRef::from(self.source.io()).shutdown(Shutdown::Write)
    }
}

fn poll_receive<S: Socket>(
    source: &Source<S>,
    seen: &mut Seen,
    cx: &mut Context<'_>,
    into: &mut [u8],
) -> Poll<io::Result<usize>> {
    let count = ready!(source.poll_read(seen, cx, |io| io.receive(into)))?;
    if S::SHORT_IS_DRAINED && 0 < count && count < into.len() {
        seen.drained();
    }
    Poll::Ready(Ok(count))
}

fn poll_send<S: Socket>(
    source: &Source<S>,
    seen: &mut Seen,
    cx: &mut Context<'_>,
    from: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let count = ready!(source.poll_write(seen, cx, |io| io.send(from)))?;
    if S::SHORT_IS_DRAINED && 0 < count && count < from.iter().map(|piece| piece.len()).sum() {
        seen.drained();
    }
    Poll::Ready(Ok(count))
}

/// Repeats `read` until `into` is full; `done` is kept by the future between its polls.
fn poll_fill(
    into: &mut [u8],
    done: &mut usize,
    mut read: impl FnMut(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    while *done < into.len() {
        match ready!(read(&mut into[*done..]))? {
            0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            count => *done += count,
        }
    }
    Poll::Ready(Ok(()))
}

/// Repeats `write` until all of `from` is written.
fn poll_empty(
    from: &[u8],
    done: &mut usize,
    mut write: impl FnMut(&[u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    while *done < from.len() {
        match ready!(write(&from[*done..]))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => *done += count,
        }
    }
    Poll::Ready(Ok(()))
}
