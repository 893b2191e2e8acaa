//! `lunatic::networking`: TCP, UDP and names, on our reactor. Sockets are shared by whoever has a
//! number for them: a clone, or one that came in a message.

mod bytes;
mod dns;
mod tcp;
mod udp;

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use wasmtime::{Linker, Result, bail, ensure};

pub(super) use tcp::{Listener, TcpConnection};
pub(super) use udp::UdpConnection;

use super::error::keep;
use super::guest::held;
use super::memory::array;
use super::{Call, FOREVER};
use crate::grant::Refusal;
use crate::guest::State;

const MODULE: &str = "lunatic::networking";
/// A port is given as 32 bits and has 16.
const PORT_MAX: u32 = u16::MAX as u32;

const OK: u32 = 0;
const ERROR: u32 = 1;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    dns::add(linker)?;
    tcp::add(linker)?;
    udp::add(linker)
}

/// An address as guests write it: the kind, 4 or 16 bytes in memory, and numbers.
#[derive(Clone, Copy)]
struct Address {
    kind: u32,
    at: u32,
    port: u32,
    flow: u32,
    scope: u32,
}

impl Address {
    fn read(self, call: &str, memory: &[u8]) -> Result<SocketAddr> {
        ensure!(self.port <= PORT_MAX, "`{call}`: {} is no port", self.port);
        let port = self.port as u16;
        Ok(match self.kind {
            4 => {
                let ip = Ipv4Addr::from(array::<4>(call, memory, self.at)?);
                SocketAddrV4::new(ip, port).into()
            }
            6 => {
                let ip = Ipv6Addr::from(array::<16>(call, memory, self.at)?);
                SocketAddrV6::new(ip, port, self.flow, self.scope).into()
            }
            kind => bail!("`{call}`: {kind} is no kind of address; 4 and 6 are"),
        })
    }
}

/// May the process listen there, or wait for datagrams?
fn may_listen(state: &State, at: SocketAddr) -> io::Result<()> {
    state.grants().may_listen(at).map_err(denied)
}

/// May it connect there, or send datagrams?
fn may_connect(state: &mut State, to: SocketAddr) -> Result<io::Result<()>> {
    let grants = state.grants().clone();
    let resolved = &held(state)?.resolved;
    Ok(grants.may_connect(to, resolved).map_err(denied))
}

fn denied(refusal: Refusal) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, refusal.to_string())
}

/// The time a guest allows for a call.
fn span(millis: u64) -> Option<Duration> {
    (millis != FOREVER).then(|| Duration::from_millis(millis))
}

/// What `work` gives, or `None` when it takes longer than `span`. It is asked once at least.
async fn within<T>(span: Option<Duration>, work: impl Future<Output = T> + Send) -> Option<T> {
    match span {
        Some(span) => rusm_sched::within(span, work).await,
        None => Some(work.await),
    }
}

/// 0 and what `place` makes of a success, or 1 and the number of the error.
fn answer<T>(
    state: &mut State,
    outcome: io::Result<T>,
    place: impl FnOnce(&mut State, T) -> Result<u64>,
) -> Result<(u32, u64)> {
    match outcome {
        Ok(value) => Ok((OK, place(state, value)?)),
        Err(error) => Ok((ERROR, keep(state, error)?)),
    }
}

/// Addresses wait in a table until the guest asks for them one by one.
fn keep_addresses(
    state: &mut State,
    addresses: impl IntoIterator<Item = SocketAddr>,
) -> Result<u64> {
    let addresses: VecDeque<_> = addresses.into_iter().collect();
    held(state)?.addresses.add("look-ups", addresses)
}

fn keep_address(state: &mut State, address: SocketAddr) -> Result<u64> {
    keep_addresses(state, [address])
}
