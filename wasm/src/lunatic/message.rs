//! `lunatic::message`: the one message a process works on, from its first byte to its sending,
//! and from its receipt to its last resource.

use std::any::Any;
use std::sync::Arc;

use wasmtime::{Linker, Result, bail, ensure, format_err};

use super::code::Code;
use super::guest::{Guest, guest, held};
use super::held::{Held, Table};
use super::letter::{Data, MESSAGE_BYTES_MAX, RESOURCES_MAX, Resource, Scratch};
use super::memory::{bytes, bytes_mut, parts};
use super::net::{TcpConnection, UdpConnection};
use super::{Call, receive};
use crate::guest::State;

const MODULE: &str = "lunatic::message";
const WRITE: &str = "lunatic::message::write_data";
const READ: &str = "lunatic::message::read_data";
const SEND: &str = "lunatic::message::send";
/// Bytes copied for one reduction.
const BYTES_PER_REDUCTION: usize = 1024;

/// `push_x` and `take_x` for a resource that moves with its message.
macro_rules! moves {
    ($linker:ident, $push:literal, $take:literal, $table:ident: $ty:ty, $what:literal) => {
        $linker.func_wrap(MODULE, $push, |mut caller: Call<'_>, id: u64| {
            let call = concat!("lunatic::message::", $push);
            let moved = |held: &mut Held| held.$table.remove(call, id);
            push(call, caller.data_mut(), |held| Ok(moved(held)? as Resource))
        })?;
        $linker.func_wrap(MODULE, $take, |mut caller: Call<'_>, index: u64| {
            let call = concat!("lunatic::message::", $take);
            take::<$ty, _>(call, caller.data_mut(), index, $what, |held| {
                &mut held.$table
            })
        })?;
    };
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "create_data", create_data)?;
    linker.func_wrap(MODULE, "write_data", write_data)?;
    linker.func_wrap(MODULE, "read_data", read_data)?;
    linker.func_wrap(MODULE, "seek_data", seek_data)?;
    linker.func_wrap(MODULE, "get_tag", get_tag)?;
    linker.func_wrap(MODULE, "get_process_id", get_process_id)?;
    linker.func_wrap(MODULE, "data_size", data_size)?;
    linker.func_wrap(MODULE, "push_module", push_module)?;
    linker.func_wrap(MODULE, "take_module", take_module)?;
    moves!(linker, "push_tcp_stream", "take_tcp_stream", streams: TcpConnection, "streams");
    moves!(linker, "push_udp_socket", "take_udp_socket", udp: UdpConnection, "sockets");
    linker.func_wrap(MODULE, "send", send)?;
    receive::add(linker)
}

/// The message at work; there is none at the start, and after it was sent.
fn scratch<'a>(call: &str, guest: &'a mut Guest) -> Result<&'a mut Scratch> {
    let scratch = guest.scratch.as_mut();
    scratch.ok_or_else(|| format_err!("`{call}`: there is no message; create or receive one first"))
}

/// The bytes at work, and where reading goes on.
fn data<'a>(call: &str, guest: &'a mut Guest) -> Result<(&'a mut Data, &'a mut usize)> {
    match scratch(call, guest)? {
        Scratch::Data { data, read } => Ok((data, read)),
        Scratch::LinkDied(_) | Scratch::ProcessDied(_) => {
            bail!("`{call}`: the message tells of a death, it has no data")
        }
    }
}

/// The message to be sent.
pub(super) fn take_data(call: &str, state: &mut State) -> Result<Data> {
    let guest = guest(state)?;
    data(call, guest)?;
    match guest.scratch.take() {
        Some(Scratch::Data { data, .. }) => Ok(data),
        _ => bail!("`{call}`: there is no message"),
    }
}

fn create_data(mut caller: Call<'_>, tag: i64, capacity: u64) -> Result<()> {
    guest(caller.data_mut())?.scratch = Some(Scratch::data(Data::new(tag, capacity)));
    Ok(())
}

fn write_data(mut caller: Call<'_>, at: u32, len: u32) -> Result<u32> {
    spend(len);
    let (memory, state) = parts(&mut caller)?;
    let (data, _) = data(WRITE, guest(state)?)?;
    let written = bytes(WRITE, memory, at, len)?;
    ensure!(
        written.len() <= MESSAGE_BYTES_MAX.saturating_sub(data.bytes.len()),
        "`{WRITE}`: a message has at most {MESSAGE_BYTES_MAX} bytes"
    );
    data.bytes.extend_from_slice(written);
    Ok(len)
}

fn read_data(mut caller: Call<'_>, at: u32, len: u32) -> Result<u32> {
    spend(len);
    let (memory, state) = parts(&mut caller)?;
    let (data, read) = data(READ, guest(state)?)?;
    let into = bytes_mut(READ, memory, at, len)?;
    let Some(rest) = data.bytes.get(*read..) else {
        bail!("`{READ}`: reading begins behind the end of the message");
    };
    let count = rest.len().min(into.len());
    into[..count].copy_from_slice(&rest[..count]);
    *read += count;
    // No more than `len`.
    Ok(count as u32)
}

fn spend(len: u32) {
    rusm_sched::spend(1 + len / BYTES_PER_REDUCTION as u32);
}

fn seek_data(mut caller: Call<'_>, index: u64) -> Result<()> {
    let (_, read) = data("lunatic::message::seek_data", guest(caller.data_mut())?)?;
    *read = usize::try_from(index).unwrap_or(usize::MAX);
    Ok(())
}

fn get_tag(mut caller: Call<'_>) -> Result<i64> {
    let guest = guest(caller.data_mut())?;
    Ok(scratch("lunatic::message::get_tag", guest)?.tag())
}

/// The process whose death the message tells of; 0 if it does not.
fn get_process_id(mut caller: Call<'_>) -> Result<u64> {
    let guest = guest(caller.data_mut())?;
    match scratch("lunatic::message::get_process_id", guest)? {
        Scratch::ProcessDied(id) => Ok(*id),
        Scratch::Data { .. } | Scratch::LinkDied(_) => Ok(0),
    }
}

fn data_size(mut caller: Call<'_>) -> Result<u64> {
    let guest = guest(caller.data_mut())?;
    let (data, _) = data("lunatic::message::data_size", guest)?;
    Ok(data.bytes.len() as u64)
}

/// Never waits. To nobody and to the dead it sends nothing.
fn send(mut caller: Call<'_>, to: u64) -> Result<u32> {
    rusm_sched::spend(1);
    let state = caller.data_mut();
    let data = take_data(SEND, state)?;
    guest(state)?.environment.post(to, data);
    Ok(0)
}

/// Puts what `resource` takes out of the tables into the message; its index there.
fn push(
    call: &str,
    state: &mut State,
    resource: impl FnOnce(&mut Held) -> Result<Resource>,
) -> Result<u64> {
    let guest = guest(state)?;
    let (message, _) = data(call, guest)?;
    let index = message.resources.len();
    ensure!(
        index < RESOURCES_MAX,
        "`{call}`: a message carries at most {RESOURCES_MAX} modules and sockets"
    );
    let resource = resource(guest.held())?;
    let (message, _) = data(call, guest)?;
    message.resources.push(Some(resource));
    Ok(index as u64)
}

/// Moves the resource at `index` into the process's own table; its number there.
fn take<T: Any + Send + Sync, const MAX: usize>(
    call: &str,
    state: &mut State,
    index: u64,
    what: &str,
    table: impl FnOnce(&mut Held) -> &mut Table<Arc<T>, MAX>,
) -> Result<u64> {
    let resource = taken::<T>(call, state, index)?;
    table(held(state)?).add(what, resource)
}

/// A resource that is something else stays where it is.
fn taken<T: Any + Send + Sync>(call: &str, state: &mut State, index: u64) -> Result<Arc<T>> {
    let (data, _) = data(call, guest(state)?)?;
    let place = usize::try_from(index)
        .ok()
        .and_then(|index| data.resources.get_mut(index));
    let resource = place.and_then(|place| match place.take()?.downcast() {
        Ok(resource) => Some(resource),
        Err(other) => {
            *place = Some(other);
            None
        }
    });
    resource.ok_or_else(|| format_err!("`{call}`: the message has nothing such at {index}"))
}

/// A module stays with its owner as well.
fn push_module(mut caller: Call<'_>, id: u64) -> Result<u64> {
    let call = "lunatic::message::push_module";
    push(call, caller.data_mut(), |held| {
        let module = held.modules.get(call, id)?.clone();
        Ok(Arc::new(module) as Resource)
    })
}

fn take_module(mut caller: Call<'_>, index: u64) -> Result<u64> {
    let call = "lunatic::message::take_module";
    let state = caller.data_mut();
    let module: Arc<Code> = taken(call, state, index)?;
    held(state)?.modules.add("modules", Code::clone(&module))
}
