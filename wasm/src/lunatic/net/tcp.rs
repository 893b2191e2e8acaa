//! TCP: listeners and connections, but for what goes over them (`bytes.rs`).

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusm_io::{TcpListener, TcpStream, TcpWriteHalf};
use wasmtime::{Linker, Result};

use super::super::guest::held;
use super::super::lock::Lock;
use super::super::memory::{parts, put_u64};
use super::super::{FOREVER, TIMED_OUT};
use super::bytes::{self, Reader};
use super::{Address, Call, MODULE, answer, keep_address, may_connect, may_listen, span, within};
use crate::guest::State;
use crate::link::{opaque, waits};

const BIND: &str = "lunatic::networking::tcp_bind";
const ACCEPT: &str = "lunatic::networking::tcp_accept";
const CONNECT: &str = "lunatic::networking::tcp_connect";
const LOCAL: &str = "lunatic::networking::tcp_local_addr";
const PEER: &str = "lunatic::networking::tcp_peer_addr";
const CLONE: &str = "lunatic::networking::clone_tcp_stream";

/// A port that takes connections.
pub(in super::super) struct Listener {
    listener: Lock<TcpListener>,
    at: std::result::Result<SocketAddr, String>,
}

/// A connection. Reading and writing do not wait for each other; two readers do.
pub(in super::super) struct TcpConnection {
    pub(super) reader: Lock<Reader>,
    pub(super) writer: Lock<TcpWriteHalf>,
    peer: std::result::Result<SocketAddr, String>,
    times: Mutex<Times>,
}

/// How long a call waits at most; `None` is for ever.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) read: Option<Duration>,
    pub(super) write: Option<Duration>,
    pub(super) peek: Option<Duration>,
}

impl TcpConnection {
    fn new(stream: TcpStream) -> Arc<Self> {
        let peer = stream.peer_addr().map_err(|error| error.to_string());
        let (read, write) = stream.into_split();
        Arc::new(Self {
            reader: Lock::new(Reader::new(read)),
            writer: Lock::new(write),
            peer,
            times: Mutex::default(),
        })
    }

    pub(super) fn times<T>(&self, f: impl FnOnce(&mut Times) -> T) -> T {
        f(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The connection with this number, for a call that waits.
pub(super) fn connection(state: &mut State, call: &str, id: u64) -> Result<Arc<TcpConnection>> {
    Ok(held(state)?.streams.get(call, id)?.clone())
}

/// A getter and a setter for one of the times.
macro_rules! time {
    ($linker:ident, $get:literal, $set:literal, $field:ident) => {
        $linker.func_wrap(MODULE, $get, |mut caller: Call<'_>, id: u64| {
            let call = concat!("lunatic::networking::", $get);
            let connection = connection(caller.data_mut(), call, id)?;
            let time = connection.times(|times| times.$field);
            Ok(time.map_or(FOREVER, |time| time.as_millis() as u64))
        })?;
        $linker.func_wrap(
            MODULE,
            $set,
            |mut caller: Call<'_>, id: u64, millis: u64| {
                let call = concat!("lunatic::networking::", $set);
                let connection = connection(caller.data_mut(), call, id)?;
                connection.times(|times| times.$field = span(millis));
                Ok(())
            },
        )?;
    };
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "tcp_bind", bind)?;
    linker.func_wrap(MODULE, "drop_tcp_listener", drop_listener)?;
    linker.func_wrap(MODULE, "tcp_local_addr", local_addr)?;
    waits(
        linker,
        MODULE,
        "tcp_accept",
        |mut caller: Call<'_>, (id, id_at, peer_at): (u64, u32, u32)| {
            opaque(async move { accept(&mut caller, id, id_at, peer_at).await })
        },
    )?;
    waits(
linker,
        MODULE,
        "tcp_connect",
        |mut caller: Call<'_>,
         (kind, at, port, flow, scope, millis, id_at): (u32, u32, u32, u32, u32, u64, u32)| {
            let to = Address {
                kind,
                at,
                port,
                flow,
                scope,
            };
            opaque(async move { connect(&mut caller, to, millis, id_at).await })
        },
    )?;
    linker.func_wrap(MODULE, "tcp_peer_addr", peer_addr)?;
    linker.func_wrap(MODULE, "drop_tcp_stream", drop_stream)?;
    linker.func_wrap(MODULE, "clone_tcp_stream", clone_stream)?;
    time!(linker, "get_read_timeout", "set_read_timeout", read);
    time!(linker, "get_write_timeout", "set_write_timeout", write);
    time!(linker, "get_peek_timeout", "set_peek_timeout", peek);
    bytes::add(linker)
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
    let bound = may_listen(state, at).and_then(|()| TcpListener::bind(at));
    let (code, id) = answer(state, bound, |state, listener| {
        let listener = Listener {
            at: listener.local_addr().map_err(|error| error.to_string()),
            listener: Lock::new(listener),
        };
        held(state)?.listeners.add("listeners", Arc::new(listener))
    })?;
    put_u64(BIND, parts(&mut caller)?.0, id_at, id)?;
    Ok(code)
}

fn drop_listener(mut caller: Call<'_>, id: u64) -> Result<()> {
    let call = "lunatic::networking::drop_tcp_listener";
    held(caller.data_mut())?.listeners.remove(call, id)?;
    Ok(())
}

fn local_addr(mut caller: Call<'_>, id: u64, id_at: u32) -> Result<u32> {
    let at = held(caller.data_mut())?
        .listeners
        .get(LOCAL, id)?
        .at
        .clone();
    tell(LOCAL, &mut caller, at, id_at)
}

/// 0 and the number of a look-up that yields `address`, or 1 and that of an error.
fn tell(
    call: &str,
    caller: &mut Call<'_>,
    address: std::result::Result<SocketAddr, String>,
    id_at: u32,
) -> Result<u32> {
    let address = address.map_err(io::Error::other);
    let (code, id) = answer(caller.data_mut(), address, keep_address)?;
    put_u64(call, parts(caller)?.0, id_at, id)?;
    Ok(code)
}

async fn accept(caller: &mut Call<'_>, id: u64, id_at: u32, peer_at: u32) -> Result<u32> {
    let found = held(caller.data_mut())?.listeners.get(ACCEPT, id)?;
    let listener = found.clone();
    let accepted = listener.listener.lock().await.accept().await;
    let state = caller.data_mut();
    let mut peer_id = 0;
    let (code, id) = answer(state, accepted, |state, (stream, peer)| {
        peer_id = keep_address(state, peer)?;
        let connection = TcpConnection::new(stream);
        held(state)?.streams.add("streams", connection)
    })?;
    let memory = parts(caller)?.0;
    put_u64(ACCEPT, memory, id_at, id)?;
    put_u64(ACCEPT, memory, peer_at, peer_id)?;
    Ok(code)
}

async fn connect(caller: &mut Call<'_>, to: Address, millis: u64, id_at: u32) -> Result<u32> {
    let (memory, state) = parts(caller)?;
    let to = to.read(CONNECT, memory)?;
    let connected = match may_connect(state, to)? {
        Ok(()) => within(span(millis), TcpStream::connect(to)).await,
        Err(denied) => Some(Err(denied)),
    };
    let Some(connected) = connected else {
        return Ok(TIMED_OUT);
    };
    let (code, id) = answer(caller.data_mut(), connected, |state, stream| {
        let connection = TcpConnection::new(stream);
        held(state)?.streams.add("streams", connection)
    })?;
    put_u64(CONNECT, parts(caller)?.0, id_at, id)?;
    Ok(code)
}

fn peer_addr(mut caller: Call<'_>, id: u64, id_at: u32) -> Result<u32> {
    let peer = connection(caller.data_mut(), PEER, id)?.peer.clone();
    tell(PEER, &mut caller, peer, id_at)
}

fn drop_stream(mut caller: Call<'_>, id: u64) -> Result<()> {
    let call = "lunatic::networking::drop_tcp_stream";
    held(caller.data_mut())?.streams.remove(call, id)?;
    Ok(())
}

fn clone_stream(mut caller: Call<'_>, id: u64) -> Result<u64> {
    let state = caller.data_mut();
    let connection = connection(state, CLONE, id)?;
    held(state)?.streams.add("streams", connection)
}
