//! The guest's memory, with every pointer checked: a range that does not lie inside it ends the
//! guest, it is never clipped.

use std::ops::Range;

use wasmtime::{Extern, Memory, Result, bail, format_err};

use super::Call;
use crate::guest::State;

/// The guest's memory, looked up once a process.
pub(super) fn memory(caller: &mut Call<'_>) -> Result<Memory> {
    if let Some(memory) = caller.data().memory {
        return Ok(memory);
    }
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => {
            caller.data_mut().memory = Some(memory);
            Ok(memory)
        }
        _ => bail!("the guest exports no memory named `memory`"),
    }
}

/// The whole memory, and what belongs to the process beside it.
pub(super) fn parts<'a>(caller: &'a mut Call<'_>) -> Result<(&'a mut [u8], &'a mut State)> {
    let memory = memory(caller)?;
    Ok(memory.data_and_store_mut(caller))
}

/// `len` bytes from `at` on, of which `call` was told.
pub(super) fn bytes<'a>(call: &str, memory: &'a [u8], at: u32, len: u32) -> Result<&'a [u8]> {
    memory
        .get(range(at, len))
        .ok_or_else(|| outside(call, at, len))
}

pub(super) fn bytes_mut<'a>(
    call: &str,
    memory: &'a mut [u8],
    at: u32,
    len: u32,
) -> Result<&'a mut [u8]> {
    memory
        .get_mut(range(at, len))
        .ok_or_else(|| outside(call, at, len))
}

pub(super) fn text<'a>(call: &str, memory: &'a [u8], at: u32, len: u32) -> Result<&'a str> {
    let bytes = bytes(call, memory, at, len)?;
    std::str::from_utf8(bytes).map_err(|error| format_err!("`{call}`: not UTF-8: {error}"))
}

pub(super) fn array<const N: usize>(call: &str, memory: &[u8], at: u32) -> Result<[u8; N]> {
    let bytes = bytes(call, memory, at, N as u32)?;
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    Ok(array)
}

/// Writes a small value.
pub(super) fn put(call: &str, memory: &mut [u8], at: u32, value: &[u8]) -> Result<()> {
    let len = u32::try_from(value.len()).map_err(|_| outside(call, at, u32::MAX))?;
    bytes_mut(call, memory, at, len)?.copy_from_slice(value);
    Ok(())
}

pub(super) fn put_u64(call: &str, memory: &mut [u8], at: u32, value: u64) -> Result<()> {
    put(call, memory, at, &value.to_le_bytes())
}

/// Cannot overflow: an address has more bits than the two together.
fn range(at: u32, len: u32) -> Range<usize> {
    let at = at as usize;
    at..at + len as usize
}

fn outside(call: &str, at: u32, len: u32) -> wasmtime::Error {
    format_err!("`{call}`: {len} bytes at {at} are not inside the guest's memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_with_the_memory() {
        let mut memory = [7; 16];
        assert_eq!(bytes("f", &memory, 12, 4).unwrap(), [7; 4]);
        assert!(bytes("f", &memory, 16, 0).unwrap().is_empty());
        for (at, len) in [
            (13, 4),
            (17, 0),
            (u32::MAX, 1),
            (1, u32::MAX),
            (u32::MAX, u32::MAX),
        ] {
            assert!(bytes("f", &memory, at, len).is_err(), "{at} {len}");
            assert!(bytes_mut("f", &mut memory, at, len).is_err(), "{at} {len}");
        }
        let error = put_u64("lunatic::x::y", &mut memory, 9, 1).unwrap_err();
        let expected = "`lunatic::x::y`: 8 bytes at 9 are not inside the guest's memory";
        assert_eq!(error.to_string(), expected);
        assert!(text("f", &[0xff, 0xfe], 0, 2).is_err());
    }
}
