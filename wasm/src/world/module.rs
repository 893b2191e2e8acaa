//! The interface `module`.

use wasmtime::Result as Trappable;
use wasmtime::component::Resource;

use super::bindings::rusm::runtime::module::{Host, HostModule};
use super::bindings::rusm::runtime::types::{Error, Options, Started};
use super::process;
use crate::guest::State;
use crate::host::module;
use crate::link::{noted, opaque};

/// Compiled code.
pub enum Module {}

impl Host for State {
    async fn compile(&mut self, code: Vec<u8>) -> Trappable<Result<Resource<Module>, Error>> {
        noted!(self.pid(), "rusm:runtime/module compile");
        let compiled = opaque(async move { module::compile(self, code).await });
        let compiled = Box::into_pin(compiled).await;
        Ok(compiled.map(Resource::new_own).map_err(Error::from))
    }
}

impl HostModule for State {
    fn spawn(&mut self, module: Resource<Module>, how: Options) -> Result<Started, Error> {
        let (pid, monitor) = module::start(self, module.rep(), process::options(how)?)?;
        Ok(Started {
            pid: pid.to_bits(),
            monitor,
        })
    }

    fn send(&mut self, module: Resource<Module>, to: u64, tag: u64) -> Result<(), Error> {
        Ok(module::send(self, to, tag, module.rep())?)
    }

    fn drop(&mut self, module: Resource<Module>) -> Trappable<()> {
        module::close(self, module.rep());
        Ok(())
    }
}
