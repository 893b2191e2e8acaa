//! UDP sockets of `wasi:sockets` 0.3.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use wasmtime::Result;
use wasmtime::component::{Accessor, Resource};

use super::bindings::wasi::sockets::types::{
    HostUdpSocket, HostUdpSocketWithStore, IpAddressFamily, IpSocketAddress,
};
use super::{Answered, Sockets, SocketsView};
use crate::net::{DATAGRAM_BYTES_MAX, Udp};

/// A UDP socket.
pub struct UdpSocket(Udp);

impl SocketsView<'_> {
    fn udp(&mut self, socket: &Resource<UdpSocket>) -> Answered<&mut Udp> {
        Ok(&mut self.table.get_mut(socket)?.0)
    }

    fn poll_send(
        &mut self,
        socket: &Resource<UdpSocket>,
        data: &[u8],
        to: Option<SocketAddr>,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<()>> {
        let udp = &mut self.table.get_mut(socket)?.0;
        while !udp.send(self.net, data, to)? {
            ready!(udp.handle().poll_writable_by_many(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_receive(
        &mut self,
        socket: &Resource<UdpSocket>,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<(Vec<u8>, SocketAddr)>> {
        let udp = &self.table.get(socket)?.0;
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            let received = udp.handle().receive(self.net, udp.ends(), &mut buffer)?;
            if let Some((count, from)) = received {
                buffer.truncate(count);
                buffer.shrink_to_fit();
                return Poll::Ready(Ok((buffer, from)));
            }
            ready!(udp.handle().poll_readable_by_many(cx));
        }
    }
}

impl<T: Send> HostUdpSocketWithStore<T> for Sockets {
    async fn send(
        store: &Accessor<T, Self>,
        socket: Resource<UdpSocket>,
        data: Vec<u8>,
        to: Option<IpSocketAddress>,
    ) -> Answered<()> {
        let to = to.map(SocketAddr::from);
        poll_fn(|cx| store.with(|mut store| store.get().poll_send(&socket, &data, to, cx))).await
    }

    async fn receive(
        store: &Accessor<T, Self>,
        socket: Resource<UdpSocket>,
    ) -> Answered<(Vec<u8>, IpSocketAddress)> {
        let received = poll_fn(|cx| store.with(|mut store| store.get().poll_receive(&socket, cx)));
        let (data, from) = received.await?;
        Ok((data, from.into()))
    }
}

impl HostUdpSocket for SocketsView<'_> {
    fn create(&mut self, family: IpAddressFamily) -> Answered<Resource<UdpSocket>> {
        let udp = Udp::new(self.net, family.into())?;
        Ok(self.table.push(UdpSocket(udp))?)
    }

    fn bind(&mut self, socket: Resource<UdpSocket>, to: IpSocketAddress) -> Answered<()> {
        let udp = &mut self.table.get_mut(&socket)?.0;
        Ok(udp.bind(self.net, to.into())?)
    }

    fn connect(&mut self, socket: Resource<UdpSocket>, peer: IpSocketAddress) -> Answered<()> {
        let udp = &mut self.table.get_mut(&socket)?.0;
        Ok(udp.connect(self.net, peer.into())?)
    }

    fn disconnect(&mut self, socket: Resource<UdpSocket>) -> Answered<()> {
        Ok(self.udp(&socket)?.disconnect()?)
    }

    fn get_local_address(&mut self, socket: Resource<UdpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.udp(&socket)?.local_address()?.into())
    }

    fn get_remote_address(&mut self, socket: Resource<UdpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.udp(&socket)?.remote_address()?.into())
    }

    fn get_address_family(&mut self, socket: Resource<UdpSocket>) -> Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.0.family().into())
    }

    fn get_unicast_hop_limit(&mut self, socket: Resource<UdpSocket>) -> Answered<u8> {
        Ok(self.udp(&socket)?.options().hop_limit()?)
    }

    fn set_unicast_hop_limit(&mut self, socket: Resource<UdpSocket>, value: u8) -> Answered<()> {
        Ok(self.udp(&socket)?.options().set_hop_limit(value)?)
    }

    fn get_receive_buffer_size(&mut self, socket: Resource<UdpSocket>) -> Answered<u64> {
        Ok(self.udp(&socket)?.options().receive_buffer()?)
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<UdpSocket>, value: u64) -> Answered<()> {
        Ok(self.udp(&socket)?.options().set_receive_buffer(value)?)
    }

    fn get_send_buffer_size(&mut self, socket: Resource<UdpSocket>) -> Answered<u64> {
        Ok(self.udp(&socket)?.options().send_buffer()?)
    }

    fn set_send_buffer_size(&mut self, socket: Resource<UdpSocket>, value: u64) -> Answered<()> {
        Ok(self.udp(&socket)?.options().set_send_buffer(value)?)
    }

    fn drop(&mut self, socket: Resource<UdpSocket>) -> Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
