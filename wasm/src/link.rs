//! What guests may import, each interface in one line, for core modules and for components.
//!
//! A linker is made once for each engine. Nothing here knows which guest may use what: an import
//! that a guest holds no grant for is refused when it is called.

use std::future::Future;
use std::hint::black_box;

use rusm_actor::HostCall;
use wasmtime::{Caller, Engine, Linker, Result, WasmRet, WasmTyList, component};

use crate::guest::State;
use crate::{abi, wasi, wasi2, wasi3, world};

/// Everything a core module may import.
pub(crate) fn core(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasi::add(&mut linker)?;
    abi::add(&mut linker)?;
    Ok(linker)
}

/// Everything a component may import.
pub(crate) fn component(engine: &Engine) -> Result<component::Linker<State>> {
    let mut linker = component::Linker::new(engine);
    wasi2::add(&mut linker)?;
    world::add(&mut linker)?;
    Ok(linker)
}

/// Everything a component with concurrency may import.
pub(crate) fn concurrent(engine: &Engine) -> Result<component::Linker<State>> {
    let mut linker = component(engine)?;
    wasi3::add(&mut linker)?;
    Ok(linker)
}

/// Adds a function that may wait to those of core modules. That a guest calls it is noted, so that those who look at a
/// process see what it waits for: two nanoseconds, and nothing for calls that never wait.
pub(crate) fn waits<P, R>(
    linker: &mut Linker<State>,
    module: &str,
    name: &str,
    call: impl for<'a> Fn(Caller<'a, State>, P) -> Box<dyn Future<Output = R> + Send + 'a>
    + Send
    + Sync
    + 'static,
) -> Result<()>
where
    P: WasmTyList + 'static,
    R: WasmRet,
{
    let noted = HostCall::named(&format!("{module} {name}"));
    linker.func_wrap_async(module, name, move |caller: Caller<'_, State>, params: P| {
        noted.made_by(caller.data().pid());
        call(caller, params)
    })?;
    Ok(())
}

/// Notes that the process of this pid is in a function of a component's import that may wait, as [`waits`] does.
macro_rules! noted {
    ($pid:expr, $name:expr) => {{
        static CALL: std::sync::OnceLock<rusm_actor::HostCall> = std::sync::OnceLock::new();
        let call = CALL.get_or_init(|| rusm_actor::HostCall::named(&$name));
        call.made_by($pid);
    }};
}
pub(crate) use noted;

/// Boxes the future of a host call so that the optimiser cannot look inside and make it part of
/// the code that polls it.
///
/// That code runs on the guest's own stack, which goes on on another thread after each
/// suspension. The compiler knows nothing of that: of a future it can see it may keep the address
/// of a thread-local variable, such as the scheduler's, across suspensions.
pub(crate) fn opaque<'a, T>(
    future: impl Future<Output = T> + Send + 'a,
) -> Box<dyn Future<Output = T> + Send + 'a> {
    black_box(Box::new(future))
}

#[cfg(test)]
mod tests;
