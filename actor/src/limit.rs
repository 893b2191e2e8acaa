//! Limits of mailboxes: how many messages may wait for a process, and what is done with those
//! that are too many.
//!
//! A mailbox has no limit unless it is given one. What others say to a process counts: messages
//! by pid, name, alias, group or timer, and calls. What the system tells it never does, and is
//! never shed: exits, `Down`s, answers to its own calls, timeouts, group events, and all that
//! links, watches or ends it.

use std::fmt;
use std::sync::Arc;

use rusm_sched::{Own, is_guarded, post};

use crate::context::Context;
use crate::exit::ExitReason;
use crate::gate::{self, Gate, Ledger, Offered};
use crate::mailbox::Mailbox;
use crate::message::Message;
use crate::node::{Node, is_alive};
use crate::pid::Pid;
use crate::process::Process;
use crate::trace;

/// The text of the `ExitReason::Error` of a process that [`MailboxPolicy::Kill`] has ended.
pub const MAILBOX_FULL: &str = "mailbox full";

/// How many messages may wait for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxLimit {
    /// Messages that were sent and not received yet. Zero: it takes none.
    pub messages_max: usize,
    /// What is done when one more comes.
    pub policy: MailboxPolicy,
}

/// What is done with a message that is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxPolicy {
    /// It is shed.
    ShedNewest,
    /// The oldest message that waits is shed for it. The memory of those the process had taken
    /// over already is free when it runs next: up to `messages_max` more may lie there.
    ShedOldest,
    /// As `ShedNewest`, but who asks is told: see [`try_send`].
    Refuse,
    /// It is shed, and the process ends with `ExitReason::Error(MAILBOX_FULL)`, whether it
    /// traps exits or not.
    Kill,
}

/// The state of a mailbox that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxInfo {
    /// Its limit.
    pub limit: MailboxLimit,
    /// Messages that wait and count.
    pub messages: usize,
    /// Messages shed so far.
    pub shed: u64,
}

/// Why a message was not sent; here it is again.
#[derive(Debug)]
pub enum TrySendError {
    /// The mailbox is full, and its policy is to refuse.
    Full(Message),
    /// There is no such process.
    NoProcess(Message),
}

impl TrySendError {
    /// The message that was not sent.
    pub fn into_message(self) -> Message {
        match self {
            TrySendError::Full(message) | TrySendError::NoProcess(message) => message,
        }
    }
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "the mailbox is full; wait until it was read, or send less",
            TrySendError::NoProcess(_) => "no such process; it may have ended",
        })
    }
}

impl std::error::Error for TrySendError {}

/// Sends a message, and gives it back if it is refused. Never waits, also works outside of
/// processes. As [`send`](crate::send) where nothing refuses; about 100 ns to a process with a
/// limit.
///
/// # Errors
/// See [`TrySendError`]: a mailbox that is full refuses if its policy is to; the other policies
/// take the message, and shed one.
pub fn try_send(to: Pid, message: impl Into<Message>) -> Result<(), TrySendError> {
    let letter = message.into().into_letter();
    if is_guarded(to.address()) {
        rusm_sched::spend(1);
        let Some(gate) = gate::find(to) else {
            return Err(TrySendError::NoProcess(Message::from_letter(letter)));
        };
        trace::sent(to, &letter);
        return match gate.offer(to, letter) {
            Offered::Done(_) => Ok(()),
            Offered::Full(letter) => Err(TrySendError::Full(Message::from_letter(letter))),
            Offered::Gone(letter) => Err(TrySendError::NoProcess(Message::from_letter(letter))),
        };
    }
    post::<Process>(to.address(), letter)
        .map_err(|letter| TrySendError::NoProcess(Message::from_letter(letter)))
}

impl Context {
    /// See [`try_send`].
    ///
    /// # Errors
    /// As [`try_send`].
    pub fn try_send(&self, to: Pid, message: impl Into<Message>) -> Result<(), TrySendError> {
        try_send(to, message)
    }

    /// Gives the process's own mailbox a limit, or another one. What waits already counts and
    /// stays until the next message comes. Sending to a process with a limit takes about 100 ns.
    pub fn set_mailbox_limit(&mut self, limit: MailboxLimit) {
        if let Some(gate) = self.look(|side| side.mailbox.gate().cloned()) {
            gate.change(|ledger| ledger.set_limit(limit));
            return;
        }
        let world = self.node().world();
        let gate = world.gates.make(limit);
        world.gates.put(self.pid(), gate.clone());
        // Only now: nothing comes into the inbox any more.
        self.gather();
        self.with_side(|side| side.mailbox.set_gate(gate));
    }
}

impl Node {
    /// The mailbox of a process; `None` when it has no limit, or has ended. About 50 ns.
    pub fn mailbox(&self, pid: Pid) -> Option<MailboxInfo> {
        let gate = gate::find(pid).filter(|_| is_alive(pid));
        gate.map(|gate| gate.info())
    }

    /// Messages that mailboxes of this node have shed so far, those of ended processes included.
    pub fn messages_shed(&self) -> u64 {
        self.world().gates.shed()
    }

    pub(crate) fn limited_mailbox(&self, limit: MailboxLimit) -> Mailbox {
        Mailbox::limited(self.world().gates.make(limit))
    }
}

/// Makes the body of a process that is being started on `node`, with a gate if it has a limit.
#[inline(always)]
pub(crate) fn make_body<Fut>(
    own: Own<Process>,
    gate: Option<Arc<Gate>>,
    node: impl FnOnce() -> Node,
    body: impl FnOnce(Context) -> Fut,
) -> Fut {
    let pid = Pid::new(own.address());
    let future = body(Context::new(own));
    // Last: the process is started for certain now.
    if let Some(gate) = gate {
        node().world().gates.put(pid, gate);
    }
    future
}

/// Why a process ended whose mailbox was full.
pub(crate) fn overflow() -> ExitReason {
    ExitReason::error(MAILBOX_FULL)
}

impl Mailbox {
    /// Must the process end because it was full?
    pub(crate) fn has_overflowed(&self) -> bool {
        self.gate()
            .is_some_and(|gate| gate.change(|ledger: &mut Ledger| ledger.has_overflowed()))
    }
}
