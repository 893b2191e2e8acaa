//! What a process is to the Lunatic layer, beside what it is to everybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusm_actor::{Pid, is_alive};
use wasmtime::{Result, format_err};

use super::code::{Code, Entry};
use super::config::Config;
use super::environment::{Environment, Waiting};
use super::fuel::Meter;
use super::held::Held;
use super::letter::Scratch;
use crate::guest::State;
use crate::wasi::Wasi;

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
    /// What it has burnt of its fuel; none if that has no end.
    pub(super) meter: Option<Arc<Meter>>,
    /// How many `lunatic::trap::catch` it is within.
    pub(super) catches: u32,
    pub(super) held: Option<Box<Held>>,
}

impl Guest {
    /// Fails when it has no fuel left.
    pub(crate) fn check_fuel(&self) -> Result<()> {
        match &self.meter {
            Some(meter) => meter.check(),
            None => Ok(()),
        }
    }

    /// What its turns are to be timed with, if they are.
    pub(crate) fn meter(&self) -> Option<Arc<Meter>> {
        self.meter.clone()
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

/// The guest of a store. Every store of this layer has one: it is made with it. Fails when the
/// process has burnt all its fuel, too.
pub(super) fn guest(state: &mut State) -> Result<&mut Guest> {
    let guest = state.lunatic.as_deref_mut();
    let guest = guest.ok_or_else(|| format_err!("the process was not started as a Lunatic one"))?;
    guest.check_fuel()?;
    Ok(guest)
}

pub(super) fn held(state: &mut State) -> Result<&mut Held> {
    Ok(guest(state)?.held())
}
