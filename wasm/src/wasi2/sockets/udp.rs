//! `wasi:sockets/udp`: a socket, and two streams of datagrams for as long as it has one peer, or
//! none.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Waker};

use wasmtime::component::{Resource, ResourceTable};
use wasmtime::{Result, format_err};
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::udp::{
    Host, HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, IncomingDatagram,
    OutgoingDatagram,
};
use super::bindings::wasi::sockets::udp_create_socket;
use super::convert::Failure;
use super::{Answered, Network, SocketsView};
use crate::net::{DATAGRAM_BYTES_MAX, Ends, Family, Udp, UdpHandle};

/// Datagrams that one call sends or receives at most.
const DATAGRAMS_MAX: usize = 16;
/// Bytes after which one call receives no further datagram.
const RECEIVE_BYTES_MAX: usize = 64 << 10;

/// A UDP socket and whether its guest is about to bind it.
pub struct UdpSocket {
    udp: Udp,
    binding: bool,
}

/// Datagrams that arrive.
pub struct Incoming {
    handle: Arc<UdpHandle>,
    ends: Ends,
}

/// Datagrams to send.
pub struct Outgoing {
    handle: Arc<UdpHandle>,
    family: Family,
    ends: Ends,
    /// Datagrams that the guest may send in its next call.
    permit: usize,
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for UdpSocket {
    /// No operation of the socket itself waits.
    async fn ready(&mut self) {}
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for Incoming {
    async fn ready(&mut self) {
        poll_fn(|cx| self.handle.poll_readable(cx)).await;
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for Outgoing {
    async fn ready(&mut self) {
        poll_fn(|cx| self.handle.poll_writable(cx)).await;
    }
}

fn has_streams(table: &ResourceTable, socket: &Resource<UdpSocket>) -> Answered<bool> {
    let mut children = table.iter_children(socket)?;
    Ok(children.any(|child| child.is::<Incoming>() || child.is::<Outgoing>()))
}

impl Host for SocketsView<'_> {}

impl udp_create_socket::Host for SocketsView<'_> {
    fn create_udp_socket(&mut self, family: IpAddressFamily) -> Answered<Resource<UdpSocket>> {
        let udp = Udp::new(self.net, family.into())?;
        Ok(self.table.push(UdpSocket {
            udp,
            binding: false,
        })?)
    }
}

impl HostUdpSocket for SocketsView<'_> {
    fn start_bind(
        &mut self,
        socket: Resource<UdpSocket>,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> Answered<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&socket)?;
        if socket.binding {
            return Err(ErrorCode::ConcurrencyConflict.into());
        }
        socket.udp.bind(self.net, local_address.into())?;
        socket.binding = true;
        Ok(())
    }

    fn finish_bind(&mut self, socket: Resource<UdpSocket>) -> Answered<()> {
        let socket = self.table.get_mut(&socket)?;
        if !std::mem::take(&mut socket.binding) {
            return Err(ErrorCode::NotInProgress.into());
        }
        Ok(())
    }

    fn stream(
        &mut self,
        socket: Resource<UdpSocket>,
        remote_address: Option<IpSocketAddress>,
    ) -> Answered<(Resource<Incoming>, Resource<Outgoing>)> {
        if has_streams(self.table, &socket)? {
            let why = "the streams of a UDP socket must be dropped before it gets new ones";
            return Err(Failure::Trap(format_err!("{why}")));
        }
        let udp = &mut self.table.get_mut(&socket)?.udp;
        if !udp.is_bound() {
            return Err(ErrorCode::InvalidState.into());
        }
        match remote_address {
            Some(peer) => udp.connect(self.net, peer.into())?,
            None if udp.remote_address().is_ok() => udp.disconnect()?,
            None => {}
        }
        let (handle, ends) = (udp.handle().clone(), udp.ends());
        let outgoing = Outgoing {
            handle: handle.clone(),
            family: udp.family(),
            ends,
            permit: 0,
        };
        let incoming = self.table.push_child(Incoming { handle, ends }, &socket)?;
        Ok((incoming, self.table.push_child(outgoing, &socket)?))
    }

    fn local_address(&mut self, socket: Resource<UdpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.table.get(&socket)?.udp.local_address()?.into())
    }

    fn remote_address(&mut self, socket: Resource<UdpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.table.get(&socket)?.udp.remote_address()?.into())
    }

    fn address_family(&mut self, socket: Resource<UdpSocket>) -> Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.udp.family().into())
    }

    fn unicast_hop_limit(&mut self, socket: Resource<UdpSocket>) -> Answered<u8> {
        Ok(self.table.get(&socket)?.udp.options().hop_limit()?)
    }

    fn set_unicast_hop_limit(&mut self, socket: Resource<UdpSocket>, value: u8) -> Answered<()> {
        Ok(self
            .table
            .get(&socket)?
            .udp
            .options()
            .set_hop_limit(value)?)
    }

    fn receive_buffer_size(&mut self, socket: Resource<UdpSocket>) -> Answered<u64> {
        Ok(self.table.get(&socket)?.udp.options().receive_buffer()?)
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<UdpSocket>, value: u64) -> Answered<()> {
        Ok(self
            .table
            .get(&socket)?
            .udp
            .options()
            .set_receive_buffer(value)?)
    }

    fn send_buffer_size(&mut self, socket: Resource<UdpSocket>) -> Answered<u64> {
        Ok(self.table.get(&socket)?.udp.options().send_buffer()?)
    }

    fn set_send_buffer_size(&mut self, socket: Resource<UdpSocket>, value: u64) -> Answered<()> {
        Ok(self
            .table
            .get(&socket)?
            .udp
            .options()
            .set_send_buffer(value)?)
    }

    fn subscribe(&mut self, socket: Resource<UdpSocket>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, socket)
    }

    fn drop(&mut self, socket: Resource<UdpSocket>) -> Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}

impl HostIncomingDatagramStream for SocketsView<'_> {
    fn receive(
        &mut self,
        stream: Resource<Incoming>,
        max_results: u64,
    ) -> Answered<Vec<IncomingDatagram>> {
        let stream = self.table.get(&stream)?;
        let max = usize::try_from(max_results)
            .unwrap_or(usize::MAX)
            .min(DATAGRAMS_MAX);
        let (mut datagrams, mut bytes) = (Vec::new(), 0);
        let mut buffer = vec![0; if max == 0 { 0 } else { DATAGRAM_BYTES_MAX }];
        while datagrams.len() < max && bytes < RECEIVE_BYTES_MAX {
            match stream.handle.receive(self.net, stream.ends, &mut buffer) {
                Ok(None) => break,
                Ok(Some((count, from))) => {
                    bytes += count;
                    datagrams.push(IncomingDatagram {
                        data: buffer[..count].to_vec(),
                        remote_address: from.into(),
                    });
                }
                // The guest hears of it with its next call, which meets it again or finds it gone.
                Err(_) if !datagrams.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(datagrams)
    }

    fn subscribe(&mut self, stream: Resource<Incoming>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<Incoming>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl HostOutgoingDatagramStream for SocketsView<'_> {
    fn check_send(&mut self, stream: Resource<Outgoing>) -> Answered<u64> {
        let stream = self.table.get_mut(&stream)?;
        let mut look = Context::from_waker(Waker::noop());
        let has_room = stream.handle.poll_writable(&mut look).is_ready();
        stream.permit = if has_room { DATAGRAMS_MAX } else { 0 };
        Ok(stream.permit as u64)
    }

    fn send(
        &mut self,
        stream: Resource<Outgoing>,
        datagrams: Vec<OutgoingDatagram>,
    ) -> Answered<u64> {
        let stream = self.table.get_mut(&stream)?;
        if datagrams.len() > std::mem::take(&mut stream.permit) {
            let why = "sent more datagrams than `check-send` allowed";
            return Err(Failure::Trap(format_err!("{why}")));
        }
        let mut sent = 0;
        for datagram in datagrams {
            let to = datagram.remote_address.map(SocketAddr::from);
            let (handle, family) = (&stream.handle, stream.family);
            match handle.send(self.net, family, stream.ends, &datagram.data, to) {
                Ok(true) => sent += 1,
                Ok(false) => break,
                // Once one is on its way the call has succeeded.
                Err(_) if sent > 0 => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sent)
    }

    fn subscribe(&mut self, stream: Resource<Outgoing>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<Outgoing>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
