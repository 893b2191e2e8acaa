//! WASI 0.2 for components: `wasmtime-wasi` for the parts that neither wait nor block, ours for
//! the others.
//!
//! **Invariant:** interfaces are linked one by one, never as a set, because the sets hold what
//! starts a Tokio runtime: sockets, streams of files, and the waits of the monotonic clock.
//!
//! The context behind it is the one of preview 1 (`wasi/mod.rs`), made at the first call.

mod clock;
mod files;
mod random;
mod sockets;
mod stdio;
mod stream;
mod waits;

use std::io::{self, ErrorKind};

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem};
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io as wasi_io;

use crate::guest::State;
use crate::wasi;
use clock::{Clock, ClockView};
use files::{Files, FilesView};
use sockets::SocketsView;
use stdio::{Stdio, StdioView};
use waits::{Waits, WaitsView};

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
    wasi_io::error::add_to_linker::<_, Table>(linker, table)?;
    wasi_io::poll::add_to_linker::<_, Waits>(linker, waits)?;
    wasi_io::streams::add_to_linker::<_, Waits>(linker, waits)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::stdout::add_to_linker::<_, Stdio>(linker, stdio)?;
    cli::stderr::add_to_linker::<_, Stdio>(linker, stdio)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, State::cli)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, Clock>(linker, |state| ClockView(table(state)))?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, State::filesystem)?;
    filesystem::types::add_to_linker::<_, Files>(linker, |state| {
        let pid = state.pid();
        FilesView(state.filesystem(), pid)
    })?;
    random::add(linker)?;
    sockets::add(linker, |state| {
        let (table, net) = wasi::of(state).table_and_net();
        SocketsView { table, net }
    })
}

fn table(state: &mut State) -> &mut ResourceTable {
    state.ctx().table
}

fn waits(state: &mut State) -> WaitsView<'_> {
    let pid = state.pid();
    WaitsView(table(state), pid)
}

fn stdio(state: &mut State) -> StdioView<'_> {
    let blocks = wasi::of(state).output_blocks();
    StdioView {
        cli: state.cli(),
        blocks,
    }
}

/// Goes on on a thread that may block; fails if the scheduler is stopping, and with it the guest.
async fn leave_worker() -> io::Result<()> {
    let left = wasi::leave_worker().await;
    left.map_err(|_stopping| io::Error::from(ErrorKind::Interrupted))
}
