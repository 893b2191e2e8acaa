//! The Lunatic layer: guests that were built with the `lunatic` crate for the Lunatic runtime,
//! as processes of ours. It provides the import modules `lunatic::*` on top of processes, timers
//! and sockets that are there anyway, and is linked only for modules that were prepared for it.
//!
//! What Lunatic calls an environment is one [`Environment`](environment::Environment): its
//! processes are numbered from 1 as there, and reach each other only, so a guest cannot name, let
//! alone kill, a process of the node outside.
//!
//! Everything a guest passes is a claim until checked, all tables have limits with names
//! (`held.rs`, `letter.rs`, `config.rs`), and what is wrong ends the guest with a sentence that
//! names the function it called.

mod code;
mod config;
mod distributed;
mod environment;
mod error;
mod fuel;
mod guest;
mod held;
mod letter;
mod lock;
mod memory;
mod message;
mod metrics;
mod net;
mod process;
mod program;
mod receive;
mod registry;
mod settings;
mod spawn;
mod timer;
mod trap;
mod version;

pub use program::Lunatic;

pub(crate) use code::Linked;
pub(crate) use guest::Guest;

use wasmtime::{Caller, Linker, Result};

use crate::guest::State;
use trap::Ended;

/// What a host function of this layer is called with.
type Call<'a> = Caller<'a, State>;

/// What every wait answers when its time is up.
const TIMED_OUT: u32 = 9027;
/// The time that means "for ever".
const FOREVER: u64 = u64::MAX;

/// The import modules of Lunatic begin with this.
pub(crate) const PREFIX: &str = "lunatic::";

/// Adds everything that Lunatic has and other guests have not.
fn add(linker: &mut Linker<State>) -> Result<()> {
    distributed::add(linker)?;
    error::add(linker)?;
    message::add(linker)?;
    metrics::add(linker)?;
    net::add(linker)?;
    process::add(linker)?;
    registry::add(linker)?;
    settings::add(linker)?;
    spawn::add(linker)?;
    timer::add(linker)?;
    trap::add(linker)?;
    version::add(linker)
}
