//! `lunatic::process::spawn` and `get_or_spawn`, and modules that are compiled at run time.

use std::sync::Arc;

use rusm_actor::Spawn;
use rusm_sched::blocking;
use wasmtime::{Linker, Result, Val, bail, ensure, format_err};

use super::code::{Code, Entry};
use super::config::Config;
use super::environment::Environment;
use super::error::keep;
use super::guest::{Guest, guest, held};
use super::memory::{bytes, parts, put_u64, text};
use super::{Call, program};
use crate::guest::{State, no_room};
use crate::link::{opaque, waits};

const MODULE: &str = "lunatic::process";
const SPAWN: &str = "lunatic::process::spawn";
const GET_OR_SPAWN: &str = "lunatic::process::get_or_spawn";
const COMPILE: &str = "lunatic::process::compile_module";

/// A parameter of the function to be called: its type in WebAssembly's binary format, and
/// sixteen bytes.
const PARAM_BYTES: usize = 17;
/// WebAssembly allows no function more.
const PARAMS_MAX: usize = 1000;
const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const V128: u8 = 0x7b;
/// What a start costs of the turn.
const SPAWN_REDUCTIONS: u32 = 8;

const OK: u32 = 0;
const ERROR: u32 = 1;
const FOUND: u32 = 2;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "spawn", spawn)?;
    linker.func_wrap(MODULE, "get_or_spawn", get_or_spawn)?;
    linker.func_wrap(MODULE, "drop_module", drop_module)?;
    waits(
        linker,
        MODULE,
        "compile_module",
        |mut caller: Call<'_>, (at, len, id_at): (u32, u32, u32)| {
            opaque(async move { compile_module(&mut caller, at, len, id_at).await })
        },
    )?;
    Ok(())
}

/// What is to be started, of which nothing was checked.
struct Wanted {
    link: i64,
    config: i64,
    module: i64,
    function: (u32, u32),
    params: (u32, u32),
}

#[expect(clippy::too_many_arguments, reason = "the guest's side decides")]
fn spawn(
    mut caller: Call<'_>,
    link: i64,
    config: i64,
    module: i64,
    function_at: u32,
    function_len: u32,
    params_at: u32,
    params_len: u32,
    id_at: u32,
) -> Result<u32> {
    let wanted = Wanted {
        link,
        config,
        module,
        function: (function_at, function_len),
        params: (params_at, params_len),
    };
    let (answer, id) = start(SPAWN, &mut caller, &wanted)?;
    put_u64(SPAWN, parts(&mut caller)?.0, id_at, id)?;
    Ok(answer)
}

#[expect(clippy::too_many_arguments, reason = "the guest's side decides")]
fn get_or_spawn(
    mut caller: Call<'_>,
    name_at: u32,
    name_len: u32,
    link: i64,
    config: i64,
    module: i64,
    function_at: u32,
    function_len: u32,
    params_at: u32,
    params_len: u32,
    node_at: u32,
    id_at: u32,
) -> Result<u32> {
    let wanted = Wanted {
        link,
        config,
        module,
        function: (function_at, function_len),
        params: (params_at, params_len),
    };
    let (memory, state) = parts(&mut caller)?;
    let name: Box<str> = text(GET_OR_SPAWN, memory, name_at, name_len)?.into();
    let environment = guest(state)?.environment.clone();
    // Held until the new process has the name: nobody gets in between.
    let mut names = environment.names();
    let (answer, (node, id)) = match names.get(&name) {
        Some(named) => (FOUND, *named),
        None => match start(GET_OR_SPAWN, &mut caller, &wanted)? {
            (OK, id) => {
                super::registry::insert(&mut names, GET_OR_SPAWN, name, (0, id))?;
                (OK, (0, id))
            }
            (answer, error) => (answer, (0, error)),
        },
    };
    drop(names);
    let memory = parts(&mut caller)?.0;
    put_u64(GET_OR_SPAWN, memory, node_at, node)?;
    put_u64(GET_OR_SPAWN, memory, id_at, id)?;
    Ok(answer)
}

/// Starts a process: 0 and its number, or 1 and that of an error.
fn start(call: &str, caller: &mut Call<'_>, wanted: &Wanted) -> Result<(u32, u64)> {
    rusm_sched::spend(SPAWN_REDUCTIONS);
    let (memory, state) = parts(caller)?;
    let (at, len) = wanted.function;
    let function = text(call, memory, at, len)?.into();
    let (at, len) = wanted.params;
    let entry = Entry {
        function,
        params: params(call, bytes(call, memory, at, len)?)?,
    };
    let own = guest(state)?;
    ensure!(
        own.config.spawns,
        "`{call}`: the process may not spawn: its configuration does not say so"
    );
    ensure!(
        own.started,
        "`{call}`: not while the module is being set up"
    );
    let (config, code) = own.chosen(call, wanted)?;
    let environment = own.environment.clone();
    if let Some(why) = no_room_for(&code, &environment, config.memory_bytes_max) {
        return Ok((ERROR, keep(state, why)?));
    }
    let seat = match &config.grants {
        None => None,
        Some(grants) => match state.seat_for(grants) {
            Ok(seat) => Some(seat),
            Err(refusal) => return Ok((ERROR, keep(state, refusal)?)),
        },
    };
    let id = environment.number();
    let parent = state.context.pid();
    let links = wanted.link != 0;
    let how = if links {
        Spawn::new().link()
    } else {
        Spawn::new()
    };
    let (child, _) = state.context.spawn_with(how, |context| {
        let mut state = program::state(context, id, &environment, config, &code, entry);
        state.seat = seat;
        if let Some(guest) = state.lunatic.as_mut().filter(|_| links) {
            guest.remember_link(parent, 0);
        }
        code.run(state)
    });
    if links {
        guest(state)?.remember_link(child, wanted.link);
    }
    Ok((OK, id))
}

impl Guest {
    /// The configuration and the module a spawn names; its own ones, if it names none.
    fn chosen(&mut self, call: &str, wanted: &Wanted) -> Result<(Arc<Config>, Code)> {
        let config = match wanted.config {
            -1 => self.config.clone(),
            id => {
                let wanted = self.held().configs.get(call, id as u64)?.clone();
                Arc::new(self.config.narrowed(&wanted))
            }
        };
        let code = match wanted.module {
            -1 => self.code.clone(),
            id => self.held().modules.get(call, id as u64)?.clone(),
        };
        Ok((config, code))
    }
}

/// Why a process of `code` could not begin, as far as that can be known before it tries.
fn no_room_for(code: &Code, environment: &Environment, memory_bytes_max: u64) -> Option<String> {
    if let Some(instances_max) = environment.is_full() {
        return Some(no_room(instances_max));
    }
    let needs = code.module().memory_bytes();
    (needs > memory_bytes_max).then(|| {
        format!(
            "the module's memory starts with {needs} bytes, but the process may have \
             {memory_bytes_max}"
        )
    })
}

fn params(call: &str, bytes: &[u8]) -> Result<Vec<Val>> {
    let (params, rest) = bytes.as_chunks::<PARAM_BYTES>();
    ensure!(
        rest.is_empty() && params.len() <= PARAMS_MAX,
        "`{call}`: parameters have {PARAM_BYTES} bytes each and are at most {PARAMS_MAX}, but \
         {} bytes were given",
        bytes.len()
    );
    params.iter().map(|param| value(call, param)).collect()
}

fn value(call: &str, param: &[u8; PARAM_BYTES]) -> Result<Val> {
    let [ty, bits @ ..] = param;
    let bits = u128::from_le_bytes(*bits);
    match *ty {
        I32 => Ok(Val::I32(bits as i32)),
        I64 => Ok(Val::I64(bits as i64)),
        V128 => Ok(Val::V128(bits.into())),
        ty => bail!("`{call}`: 0x{ty:02x} is no type of a parameter"),
    }
}

/// 0 and the module's number, 1 and an error's, or -1: the process may not.
async fn compile_module(caller: &mut Call<'_>, at: u32, len: u32, id_at: u32) -> Result<i32> {
    let (memory, state) = parts(caller)?;
    let granted = state.grants.is_none() || state.grants().may_load_modules().is_ok();
    let own = guest(state)?;
    if !own.config.compiles || !granted {
        return Ok(-1);
    }
    let bytes = bytes(COMPILE, memory, at, len)?.to_vec();
    let engine = own.code.module().engine().clone();
    let compile = move || engine.load(&bytes)?.prepare_for_lunatic();
    let compiled = blocking::run(compile)
        .await
        .map_err(|refused| format_err!("`{COMPILE}`: {refused}"))?;
    let state = caller.data_mut();
    let (answer, id) = match compiled {
        Ok(code) => (0, held(state)?.modules.add("modules", code)?),
        Err(error) => (1, keep(state, error)?),
    };
    put_u64(COMPILE, parts(caller)?.0, id_at, id)?;
    Ok(answer)
}

fn drop_module(mut caller: Call<'_>, id: u64) -> Result<()> {
    let call = "lunatic::process::drop_module";
    let module = held(caller.data_mut())?.modules.remove(call, id)?;
    drop(module);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_of_three_types_and_seventeen_bytes() {
        let mut three = [0; 3 * PARAM_BYTES];
        (three[0], three[1]) = (I32, 7);
        (three[17], three[18]) = (I64, 8);
        (three[34], three[50]) = (V128, 1);
        let [Val::I32(7), Val::I64(8), Val::V128(vector)] = params("f", &three).unwrap()[..] else {
            panic!("three values of their types");
        };
        assert_eq!(vector.as_u128(), 1 << 120);
        assert!(params("f", &three[..16]).is_err());
        assert!(params("f", &three[..18]).is_err());
        three[0] = 0x7d;
        let error = params("f", &three).unwrap_err().to_string();
        assert_eq!(error, "`f`: 0x7d is no type of a parameter");
        assert!(params("f", &vec![I32; (PARAMS_MAX + 1) * PARAM_BYTES]).is_err());
    }
}
