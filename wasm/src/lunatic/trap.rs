//! How a Lunatic process ends before its function returns, and `lunatic::trap`, which keeps a
//! trap from ending it.

use std::fmt;

use rusm_actor::ExitReason;
use wasmtime::{Extern, Linker, Result, bail, ensure, format_err};

use super::Call;
use super::guest::guest;
use crate::guest::State;
use crate::link::opaque;

/// `catch` within `catch`: each takes a stack of the pool.
const CATCHES_MAX: u32 = 16;
/// What Rust guests of Lunatic export to be called back.
const CALLBACK: &str = "_lunatic_catch_trap";

/// Ends the process with this reason. Not for the guest to catch.
#[derive(Debug)]
pub(super) struct Ended(pub(super) ExitReason);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Ended {}

/// Why a process ended, if this layer has ended it.
pub(super) fn ended(error: &wasmtime::Error) -> Option<ExitReason> {
    let Ended(reason) = error.downcast_ref()?;
    Some(reason.clone())
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap_async(
        "lunatic::trap",
        "catch",
        |caller: Call<'_>, (function, pointer): (i32, i32)| {
            opaque(async move { catch(caller, function, pointer).await })
        },
    )?;
    Ok(())
}

/// Calls the guest back; 0 if that traps.
async fn catch(mut caller: Call<'_>, function: i32, pointer: i32) -> Result<i32> {
    let Some(Extern::Func(callback)) = caller.get_export(CALLBACK) else {
        bail!("`lunatic::trap::catch`: the module exports no function `{CALLBACK}`");
    };
    let callback = callback
        .typed::<(i32, i32), i32>(&caller)
        .map_err(|error| format_err!("`lunatic::trap::catch`: `{CALLBACK}`: {error}"))?;
    let catches = &mut guest(caller.data_mut())?.catches;
    ensure!(
        *catches < CATCHES_MAX,
        "`lunatic::trap::catch`: within itself more than {CATCHES_MAX} times"
    );
    *catches += 1;
    let called = callback.call_async(&mut caller, (function, pointer)).await;
    guest(caller.data_mut())?.catches -= 1;
    match called {
        Err(error) if error.is::<Ended>() => Err(error),
        Err(_) => Ok(0),
        Ok(answer) => Ok(answer),
    }
}
