//! Links: two processes that share their fate, unless one of them traps exits.

use std::collections::BTreeSet;
use std::fmt;

use crate::context::Context;
use crate::exit::ExitReason;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::signal::{Cause, Signal, signal};

/// There is no such process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoProcess;

impl fmt::Display for NoProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such process; it may have ended")
    }
}

impl std::error::Error for NoProcess {}

impl Context {
    /// Links the process to `peer`: when one of them ends, the other gets an exit signal with
    /// the reason. Linking twice, or to oneself, changes nothing.
    ///
    /// # Errors
    /// When there is no such process; but who traps exits gets that as an exit message.
    pub fn link(&mut self, peer: Pid) -> Result<(), NoProcess> {
        let me = self.pid();
        if peer == me || self.is_linked(peer) {
            return Ok(());
        }
        let id = Reference::new();
        let lives = signal(peer, Signal::Link { from: me, id });
        if !lives && !self.look(|side| side.traps_exits) {
            return Err(NoProcess);
        }
        self.with_side(|side| side.links.insert(peer, id));
        if !lives {
            // The way of all signals: what the dead one wrote before comes first.
            let exit = Signal::Exit {
                told: false,
                from: Some(peer),
                cause: Cause::Link,
                reason: ExitReason::NoProcess,
            };
            signal(me, exit);
        }
        Ok(())
    }

    /// Ends the link to `peer`, if there is one. Afterwards no exit signal of that link arrives
    /// any more, whatever has happened to `peer`.
    pub fn unlink(&mut self, peer: Pid) {
        let from = self.pid();
        for id in self.look(|side| side.links.of(peer).collect::<Vec<_>>()) {
            signal(peer, Signal::Unlink { from, id });
        }
        self.with_side(|side| side.links.cut(peer));
    }

    /// Is the process linked to `peer`?
    pub fn is_linked(&self, peer: Pid) -> bool {
        self.look(|side| side.links.of(peer).next().is_some())
    }

    /// Says whether exit signals become messages from now on, and returns what was so before.
    /// Only a kill cannot be trapped.
    pub fn trap_exit(&mut self, trap: bool) -> bool {
        self.with_side(|side| std::mem::replace(&mut side.traps_exits, trap))
    }
}

/// Whom a process is linked to, with a name for each time one of the two said so: a link and an
/// unlink that cross on their way are told apart by it. Many processes are linked once.
#[derive(Default)]
pub(crate) struct Links {
    one: Option<(Pid, Reference)>,
    more: BTreeSet<(Pid, Reference)>,
}

impl Links {
    pub(crate) fn insert(&mut self, peer: Pid, id: Reference) {
        if self.one.is_none() {
            self.one = Some((peer, id));
        } else if self.one != Some((peer, id)) {
            self.more.insert((peer, id));
        }
    }

    pub(crate) fn remove(&mut self, peer: Pid, id: Reference) {
        if self.one == Some((peer, id)) {
            self.one = None;
        }
        self.more.remove(&(peer, id));
    }

    /// The names of the links to `peer`.
    pub(crate) fn of(&self, peer: Pid) -> impl Iterator<Item = Reference> {
        let all = (peer, Reference::from_bits(0))..=(peer, Reference::from_bits(u64::MAX));
        let one = self.one.filter(|(linked, _)| *linked == peer);
        let more = self.more.range(all).copied();
        one.into_iter().chain(more).map(|(_, id)| id)
    }

    /// Removes all links to `peer`. False: there were none.
    pub(crate) fn cut(&mut self, peer: Pid) -> bool {
        if self.more.is_empty() {
            return self.one.take_if(|(linked, _)| *linked == peer).is_some();
        }
        let ids: Vec<_> = self.of(peer).collect();
        ids.iter().for_each(|id| self.remove(peer, *id));
        !ids.is_empty()
    }

    /// Everybody it is linked to, in order, each once.
    pub(crate) fn all(&self) -> Vec<Pid> {
        let mut all: Vec<Pid> = self.peers().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Everybody it is linked to; some perhaps twice.
    pub(crate) fn peers(&self) -> impl Iterator<Item = Pid> {
        let more = self.more.iter().copied();
        self.one.into_iter().chain(more).map(|(peer, _)| peer)
    }

    /// Calls `f` with each of `peers`, from the oldest link on: see
    /// `References::for_each_in_order`.
    pub(crate) fn for_each_peer_in_order(&self, mut f: impl FnMut(Pid)) {
        if let Some((peer, _)) = self.one {
            f(peer);
        }
        if !self.more.is_empty() {
            let mut more: Vec<_> = self.more.iter().copied().collect();
            more.sort_unstable_by_key(|(_, id)| id.age());
            more.into_iter().for_each(|(peer, _)| f(peer));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.one = None;
        if !self.more.is_empty() {
            self.more = BTreeSet::new();
        }
    }
}
