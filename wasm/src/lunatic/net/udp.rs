//! UDP: sockets that send and receive at the same time.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket as Plain};
use std::sync::Arc;

use rusm_io::Polled;
use wasmtime::{Linker, Result, format_err};

use super::super::error::keep;
use super::super::guest::held;
use super::super::lock::Lock;
use super::super::memory::{bytes, bytes_mut, parts, put_u64};
use super::bytes::count;
use super::{Address, Call, ERROR, MODULE, OK, answer, keep_address, may_connect, may_listen};
use crate::guest::State;
use crate::link::{opaque, waits};

const BIND: &str = "lunatic::networking::udp_bind";
const CONNECT: &str = "lunatic::networking::udp_connect";
const RECEIVE: &str = "lunatic::networking::udp_receive";
const RECEIVE_FROM: &str = "lunatic::networking::udp_receive_from";
const SEND: &str = "lunatic::networking::udp_send";
const SEND_TO: &str = "lunatic::networking::udp_send_to";
const LOCAL: &str = "lunatic::networking::udp_local_addr";
const PEER: &str = "lunatic::networking::udp_peer_addr";

/// What `udp_peer_addr` answers to another error than that there is no peer.
const OTHER_ERROR: u32 = 2;

/// A port. Sending and receiving do not wait for each other; two receivers do.
pub(in super::super) struct UdpConnection {
    socket: Polled<Plain>,
    receiving: Lock<()>,
    sending: Lock<()>,
}

impl UdpConnection {
    fn bind(at: SocketAddr) -> io::Result<Self> {
        let socket = Plain::bind(at)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: Polled::new(socket)?,
            receiving: Lock::new(()),
            sending: Lock::new(()),
        })
    }

    async fn receive<T>(&self, mut attempt: impl FnMut(&Plain) -> io::Result<T>) -> io::Result<T> {
        let _turn = self.receiving.lock().await;
        loop {
            match self.socket.attempt(&mut attempt) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.socket.readable().await,
                done => return done,
            }
        }
    }

    async fn send<T>(&self, mut attempt: impl FnMut(&Plain) -> io::Result<T>) -> io::Result<T> {
        let _turn = self.sending.lock().await;
        loop {
            match self.socket.attempt(&mut attempt) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.socket.writable().await,
                done => return done,
            }
        }
    }

    fn get(&self) -> &Plain {
        self.socket.get()
    }
}

fn socket(state: &mut State, call: &str, id: u64) -> Result<Arc<UdpConnection>> {
    Ok(held(state)?.udp.get(call, id)?.clone())
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "udp_bind", bind)?;
    linker.func_wrap(MODULE, "drop_udp_socket", drop_socket)?;
    linker.func_wrap(MODULE, "clone_udp_socket", clone_socket)?;
    linker.func_wrap(MODULE, "udp_connect", connect)?;
    linker.func_wrap(MODULE, "udp_local_addr", local_addr)?;
    linker.func_wrap(MODULE, "udp_peer_addr", peer_addr)?;
    waits(
        linker,
        MODULE,
        "udp_receive",
        |mut caller: Call<'_>, (id, at, len, out): (u64, u32, u32, u32)| {
            opaque(async move { receive(&mut caller, id, (at, len), out).await })
        },
    )?;
    waits(
        linker,
        MODULE,
        "udp_receive_from",
        |mut caller: Call<'_>, (id, at, len, out, from): (u64, u32, u32, u32, u32)| {
            opaque(async move { receive_from(&mut caller, id, (at, len), out, from).await })
        },
    )?;
    waits(
        linker,
        MODULE,
        "udp_send",
        |mut caller: Call<'_>, (id, at, len, out): (u64, u32, u32, u32)| {
            opaque(async move { send(&mut caller, id, (at, len), None, out).await })
        },
    )?;
    waits(
        linker,
        MODULE,
        "udp_send_to",
        |mut caller: Call<'_>,
         (id, at, len, kind, ip, port, flow, scope, out): (
            u64,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
            u32,
        )| {
            let to = Address {
                kind,
                at: ip,
                port,
                flow,
                scope,
            };
            opaque(async move { send(&mut caller, id, (at, len), Some(to), out).await })
        },
    )?;
    settings(linker)
}

fn settings(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "set_udp_socket_broadcast",
        |mut caller: Call<'_>, id: u64, on: u32| {
            set(&mut caller, "set_udp_socket_broadcast", id, |socket| {
                socket.set_broadcast(on != 0)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "get_udp_socket_broadcast",
        |mut caller: Call<'_>, id: u64| {
            set(&mut caller, "get_udp_socket_broadcast", id, |socket| {
                socket.broadcast().map(u32::from)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "set_udp_socket_ttl",
        |mut caller: Call<'_>, id: u64, hops: u32| {
            set(&mut caller, "set_udp_socket_ttl", id, |socket| {
                socket.set_ttl(hops)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "get_udp_socket_ttl",
        |mut caller: Call<'_>, id: u64| set(&mut caller, "get_udp_socket_ttl", id, Plain::ttl),
    )?;
    Ok(())
}

/// Reads or writes a setting; what the system refuses ends the guest, as with Lunatic.
fn set<T>(
    caller: &mut Call<'_>,
    function: &str,
    id: u64,
    f: impl FnOnce(&Plain) -> io::Result<T>,
) -> Result<T> {
    let call = format!("{MODULE}::{function}");
    let socket = socket(caller.data_mut(), &call, id)?;
    f(socket.get()).map_err(|error| format_err!("`{call}`: {error}"))
}

fn bind(
    mut caller: Call<'_>,
    kind: u32,
    at: u32,
    port: u32,
    flow: u32,
    scope: u32,
    id_at: u32,
) -> Result<u32> {
    let at = Address {
        kind,
        at,
        port,
        flow,
        scope,
    };
    let (memory, state) = parts(&mut caller)?;
    let at = at.read(BIND, memory)?;
    let bound = may_listen(state, at).and_then(|()| UdpConnection::bind(at));
    let (code, id) = answer(state, bound, |state, socket| {
        held(state)?.udp.add("sockets", Arc::new(socket))
    })?;
    put_u64(BIND, parts(&mut caller)?.0, id_at, id)?;
    Ok(code)
}

fn drop_socket(mut caller: Call<'_>, id: u64) -> Result<()> {
    let call = "lunatic::networking::drop_udp_socket";
    held(caller.data_mut())?.udp.remove(call, id)?;
    Ok(())
}

fn clone_socket(mut caller: Call<'_>, id: u64) -> Result<u64> {
    let state = caller.data_mut();
    let socket = socket(state, "lunatic::networking::clone_udp_socket", id)?;
    held(state)?.udp.add("sockets", socket)
}

/// Sets the peer, which takes no time: the time a guest allows for it is not looked at.
#[expect(clippy::too_many_arguments, reason = "the guest's side decides")]
fn connect(
    mut caller: Call<'_>,
    id: u64,
    kind: u32,
    at: u32,
    port: u32,
    flow: u32,
    scope: u32,
    _millis: u64,
    id_at: u32,
) -> Result<u32> {
    let to = Address {
        kind,
        at,
        port,
        flow,
        scope,
    };
    let (memory, state) = parts(&mut caller)?;
    let to = to.read(CONNECT, memory)?;
    let socket = socket(state, CONNECT, id)?;
    let allowed = may_connect(state, to)?;
    let connected = allowed.and_then(|()| socket.get().connect(to));
    let (code, id) = answer(state, connected, |_, ()| Ok(0))?;
    put_u64(CONNECT, parts(&mut caller)?.0, id_at, id)?;
    Ok(code)
}

fn local_addr(mut caller: Call<'_>, id: u64, id_at: u32) -> Result<u32> {
    let state = caller.data_mut();
    let at = socket(state, LOCAL, id)?.get().local_addr();
    let (code, id) = answer(state, at, keep_address)?;
    put_u64(LOCAL, parts(&mut caller)?.0, id_at, id)?;
    Ok(code)
}

fn peer_addr(mut caller: Call<'_>, id: u64, id_at: u32) -> Result<u32> {
    let state = caller.data_mut();
    let (code, id) = match socket(state, PEER, id)?.get().peer_addr() {
        Ok(peer) => (OK, keep_address(state, peer)?),
        Err(error) => {
            let none = error.kind() == ErrorKind::NotConnected;
            let code = if none { ERROR } else { OTHER_ERROR };
            (code, keep(state, error)?)
        }
    };
    put_u64(PEER, parts(&mut caller)?.0, id_at, id)?;
    Ok(code)
}

async fn receive(caller: &mut Call<'_>, id: u64, into: (u32, u32), out: u32) -> Result<u32> {
    let socket = socket(caller.data_mut(), RECEIVE, id)?;
    let into = bytes_mut(RECEIVE, parts(caller)?.0, into.0, into.1)?;
    let done = socket.receive(|socket| socket.recv(into)).await;
    count(RECEIVE, caller, Some(done), out)
}

async fn receive_from(
    caller: &mut Call<'_>,
    id: u64,
    into: (u32, u32),
    out: u32,
    from_at: u32,
) -> Result<u32> {
    let socket = socket(caller.data_mut(), RECEIVE_FROM, id)?;
    let into = bytes_mut(RECEIVE_FROM, parts(caller)?.0, into.0, into.1)?;
    let done = socket.receive(|socket| socket.recv_from(into)).await;
    let mut sender: Option<SocketAddr> = None;
    let done = done.map(|(count, from)| {
        sender = Some(from);
        count
    });
    let code = count(RECEIVE_FROM, caller, Some(done), out)?;
    if let Some(sender) = sender {
        let id = keep_address(caller.data_mut(), sender)?;
        put_u64(RECEIVE_FROM, parts(caller)?.0, from_at, id)?;
    }
    Ok(code)
}

/// To the peer, or to `to`.
async fn send(
    caller: &mut Call<'_>,
    id: u64,
    from: (u32, u32),
    to: Option<Address>,
    out: u32,
) -> Result<u32> {
    let call = if to.is_some() { SEND_TO } else { SEND };
    let socket = socket(caller.data_mut(), call, id)?;
    let (memory, state) = parts(caller)?;
    let datagram = bytes(call, memory, from.0, from.1)?;
    let done = match to {
        None => socket.send(|socket| socket.send(datagram)).await,
        Some(to) => {
            let to = to.read(call, memory)?;
            match may_connect(state, to)? {
                Ok(()) => socket.send(|socket| socket.send_to(datagram, to)).await,
                Err(denied) => Err(denied),
            }
        }
    };
    count(call, caller, Some(done), out)
}
