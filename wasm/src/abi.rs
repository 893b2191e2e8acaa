//! The functions that core modules import from `rusm`: the operations of `host/`, flat.
//!
//! What a guest says about its memory is a claim until it is checked here. A range that is not in
//! its memory is a bug of the guest's and ends it with a trap that says which range; everything a
//! correct program may meet is a code (`docs/guest-abi.md` lists them). An empty range is in every
//! memory, wherever it begins, and no range needs to be aligned. Nothing here panics, whatever the
//! numbers are.

mod crypto;
mod event;
mod group;
mod info;
mod kv;
mod message;
mod module;
mod process;
mod registry;
mod spawn;
mod stream;
mod supervise;
mod timer;

use std::fmt;

use wasmtime::{Caller, Extern, Linker, Memory, Result};

use crate::guest::State;
use crate::host::Refusal;

/// The module that guests import from.
pub(crate) const MODULE: &str = "rusm";

/// What every function here is called with.
pub(crate) type Guest<'a> = Caller<'a, State>;

/// Adds all functions.
pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    crypto::add(linker)?;
    message::add(linker)?;
    process::add(linker)?;
    spawn::add(linker)?;
    info::add(linker)?;
    registry::add(linker)?;
    group::add(linker)?;
    timer::add(linker)?;
    kv::add(linker)?;
    module::add(linker)?;
    supervise::add(linker)?;
    stream::add(linker)
}

/// A range that is not in the guest's memory.
#[derive(Debug)]
struct OutOfRange {
    at: u32,
    len: u32,
    size: usize,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutOfRange { at, len, size } = self;
        write!(
            f,
            "a host call was given {len} bytes at {at:#x}, which is not within the guest's memory \
             of {size} bytes"
        )
    }
}

impl std::error::Error for OutOfRange {}

/// The guest's memory, and what the host knows of its process.
#[inline]
pub(crate) fn guest<'a>(caller: &'a mut Guest<'_>) -> Result<(&'a mut [u8], &'a mut State)> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        None => find(caller)?,
    };
    Ok(memory.data_and_store_mut(caller))
}

#[cold]
fn find(caller: &mut Guest<'_>) -> Result<Memory> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        wasmtime::bail!("the guest calls `{MODULE}` but exports no memory named `memory`");
    };
    caller.data_mut().memory = Some(memory);
    Ok(memory)
}

/// `len` bytes at `at`, to be read.
#[inline]
pub(crate) fn bytes(memory: &[u8], at: i32, len: i32) -> Result<&[u8]> {
    let (at, len) = (at.cast_unsigned(), len.cast_unsigned());
    if len == 0 {
        return Ok(&[]);
    }
    let begin = at as usize;
    let range = begin.checked_add(len as usize).map(|end| begin..end);
    let size = memory.len();
    range
        .and_then(|range| memory.get(range))
        .ok_or_else(|| OutOfRange { at, len, size }.into())
}

/// `len` bytes at `at`, to be written.
#[inline]
pub(crate) fn room(memory: &mut [u8], at: i32, len: i32) -> Result<&mut [u8]> {
    let (at, len) = (at.cast_unsigned(), len.cast_unsigned());
    if len == 0 {
        return Ok(&mut []);
    }
    let begin = at as usize;
    let range = begin.checked_add(len as usize).map(|end| begin..end);
    let size = memory.len();
    range
        .and_then(|range| memory.get_mut(range))
        .ok_or_else(|| OutOfRange { at, len, size }.into())
}

/// Writes `content` at `at`.
#[inline]
pub(crate) fn put(memory: &mut [u8], at: i32, content: &[u8]) -> Result<()> {
    let len = i32::try_from(content.len())?;
    room(memory, at, len)?.copy_from_slice(content);
    Ok(())
}

/// Writes as much of `content` as `max` bytes at `at` have room for; how long all of it is.
pub(crate) fn put_some(memory: &mut [u8], at: i32, max: i32, content: &[u8]) -> Result<i32> {
    let room = room(memory, at, max)?;
    let len = room.len().min(content.len());
    room[..len].copy_from_slice(&content[..len]);
    Ok(i32::try_from(content.len())?)
}

/// The text at `at`.
pub(crate) fn text<'a>(
    memory: &'a [u8],
    at: i32,
    len: i32,
    what: &'static str,
) -> Result<Result<&'a str, Refusal>> {
    let bytes = bytes(memory, at, len)?;
    Ok(str::from_utf8(bytes).map_err(|_| Refusal::NotText(what)))
}

/// What a function returns: its result, or the code of the refusal, whose sentence is kept.
#[inline]
pub(crate) fn settle(state: &mut State, result: Result<i32, Refusal>) -> i32 {
    match result {
        Ok(result) => result,
        Err(refusal) => refuse(state, refusal),
    }
}

#[cold]
fn refuse(state: &mut State, refusal: Refusal) -> i32 {
    let code = refusal.code();
    state.actor().refusal = Some(refusal);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_given_if_it_is_in_the_memory_and_refused_otherwise() {
        let mut memory = [7_u8; 100];
        for (at, len, inside) in [
            (0, 0, true),
            (0, 100, true),
            (99, 1, true),
            (37, 3, true),
            (-1, 0, true),
            (1_000, 0, true),
            (99, 2, false),
            (100, 1, false),
            (0, 101, false),
            (-1, 1, false),
            (-1, -1, false),
            (0, -1, false),
            (1, i32::MAX, false),
            (i32::MIN, i32::MIN, false),
        ] {
            assert_eq!(bytes(&memory, at, len).is_ok(), inside, "{at} {len}");
            assert_eq!(room(&mut memory, at, len).is_ok(), inside, "{at} {len}");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_and_its_length_told() {
        let mut memory = [0_u8; 4];
        assert_eq!(put_some(&mut memory, 1, 2, b"abc").unwrap(), 3);
        assert_eq!(&memory, b"\0ab\0");
        assert_eq!(put_some(&mut memory, 9, 0, b"abc").unwrap(), 3);
        assert!(put_some(&mut memory, 3, 2, b"a").is_err());
        assert!(put(&mut memory, 2, b"abc").is_err());
    }
}
