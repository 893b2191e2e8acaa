//! Decides how connections between programs of one machine are made and taken, by the path of a
//! socket file.

use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;
use std::time::Duration;

use mio::net;

use crate::accept::accept;
use crate::reactor::Reactor;
use crate::source::{Seen, Source};
use crate::stream::{Socket, Stream};

/// Linux refuses a non-blocking connect while the listener's queue is full and gives no edge when
/// it is not. So it is tried again, after pauses of 1, 2, 4, ... ms: 1 s in all.
const CONNECTS_MAX: u32 = 11;

/// A connection over a Unix socket.
pub type UnixStream = Stream<net::UnixStream>;

impl UnixStream {
    /// Connects to the socket file `path`; to be called inside a task. `WouldBlock` means that the
    /// listener's queue stayed full for a second.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        let poller = Reactor::here()?;
        let mut tries = 1;
        loop {
            match net::UnixStream::connect(path.as_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && tries < CONNECTS_MAX => {
                    rusm_sched::sleep(Duration::from_millis(1 << (tries - 1))).await;
                    tries += 1;
                }
                connected => return Self::new(&poller, connected?),
            }
        }
    }

    /// Two streams connected to each other; to be called inside a task.
    pub fn pair() -> io::Result<(Self, Self)> {
        let poller = Reactor::here()?;
        let (one, other) = net::UnixStream::pair()?;
        Ok((Self::new(&poller, one)?, Self::new(&poller, other)?))
    }
}

impl Socket for net::UnixStream {
    /// A message that carries descriptors or credentials ends a read before the buffer is full.
    const SHORT_IS_DRAINED: bool = false;

    fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        (&mut &*self).read(into)
    }

    fn send(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        (&mut &*self).write_vectored(from)
    }
}

/// A socket file that takes connections. The file stays when the listener is dropped, as it does
/// everywhere; whoever made the path removes it.
pub struct UnixListener {
    source: Source<net::UnixListener>,
    accepting: Seen,
}

impl UnixListener {
    /// Makes the socket file `path` and listens on it; to be called inside a task. `AddrInUse` if
    /// there is a file.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        let source = Source::new(&Reactor::here()?, net::UnixListener::bind(path)?)?;
        Ok(Self {
            source,
            accepting: Seen::default(),
        })
    }

    /// Waits for the next connection; survives what [`crate::TcpListener::accept`] does.
    pub async fn accept(&mut self) -> io::Result<UnixStream> {
        let poller = self.source.poller();
        let take = |listener: &net::UnixListener| Stream::new(poller, listener.accept()?.0);
        accept(&self.source, &mut self.accepting, take).await
    }
}

impl AsFd for UnixListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.io().as_fd()
    }
}

impl AsRawFd for UnixListener {
    fn as_raw_fd(&self) -> RawFd {
        self.source.io().as_raw_fd()
    }
}
