//! Starting a process that is linked to the one that starts it, or watched by it, from its
//! first moment on: however soon it ends, its own reason is what comes.

use std::future::Future;
use std::sync::Arc;

use rusm_sched::Priority;

use crate::context::Context;
use crate::exit::Outcome;
use crate::limit::{MailboxLimit, make_body};
use crate::monitor::Watch;
use crate::node::Node;
use crate::pid::Pid;
use crate::process::Process;
use crate::reference::Reference;
use crate::side::Side;

/// How a process is to be started.
#[derive(Clone, Debug, Default)]
#[must_use = "it starts nothing by itself"]
pub struct Spawn {
    link: bool,
    monitor: bool,
    priority: Priority,
    label: Option<Arc<str>>,
    mailbox: Option<MailboxLimit>,
}

impl Spawn {
    /// Neither linked nor watched, of normal priority, without a label or a limit.
    pub fn new() -> Self {
        Spawn::default()
    }

    /// Linked to who starts it.
    pub fn link(mut self) -> Self {
        self.link = true;
        self
    }

    /// Watched by who starts it.
    pub fn monitor(mut self) -> Self {
        self.monitor = true;
        self
    }

    /// Who goes first.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// A name for reports.
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With a limit of its mailbox, from its first message on.
    pub fn mailbox(mut self, limit: MailboxLimit) -> Self {
        self.mailbox = Some(limit);
        self
    }
}

impl Context {
    /// Starts a process that is linked to this one.
    #[track_caller]
    pub fn spawn_link<F, Fut>(&mut self, body: F) -> Pid
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        self.spawn_with(Spawn::new().link(), body).0
    }

    /// Starts a process that this one watches.
    #[track_caller]
    pub fn spawn_monitor<F, Fut>(&mut self, body: F) -> (Pid, Reference)
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        self.spawn_with(Spawn::new().monitor(), body)
    }

    /// Starts a process in a particular way. The reference is the monitor's; without a monitor
    /// it names nothing.
    #[track_caller]
    pub fn spawn_with<F, Fut>(&mut self, how: Spawn, body: F) -> (Pid, Reference)
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let (me, reference) = (self.pid(), Reference::new());
        let mut side = Side::spare();
        side.label = how.label;
        side.parent = how.link.then_some(me);
        if let Some(limit) = how.mailbox {
            side.mailbox = self.node().limited_mailbox(limit);
        }
        let gate = side.mailbox.gate().cloned();
        if how.link {
            side.links.insert(me, reference);
        }
        if how.monitor {
            side.watchers.insert(reference, me);
        }
        let start = |own| make_body(own, gate, Node::current, body);
        let child = rusm_sched::spawn_kind::<Process, _>(how.priority, side, start);
        let child = Pid::new(child);
        // Whatever the child says first, it is heard after this.
        self.with_side(|side| {
            if how.link {
                side.links.insert(child, reference);
            }
            if how.monitor {
                side.watches.insert(reference, Watch::new(child));
            }
        });
        (child, reference)
    }
}
