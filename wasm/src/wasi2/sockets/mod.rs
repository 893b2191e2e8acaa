//! `wasi:sockets` 0.2 on the reactor: the standard's two-step calls (start, wait for a pollable,
//! finish) over the sockets of `net/`. Nothing here waits but pollables.

// The generated code exports the types of resources again, and must be able to.
#![allow(unreachable_pub)]

mod convert;
mod names;
mod tcp;
mod tcp_streams;
mod udp;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::guest::State;
use crate::net::Net;
use bindings::wasi::sockets;
use bindings::wasi::sockets::network::{self, ErrorCode};
use convert::{Failure, code_of};

/// What the standard declares, as traits to implement.
#[allow(missing_docs)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "src/wasi2/sockets/sockets.wit",
        world: "rusm:sockets/sockets",
        imports: { default: trappable },
        require_store_data_send: true,
        trappable_error_type: {
            "wasi:sockets/network.error-code" => super::convert::Failure,
        },
        with: {
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasi:sockets/network.network": super::Network,
            "wasi:sockets/ip-name-lookup.resolve-address-stream": super::names::Answer,
            "wasi:sockets/tcp.tcp-socket": super::tcp::TcpSocket,
            "wasi:sockets/udp.udp-socket": super::udp::UdpSocket,
            "wasi:sockets/udp.incoming-datagram-stream": super::udp::Incoming,
            "wasi:sockets/udp.outgoing-datagram-stream": super::udp::Outgoing,
        },
    });
}

/// The standard's handle to the network. Holding it means nothing here: what a process may do was
/// granted to the process.
pub struct Network;

/// What sockets need of a guest's state.
pub(super) struct SocketsView<'a> {
    pub(super) table: &'a mut ResourceTable,
    pub(super) net: &'a mut Net,
}

/// Names [`SocketsView`] for the linker.
struct Sockets;

impl HasData for Sockets {
    type Data<'a> = SocketsView<'a>;
}

/// A call's answer, where a failure is an error code or ends the guest.
type Answered<T> = std::result::Result<T, Failure>;

pub(super) fn add(
    linker: &mut Linker<State>,
    view: fn(&mut State) -> SocketsView<'_>,
) -> Result<()> {
    network::add_to_linker::<_, Sockets>(linker, view)?;
    sockets::instance_network::add_to_linker::<_, Sockets>(linker, view)?;
    sockets::ip_name_lookup::add_to_linker::<_, Sockets>(linker, view)?;
    sockets::tcp::add_to_linker::<_, Sockets>(linker, view)?;
    sockets::tcp_create_socket::add_to_linker::<_, Sockets>(linker, view)?;
    sockets::udp::add_to_linker::<_, Sockets>(linker, view)?;
    sockets::udp_create_socket::add_to_linker::<_, Sockets>(linker, view)?;
    Ok(())
}

impl network::Host for SocketsView<'_> {
    fn convert_error_code(&mut self, failure: Failure) -> Result<ErrorCode> {
        match failure {
            Failure::Code(code) => Ok(code),
            Failure::Trap(error) => Err(error),
        }
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> Result<Option<ErrorCode>> {
        Ok(code_of(self.table.get(&error)?))
    }
}

impl network::HostNetwork for SocketsView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl sockets::instance_network::Host for SocketsView<'_> {
    fn instance_network(&mut self) -> Result<Resource<Network>> {
        Ok(self.table.push(Network)?)
    }
}
