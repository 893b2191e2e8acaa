//! Decides how datagrams are sent and received. They arrive whole, in any order, or not at all.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use mio::net;

use crate::reactor::Reactor;
use crate::source::{Seen, Source};

/// A UDP port.
pub struct UdpSocket {
    source: Source<net::UdpSocket>,
    read: Seen,
    write: Seen,
}

impl UdpSocket {
    /// Opens the port `at` (0: any free one); to be called inside a task.
    pub fn bind(at: SocketAddr) -> io::Result<Self> {
        let source = Source::new(&Reactor::here()?, net::UdpSocket::bind(at)?)?;
        Ok(Self {
            source,
            read: Seen::default(),
            write: Seen::default(),
        })
    }

    /// From now on sends to `peer` and receives from nobody else.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.source.io().connect(peer)
    }

    /// Sends one datagram to the connected peer. An error may tell of an earlier datagram that was
    /// refused.
    pub async fn send(&mut self, datagram: &[u8]) -> io::Result<usize> {
        let send = |io: &net::UdpSocket| io.send(datagram);
        poll_fn(|cx| self.source.poll_write(&mut self.write, cx, send)).await
    }

    /// Sends one datagram to `to`.
    pub async fn send_to(&mut self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        let send = |io: &net::UdpSocket| io.send_to(datagram, to);
        poll_fn(|cx| self.source.poll_write(&mut self.write, cx, send)).await
    }

    /// Receives one datagram from the connected peer; what does not fit into `into` is lost.
    pub async fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            self.source
                .poll_read(&mut self.read, cx, |io| io.recv(into))
        })
        .await
    }

    /// Receives one datagram and tells whose it is; what does not fit into `into` is lost.
    pub async fn receive_from(&mut self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| {
            self.source
                .poll_read(&mut self.read, cx, |io| io.recv_from(into))
        })
        .await
    }

    /// This end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.io().local_addr()
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.io().as_fd()
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.source.io().as_raw_fd()
    }
}
