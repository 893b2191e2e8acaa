//! Process groups: see `docs/guest-abi.md`.

use rusm_actor::Pid;
use wasmtime::{Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, room, settle, text};
use crate::guest::State;
use crate::host::{Refusal, group};

/// Pids that one look at a group returns.
const MEMBERS_MAX: usize = 10_000;
/// What a text here is called in refusals.
const GROUP: &str = "the name of a group";

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "group_join",
        |caller: Guest<'_>, at: i32, len: i32| {
            named(caller, at, len, |state, name| {
                group::join(state, name).map(|()| 0)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "group_leave",
        |caller: Guest<'_>, at: i32, len: i32| {
            named(caller, at, len, |state, name| {
                Ok(i32::from(group::leave(state, name)))
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "group_kill",
        |caller: Guest<'_>, at: i32, len: i32| {
            named(caller, at, len, |state, name| {
                group::kill(state, name).map(count)
            })
        },
    )?;
    linker.func_wrap(MODULE, "group_members", members)?;
    linker.func_wrap(MODULE, "group_publish", publish)?;
    linker.func_wrap(MODULE, "group_watch", watch)?;
    linker.func_wrap(
        MODULE,
        "group_unwatch",
        |mut caller: Guest<'_>, watch: i64| {
            i32::from(group::unwatch(caller.data_mut(), watch.cast_unsigned()))
        },
    )?;
    Ok(())
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn named(
    mut caller: Guest<'_>,
    at: i32,
    len: i32,
    act: impl FnOnce(&mut State, &str) -> Result<i32, Refusal>,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let done = text(memory, at, len, GROUP)?.and_then(|name| act(state, name));
    Ok(settle(state, done))
}

/// Writes pids, `max` at most, from the member with this number on; how many there are in all.
fn write(memory: &mut [u8], members: &[Pid], from: i32, at: i32, max: i32) -> Result<i32> {
    let most = (max.cast_unsigned() as usize).min(MEMBERS_MAX);
    let into = room(memory, at, i32::try_from(most * 8)?)?;
    let rest = members.get(from.cast_unsigned() as usize..);
    let places = into.chunks_exact_mut(8);
    for (place, pid) in places.zip(rest.unwrap_or_default()) {
        place.copy_from_slice(&pid.to_bits().to_le_bytes());
    }
    Ok(count(members.len()))
}

fn members(
    mut caller: Guest<'_>,
    name: i32,
    name_len: i32,
    from: i32,
    at: i32,
    max: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let members = text(memory, name, name_len, GROUP)?.map(|name| group::members(state, name));
    let all = match members {
        Ok(members) => Ok(write(memory, &members, from, at, max)?),
        Err(refusal) => Err(refusal),
    };
    Ok(settle(state, all))
}

fn publish(
    mut caller: Guest<'_>,
    name: i32,
    name_len: i32,
    tag: i64,
    at: i32,
    len: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let content = bytes(memory, at, len)?;
    let sent = text(memory, name, name_len, GROUP)?
        .and_then(|name| group::publish(state, name, tag.cast_unsigned(), content));
    Ok(settle(state, sent.map(count)))
}

/// Writes the watch at `watch`, and who is a member now at `at`; how many there are in all.
fn watch(
    mut caller: Guest<'_>,
    name: i32,
    name_len: i32,
    watch: i32,
    at: i32,
    max: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    // Before it is made: who is not told its number must not hold it.
    room(memory, watch, 8)?;
    let most = (max.cast_unsigned() as usize).min(MEMBERS_MAX);
    room(memory, at, i32::try_from(most * 8)?)?;
    let watched = text(memory, name, name_len, GROUP)?.and_then(|name| group::watch(state, name));
    let all = match watched {
        Ok((number, members)) => {
            put(memory, watch, &number.to_le_bytes())?;
            Ok(write(memory, &members, 0, at, max)?)
        }
        Err(refusal) => Err(refusal),
    };
    Ok(settle(state, all))
}
