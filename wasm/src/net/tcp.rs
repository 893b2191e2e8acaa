//! One TCP socket from its making to its end. Every call returns at once; what has to be waited
//! for is a question to [`TcpHandle`].

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rusm_io::Polled;
use socket2::{Protocol, Socket, Type};

use super::access::Live;
use super::address::{remote, unicast};
use super::error::would_block;
use super::{Family, Net, NetError, Options};

/// Connections that wait to be accepted, unless the guest says otherwise. The system may hold
/// fewer.
const BACKLOG: i32 = 128;

type Result<T> = std::result::Result<T, NetError>;

/// The open descriptor: shared by a socket and its streams, closed by the last of them.
pub(crate) struct TcpHandle {
    polled: Polled<Socket>,
    _live: Live,
}

/// A TCP socket.
pub(crate) struct Tcp {
    handle: Arc<TcpHandle>,
    family: Family,
    state: State,
    backlog: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unbound,
    /// To the address that was asked for, whose port may be zero.
    Bound(SocketAddr),
    Connecting,
    Connected,
    Listening,
    /// It can only be dropped.
    Failed(NetError),
}

impl Tcp {
    pub(crate) fn new(net: &Net, family: Family) -> Result<Self> {
        net.may_open()?;
        let live = net.take_socket()?;
        let socket = Socket::new(family.domain(), Type::STREAM, Some(Protocol::TCP))?;
        if family == Family::V6 {
            socket.set_only_v6(true)?;
        }
        Self::register(socket, live, family, State::Unbound)
    }

    fn register(socket: Socket, live: Live, family: Family, state: State) -> Result<Self> {
        socket.set_nonblocking(true)?;
        let handle = TcpHandle {
            polled: Polled::new(socket)?,
            _live: live,
        };
        Ok(Self {
            handle: Arc::new(handle),
            family,
            state,
            backlog: BACKLOG,
        })
    }

    pub(crate) fn handle(&self) -> &Arc<TcpHandle> {
        &self.handle
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    pub(crate) fn bind(&mut self, net: &Net, to: SocketAddr) -> Result<()> {
        if self.state != State::Unbound {
            return Err(self.wrong_state());
        }
        self.family.has(to)?;
        unicast(to)?;
        net.may_bind(to)?;
        let socket = self.handle.socket();
        // A port whose last connections are still being forgotten can be taken again.
        socket.set_reuse_address(true)?;
        socket.bind(&to.into())?;
        self.state = State::Bound(to);
        Ok(())
    }

    pub(crate) fn is_bound(&self) -> bool {
        self.state != State::Unbound
    }

    /// Begins to connect; [`Tcp::poll_connected`] says how that ends.
    pub(crate) fn connect(&mut self, net: &Net, to: SocketAddr) -> Result<()> {
        if !matches!(self.state, State::Unbound | State::Bound(_)) {
            return Err(self.wrong_state());
        }
        remote(self.family, to)?;
        unicast(to)?;
        net.may_connect(to)?;
        match self
            .handle
            .polled
            .attempt(|socket| socket.connect(&to.into()))
        {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => {
                let error = NetError::from(error);
                self.state = State::Failed(error);
                return Err(error);
            }
            Ok(()) => {}
        }
        self.state = State::Connecting;
        Ok(())
    }

    /// Whether the connection stands. Keeps its answer.
    pub(crate) fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.state == State::Connecting {
            ready!(self.handle.polled.poll_writable(cx));
            self.state = match self.handle.socket().take_error() {
                Ok(None) => State::Connected,
                Ok(Some(error)) | Err(error) => State::Failed(error.into()),
            };
        }
        Poll::Ready(match self.state {
            State::Connected => Ok(()),
            _ => Err(self.wrong_state()),
        })
    }

    /// Takes connections from now on. Binds to any free port if nobody has bound it.
    pub(crate) fn listen(&mut self, net: &Net) -> Result<()> {
        let at = match self.state {
            State::Bound(at) => at,
            State::Unbound => self.family.unspecified(),
            _ => return Err(self.wrong_state()),
        };
        net.may_listen(at)?;
        self.handle.socket().listen(self.backlog)?;
        self.state = State::Listening;
        Ok(())
    }

    /// The next connection, or none if one has to wait for it.
    pub(crate) fn accept(&self, net: &Net) -> Result<Option<Self>> {
        if self.state != State::Listening {
            return Err(self.wrong_state());
        }
        self.listener().accept(net)
    }

    /// What takes the connections of a socket that listens.
    pub(crate) fn listener(&self) -> Listener {
        Listener {
            handle: self.handle.clone(),
            family: self.family,
        }
    }

    pub(crate) fn is_listening(&self) -> bool {
        self.state == State::Listening
    }

    pub(crate) fn local_address(&self) -> Result<SocketAddr> {
        match self.state {
            State::Bound(_) | State::Connected | State::Listening => {}
            _ => return Err(self.wrong_state()),
        }
        inet(self.handle.socket().local_addr())
    }

    pub(crate) fn remote_address(&self) -> Result<SocketAddr> {
        self.must_be_connected()?;
        inet(self.handle.socket().peer_addr())
    }

    pub(crate) fn must_be_connected(&self) -> Result<()> {
        match self.state {
            State::Connected => Ok(()),
            _ => Err(self.wrong_state()),
        }
    }

    /// May be said before it listens and, where the system has it so, afterwards.
    pub(crate) fn set_backlog(&mut self, length: u64) -> Result<()> {
        if length == 0 {
            return Err(NetError::InvalidArgument);
        }
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        match self.state {
            State::Unbound | State::Bound(_) => {}
            State::Listening => {
                let changed = self.handle.socket().listen(length);
                changed.map_err(|_| NetError::NotSupported)?;
            }
            _ => return Err(self.wrong_state()),
        }
        self.backlog = length;
        Ok(())
    }

    pub(crate) fn options(&self) -> Result<Options<'_>> {
        match self.state {
            State::Connecting | State::Failed(_) => Err(self.wrong_state()),
            _ => Ok(Options::new(self.handle.socket(), self.family)),
        }
    }

    /// A failed socket says why for good.
    fn wrong_state(&self) -> NetError {
        match self.state {
            State::Failed(error) => error,
            _ => NetError::InvalidState,
        }
    }
}

/// Takes the connections of a socket, for as long as it lives itself.
pub(crate) struct Listener {
    handle: Arc<TcpHandle>,
    family: Family,
}

impl Listener {
    /// The next connection, or none if one has to wait for it.
    pub(crate) fn accept(&self, net: &Net) -> Result<Option<Tcp>> {
        let live = net.take_socket()?;
        match self.handle.polled.attempt(Socket::accept) {
            Ok((socket, _)) => Tcp::register(socket, live, self.family, State::Connected).map(Some),
            Err(error) if would_block(&error) => Ok(None),
            Err(error) => Err(accept_error(&error)),
        }
    }

    /// Whether there is a connection to take.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.handle.poll_readable(cx)
    }
}

impl TcpHandle {
    fn socket(&self) -> &Socket {
        self.polled.get()
    }

    /// Reads what is there; none if one has to wait for it, 0 at the end of the stream.
    pub(crate) fn read(&self, into: &mut [u8]) -> Result<Option<usize>> {
        tried(self.polled.attempt(|mut socket| socket.read(into)))
    }

    /// Writes what there is room for; none if one has to wait for it.
    pub(crate) fn write(&self, from: &[u8]) -> Result<Option<usize>> {
        tried(self.polled.attempt(|mut socket| socket.write(from)))
    }

    /// Whether there is something to read or to accept.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.polled.poll_readable(cx)
    }

    /// Whether there is room to write.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.polled.poll_writable(cx)
    }

    /// Ends a direction. It may have ended by itself, which is as good.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        let _ = self.socket().shutdown(how);
    }
}

pub(super) fn tried<T>(result: io::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if would_block(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn inet(address: io::Result<socket2::SockAddr>) -> Result<SocketAddr> {
    address?.as_socket().ok_or(NetError::Unknown)
}

/// accept(2) on Linux reports errors of the new connection as its own; they say that there was one
/// and is none now.
fn accept_error(error: &io::Error) -> NetError {
    match error.raw_os_error() {
        Some(
            libc::ECONNRESET
            | libc::ENETRESET
            | libc::EHOSTUNREACH
            | libc::EHOSTDOWN
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::EPERM
            | libc::ETIMEDOUT
            | libc::EOPNOTSUPP,
        ) => NetError::ConnectionAborted,
        _ => error.into(),
    }
}
