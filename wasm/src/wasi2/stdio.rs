//! `wasi:cli/stdin`, `stdout` and `stderr`. Buffers and this program's stdin never block; this
//! program's stdout and stderr may, if nobody reads what is written, so they are written to on
//! threads that may.

use wasmtime::Result;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::cli::WasiCliCtxView;
use wasmtime_wasi::p2::bindings::cli::{stderr, stdout};
use wasmtime_wasi_io::streams::DynOutputStream;

use super::stream::Output;

/// Names the standard streams of a guest as all that these interfaces need of its state.
pub(super) struct Stdio;

impl HasData for Stdio {
    type Data<'a> = StdioView<'a>;
}

pub(super) struct StdioView<'a> {
    pub(super) cli: WasiCliCtxView<'a>,
    /// Whether writing to them may block.
    pub(super) blocks: bool,
}

impl StdioView<'_> {
    fn output(&mut self, stock: Resource<DynOutputStream>) -> Result<Resource<DynOutputStream>> {
        if !self.blocks {
            return Ok(stock);
        }
        let stock = self.cli.table.delete(stock)?;
        Ok(self.cli.table.push(Output::wrap(stock))?)
    }
}

impl stdout::Host for StdioView<'_> {
    fn get_stdout(&mut self) -> Result<Resource<DynOutputStream>> {
        let stock = stdout::Host::get_stdout(&mut self.cli)?;
        self.output(stock)
    }
}

impl stderr::Host for StdioView<'_> {
    fn get_stderr(&mut self) -> Result<Resource<DynOutputStream>> {
        let stock = stderr::Host::get_stderr(&mut self.cli)?;
        self.output(stock)
    }
}
