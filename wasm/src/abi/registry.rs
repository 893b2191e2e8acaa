//! Names: see `docs/guest-abi.md`.

use wasmtime::{Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, settle, text};
use crate::guest::State;
use crate::host::{Refusal, registry};

/// What a text here is called in refusals.
const NAME: &str = "a name";

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "register", register)?;
    linker.func_wrap(MODULE, "unregister", unregister)?;
    linker.func_wrap(MODULE, "whereis", whereis)?;
    linker.func_wrap(MODULE, "send_name", send_name)?;
    Ok(())
}

fn register(mut caller: Guest<'_>, name: i32, name_len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let done = text(memory, name, name_len, NAME)?.and_then(|name| registry::register(state, name));
    Ok(settle(state, done.map(|()| 0)))
}

fn unregister(mut caller: Guest<'_>, name: i32, name_len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let done =
        text(memory, name, name_len, NAME)?.and_then(|name| registry::unregister(state, name));
    Ok(settle(state, done.map(i32::from)))
}

fn whereis(mut caller: Guest<'_>, name: i32, name_len: i32, at: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let found = text(memory, name, name_len, NAME)?.and_then(|name| {
        registry::whereis(state, name).ok_or_else(|| Refusal::NoName(name.into()))
    });
    if let Ok(pid) = &found {
        put(memory, at, &pid.to_bits().to_le_bytes())?;
    }
    Ok(settle(state, found.map(|_| 0)))
}

fn send_name(
    mut caller: Guest<'_>,
    name: i32,
    name_len: i32,
    tag: i64,
    at: i32,
    len: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let content = bytes(memory, at, len)?;
    let sent = text(memory, name, name_len, NAME)?
        .and_then(|name| registry::send(state, name, tag.cast_unsigned(), content));
    Ok(settle(state, sent.map(|()| 0)))
}
