//! `wasi:sockets` 0.3 on the reactor: streams and futures of the component model over the sockets
//! of `net/`. One guest may wait for many things at a time, so what waits here shares its socket.

// The generated code exports the types of resources again, and must be able to.
#![allow(unreachable_pub)]

mod convert;
mod names;
mod tcp;
mod tcp_streams;
mod udp;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};

use crate::guest::State;
use crate::net::Net;
use bindings::wasi::sockets::{ip_name_lookup, types};
use convert::Failure;

/// What the standard declares, as traits to implement.
#[allow(missing_docs)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "src/wasi3/sockets/sockets.wit",
        world: "rusm:sockets3/sockets",
        imports: {
            "wasi:sockets/types.[method]tcp-socket.listen": store | trappable,
            "wasi:sockets/types.[method]tcp-socket.send": store | trappable,
            "wasi:sockets/types.[method]tcp-socket.receive": store | trappable,
            default: trappable,
        },
        trappable_error_type: {
            "wasi:sockets/types.error-code" => super::convert::Failure,
            "wasi:sockets/ip-name-lookup.error-code" => super::convert::NameFailure,
        },
        with: {
            "wasi:sockets/types.tcp-socket": super::tcp::TcpSocket,
            "wasi:sockets/types.udp-socket": super::udp::UdpSocket,
        },
    });
}

/// What sockets need of a guest's state.
pub struct SocketsView<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) net: &'a mut Net,
}

/// Names [`SocketsView`] for the linker.
pub struct Sockets;

impl HasData for Sockets {
    type Data<'a> = SocketsView<'a>;
}

/// A call's answer, where a failure is an error code or ends the guest.
type Answered<T> = std::result::Result<T, Failure>;

pub(super) fn add(
    linker: &mut Linker<State>,
    view: fn(&mut State) -> SocketsView<'_>,
) -> Result<()> {
    types::add_to_linker::<_, Sockets>(linker, view)?;
    ip_name_lookup::add_to_linker::<_, Sockets>(linker, view)
}
