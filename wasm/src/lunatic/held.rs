//! What one process holds, by number: numbers begin with 0 and are not used twice, as with
//! Lunatic. Every kind has a limit; one more ends the guest.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use rusm_actor::{Reference, TimerRef};
use wasmtime::{Result, bail, format_err};

use super::code::Code;
use super::config::Config;
use super::environment::Waiting;
use super::net::{Listener, TcpConnection, UdpConnection};
use crate::grant::Resolved;

pub(super) const CONFIGS_MAX: usize = 1024;
pub(super) const MODULES_MAX: usize = 256;
pub(super) const ERRORS_MAX: usize = 10_000;
pub(super) const TIMERS_HELD_MAX: usize = 100_000;
pub(super) const ADDRESSES_MAX: usize = 10_000;
pub(super) const SOCKETS_MAX: usize = 1024;
pub(super) const MONITORS_MAX: usize = 1_000_000;

/// Made at first use: most processes of a storm hold nothing.
#[derive(Default)]
pub(super) struct Held {
    pub(super) configs: Table<Config, CONFIGS_MAX>,
    pub(super) modules: Table<Code, MODULES_MAX>,
    pub(super) errors: Table<String, ERRORS_MAX>,
    pub(super) timers: Table<Timer, TIMERS_HELD_MAX>,
    /// What a look-up found and was not asked for yet.
    pub(super) addresses: Table<VecDeque<SocketAddr>, ADDRESSES_MAX>,
    pub(super) listeners: Table<Arc<Listener>, SOCKETS_MAX>,
    pub(super) streams: Table<Arc<TcpConnection>, SOCKETS_MAX>,
    pub(super) udp: Table<Arc<UdpConnection>, SOCKETS_MAX>,
    /// The names it has looked up, for whom it may connect to.
    pub(super) resolved: Resolved,
    /// Whom it watches, by their numbers.
    pub(super) watched: BTreeMap<u64, Reference>,
    pub(super) watches: BTreeMap<Reference, u64>,
}

/// A message on its way to somebody, later.
pub(super) struct Timer {
    pub(super) timer: TimerRef,
    /// Where its bytes count, and how many.
    pub(super) weight: u64,
    pub(super) waiting: Arc<Waiting>,
}

/// Things by number, at most `MAX`.
pub(super) struct Table<T, const MAX: usize> {
    next: u64,
    things: BTreeMap<u64, T>,
}

impl<T, const MAX: usize> Default for Table<T, MAX> {
    fn default() -> Self {
        Self {
            next: 0,
            things: BTreeMap::new(),
        }
    }
}

impl<T, const MAX: usize> Table<T, MAX> {
    /// `what` is a thing's name in the plural.
    pub(super) fn add(&mut self, what: &str, thing: T) -> Result<u64> {
        if self.things.len() >= MAX {
            bail!("too many {what}: a process may hold {MAX}");
        }
        Ok(self.insert(thing))
    }

    /// As `add`, at the cost of the oldest one.
    pub(super) fn push(&mut self, thing: T) -> u64 {
        if self.things.len() >= MAX {
            self.things.pop_first();
        }
        self.insert(thing)
    }

    /// A number for nothing.
    pub(super) fn skip(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn insert(&mut self, thing: T) -> u64 {
        let id = self.skip();
        self.things.insert(id, thing);
        id
    }

    pub(super) fn get(&mut self, call: &str, id: u64) -> Result<&mut T> {
        let found = self.things.get_mut(&id);
        found.ok_or_else(|| missing(call, id))
    }

    pub(super) fn remove(&mut self, call: &str, id: u64) -> Result<T> {
        self.take(id).ok_or_else(|| missing(call, id))
    }

    pub(super) fn take(&mut self, id: u64) -> Option<T> {
        self.things.remove(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.things.len()
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.things.retain(|_, thing| keep(thing));
    }
}

fn missing(call: &str, id: u64) -> wasmtime::Error {
    format_err!("`{call}`: there is nothing with the number {id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_with_zero_and_come_once() {
        let mut table = Table::<_, 2>::default();
        assert_eq!(table.add("things", 'a').unwrap(), 0);
        assert_eq!(table.add("things", 'b').unwrap(), 1);
        let error = table.add("things", 'c').unwrap_err().to_string();
        assert_eq!(error, "too many things: a process may hold 2");
        assert_eq!(table.remove("x", 1).unwrap(), 'b');
        assert_eq!(table.add("things", 'd').unwrap(), 2);
        let error = table.get("lunatic::x::y", 1).unwrap_err().to_string();
        assert_eq!(error, "`lunatic::x::y`: there is nothing with the number 1");
    }

    #[test]
    fn a_full_table_gives_its_oldest_thing_for_a_new_one() {
        let mut table = Table::<_, 2>::default();
        for thing in ['a', 'b', 'c'] {
            table.push(thing);
        }
        assert!(table.take(0).is_none());
        assert_eq!(table.take(2), Some('c'));
    }
}
