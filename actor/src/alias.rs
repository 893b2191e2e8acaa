//! Aliases: addresses of a process that can be switched off, for answers that may come too late.

use crate::context::Context;
use crate::message::Message;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::side::Side;
use crate::signal::{Signal, signal};

/// An address of a process that works until its owner switches it off. Whoever has it can send
/// to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alias {
    pid: Pid,
    reference: Reference,
}

/// When an alias ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AliasKind {
    /// When its owner says so.
    Plain,
    /// After its first message.
    Once,
    /// With the monitor of the same reference.
    Monitor,
    /// After its first message, which ends the monitor as well, or with the monitor.
    MonitorOnce,
}

impl AliasKind {
    pub(crate) fn of_monitor(once: bool) -> Self {
        if once {
            AliasKind::MonitorOnce
        } else {
            AliasKind::Monitor
        }
    }

    /// Does it end with a monitor?
    pub(crate) fn is_tied(&self) -> bool {
        matches!(self, AliasKind::Monitor | AliasKind::MonitorOnce)
    }
}

impl Alias {
    pub(crate) fn new(pid: Pid, reference: Reference) -> Self {
        Alias { pid, reference }
    }

    /// Sends a message, which is dropped unless the alias is active when it arrives.
    pub fn send(self, message: impl Into<Message>) {
        let aliased = Signal::Aliased {
            reference: self.reference,
            message: message.into(),
        };
        signal(self.pid, aliased);
    }

    /// From what `pid` and `reference` gave: for hosts and wires. Any two are safe: most are no
    /// alias, and what is sent to them is dropped.
    pub fn from_parts(pid: Pid, reference: Reference) -> Self {
        Alias { pid, reference }
    }

    /// Whose it is.
    pub fn pid(self) -> Pid {
        self.pid
    }

    /// The alias's name, which is also its monitor's if it has one.
    pub fn reference(self) -> Reference {
        self.reference
    }
}

impl Context {
    /// Makes an alias that works until `unalias`.
    pub fn alias(&mut self) -> Alias {
        self.new_alias(AliasKind::Plain)
    }

    /// Makes an alias that takes one message.
    pub fn reply_alias(&mut self) -> Alias {
        self.new_alias(AliasKind::Once)
    }

    fn new_alias(&mut self, kind: AliasKind) -> Alias {
        let reference = Reference::new();
        self.with_side(|side| side.aliases.insert(reference, kind));
        Alias::new(self.pid(), reference)
    }

    /// Switches an alias off. False: it was off, or is another process's.
    pub fn unalias(&mut self, alias: Alias) -> bool {
        alias.pid == self.pid()
            && self.with_side(|side| side.aliases.remove(alias.reference).is_some())
    }
}

impl Side {
    /// A message came for an alias: is it active? Ends those that take one message.
    pub(crate) fn use_alias(&mut self, reference: Reference) -> bool {
        let Some(kind) = self.aliases.get(reference).copied() else {
            return false;
        };
        if matches!(kind, AliasKind::Once | AliasKind::MonitorOnce) {
            self.aliases.remove(reference);
        }
        if kind == AliasKind::MonitorOnce
            && let Some(watch) = self.watches.remove(reference)
        {
            signal(watch.pid, Signal::Demonitor { reference });
        }
        true
    }
}
