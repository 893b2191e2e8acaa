//! Configurations for processes to be spawned: the rest of `lunatic::process`, and
//! `lunatic::wasi`.

use rusm_sched::blocking;
use wasmtime::{Linker, Result, format_err};

use super::Call;
use super::config::Config;
use super::guest::{guest, held};
use super::memory::{parts, text};
use crate::guest::State;
use crate::link::{opaque, waits};

const PROCESS: &str = "lunatic::process";
const WASI: &str = "lunatic::wasi";
const ADD_ENV: &str = "lunatic::wasi::config_add_environment_variable";
const ADD_ARG: &str = "lunatic::wasi::config_add_command_line_argument";
const PREOPEN: &str = "lunatic::wasi::config_preopen_dir";

/// A getter and a setter for one field of a configuration.
macro_rules! field {
    ($linker:ident, $get:literal, $set:literal, $field:ident: $ty:ty, $read:expr, $write:expr) => {
        $linker.func_wrap(
            PROCESS,
            $get,
            |mut caller: Call<'_>, id: u64| -> Result<$ty> {
                let read: fn(&Config) -> $ty = $read;
                let call = concat!("lunatic::process::", $get);
                Ok(read(held(caller.data_mut())?.configs.get(call, id)?))
            },
        )?;
        $linker.func_wrap(
            PROCESS,
            $set,
            |mut caller: Call<'_>, id: u64, value: $ty| -> Result<()> {
                let write: fn(&mut Config, $ty) = $write;
                let call = concat!("lunatic::process::", $set);
                write(held(caller.data_mut())?.configs.get(call, id)?, value);
                Ok(())
            },
        )?;
    };
    ($linker:ident, number $get:literal, $set:literal, $field:ident) => {
        field!(
            $linker, $get, $set, $field: u64,
            |config| config.$field,
            |config, value| config.$field = value
        )
    };
    ($linker:ident, flag $get:literal, $set:literal, $field:ident) => {
        field!(
            $linker, $get, $set, $field: u32,
            |config| u32::from(config.$field),
            |config, value| config.$field = value != 0
        )
    };
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(PROCESS, "create_config", create_config)?;
    linker.func_wrap(PROCESS, "drop_config", drop_config)?;
    field!(linker, number "config_get_max_memory", "config_set_max_memory", memory_bytes_max);
    field!(linker, number "config_get_max_fuel", "config_set_max_fuel", fuel);
    field!(linker, flag "config_can_compile_modules", "config_set_can_compile_modules", compiles);
    field!(linker, flag "config_can_create_configs", "config_set_can_create_configs", configures);
    field!(linker, flag "config_can_spawn_processes", "config_set_can_spawn_processes", spawns);
    linker.func_wrap(WASI, "config_add_environment_variable", add_env)?;
    linker.func_wrap(WASI, "config_add_command_line_argument", add_arg)?;
    waits(
        linker,
        WASI,
        "config_preopen_dir",
        |mut caller: Call<'_>, (id, at, len): (u64, u32, u32)| {
            opaque(async move { preopen(&mut caller, id, at, len).await })
        },
    )?;
    Ok(())
}

/// -1: the process may not.
fn create_config(mut caller: Call<'_>) -> Result<i64> {
    let own = guest(caller.data_mut())?;
    if !own.config.configures {
        return Ok(-1);
    }
    let config = own.config.denied();
    let id = own.held().configs.add("configurations", config)?;
    Ok(id.cast_signed())
}

fn drop_config(mut caller: Call<'_>, id: u64) -> Result<()> {
    let call = "lunatic::process::drop_config";
    held(caller.data_mut())?.configs.remove(call, id)?;
    Ok(())
}

fn add_env(
    mut caller: Call<'_>,
    id: u64,
    key_at: u32,
    key_len: u32,
    value_at: u32,
    value_len: u32,
) -> Result<()> {
    let (memory, state) = parts(&mut caller)?;
    let key = text(ADD_ENV, memory, key_at, key_len)?;
    let value = text(ADD_ENV, memory, value_at, value_len)?;
    held(state)?.configs.get(ADD_ENV, id)?.push_env(key, value)
}

fn add_arg(mut caller: Call<'_>, id: u64, at: u32, len: u32) -> Result<()> {
    let (memory, state) = parts(&mut caller)?;
    let arg = text(ADD_ARG, memory, at, len)?;
    held(state)?.configs.get(ADD_ARG, id)?.push_arg(arg)
}

/// Looks for the directory off the workers: it may lie on a slow disk.
async fn preopen(caller: &mut Call<'_>, id: u64, at: u32, len: u32) -> Result<()> {
    let (memory, state) = parts(caller)?;
    let name = text(PREOPEN, memory, at, len)?.to_string();
    let own = guest(state)?.config.clone();
    let dir = blocking::run(move || own.dir(&name))
        .await
        .map_err(|refused| format_err!("`{PREOPEN}`: {refused}"))?
        .map_err(|error| format_err!("`{PREOPEN}`: {error}"))?;
    let held = held(caller.data_mut())?;
    held.configs.get(PREOPEN, id)?.push_dir(dir)
}
