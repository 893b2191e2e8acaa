//! What a process is to the Lunatic layer, beside what it is to everybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusm_actor::{Pid, is_alive};
use wasmtime::{Result, ensure, format_err};

use super::code::{Code, Entry};
use super::config::Config;
use super::environment::{Environment, Waiting};
use super::held::Held;
use super::letter::Scratch;
use crate::guest::State;
use crate::wasi::Wasi;

/// Lunatic counts instructions, 100,000 to a unit. Here time is counted, by the ticks that come
/// while the guest computes, a millisecond each: a processor makes about a million instructions
/// of compiled guests in one.
const FUEL_PER_TICK: u64 = 10;

/// Fewer links than this are not worth a look.
pub(super) const LINKS_FORGOTTEN_MIN: usize = 1024;

/// One process of a Lunatic program. Boxed in its store's data; when it goes, its number names
/// nobody any more.
pub(crate) struct Guest {
    pub(super) id: u64,
    pub(super) environment: Arc<Environment>,
    pub(super) config: Arc<Config>,
    /// What it was spawned from, and spawns from if it names no other module.
    pub(super) code: Code,
    /// What it begins with, until it does.
    pub(super) entry: Option<Entry>,
    /// Its memory and its data are in place: it may spawn.
    pub(super) started: bool,
    pub(super) waiting: Arc<Waiting>,
    pub(super) scratch: Option<Scratch>,
    /// The tags with which the deaths of linked processes are told; 0 is none.
    pub(super) links: BTreeMap<Pid, i64>,
    /// With so many links the dead among them are looked for.
    pub(super) links_forgotten_at: usize,
    /// It does not die with its links, it hears of their deaths.
    pub(super) hears: bool,
    /// Fuel it has used.
    pub(super) burnt: u64,
    /// How many `lunatic::trap::catch` it is within.
    pub(super) catches: u32,
    pub(super) held: Option<Box<Held>>,
}

impl Guest {
    /// It has computed through a tick. Fails when that was the last it may.
    pub(crate) fn burn(&mut self) -> Result<()> {
        if self.config.fuel == 0 {
            return Ok(());
        }
        self.burnt = self.burnt.saturating_add(FUEL_PER_TICK);
        ensure!(
            self.burnt < self.config.fuel,
            "all fuel consumed: its configuration gives it {} units, of about 0.1 ms each",
            self.config.fuel
        );
        Ok(())
    }

    /// What WASI gives to it.
    pub(crate) fn wasi(&self, memory_bytes_max: u64) -> Option<Wasi> {
        self.config.wasi(memory_bytes_max)
    }

    /// From now on the death of a linked process is told with this tag.
    ///
    /// Links that end normally are not told to a process that dies with its links, so from time
    /// to time the dead are forgotten here. One that hears of all of them forgets them then.
    pub(super) fn remember_link(&mut self, peer: Pid, tag: i64) {
        if !self.hears && self.links.len() >= self.links_forgotten_at {
            self.links.retain(|peer, _| is_alive(*peer));
            self.links_forgotten_at = LINKS_FORGOTTEN_MIN.max(2 * self.links.len());
        }
        self.links.insert(peer, tag);
    }

    pub(super) fn held(&mut self) -> &mut Held {
        self.held.get_or_insert_default()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.environment.leave(self.id);
    }
}

/// The guest of a store. Every store of this layer has one: it is made with it.
pub(super) fn guest(state: &mut State) -> Result<&mut Guest> {
    let guest = state.lunatic.as_deref_mut();
    guest.ok_or_else(|| format_err!("the process was not started as a Lunatic one"))
}

pub(super) fn held(state: &mut State) -> Result<&mut Held> {
    Ok(guest(state)?.held())
}
