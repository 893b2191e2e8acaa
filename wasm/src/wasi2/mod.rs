//! WASI 0.2 for components: `wasmtime-wasi` for the parts that neither wait nor block, ours for
//! the others.
//!
//! **Invariant:** interfaces are linked one by one, never as a set, because the sets hold what
//! starts a Tokio runtime: sockets, streams of files, and the waits of the monotonic clock.
//!
//! The context behind it is the one of preview 1 (`wasi/mod.rs`), made at the first call.

mod clock;
mod sockets;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io;

use crate::guest::State;
use crate::wasi;
use clock::{Clock, ClockView};
use sockets::SocketsView;

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        wasi::of(self).view()
    }
}

/// Names the table of a guest's resources as all that an interface needs of its state.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// Everything a component may import of WASI.
pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    io::error::add_to_linker::<_, Table>(linker, table)?;
    io::poll::add_to_linker::<_, Table>(linker, table)?;
    io::streams::add_to_linker::<_, Table>(linker, table)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, Clock>(linker, |state| ClockView(table(state)))?;
    random::random::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, State::random)?;
    sockets::add(linker, |state| {
        let (table, net) = wasi::of(state).table_and_net();
        SocketsView { table, net }
    })?;
    Ok(())
}

fn table(state: &mut State) -> &mut ResourceTable {
    state.ctx().table
}
