//! `wasi:random`: the stock generators; much at a time is made off the workers.

use wasmtime::component::Linker;
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};

use super::leave_worker;
use crate::guest::State;
use crate::link::{noted, opaque};

/// Bytes up to this number are made on the worker; more take longer than the way to another
/// thread.
const INLINE_BYTES_MAX: u64 = 4 << 10;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    insecure_seed::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    let mut secure = linker.instance("wasi:random/random@0.2.12")?;
    secure.func_wrap_async("get-random-bytes", |store, (len,): (u64,)| {
        noted!(store.data().pid(), "wasi:random/random get-random-bytes");
        bytes(store, len, |state, len| {
            random::Host::get_random_bytes(state.random(), len)
        })
    })?;
    secure.func_wrap(
        "get-random-u64",
        |mut store: StoreContextMut<'_, State>, (): ()| {
            Ok((random::Host::get_random_u64(store.data_mut().random())?,))
        },
    )?;
    let mut insecure = linker.instance("wasi:random/insecure@0.2.12")?;
    insecure.func_wrap_async("get-insecure-random-bytes", |store, (len,): (u64,)| {
        noted!(
            store.data().pid(),
            "wasi:random/insecure get-insecure-random-bytes"
        );
        bytes(store, len, |state, len| {
            insecure::Host::get_insecure_random_bytes(state.random(), len)
        })
    })?;
    insecure.func_wrap(
        "get-insecure-random-u64",
        |mut store: StoreContextMut<'_, State>, (): ()| {
            Ok((insecure::Host::get_insecure_random_u64(
                store.data_mut().random(),
            )?,))
        },
    )?;
    Ok(())
}

type Bytes<'a> = Box<dyn Future<Output = Result<(Vec<u8>,)>> + Send + 'a>;

fn bytes<'a>(
    mut store: StoreContextMut<'a, State>,
    len: u64,
    make: impl FnOnce(&mut State, u64) -> Result<Vec<u8>> + Send + 'a,
) -> Bytes<'a> {
    opaque(async move {
        if len > INLINE_BYTES_MAX {
            leave_worker().await?;
        }
        Ok((make(store.data_mut(), len)?,))
    })
}
