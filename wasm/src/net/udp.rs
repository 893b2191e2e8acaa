//! One UDP socket. Every call returns at once; what has to be waited for is a question to
//! [`UdpHandle`].

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::task::{Context, Poll};

use rusm_io::Polled;
use socket2::{Protocol, SockRef, Socket, Type};

use super::access::Live;
use super::address::remote;
use super::tcp::tried;
use super::waiters::Waiters;
use super::{Family, Net, NetError, Options};

/// The largest datagram there can be; one that is larger is refused.
pub(crate) const DATAGRAM_BYTES_MAX: usize = u16::MAX as usize;

/// Datagrams that nobody wants which one call steps over; then others have their turn.
const STRANGERS_MAX: usize = 64;

type Result<T> = std::result::Result<T, NetError>;

/// The open descriptor: shared by a socket and its streams, closed by the last of them.
pub(crate) struct UdpHandle {
    polled: Polled<UdpSocket>,
    readers: Arc<Waiters>,
    writers: Arc<Waiters>,
    _live: Live,
}

/// A UDP socket.
pub(crate) struct Udp {
    handle: Arc<UdpHandle>,
    family: Family,
    ends: Ends,
    /// What the guest bound it to.
    asked: Option<SocketAddr>,
}

/// Between whom datagrams go; the streams of a socket keep what was true when they were made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    /// The address that was asked for, whose port may be zero; any, if the system chose.
    bound: Option<SocketAddr>,
    /// Whether everybody may send to it there, not only those that it may send to.
    open: bool,
    /// The only one it sends to and receives from.
    peer: Option<SocketAddr>,
}

impl Udp {
    pub(crate) fn new(net: &Net, family: Family) -> Result<Self> {
        net.may_open()?;
        let live = net.take_socket()?;
        let socket = Socket::new(family.domain(), Type::DGRAM, Some(Protocol::UDP))?;
        if family == Family::V6 {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        let handle = UdpHandle {
            polled: Polled::new(socket.into())?,
            readers: Arc::default(),
            writers: Arc::default(),
            _live: live,
        };
        Ok(Self {
            handle: Arc::new(handle),
            family,
            ends: Ends::default(),
            asked: None,
        })
    }

    pub(crate) fn handle(&self) -> &Arc<UdpHandle> {
        &self.handle
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    pub(crate) fn ends(&self) -> Ends {
        self.ends
    }

    pub(crate) fn bind(&mut self, net: &Net, to: SocketAddr) -> Result<()> {
        if self.is_bound() {
            return Err(NetError::InvalidState);
        }
        self.family.has(to)?;
        net.may_bind(to)?;
        SockRef::from(self.handle.socket()).bind(&to.into())?;
        self.ends.bound = Some(to);
        self.ends.open = net.may_listen(to).is_ok();
        self.asked = Some(to);
        Ok(())
    }

    pub(crate) fn is_bound(&self) -> bool {
        self.ends.bound.is_some()
    }

    /// From now on sends to `peer` and receives from nobody else.
    pub(crate) fn connect(&mut self, net: &Net, peer: SocketAddr) -> Result<()> {
        remote(self.family, peer)?;
        net.may_connect(peer)?;
        self.handle.socket().connect(peer)?;
        // The system binds a socket that has a peer to any free port.
        self.ends.bound.get_or_insert(self.family.unspecified());
        self.ends.peer = Some(peer);
        Ok(())
    }

    /// Undoes `connect`.
    pub(crate) fn disconnect(&mut self) -> Result<()> {
        if self.ends.peer.is_none() {
            return Err(NetError::InvalidState);
        }
        let socket = self.handle.socket();
        let port = socket.local_addr()?.port();
        let done = rustix::net::connect_unspec(socket);
        done.map_err(|errno| NetError::from(std::io::Error::from(errno)))?;
        self.ends.peer = None;
        // The system gives a port that it chose itself back together with the peer.
        if socket.local_addr()?.port() == 0 {
            match self.asked {
                Some(asked) => {
                    SockRef::from(socket).bind(&SocketAddr::new(asked.ip(), port).into())?;
                }
                None => self.ends.bound = None,
            }
        }
        Ok(())
    }

    /// Sends one datagram, to the connected peer if `to` is none; false if one has to wait.
    pub(crate) fn send(&mut self, net: &Net, data: &[u8], to: Option<SocketAddr>) -> Result<bool> {
        let sent = self.handle.send(net, self.family, self.ends, data, to)?;
        // The system binds a socket that sends to any free port.
        self.ends.bound.get_or_insert(self.family.unspecified());
        Ok(sent)
    }

    pub(crate) fn local_address(&self) -> Result<SocketAddr> {
        if !self.is_bound() {
            return Err(NetError::InvalidState);
        }
        Ok(self.handle.socket().local_addr()?)
    }

    pub(crate) fn remote_address(&self) -> Result<SocketAddr> {
        self.ends.peer.ok_or(NetError::InvalidState)
    }

    pub(crate) fn options(&self) -> Options<'_> {
        Options::new(self.handle.socket(), self.family)
    }
}

impl UdpHandle {
    fn socket(&self) -> &UdpSocket {
        self.polled.get()
    }

    /// Sends one datagram, to the connected peer if `to` is none; false if one has to wait.
    pub(crate) fn send(
        &self,
        net: &Net,
        family: Family,
        ends: Ends,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Result<bool> {
        if data.len() > DATAGRAM_BYTES_MAX {
            return Err(NetError::DatagramTooLarge);
        }
        let to = match (to, ends.peer) {
            (None, None) => return Err(NetError::InvalidArgument),
            (None, Some(peer)) => peer,
            (Some(to), peer) => {
                remote(family, to)?;
                if peer.is_some_and(|peer| peer != to) {
                    return Err(NetError::InvalidArgument);
                }
                to
            }
        };
        net.may_connect(to)?;
        let sent = self.polled.attempt(|socket| match ends.peer {
            Some(_) => socket.send(data),
            None => socket.send_to(data, to),
        });
        Ok(tried(sent)?.is_some())
    }

    /// The next datagram that is meant for this end, from somebody it may hear of; none if one has
    /// to wait for it. `buffer` has room for the largest.
    pub(crate) fn receive(
        &self,
        net: &Net,
        ends: Ends,
        buffer: &mut [u8],
    ) -> Result<Option<(usize, SocketAddr)>> {
        if ends.bound.is_none() {
            return Err(NetError::InvalidState);
        }
        for _ in 0..STRANGERS_MAX {
            let received = self.polled.attempt(|socket| socket.recv_from(buffer));
            let Some((count, from)) = tried(received)? else {
                return Ok(None);
            };
            // What had arrived before it was connected, or comes from a stranger, is not for it.
            let expected = match ends.peer {
                Some(peer) => peer == from,
                None => ends.open || net.may_connect(from).is_ok(),
            };
            if expected {
                return Ok(Some((count, from)));
            }
        }
        Ok(None)
    }

    /// Whether there is something to receive.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.polled.poll_readable(cx)
    }

    /// Whether there is room to send.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.polled.poll_writable(cx)
    }

    /// As `poll_readable`, for several who wait at a time.
    pub(crate) fn poll_readable_by_many(&self, cx: &Context<'_>) -> Poll<()> {
        self.readers.poll(cx, |cx| self.polled.poll_readable(cx))
    }

    /// As `poll_writable`, for several who wait at a time.
    pub(crate) fn poll_writable_by_many(&self, cx: &Context<'_>) -> Poll<()> {
        self.writers.poll(cx, |cx| self.polled.poll_writable(cx))
    }
}
