//! A guest as a process body: WebAssembly core modules with WASI preview 1 and components with
//! WASI 0.2 and 0.3, preempted, limited and killable, on our scheduler.
//!
//! The crate turns bytes into code ([`Engine::load`]), code into something startable
//! ([`Module::prepare`]) and that into processes ([`Prepared::spawn`]). It does not know who runs
//! next (`rusm_sched`), what a process is (`rusm_actor`) or what a command line looks like.
//!
//! **Invariant: no Tokio runtime ever exists.** wasmtime's futures run on any executor, and the
//! parts of `wasmtime-wasi` that would start a runtime are replaced; `tests/wasi_imports.rs`
//! exercises every import and looks for the runtime's threads.
//!
//! **Speculative execution.** What each [`Flavour`] of code keeps a guest from is said there.
//! Whoever runs hostile guests beside secrets must give them an operating-system process of their
//! own.
#![deny(unsafe_code)]

mod abi;
mod budget;
mod cache;
mod catalog;
mod component;
mod core;
mod dense;
mod engine;
mod error;
mod flavour;
pub mod grant;
mod guest;
mod host;
pub mod inspect;
mod limit;
mod link;
mod lunatic;
mod module;
mod net;
mod pool;
mod preempt;
mod probe;
mod program;
mod ready;
mod source;
mod trap;
mod wasi;
mod wasi2;
mod wasi3;
mod wit;
mod world;

pub use cache::{CacheConfig, CacheStats};
pub use catalog::{Catalog, Spawnable};
pub use engine::{Engine, EngineConfig};
pub use error::{EngineError, LoadError, ProgramError};
pub use flavour::Flavour;
pub use guest::Prepared;
pub use host::log::Line;
pub use host::stream::StreamOffer;
pub use lunatic::Lunatic;
pub use module::Module;
pub use probe::Probe;
pub use program::{Capture, Mount, Program, Stdio};
pub use ready::Ready;
