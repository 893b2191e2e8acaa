//! A module that Lunatic processes are spawned from, and how one runs: a fresh instance, one call
//! of an exported function, and what its end means.

use rusm_actor::ExitReason;
use wasmtime::{GuestProfiler, InstancePre, PoolConcurrencyLimitError, Store, Val};

use super::guest::guest;
use super::{PREFIX, trap};
use crate::error::LoadError;
use crate::guest::{Prepared, State};
use crate::pool::Pool;
use crate::trap::reason_or_full;
use crate::{core, probe};

/// A module, linked with all that Lunatic offers. Any of its functions may begin a process.
pub(super) type Code = Prepared;

/// The function a process begins with.
pub(super) struct Entry {
    pub(super) function: Box<str>,
    pub(super) params: Vec<Val>,
}

/// The module in the engine of one pool.
pub(crate) struct Linked(InstancePre<State>);

impl Linked {
    pub(crate) fn new(pool: &Pool, module: &wasmtime::Module) -> Result<Self, LoadError> {
        let mut linker = pool.core().clone();
        super::add(&mut linker).expect("this layer defines no import twice");
        let pre = linker.instantiate_pre(module);
        let pre = pre.map_err(|error| match core::not_linked(&error) {
            LoadError::Import { module, name, .. } if module.starts_with(PREFIX) => {
                LoadError::LunaticImport { module, name }
            }
            other => other,
        })?;
        Ok(Self(pre))
    }

    pub(crate) fn engine(&self) -> &wasmtime::Engine {
        self.0.module().engine()
    }

    /// For a profile of one instance.
    pub(crate) fn profiler(&self) -> wasmtime::Result<GuestProfiler> {
        probe::of_module(self.0.module())
    }

    /// Runs one instance to its end; fails if the pool has no room for it.
    pub(crate) async fn run(
        &self,
        store: &mut Store<State>,
    ) -> Result<ExitReason, PoolConcurrencyLimitError> {
        let instance = match self.0.instantiate_async(&mut *store).await {
            Ok(instance) => instance,
            Err(error) => return trap::ended(&error).map_or_else(|| reason_or_full(error), Ok),
        };
        // Only now: whoever finds the pool full begins anew in another one.
        let entry = store.data_mut().lunatic.as_mut().and_then(|guest| {
            guest.started = true;
            if let Some(meter) = &guest.meter {
                meter.restart();
            }
            guest.entry.take()
        });
        let Some(Entry { function, params }) = entry else {
            return Ok(ExitReason::error("nobody says what the guest begins with"));
        };
        let Some(found) = instance.get_func(&mut *store, &function) else {
            let text = format!("the module exports no function `{function}`");
            return Ok(ExitReason::error(text));
        };
        let called = found.call_async(&mut *store, &params, &mut []).await;
        let ended = called.and_then(|()| guest(store.data_mut()).map(|_| ()));
        match ended.inspect_err(|error| probe::keep_dump(store, error)) {
            Ok(()) => Ok(ExitReason::Normal),
            Err(error) => trap::ended(&error).map_or_else(|| reason_or_full(error), Ok),
        }
    }
}
