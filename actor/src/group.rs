//! Process groups: any number of processes under one name, to be written to together, and
//! whoever wants to hear of who comes and goes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusm_sched::{Letter, post};

use crate::link::NoProcess;
use crate::message::{INLINE_BYTES_MAX, Message};
use crate::node::{Node, kill, send};
use crate::pid::Pid;
use crate::process::Process;
use crate::reference::Reference;
use crate::signal::{Signal, signal};

/// What happened in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEvent {
    /// What `watch_group` returned.
    pub reference: Reference,
    /// The group's name.
    pub group: Arc<str>,
    /// Who came or went.
    pub pid: Pid,
    /// True: it came. False: it left, or ended.
    pub joined: bool,
}

/// The groups of one node.
#[derive(Default)]
pub(crate) struct Groups(RwLock<Table>);

#[derive(Default)]
struct Table {
    groups: HashMap<Arc<str>, Group>,
    /// In which groups a process is, or which it watches: as often as that is so.
    places: HashMap<Pid, Vec<Arc<str>>>,
}

#[derive(Default)]
struct Group {
    /// Copied when it changes while somebody writes to those who were in it before.
    members: Arc<Vec<Pid>>,
    watchers: Vec<(Reference, Pid)>,
}

impl Groups {
    fn join(&self, name: &str, pid: Pid) -> Result<(), NoProcess> {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (name, group) = table.enter(name, pid)?;
        Arc::make_mut(&mut group.members).push(pid);
        group.announce(&name, pid, true);
        Ok(())
    }

    fn leave(&self, name: &str, pid: Pid) -> bool {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.change(name, pid, |name, group| group.remove(name, pid))
    }

    fn members(&self, name: &str) -> Arc<Vec<Pid>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let group = table.groups.get(name);
        group.map(|group| group.members.clone()).unwrap_or_default()
    }

    fn names(&self) -> Vec<Arc<str>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let groups = table.groups.iter();
        let peopled = groups.filter(|(_, group)| !group.members.is_empty());
        let mut names: Vec<_> = peopled.map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// The groups that a process is in.
    pub(crate) fn of(&self, pid: Pid) -> Vec<Arc<str>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut names = table.places.get(&pid).cloned().unwrap_or_default();
        names.sort_unstable();
        names.dedup();
        // Watching a group is not being in it.
        let is_in = |group: &Group| group.members.contains(&pid);
        names.retain(|name| table.groups.get(name).is_some_and(is_in));
        names
    }

    fn watch(&self, name: &str, pid: Pid) -> Result<(Reference, Arc<Vec<Pid>>), NoProcess> {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (_, group) = table.enter(name, pid)?;
        let reference = Reference::new();
        group.watchers.push((reference, pid));
        Ok((reference, group.members.clone()))
    }

    fn unwatch(&self, name: &str, pid: Pid, reference: Reference) -> bool {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        table.change(name, pid, |_, group| {
            let place = (reference, pid);
            let found = group.watchers.iter().position(|watcher| *watcher == place);
            found.map(|at| group.watchers.swap_remove(at)).is_some()
        })
    }

    pub(crate) fn forget(&self, pid: Pid) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for name in table.places.remove(&pid).unwrap_or_default() {
            let Some(group) = table.groups.get_mut(&name) else {
                continue;
            };
            group.watchers.retain(|(_, watcher)| *watcher != pid);
            while group.remove(&name, pid) {}
            table.drop_if_empty(&name);
        }
    }
}

impl Table {
    /// Notes that `pid` has to do with a group, which is made if need be.
    fn enter(&mut self, name: &str, pid: Pid) -> Result<(Arc<str>, &mut Group), NoProcess> {
        // Told under the lock: whoever removes `pid` when it ends comes later.
        if !signal(pid, Signal::Listed) {
            return Err(NoProcess);
        }
        let known = self.groups.get_key_value(name);
        let name = known.map_or_else(|| Arc::from(name), |(name, _)| name.clone());
        self.places.entry(pid).or_default().push(name.clone());
        let group = self.groups.entry(name.clone()).or_default();
        Ok((name, group))
    }

    /// Undoes one `enter` if `change` found what to undo.
    fn change(
        &mut self,
        name: &str,
        pid: Pid,
        change: impl FnOnce(&Arc<str>, &mut Group) -> bool,
    ) -> bool {
        let key = self.groups.get_key_value(name).map(|(key, _)| key.clone());
        let Some(key) = key else { return false };
        let changed = self
            .groups
            .get_mut(&key)
            .is_some_and(|group| change(&key, group));
        if changed && let Some(places) = self.places.get_mut(&pid) {
            if let Some(at) = places.iter().position(|place| *place == key) {
                places.swap_remove(at);
            }
            if places.is_empty() {
                self.places.remove(&pid);
            }
        }
        self.drop_if_empty(&key);
        changed
    }

    fn drop_if_empty(&mut self, name: &Arc<str>) {
        let empty = |group: &Group| group.members.is_empty() && group.watchers.is_empty();
        if self.groups.get(name).is_some_and(empty) {
            self.groups.remove(name);
        }
    }
}

impl Group {
    fn remove(&mut self, name: &Arc<str>, pid: Pid) -> bool {
        let Some(at) = self.members.iter().position(|member| *member == pid) else {
            return false;
        };
        Arc::make_mut(&mut self.members).remove(at);
        self.announce(name, pid, false);
        true
    }

    /// Under the table's lock, so that all watchers see changes in the order they happened;
    /// posting waits for nobody.
    fn announce(&self, name: &Arc<str>, pid: Pid, joined: bool) {
        for (reference, watcher) in &self.watchers {
            let event = Box::new(GroupEvent {
                reference: *reference,
                group: name.clone(),
                pid,
                joined,
            });
            // The dead give the letter back.
            drop(post::<Process>(
                watcher.address(),
                Letter::new(Signal::Group(event)),
            ));
        }
    }
}

impl Node {
    /// Adds a process to a group, once more if it is in it already.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn join(&self, group: &str, pid: Pid) -> Result<(), NoProcess> {
        self.world().groups.join(group, pid)
    }

    /// Takes a process out of a group, once. False: it was not in it.
    pub fn leave(&self, group: &str, pid: Pid) -> bool {
        self.world().groups.leave(group, pid)
    }

    /// Who is in a group, in the order of joining. Somebody who has ended is in it no longer
    /// when those hear of it who watched; whoever asks whether it lives may know earlier.
    pub fn members(&self, group: &str) -> Arc<Vec<Pid>> {
        self.world().groups.members(group)
    }

    /// The groups that have members.
    pub fn groups(&self) -> Vec<Arc<str>> {
        self.world().groups.names()
    }

    /// Sends bytes to all members of a group; to how many. Long ones are copied once.
    pub fn publish(&self, group: &str, content: &[u8]) -> usize {
        let members = self.members(group);
        if content.len() <= INLINE_BYTES_MAX {
            members.iter().for_each(|member| send(*member, content));
        } else {
            let shared: Arc<[u8]> = content.into();
            let message = || Message::shared(shared.clone());
            members.iter().for_each(|member| send(*member, message()));
        }
        members.len()
    }

    /// Kills all members of a group; how many.
    pub fn kill_group(&self, group: &str) -> usize {
        let members = self.members(group);
        members.iter().for_each(|member| kill(*member));
        members.len()
    }

    /// Has a process told who joins and leaves a group from now on; who is in it now.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn watch_group(
        &self,
        group: &str,
        pid: Pid,
    ) -> Result<(Reference, Arc<Vec<Pid>>), NoProcess> {
        self.world().groups.watch(group, pid)
    }

    /// Ends that. False: there was nothing to end.
    pub fn unwatch_group(&self, group: &str, pid: Pid, reference: Reference) -> bool {
        self.world().groups.unwatch(group, pid, reference)
    }
}
