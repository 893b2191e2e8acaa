//! `lunatic::version`: the release of Lunatic whose functions are here, as guests ask for it.

use wasmtime::{Linker, Result};

use crate::guest::State;

const MAJOR: u32 = 0;
const MINOR: u32 = 13;
const PATCH: u32 = 2;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap("lunatic::version", "major", || MAJOR)?;
    linker.func_wrap("lunatic::version", "minor", || MINOR)?;
    linker.func_wrap("lunatic::version", "patch", || PATCH)?;
    Ok(())
}
