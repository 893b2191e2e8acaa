//! A supervisor's children: in the order they were started, by id and by pid.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use crate::pid::Pid;
use crate::reference::Reference;
use crate::supervisor::backoff::Tries;
use crate::supervisor::child::Child;
use crate::supervisor::plan::Order;

/// A child's place: later ones have greater keys.
pub(crate) type Key = u64;

/// What a child is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has no process.
    Stopped,
    Running(Pid),
    /// It will be started when the timeout of this name comes.
    Restarting(Reference),
}

pub(crate) struct Entry {
    pub(crate) child: Child,
    pub(crate) state: State,
    pub(crate) tries: Tries,
}

pub(crate) struct Table {
    order: Order,
    entries: BTreeMap<Key, Entry>,
    keys_by_id: HashMap<Arc<str>, Key>,
    keys_by_pid: HashMap<Pid, Key>,
    next: Key,
}

impl Table {
    pub(crate) fn new(order: Order) -> Self {
        Table {
            order,
            entries: BTreeMap::new(),
            keys_by_id: HashMap::new(),
            keys_by_pid: HashMap::new(),
            next: 0,
        }
    }

    /// Adds a child behind all others, without a process. Its id must be free.
    pub(crate) fn add(&mut self, child: Child) -> Key {
        let key = self.next;
        self.next += 1;
        if self.order == Order::Listed {
            self.keys_by_id.insert(child.id.clone(), key);
        }
        let entry = Entry {
            child,
            state: State::Stopped,
            tries: Tries::default(),
        };
        self.entries.insert(key, entry);
        key
    }

    /// Forgets a child, which has no process any more.
    pub(crate) fn remove(&mut self, key: Key) {
        self.set(key, State::Stopped);
        if let Some(entry) = self.entries.remove(&key) {
            self.keys_by_id.remove(&entry.child.id);
        }
    }

    /// Notes what a child does from now on.
    pub(crate) fn set(&mut self, key: Key, state: State) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        if let State::Running(pid) = std::mem::replace(&mut entry.state, state) {
            self.keys_by_pid.remove(&pid);
        }
        if let State::Running(pid) = state {
            self.keys_by_pid.insert(pid, key);
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Entry> {
        self.entries.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Entry> {
        self.entries.get_mut(&key)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<Key> {
        self.keys_by_id.get(id).copied()
    }

    pub(crate) fn by_pid(&self, pid: Pid) -> Option<Key> {
        self.keys_by_pid.get(&pid).copied()
    }

    /// The first child of `range` that was started after `key`; the very first without one.
    pub(crate) fn after(&self, key: Option<Key>, range: &RangeInclusive<Key>) -> Option<Key> {
        let begin = key.map_or(Bound::Included(*range.start()), Bound::Excluded);
        let mut rest = self.entries.range((begin, Bound::Included(*range.end())));
        rest.next().map(|(key, _)| *key)
    }

    /// The last child of `range` that was started before `key`; the very last without one.
    pub(crate) fn before(&self, key: Option<Key>, range: &RangeInclusive<Key>) -> Option<Key> {
        let end = key.map_or(Bound::Included(*range.end()), Bound::Excluded);
        let mut rest = self.entries.range((Bound::Included(*range.start()), end));
        rest.next_back().map(|(key, _)| *key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.entries.iter().map(|(key, entry)| (*key, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
