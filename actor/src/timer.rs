//! Messages that are sent later, to a process or to whoever has a name then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusm_sched::{Letter, PostTimer};

use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::node::Node;
use crate::pid::Pid;
use crate::process::Process;
use crate::reference::Reference;
use crate::signal::Signal;

/// Whom something is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// This process.
    Pid(Pid),
    /// Whoever has this name when it comes to it.
    Name(Arc<str>),
}

impl From<Pid> for Destination {
    fn from(pid: Pid) -> Self {
        Destination::Pid(pid)
    }
}

impl From<&str> for Destination {
    fn from(name: &str) -> Self {
        Destination::Name(name.into())
    }
}

/// A message that will be sent later. Dropping this changes nothing: the message is sent even
/// if who ordered it has ended.
#[derive(Clone, Debug)]
pub struct TimerRef(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Post(PostTimer),
    /// A process that waits, and then finds out who has the name.
    Errand {
        settled: Arc<AtomicBool>,
        deadline: Duration,
        node: Node,
        pid: Pid,
    },
}

impl TimerRef {
    /// Takes the message back: how much time was left, or `None` if it was sent already.
    pub fn cancel(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Post(timer) => timer.cancel(),
            Kind::Errand {
                settled, node, pid, ..
            } => {
                let left = self.remaining();
                let before = settled.swap(true, Ordering::AcqRel);
                // Not killed: that would be reported as a crash.
                node.exit(*pid, ExitReason::Shutdown);
                left.filter(|_| !before)
            }
        }
    }

    /// How much time is left; `None` if it was sent already.
    pub fn remaining(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Post(timer) => timer.remaining(),
            Kind::Errand {
                settled,
                deadline,
                node,
                ..
            } => {
                let left = deadline.saturating_sub(node.handle_ref().now());
                (!settled.load(Ordering::Acquire)).then_some(left)
            }
        }
    }
}

impl Node {
    /// Sends `message` after `delay`, unless it is cancelled before. A timer to a process that has
    /// ended is dropped when others are armed, and counts as sent from then on.
    pub fn send_after(
        &self,
        delay: Duration,
        to: impl Into<Destination>,
        message: impl Into<Message>,
    ) -> TimerRef {
        let message = message.into();
        match to.into() {
            Destination::Pid(pid) => {
                let letter = message.into_letter();
                let handle = self.handle_ref();
                let timer = handle.post_after::<Process>(delay, pid.address(), letter);
                TimerRef(Kind::Post(timer))
            }
            Destination::Name(name) => self.errand(delay, name, message),
        }
    }

    /// As `send_after`, but the message that comes is a timeout with the returned reference
    /// and `message` in it.
    pub fn start_timer(
        &self,
        delay: Duration,
        to: impl Into<Destination>,
        message: impl Into<Message>,
    ) -> (Reference, TimerRef) {
        let reference = Reference::new();
        let message = message.into();
        let timeout = Message::from_signal(Signal::Timeout { reference, message });
        (reference, self.send_after(delay, to, timeout))
    }

    fn errand(&self, delay: Duration, name: Arc<str>, message: Message) -> TimerRef {
        let settled = Arc::new(AtomicBool::new(false));
        let deadline = self.handle_ref().now().saturating_add(delay);
        let done = settled.clone();
        let pid = self.spawn(move |ctx| async move {
            rusm_sched::sleep_until(deadline).await;
            if !done.swap(true, Ordering::AcqRel) {
                // Whoever should have had it has not; that is nobody's error.
                ctx.send_name(&name, message).ok();
            }
        });
        TimerRef(Kind::Errand {
            settled,
            deadline,
            node: Node::over(self.handle()),
            pid,
        })
    }
}

/// Sends `message` after `delay`, unless it is cancelled before. Inside of processes only.
/// About 60 ns.
pub fn send_after(delay: Duration, to: Pid, message: impl Into<Message>) -> TimerRef {
    let letter: Letter<Signal> = message.into().into_letter();
    let timer = rusm_sched::post_after::<Process>(delay, to.address(), letter);
    TimerRef(Kind::Post(timer))
}

impl Context {
    /// See [`Node::send_after`].
    pub fn send_after(
        &self,
        delay: Duration,
        to: impl Into<Destination>,
        message: impl Into<Message>,
    ) -> TimerRef {
        match to.into() {
            Destination::Pid(pid) => send_after(delay, pid, message),
            name => self.node().send_after(delay, name, message),
        }
    }

    /// See [`Node::start_timer`].
    pub fn start_timer(
        &self,
        delay: Duration,
        to: impl Into<Destination>,
        message: impl Into<Message>,
    ) -> (Reference, TimerRef) {
        self.node().start_timer(delay, to, message)
    }
}
