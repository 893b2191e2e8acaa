//! `lunatic::error`: what went wrong, by number, until the guest has read it.

use wasmtime::{Linker, Result};

use super::Call;
use super::guest::held;
use super::memory::{parts, put};
use crate::guest::State;

const STRING_SIZE: &str = "lunatic::error::string_size";
const TO_STRING: &str = "lunatic::error::to_string";
const DROP: &str = "lunatic::error::drop";

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap("lunatic::error", "string_size", string_size)?;
    linker.func_wrap("lunatic::error", "to_string", to_string)?;
    linker.func_wrap("lunatic::error", "drop", drop_error)?;
    Ok(())
}

fn string_size(mut caller: Call<'_>, id: u64) -> Result<u32> {
    let error = held(caller.data_mut())?.errors.get(STRING_SIZE, id)?;
    Ok(u32::try_from(error.len()).unwrap_or(u32::MAX))
}

fn to_string(mut caller: Call<'_>, id: u64, into: u32) -> Result<()> {
    let (memory, state) = parts(&mut caller)?;
    let error = held(state)?.errors.get(TO_STRING, id)?;
    put(TO_STRING, memory, into, error.as_bytes())
}

fn drop_error(mut caller: Call<'_>, id: u64) -> Result<()> {
    held(caller.data_mut())?.errors.remove(DROP, id).map(drop)
}

/// The number under which the guest finds out about `error`.
pub(super) fn keep(state: &mut State, error: impl ToString) -> Result<u64> {
    Ok(held(state)?.errors.push(error.to_string()))
}
