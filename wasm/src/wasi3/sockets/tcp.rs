//! TCP sockets of `wasi:sockets` 0.3.

use std::future::{self, poll_fn};
use std::iter;
use std::net::Shutdown;
use std::task::Poll;

use wasmtime::Result;
use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

use super::bindings::wasi::sockets::types::{
    ErrorCode, Host, HostTcpSocket, HostTcpSocketWithStore, IpAddressFamily, IpSocketAddress,
};
use super::convert::Failure;
use super::tcp_streams::{Accepting, End, Receiving, Sending, Side};
use super::{Answered, Sockets, SocketsView};
use crate::net::{NetError, Options, Tcp};

/// A TCP socket, and which of its directions the guest has taken.
pub struct TcpSocket {
    tcp: Tcp,
    sends: bool,
    receives: bool,
}

impl TcpSocket {
    pub(super) fn new(tcp: Tcp) -> Self {
        Self {
            tcp,
            sends: false,
            receives: false,
        }
    }

    /// Takes a direction, once.
    fn side(&mut self, direction: Shutdown) -> std::result::Result<(Side, Ended), NetError> {
        self.tcp.must_be_connected()?;
        let taken = match direction {
            Shutdown::Write => &mut self.sends,
            _ => &mut self.receives,
        };
        if std::mem::replace(taken, true) {
            return Err(NetError::InvalidState);
        }
        Ok(Side::new(self.tcp.handle().clone(), direction))
    }
}

/// A direction that was over before it began.
fn over(error: NetError) -> future::Ready<Result<End>> {
    future::ready(Ok(Err(error.into())))
}

type Ended = futures_channel::oneshot::Receiver<End>;

impl SocketsView<'_> {
    fn tcp(&mut self, socket: &Resource<TcpSocket>) -> Answered<&mut Tcp> {
        Ok(&mut self.table.get_mut(socket)?.tcp)
    }

    fn option<T>(
        &mut self,
        socket: &Resource<TcpSocket>,
        of: impl FnOnce(Options<'_>) -> std::result::Result<T, NetError>,
    ) -> Answered<T> {
        Ok(of(self.tcp(socket)?.options()?)?)
    }
}

impl Host for SocketsView<'_> {
    fn convert_error_code(&mut self, failure: Failure) -> Result<ErrorCode> {
        match failure {
            Failure::Code(code) => Ok(code),
            Failure::Trap(error) => Err(error),
        }
    }
}

impl<T: Send + 'static> HostTcpSocketWithStore<T> for Sockets {
    async fn connect(
        store: &Accessor<T, Self>,
        socket: Resource<TcpSocket>,
        to: IpSocketAddress,
    ) -> Answered<()> {
        store.with(|mut store| -> Answered<()> {
            let SocketsView { table, net } = store.get();
            Ok(table.get_mut(&socket)?.tcp.connect(net, to.into())?)
        })?;
        poll_fn(|cx| {
            store.with(|mut store| match store.get().tcp(&socket) {
                Ok(tcp) => tcp.poll_connected(cx).map_err(Failure::from),
                Err(failure) => Poll::Ready(Err(failure)),
            })
        })
        .await
    }

    fn listen(
        mut store: Access<'_, T, Self>,
        socket: Resource<TcpSocket>,
    ) -> Answered<StreamReader<Resource<TcpSocket>>> {
        let view = store.getter();
        let SocketsView { table, net } = store.get();
        let tcp = &mut table.get_mut(&socket)?.tcp;
        tcp.listen(net)?;
        let accepting = Accepting::new(tcp.listener(), view);
        StreamReader::new(&mut store, accepting).map_err(Failure::Trap)
    }

    fn send(
        mut store: Access<'_, T, Self>,
        socket: Resource<TcpSocket>,
        mut data: StreamReader<u8>,
    ) -> Result<FutureReader<End>> {
        match store.get().table.get_mut(&socket)?.side(Shutdown::Write) {
            Ok((side, ended)) => {
                data.pipe(&mut store, Sending(side))?;
                FutureReader::new(&mut store, ended)
            }
            Err(error) => {
                data.close(&mut store)?;
                FutureReader::new(&mut store, over(error))
            }
        }
    }

    fn receive(
        mut store: Access<'_, T, Self>,
        socket: Resource<TcpSocket>,
    ) -> Result<(StreamReader<u8>, FutureReader<End>)> {
        match store.get().table.get_mut(&socket)?.side(Shutdown::Read) {
            Ok((side, ended)) => Ok((
                StreamReader::new(&mut store, Receiving(side))?,
                FutureReader::new(&mut store, ended)?,
            )),
            Err(error) => Ok((
                StreamReader::new(&mut store, iter::empty())?,
                FutureReader::new(&mut store, over(error))?,
            )),
        }
    }
}

impl HostTcpSocket for SocketsView<'_> {
    fn create(&mut self, family: IpAddressFamily) -> Answered<Resource<TcpSocket>> {
        let tcp = Tcp::new(self.net, family.into())?;
        Ok(self.table.push(TcpSocket::new(tcp))?)
    }

    fn bind(&mut self, socket: Resource<TcpSocket>, to: IpSocketAddress) -> Answered<()> {
        let tcp = &mut self.table.get_mut(&socket)?.tcp;
        Ok(tcp.bind(self.net, to.into())?)
    }

    fn get_local_address(&mut self, socket: Resource<TcpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.tcp(&socket)?.local_address()?.into())
    }

    fn get_remote_address(&mut self, socket: Resource<TcpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.tcp(&socket)?.remote_address()?.into())
    }

    fn get_is_listening(&mut self, socket: Resource<TcpSocket>) -> Result<bool> {
        Ok(self.table.get(&socket)?.tcp.is_listening())
    }

    fn get_address_family(&mut self, socket: Resource<TcpSocket>) -> Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.tcp.family().into())
    }

    fn set_listen_backlog_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        Ok(self.tcp(&socket)?.set_backlog(value)?)
    }

    fn get_keep_alive_enabled(&mut self, socket: Resource<TcpSocket>) -> Answered<bool> {
        self.option(&socket, |options| options.keep_alive())
    }

    fn set_keep_alive_enabled(&mut self, socket: Resource<TcpSocket>, value: bool) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive(value))
    }

    fn get_keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.keep_alive_idle())
    }

    fn set_keep_alive_idle_time(
        &mut self,
        socket: Resource<TcpSocket>,
        value: u64,
    ) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive_idle(value))
    }

    fn get_keep_alive_interval(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.keep_alive_interval())
    }

    fn set_keep_alive_interval(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive_interval(value))
    }

    fn get_keep_alive_count(&mut self, socket: Resource<TcpSocket>) -> Answered<u32> {
        self.option(&socket, |options| options.keep_alive_count())
    }

    fn set_keep_alive_count(&mut self, socket: Resource<TcpSocket>, value: u32) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive_count(value))
    }

    fn get_hop_limit(&mut self, socket: Resource<TcpSocket>) -> Answered<u8> {
        self.option(&socket, |options| options.hop_limit())
    }

    fn set_hop_limit(&mut self, socket: Resource<TcpSocket>, value: u8) -> Answered<()> {
        self.option(&socket, |options| options.set_hop_limit(value))
    }

    fn get_receive_buffer_size(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.receive_buffer())
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        self.option(&socket, |options| options.set_receive_buffer(value))
    }

    fn get_send_buffer_size(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.send_buffer())
    }

    fn set_send_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        self.option(&socket, |options| options.set_send_buffer(value))
    }

    fn drop(&mut self, socket: Resource<TcpSocket>) -> Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
