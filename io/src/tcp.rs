//! Decides how TCP connections are made and taken. What happens on them is `stream.rs`.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use mio::net;
use socket2::SockRef;

use crate::accept::accept;
use crate::reactor::Reactor;
use crate::resolve::resolve;
use crate::source::{Seen, Source};
use crate::stream::{ReadHalf, Socket, Stream, WriteHalf};

/// Connections that the system completes while nobody accepts. It may hold less
/// (`net.core.somaxconn`).
const BACKLOG_MAX: i32 = 1024;

/// A TCP connection.
pub type TcpStream = Stream<net::TcpStream>;

/// The half of a TCP connection that reads.
pub type TcpReadHalf = ReadHalf<net::TcpStream>;

/// The half of a TCP connection that writes.
pub type TcpWriteHalf = WriteHalf<net::TcpStream>;

impl TcpStream {
    /// Connects to `to`; to be called inside a task. How long it may take is the system's rule
    /// (about two minutes on Linux if nobody answers); race it against a sleep for less.
    pub async fn connect(to: SocketAddr) -> io::Result<Self> {
        let poller = Reactor::here()?;
        let mut stream = Self::new(&poller, net::TcpStream::connect(to)?)?;
        stream.writable(connected).await?;
        Ok(stream)
    }

    /// Connects to `name`, as `host:port`, trying each address it resolves to until one answers.
    pub async fn connect_to(name: &str) -> io::Result<Self> {
        let mut last = None;
        for address in resolve(name).await? {
            match Self::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some((address, error)),
            }
        }
        let (address, error) = last.expect("a name resolves to one address or fails");
        let text = format!("cannot connect to `{name}`: {address} says: {error}");
        Err(io::Error::new(error.kind(), text))
    }

    /// Sends small writes at once instead of gathering them (Nagle's algorithm).
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.io().set_nodelay(on)
    }

    /// The other end.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io().peer_addr()
    }

    /// This end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io().local_addr()
    }
}

impl Socket for net::TcpStream {
    const SHORT_IS_DRAINED: bool = true;

    fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        (&mut &*self).read(into)
    }

    fn send(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        match from {
            // `send` is a little cheaper than `sendmsg`.
            [piece] => (&mut &*self).write(piece),
            pieces => (&mut &*self).write_vectored(pieces),
        }
    }
}

/// A TCP port that takes connections.
pub struct TcpListener {
    source: Source<net::TcpListener>,
    accepting: Seen,
}

impl TcpListener {
    /// Listens on `at` (port 0: any free one); to be called inside a task.
    pub fn bind(at: SocketAddr) -> io::Result<Self> {
        let poller = Reactor::here()?;
        let listener = net::TcpListener::bind(at)?;
        // A second `listen` only changes the length of the queue.
        SockRef::from(&listener).listen(BACKLOG_MAX)?;
        let source = Source::new(&poller, listener)?;
        Ok(Self {
            source,
            accepting: Seen::default(),
        })
    }

    /// Waits for the next connection. Connections that die early are stepped over, and when
    /// descriptors or memory run out it pauses and goes on (both counted in [`crate::Stats`]): an
    /// error means that the listener is lost.
    pub async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let poller = self.source.poller();
        let take = |listener: &net::TcpListener| {
            let (stream, peer) = listener.accept()?;
            Ok((Stream::new(poller, stream)?, peer))
        };
        accept(&self.source, &mut self.accepting, take).await
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.io().local_addr()
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.io().as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.source.io().as_raw_fd()
    }
}

/// Whether a connection stands yet. The address of the peer is asked for first, because on the
/// loopback interface it is there at once, and then nothing needs to be waited for.
fn connected(stream: &net::TcpStream) -> io::Result<()> {
    let Err(error) = stream.peer_addr() else {
        return Ok(());
    };
    match stream.take_error()? {
        Some(refusal) => Err(refusal),
        None if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        None => Err(error),
    }
}
