//! The interfaces of `rusm:runtime` for components (`wasm/wit/`): the operations of `host/`, with
//! types. Nothing is decided here.
//!
//! A handle to a stream, module or supervisor stands for the process's own number of it
//! (`host/things.rs`); dropping the last one closes it.

// The generated code exports types again, and must be able to.
#![allow(unreachable_pub)]

mod convert;
mod crypto;
mod kv;
mod module;
mod process;
mod rest;
mod stream;
mod supervise;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker};

use crate::guest::State;
use bindings::rusm::runtime;

/// What the package declares, as traits to implement.
#[allow(missing_docs)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "rusm:runtime/actor",
        imports: {
            "rusm:runtime/process.receive": async | trappable,
            "rusm:runtime/process.info": async | trappable,
            "rusm:runtime/process.sleep": async | trappable,
            "rusm:runtime/process.yield": async | trappable,
            "rusm:runtime/process.exit": trappable,
            "rusm:runtime/kv": async | trappable,
            "rusm:runtime/crypto.hash": async | trappable,
            "rusm:runtime/crypto.hmac": async | trappable,
            "rusm:runtime/crypto.hmac-verify": async | trappable,
            "rusm:runtime/stream.[method]writer.write": async | trappable,
            "rusm:runtime/stream.[method]reader.read": async | trappable,
            "rusm:runtime/module.compile": async | trappable,
            "rusm:runtime/supervise.[method]supervisor.start-child": async | trappable,
            "rusm:runtime/supervise.[method]supervisor.restart-child": async | trappable,
            "rusm:runtime/supervise.[method]supervisor.terminate-child": async | trappable,
            "rusm:runtime/supervise.[method]supervisor.delete-child": async | trappable,
            "rusm:runtime/supervise.[method]supervisor.count": async | trappable,
            "rusm:runtime/supervise.[method]supervisor.which": async | trappable,
            "rusm:runtime/supervise.[static]supervisor.stop": async | trappable,
            "rusm:runtime/supervise.start": async | trappable,
        },
        with: {
            "rusm:runtime/stream.writer": super::stream::Writer,
            "rusm:runtime/stream.offer": super::stream::Offer,
            "rusm:runtime/stream.reader": super::stream::Reader,
            "rusm:runtime/module.module": super::module::Module,
            "rusm:runtime/supervise.supervisor": super::supervise::Supervisor,
        },
        require_store_data_send: true,
    });
}

/// Names the state of a process as what its interfaces work on.
struct Own;

impl HasData for Own {
    type Data<'a> = &'a mut State;
}

/// Adds all interfaces.
pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    fn own(state: &mut State) -> &mut State {
        state
    }
    runtime::types::add_to_linker::<_, Own>(linker, own)?;
    runtime::process::add_to_linker::<_, Own>(linker, own)?;
    runtime::registry::add_to_linker::<_, Own>(linker, own)?;
    runtime::group::add_to_linker::<_, Own>(linker, own)?;
    runtime::timer::add_to_linker::<_, Own>(linker, own)?;
    runtime::log::add_to_linker::<_, Own>(linker, own)?;
    runtime::kv::add_to_linker::<_, Own>(linker, own)?;
    runtime::crypto::add_to_linker::<_, Own>(linker, own)?;
    runtime::stream::add_to_linker::<_, Own>(linker, own)?;
    runtime::module::add_to_linker::<_, Own>(linker, own)?;
    runtime::supervise::add_to_linker::<_, Own>(linker, own)?;
    Ok(())
}
