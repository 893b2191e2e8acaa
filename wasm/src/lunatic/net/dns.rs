//! Names: what a look-up found, one address at a time.

use std::net::{IpAddr, SocketAddr};

use rusm_io::resolve;
use wasmtime::{Linker, Result};

use super::super::TIMED_OUT;
use super::super::guest::held;
use super::super::memory::{parts, put, put_u64, text};
use super::{Call, MODULE, answer, denied, keep_addresses, span, within};
use crate::guest::State;
use crate::link::{opaque, waits};

const RESOLVE: &str = "lunatic::networking::resolve";
const NEXT: &str = "lunatic::networking::resolve_next";
const DROP: &str = "lunatic::networking::drop_dns_iterator";

const V4: u32 = 4;
const V6: u32 = 6;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(
        linker,
        MODULE,
        "resolve",
        |mut caller: Call<'_>, (at, len, millis, id_at): (u32, u32, u64, u32)| {
            opaque(async move { look_up(&mut caller, at, len, millis, id_at).await })
        },
    )?;
    linker.func_wrap(MODULE, "drop_dns_iterator", drop_iterator)?;
    linker.func_wrap(MODULE, "resolve_next", next)?;
    Ok(())
}

async fn look_up(caller: &mut Call<'_>, at: u32, len: u32, millis: u64, id_at: u32) -> Result<u32> {
    let (memory, _) = parts(caller)?;
    let name = text(RESOLVE, memory, at, len)?.to_string();
    let allowed = match host(&name).parse::<IpAddr>() {
        // Digits are their own answer, and nobody is asked: who binds to an address begins so.
        Ok(_) => Ok(()),
        Err(_) => caller.data().grants().may_resolve(host(&name)),
    };
    let found = match allowed {
        Ok(()) => within(span(millis), resolve(&name)).await,
        Err(refusal) => Some(Err(denied(refusal))),
    };
    let (code, id) = match found {
        None => (TIMED_OUT, 0),
        Some(found) => answer(caller.data_mut(), found, |state, addresses| {
            let found = addresses.iter().map(SocketAddr::ip);
            held(state)?.resolved.note(host(&name), found);
            keep_addresses(state, addresses)
        })?,
    };
    put_u64(RESOLVE, parts(caller)?.0, id_at, id)?;
    Ok(code)
}

/// The name without its port.
fn host(name: &str) -> &str {
    let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

fn drop_iterator(mut caller: Call<'_>, id: u64) -> Result<()> {
    held(caller.data_mut())?.addresses.remove(DROP, id)?;
    Ok(())
}

/// 0 and the next address, or 1 when there is none left.
fn next(
    mut caller: Call<'_>,
    id: u64,
    kind_at: u32,
    ip_at: u32,
    port_at: u32,
    flow_at: u32,
    scope_at: u32,
) -> Result<u32> {
    let (memory, state) = parts(&mut caller)?;
    let Some(address) = held(state)?.addresses.get(NEXT, id)?.pop_front() else {
        return Ok(1);
    };
    put(NEXT, memory, port_at, &address.port().to_le_bytes())?;
    match address {
        SocketAddr::V4(address) => {
            put(NEXT, memory, kind_at, &V4.to_le_bytes())?;
            put(NEXT, memory, ip_at, &address.ip().octets())?;
        }
        SocketAddr::V6(address) => {
            put(NEXT, memory, kind_at, &V6.to_le_bytes())?;
            put(NEXT, memory, ip_at, &address.ip().octets())?;
            put(NEXT, memory, flow_at, &address.flowinfo().to_le_bytes())?;
            put(NEXT, memory, scope_at, &address.scope_id().to_le_bytes())?;
        }
    }
    Ok(0)
}
