//! Links: two processes that share their fate, unless one of them traps exits.

use std::fmt;

use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::pid::Pid;
use crate::process::Side;
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
        if signal(peer, Signal::Link { from: me, id }) {
            self.with_side(|side| side.links.insert((peer, id)));
            return Ok(());
        }
        if !self.with_side(|side| side.traps_exits) {
            return Err(NoProcess);
        }
        self.deliver(Message::from_signal(Signal::Exit {
            from: Some(peer),
            cause: Cause::Link,
            reason: ExitReason::NoProcess,
        }));
        Ok(())
    }

    /// Ends the link to `peer`, if there is one. Afterwards no exit signal of that link arrives
    /// any more, whatever has happened to `peer`.
    pub fn unlink(&mut self, peer: Pid) {
        let from = self.pid();
        for id in self.with_side(|side| side.cut_links(peer)) {
            signal(peer, Signal::Unlink { from, id });
        }
    }

    /// Is the process linked to `peer`?
    pub fn is_linked(&self, peer: Pid) -> bool {
        self.look(|side| side.ids_of(peer).next().is_some())
    }

    /// Says whether exit signals become messages from now on, and returns what was so before.
    /// Only a kill cannot be trapped.
    pub fn trap_exit(&mut self, trap: bool) -> bool {
        self.with_side(|side| std::mem::replace(&mut side.traps_exits, trap))
    }
}

impl Side {
    fn ids_of(&self, peer: Pid) -> impl Iterator<Item = Reference> {
        let all = (peer, Reference::from_bits(0))..=(peer, Reference::from_bits(u64::MAX));
        self.links.range(all).map(|(_, id)| *id)
    }

    /// Removes all links to `peer`; their names.
    pub(crate) fn cut_links(&mut self, peer: Pid) -> Vec<Reference> {
        let ids: Vec<_> = self.ids_of(peer).collect();
        for id in &ids {
            self.links.remove(&(peer, *id));
        }
        ids
    }
}
