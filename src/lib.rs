//! RUSM as a library: one name for each of its parts, so that an embedding program needs one dependency.
//!
//! The binary `rusm` is a thin user of the same parts. All that is defined here is what an app is:
//! [`manifest`].
//!
//! ```
//! use rusm::actor::{ExitReason, Node};
//! use rusm::io::Reactor;
//! use rusm::sched::Config;
//! use rusm::wasm::{Engine, EngineConfig, Program};
//! use std::time::Duration;
//!
//! let node = Node::start_with(Config::default(), Reactor::new()?)?;
//! let engine = Engine::new(EngineConfig::default(), &node.handle())?;
//! let spinner = engine.load(br#"(module (func (export "run") (loop (br 0))))"#)?.prepare(None)?;
//!
//! // A loop that never ends and calls nothing is a process like any other.
//! let process = spinner.spawn(&node, Program::default())?;
//! node.kill(process.pid());
//! assert!(matches!(process.wait(), ExitReason::Killed));
//! node.shutdown(Duration::from_secs(5))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod manifest;
mod suggest;

#[doc(inline)]
pub use rusm_actor as actor;
#[doc(inline)]
pub use rusm_io as io;
#[doc(inline)]
pub use rusm_sched as sched;
#[doc(inline)]
pub use rusm_wasm as wasm;
