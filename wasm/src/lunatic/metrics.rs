//! `lunatic::metrics`: names are checked and figures dropped, as `lunatic run` does unless it is
//! told to publish them. What a node counts of its processes it counts itself.

use wasmtime::{Linker, Result};

use super::Call;
use super::memory::{parts, text};
use crate::guest::State;

const MODULE: &str = "lunatic::metrics";

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "counter", count)?;
    linker.func_wrap(MODULE, "increment_counter", increment)?;
    for function in ["gauge", "increment_gauge", "decrement_gauge", "histogram"] {
        linker.func_wrap(MODULE, function, measure)?;
    }
    Ok(())
}

fn count(mut caller: Call<'_>, at: u32, len: u32, _: u64) -> Result<()> {
    name(&mut caller, at, len)
}

fn increment(mut caller: Call<'_>, at: u32, len: u32) -> Result<()> {
    name(&mut caller, at, len)
}

fn measure(mut caller: Call<'_>, at: u32, len: u32, _: f64) -> Result<()> {
    name(&mut caller, at, len)
}

fn name(caller: &mut Call<'_>, at: u32, len: u32) -> Result<()> {
    let (memory, _) = parts(caller)?;
    text(MODULE, memory, at, len).map(drop)
}
