//! Monitors: one process is told when another one ends, once, and never the other way round.

use std::sync::Arc;

use rusm_sched::Letter;

use crate::alias::{Alias, AliasKind};
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::side::Side;
use crate::signal::{Signal, signal};

/// Whom a process watches.
pub(crate) struct Watch {
    pub(crate) pid: Pid,
    /// The name by which it was found, if it was.
    name: Option<Arc<str>>,
}

/// Who has ended, as the watcher knew it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// It was watched by its pid.
    Pid(Pid),
    /// It was watched by its name on this node.
    Name(Arc<str>),
}

/// A watched process has ended, or there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// What `monitor` returned.
    pub reference: Reference,
    /// Who has ended.
    pub watched: Watched,
    /// Why: `NoProcess` if it had ended before.
    pub reason: ExitReason,
}

impl Watch {
    pub(crate) fn new(pid: Pid) -> Self {
        Watch { pid, name: None }
    }

    /// Whom, as the watcher knows it.
    pub(crate) fn watched(&self) -> Watched {
        let by_name = self.name.clone().map(Watched::Name);
        by_name.unwrap_or(Watched::Pid(self.pid))
    }

    /// The message that a `Down` signal becomes.
    pub(crate) fn tell(self, mut letter: Letter<Signal>) -> Message {
        let Some(name) = self.name else {
            letter.become_message();
            return Message::from_letter(letter);
        };
        match letter.into_inner() {
            Signal::Down {
                reference, reason, ..
            } => Message::from_signal(Signal::NamedDown(Box::new((reference, name, reason)))),
            other => Message::from_signal(other),
        }
    }
}

impl Context {
    /// Watches `pid`: when it ends, or if it has ended already, one [`Down`] message comes.
    /// Each call adds a monitor of its own. Watching oneself does nothing.
    pub fn monitor(&mut self, pid: Pid) -> Reference {
        let reference = Reference::new();
        if pid != self.pid() {
            self.watch(reference, Watch::new(pid));
        }
        reference
    }

    /// As `monitor`, of the process that has the name `name` now.
    pub fn monitor_name(&mut self, name: &str) -> Reference {
        let reference = Reference::new();
        let pid = self.whereis(name);
        if pid == Some(self.pid()) {
            return reference;
        }
        let watch = Watch {
            pid: pid.unwrap_or(Pid::NOBODY),
            name: Some(name.into()),
        };
        self.watch(reference, watch);
        reference
    }

    /// As `monitor`, with an alias of the same reference that ends together with the monitor;
    /// after its first message, if `once`.
    pub fn monitor_with_alias(&mut self, pid: Pid, once: bool) -> (Reference, Alias) {
        let reference = Reference::new();
        let kind = AliasKind::of_monitor(once);
        self.with_side(|side| side.aliases.insert(reference, kind));
        if pid != self.pid() {
            self.watch(reference, Watch::new(pid));
        }
        (reference, Alias::new(self.pid(), reference))
    }

    fn watch(&mut self, reference: Reference, watch: Watch) {
        let (from, pid) = (self.pid(), watch.pid);
        self.with_side(|side| side.watches.insert(reference, watch));
        if !signal(pid, Signal::Monitor { from, reference }) {
            // The way of all signals: what the dead one wrote before comes first.
            let down = Signal::Down {
                told: false,
                reference,
                from: pid,
                reason: ExitReason::NoProcess,
            };
            signal(from, down);
        }
    }

    /// Ends a monitor. From now on no `Down` message of it comes; one that has come already
    /// stays. False: it had ended before, by itself or by this.
    pub fn demonitor(&mut self, reference: Reference) -> bool {
        let watch = self.with_side(|side| {
            side.forget_watching_alias(reference);
            side.watches.remove(reference)
        });
        if let Some(watch) = &watch {
            signal(watch.pid, Signal::Demonitor { reference });
        }
        watch.is_some()
    }

    /// As `demonitor`, and takes the `Down` message out of the mailbox if it has come already.
    pub fn demonitor_flush(&mut self, reference: Reference) -> bool {
        let found = self.demonitor(reference);
        if !found {
            drop(self.pick(|message| message.down_reference() == Some(reference)));
        }
        found
    }
}

impl Side {
    /// Ends the alias that is tied to a monitor.
    pub(crate) fn forget_watching_alias(&mut self, reference: Reference) {
        if self.aliases.get(reference).is_some_and(AliasKind::is_tied) {
            self.aliases.remove(reference);
        }
    }
}
