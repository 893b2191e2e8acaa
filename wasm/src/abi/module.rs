//! Code that a guest brings at run time: see `docs/guest-services.md`.

use std::future::Future;

use wasmtime::{Caller, Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, settle, spawn};
use crate::guest::State;
use crate::host::module;
use crate::link::{opaque, waits};

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(linker, MODULE, "module_compile", compile)?;
    linker.func_wrap(MODULE, "module_spawn", start)?;
    linker.func_wrap(MODULE, "module_send", send)?;
    linker.func_wrap(MODULE, "module_close", close)?;
    Ok(())
}

fn compile<'a>(
    mut caller: Caller<'a, State>,
    (at, len): (i32, i32),
) -> Box<dyn Future<Output = Result<i32>> + Send + 'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let wasm = bytes(memory, at, len)?;
        let compiled = module::compile(state, wasm).await;
        Ok(settle(state, compiled.map(u32::cast_signed)))
    })
}

/// As `spawn`, with the number of a module instead of a name.
fn start(
    mut caller: Guest<'_>,
    module: i32,
    args: i32,
    args_len: i32,
    options: i32,
    options_len: i32,
    at: i32,
) -> Result<i32> {
    let module = module.cast_unsigned();
    let (args, options) = ((args, args_len), (options, options_len));
    spawn::start_module(&mut caller, module, args, options, at)
}

fn send(mut caller: Guest<'_>, to: i64, tag: i64, module: i32) -> i32 {
    let state = caller.data_mut();
    let (to, tag) = (to.cast_unsigned(), tag.cast_unsigned());
    let sent = module::send(state, to, tag, module.cast_unsigned());
    settle(state, sent.map(|()| 0))
}

fn close(mut caller: Guest<'_>, module: i32) -> i32 {
    i32::from(module::close(caller.data_mut(), module.cast_unsigned()))
}
