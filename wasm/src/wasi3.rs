//! WASI 0.3 for components that are compiled with concurrency: `wasmtime-wasi`, except for what
//! would need a Tokio runtime, the waits of its monotonic clock and its sockets.
//!
//! Calls that touch files, and writes to this program's stdout that nobody reads, block the worker
//! they run on: a guest's calls are futures among others of its store there, and none of them can
//! take the store to another thread. The scheduler's watcher gives the others a spare one.

mod sockets;

use std::time::Duration;

use rusm_actor::Pid;
use wasmtime::Result;
use wasmtime::component::{Accessor, HasData, Linker};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p3::bindings::clocks::{monotonic_clock, system_clock, types};
use wasmtime_wasi::p3::{cli, filesystem, random};

use crate::guest::State;
use crate::link::{noted, opaque};
use crate::wasi;
use sockets::SocketsView;

/// Everything such a component may import of WASI 0.3.
pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    cli::add_to_linker(linker)?;
    filesystem::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    types::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    system_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    monotonic_clock::add_to_linker::<_, Clock>(linker, |state| Clock(state.pid()))?;
    sockets::add(linker, |state| {
        let (table, net) = wasi::of(state).table_and_net();
        SocketsView { table, net }
    })
}

/// The scheduler's time, for this process.
struct Clock(Pid);

impl HasData for Clock {
    type Data<'a> = Clock;
}

impl monotonic_clock::Host for Clock {
    fn now(&mut self) -> Result<u64> {
        Ok(u64::try_from(rusm_sched::now().as_nanos()).unwrap_or(u64::MAX))
    }

    fn get_resolution(&mut self) -> Result<u64> {
        Ok(1)
    }
}

impl<T> monotonic_clock::HostWithStore<T> for Clock {
    async fn wait_until(store: &Accessor<T, Self>, when: u64) -> Result<()> {
        let pid = store.with(|mut access| access.get().0);
        noted!(pid, "wasi:clocks/monotonic-clock wait-until");
        sleep_until(Duration::from_nanos(when)).await
    }

    async fn wait_for(store: &Accessor<T, Self>, from_now: u64) -> Result<()> {
        let pid = store.with(|mut access| access.get().0);
        noted!(pid, "wasi:clocks/monotonic-clock wait-for");
        sleep_until(rusm_sched::now().saturating_add(Duration::from_nanos(from_now))).await
    }
}

async fn sleep_until(deadline: Duration) -> Result<()> {
    Box::into_pin(opaque(rusm_sched::sleep_until(deadline))).await;
    Ok(())
}
