//! How a process that was started says whether it has: to its supervisor, once.

use std::fmt;

use crate::exit::ExitReason;
use crate::message::{Content, Message};
use crate::node::send;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::supervisor::StartError;

/// What a child says when it has got ready, or will not: its supervisor waits for that before
/// it starts the next one. Dropped in silence, it is a failed start, whose reason is the one
/// that the child ends with.
#[must_use = "its supervisor waits for it"]
pub struct Starter {
    supervisor: Pid,
    token: Reference,
    told: bool,
}

/// What came of a start.
pub(crate) enum Outcome {
    Started(Option<Message>),
    Ignored,
    Failed(ExitReason),
    /// A supervisor that could not be started.
    Refused(StartError),
    /// The child lost its starter without a word.
    Dropped,
}

/// The message that says so.
struct Ack {
    token: Reference,
    outcome: Outcome,
}

impl Starter {
    pub(crate) fn new(supervisor: Pid) -> Self {
        Starter {
            supervisor,
            token: Reference::new(),
            told: false,
        }
    }

    /// What the answer is known by.
    pub(crate) fn token(&self) -> Reference {
        self.token
    }

    pub(crate) fn supervisor(&self) -> Pid {
        self.supervisor
    }

    /// The child is ready.
    pub fn started(self) {
        self.tell(Outcome::Started(None));
    }

    /// The child is ready, and this is for whoever had it started by `start_child`.
    pub fn started_with(self, info: impl Into<Message>) {
        self.tell(Outcome::Started(Some(info.into())));
    }

    /// The child is not needed: that is no failure. Its supervisor waits for its end.
    pub fn ignore(self) {
        self.tell(Outcome::Ignored);
    }

    /// The child cannot start. Its supervisor waits for its end, which should follow:
    /// `return starter.failed(reason)`.
    pub fn failed(self, reason: ExitReason) -> ExitReason {
        self.tell(Outcome::Failed(reason.clone()));
        reason
    }

    pub(crate) fn refused(self, error: StartError) {
        self.tell(Outcome::Refused(error));
    }

    fn tell(mut self, outcome: Outcome) {
        self.told = true;
        self.send(outcome);
    }

    fn send(&self, outcome: Outcome) {
        let token = self.token;
        send(self.supervisor, Message::native(Ack { token, outcome }));
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        if !self.told {
            self.send(Outcome::Dropped);
        }
    }
}

impl fmt::Debug for Starter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Starter({})", self.supervisor)
    }
}

/// Is it the answer that is known by `token`?
pub(crate) fn answers(message: &Message, token: Reference) -> bool {
    match message.content() {
        Content::Native(value) => value
            .downcast_ref::<Ack>()
            .is_some_and(|ack| ack.token == token),
        _ => false,
    }
}

/// The outcome that a message brings, if it `answers`.
pub(crate) fn outcome(message: Message) -> Option<Outcome> {
    message.downcast::<Ack>().ok().map(|ack| ack.outcome)
}
