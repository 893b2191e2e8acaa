//! Streams: see `docs/guest-services.md`.

use std::future::Future;

use wasmtime::{Caller, Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, room, settle};
use crate::guest::State;
use crate::host::stream;
use crate::link::{opaque, waits};

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "stream_open", open)?;
    linker.func_wrap(MODULE, "stream_accept", accept)?;
    waits(linker, MODULE, "stream_write", write)?;
    waits(linker, MODULE, "stream_read", read)?;
    linker.func_wrap(MODULE, "stream_close", close)?;
    Ok(())
}

type Answer<'a> = Box<dyn Future<Output = Result<i32>> + Send + 'a>;

fn open(mut caller: Guest<'_>, to: i64, tag: i64, capacity: i32) -> i32 {
    let state = caller.data_mut();
    let (to, tag) = (to.cast_unsigned(), tag.cast_unsigned());
    let opened = stream::open(state, to, tag, capacity.cast_unsigned());
    settle(state, opened.map(u32::cast_signed))
}

fn accept(mut caller: Guest<'_>, offer: i32) -> i32 {
    let state = caller.data_mut();
    let accepted = stream::accept(state, offer.cast_unsigned());
    settle(state, accepted.map(u32::cast_signed))
}

fn write<'a>(mut caller: Caller<'a, State>, (stream, at, len): (i32, i32, i32)) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let content = bytes(memory, at, len)?;
        let written = stream::write(state, stream.cast_unsigned(), content).await;
        Ok(settle(state, written.map(|()| 0)))
    })
}

fn read<'a>(mut caller: Caller<'a, State>, (stream, at, max): (i32, i32, i32)) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let into = room(memory, at, max)?;
        let read = stream::read(state, stream.cast_unsigned(), into).await;
        // A piece of a stream is far shorter than that.
        let count = read.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        Ok(settle(state, count))
    })
}

fn close(mut caller: Guest<'_>, stream: i32) -> i32 {
    i32::from(stream::close(caller.data_mut(), stream.cast_unsigned()))
}
