//! `wasi:sockets/tcp`: each operation in two steps, of which the first one does the work that does
//! not wait and the second one tells how it ended.

use std::future::poll_fn;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::tcp::{Host, HostTcpSocket, ShutdownType};
use super::bindings::wasi::sockets::tcp_create_socket;
use super::tcp_streams::{Input, Output, Sides};
use super::{Answered, Network, SocketsView};
use crate::net::{NetError, Options, Tcp};

/// A TCP socket and what its guest has begun with it.
pub struct TcpSocket {
    tcp: Tcp,
    begun: Option<Begun>,
    /// Once it is connected.
    sides: Option<Arc<Sides>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    Bind,
    Connect,
    Listen,
}

type Streams = (Resource<DynInputStream>, Resource<DynOutputStream>);

impl TcpSocket {
    fn new(tcp: Tcp) -> Self {
        Self {
            tcp,
            begun: None,
            sides: None,
        }
    }

    fn may_begin(&self) -> Answered<()> {
        match self.begun {
            None => Ok(()),
            Some(_) => Err(ErrorCode::ConcurrencyConflict.into()),
        }
    }

    fn must_have_begun(&self, what: Begun) -> Answered<()> {
        if self.begun == Some(what) {
            return Ok(());
        }
        Err(ErrorCode::NotInProgress.into())
    }

    fn make_sides(&mut self) -> Arc<Sides> {
        let sides = Arc::new(Sides::new(self.tcp.handle().clone()));
        self.sides.insert(sides).clone()
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for TcpSocket {
    async fn ready(&mut self) {
        match self.begun {
            Some(Begun::Connect) => {
                let _ = poll_fn(|cx| self.tcp.poll_connected(cx)).await;
            }
            None if self.tcp.is_listening() => {
                poll_fn(|cx| self.tcp.handle().poll_readable(cx)).await;
            }
            _ => {}
        }
    }
}

impl SocketsView<'_> {
    fn tcp(&mut self, socket: &Resource<TcpSocket>) -> Answered<&mut TcpSocket> {
        Ok(self.table.get_mut(socket)?)
    }

    fn option<T>(
        &mut self,
        socket: &Resource<TcpSocket>,
        of: impl FnOnce(Options<'_>) -> std::result::Result<T, NetError>,
    ) -> Answered<T> {
        Ok(of(self.tcp(socket)?.tcp.options()?)?)
    }

    fn push_streams(&mut self, sides: &Arc<Sides>, of: &Resource<TcpSocket>) -> Answered<Streams> {
        let input: DynInputStream = Box::new(Input::new(sides.clone()));
        let output: DynOutputStream = Box::new(Output::new(sides.clone()));
        let input = self.table.push_child(input, of)?;
        Ok((input, self.table.push_child(output, of)?))
    }
}

impl Host for SocketsView<'_> {}

impl tcp_create_socket::Host for SocketsView<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> Answered<Resource<TcpSocket>> {
        let tcp = Tcp::new(self.net, family.into())?;
        Ok(self.table.push(TcpSocket::new(tcp))?)
    }
}

impl HostTcpSocket for SocketsView<'_> {
    fn start_bind(
        &mut self,
        socket: Resource<TcpSocket>,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> Answered<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&socket)?;
        socket.may_begin()?;
        socket.tcp.bind(self.net, local_address.into())?;
        socket.begun = Some(Begun::Bind);
        Ok(())
    }

    fn finish_bind(&mut self, socket: Resource<TcpSocket>) -> Answered<()> {
        let socket = self.tcp(&socket)?;
        socket.must_have_begun(Begun::Bind)?;
        socket.begun = None;
        Ok(())
    }

    fn start_connect(
        &mut self,
        socket: Resource<TcpSocket>,
        network: Resource<Network>,
        remote_address: IpSocketAddress,
    ) -> Answered<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&socket)?;
        socket.may_begin()?;
        socket.tcp.connect(self.net, remote_address.into())?;
        socket.begun = Some(Begun::Connect);
        Ok(())
    }

    fn finish_connect(&mut self, socket: Resource<TcpSocket>) -> Answered<Streams> {
        let connecting = self.tcp(&socket)?;
        connecting.must_have_begun(Begun::Connect)?;
        let mut look = Context::from_waker(Waker::noop());
        let Poll::Ready(connected) = connecting.tcp.poll_connected(&mut look) else {
            return Err(ErrorCode::WouldBlock.into());
        };
        connecting.begun = None;
        connected?;
        let sides = connecting.make_sides();
        self.push_streams(&sides, &socket)
    }

    fn start_listen(&mut self, socket: Resource<TcpSocket>) -> Answered<()> {
        let socket = self.table.get_mut(&socket)?;
        socket.may_begin()?;
        if !socket.tcp.is_bound() {
            return Err(ErrorCode::InvalidState.into());
        }
        socket.tcp.listen(self.net)?;
        socket.begun = Some(Begun::Listen);
        Ok(())
    }

    fn finish_listen(&mut self, socket: Resource<TcpSocket>) -> Answered<()> {
        let socket = self.tcp(&socket)?;
        socket.must_have_begun(Begun::Listen)?;
        socket.begun = None;
        Ok(())
    }

    fn accept(
        &mut self,
        socket: Resource<TcpSocket>,
    ) -> Answered<(
        Resource<TcpSocket>,
        Resource<DynInputStream>,
        Resource<DynOutputStream>,
    )> {
        let listener = self.table.get(&socket)?;
        if listener.begun.is_some() {
            return Err(ErrorCode::InvalidState.into());
        }
        let Some(tcp) = listener.tcp.accept(self.net)? else {
            return Err(ErrorCode::WouldBlock.into());
        };
        let mut accepted = TcpSocket::new(tcp);
        let sides = accepted.make_sides();
        let accepted = self.table.push(accepted)?;
        let (input, output) = self.push_streams(&sides, &accepted)?;
        Ok((accepted, input, output))
    }

    fn local_address(&mut self, socket: Resource<TcpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.tcp(&socket)?.tcp.local_address()?.into())
    }

    fn remote_address(&mut self, socket: Resource<TcpSocket>) -> Answered<IpSocketAddress> {
        Ok(self.tcp(&socket)?.tcp.remote_address()?.into())
    }

    fn is_listening(&mut self, socket: Resource<TcpSocket>) -> Result<bool> {
        let socket = self.table.get(&socket)?;
        Ok(socket.tcp.is_listening() && socket.begun.is_none())
    }

    fn address_family(&mut self, socket: Resource<TcpSocket>) -> Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.tcp.family().into())
    }

    fn set_listen_backlog_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        Ok(self.tcp(&socket)?.tcp.set_backlog(value)?)
    }

    fn keep_alive_enabled(&mut self, socket: Resource<TcpSocket>) -> Answered<bool> {
        self.option(&socket, |options| options.keep_alive())
    }

    fn set_keep_alive_enabled(&mut self, socket: Resource<TcpSocket>, value: bool) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive(value))
    }

    fn keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.keep_alive_idle())
    }

    fn set_keep_alive_idle_time(
        &mut self,
        socket: Resource<TcpSocket>,
        value: u64,
    ) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive_idle(value))
    }

    fn keep_alive_interval(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.keep_alive_interval())
    }

    fn set_keep_alive_interval(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive_interval(value))
    }

    fn keep_alive_count(&mut self, socket: Resource<TcpSocket>) -> Answered<u32> {
        self.option(&socket, |options| options.keep_alive_count())
    }

    fn set_keep_alive_count(&mut self, socket: Resource<TcpSocket>, value: u32) -> Answered<()> {
        self.option(&socket, |options| options.set_keep_alive_count(value))
    }

    fn hop_limit(&mut self, socket: Resource<TcpSocket>) -> Answered<u8> {
        self.option(&socket, |options| options.hop_limit())
    }

    fn set_hop_limit(&mut self, socket: Resource<TcpSocket>, value: u8) -> Answered<()> {
        self.option(&socket, |options| options.set_hop_limit(value))
    }

    fn receive_buffer_size(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.receive_buffer())
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        self.option(&socket, |options| options.set_receive_buffer(value))
    }

    fn send_buffer_size(&mut self, socket: Resource<TcpSocket>) -> Answered<u64> {
        self.option(&socket, |options| options.send_buffer())
    }

    fn set_send_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> Answered<()> {
        self.option(&socket, |options| options.set_send_buffer(value))
    }

    fn subscribe(&mut self, socket: Resource<TcpSocket>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, socket)
    }

    fn shutdown(&mut self, socket: Resource<TcpSocket>, how: ShutdownType) -> Answered<()> {
        let socket = self.tcp(&socket)?;
        socket.tcp.must_be_connected()?;
        let Some(sides) = &socket.sides else {
            return Err(ErrorCode::InvalidState.into());
        };
        sides.shutdown(match how {
            ShutdownType::Receive => Shutdown::Read,
            ShutdownType::Send => Shutdown::Write,
            ShutdownType::Both => Shutdown::Both,
        });
        Ok(())
    }

    fn drop(&mut self, socket: Resource<TcpSocket>) -> Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
