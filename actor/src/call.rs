//! Calls: a question to a process, and its answer, its end, or the end of patience.

pub(crate) mod pending;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use rusm_sched::Sleep;

use crate::alias::AliasKind;
use crate::context::Context;
use crate::death::discard;
use crate::exit::ExitReason;
use crate::limit::MAILBOX_FULL;
use crate::mailbox::Marker;
use crate::message::Message;
use crate::monitor::Watch;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::signal::{Signal, signal};
use crate::timer::Destination;

/// How long a call waits unless it says otherwise: as in OTP.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Who asked, and for what: whoever has it may answer, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    pid: Pid,
    reference: Reference,
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// There is no such process, or nobody has that name.
    NoProcess,
    /// A process cannot wait for itself.
    CallingSelf,
    /// No answer came in time. A late one will be dropped.
    Timeout,
    /// The process's mailbox was full, and the question was shed.
    Full,
    /// The process ended before it answered.
    Ended(ExitReason),
    /// An answer came that is none to this request. Only calls that take a type have this.
    UnexpectedReply,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::NoProcess => f.write_str("the called process does not exist"),
            CallError::CallingSelf => {
                f.write_str("a process called itself and would wait for ever")
            }
            CallError::Timeout => f.write_str("the called process did not answer in time"),
            CallError::Full => f.write_str("the called process's mailbox is full"),
            CallError::Ended(reason) => write!(f, "the called process ended: {reason}"),
            CallError::UnexpectedReply => {
                f.write_str("the called process answered something else than it was asked")
            }
        }
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for ExitReason {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoProcess => ExitReason::NoProcess,
            CallError::Timeout => ExitReason::Timeout,
            CallError::Ended(reason) => reason,
            CallError::Full => ExitReason::error(MAILBOX_FULL),
            CallError::CallingSelf => ExitReason::error("calling_self"),
            CallError::UnexpectedReply => ExitReason::error("unexpected_reply"),
        }
    }
}

impl Caller {
    /// Who asked.
    pub fn pid(self) -> Pid {
        self.pid
    }

    /// The request's name.
    pub fn reference(self) -> Reference {
        self.reference
    }

    pub(crate) fn new(pid: Pid, reference: Reference) -> Self {
        Caller { pid, reference }
    }

    /// Answers, from any process or thread. Nobody gets it if the caller has given up.
    pub fn reply(self, message: impl Into<Message>) {
        self.answer(false, message.into());
    }

    fn answer(self, unwatched: bool, message: Message) {
        let reference = self.reference;
        let reply = Signal::Reply {
            reference,
            unwatched,
            message,
        };
        signal(self.pid, reply);
    }
}

impl Context {
    /// Asks a process something and waits for the answer, `CALL_TIMEOUT` at most. About 150 ns
    /// and two turns.
    ///
    /// # Errors
    /// See [`CallError`]. None of them leaves anything in the mailbox.
    pub fn call(&mut self, to: impl Into<Destination>, request: impl Into<Message>) -> Call<'_> {
        self.call_within(CALL_TIMEOUT, to, request)
    }

    /// As `call`, with a patience of your own; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// As `call`.
    pub fn call_within(
        &mut self,
        patience: Duration,
        to: impl Into<Destination>,
        request: impl Into<Message>,
    ) -> Call<'_> {
        let reference = Reference::new();
        let asked = match to.into() {
            Destination::Pid(pid) => Some(pid),
            Destination::Name(name) => self.whereis(&name),
        };
        let refused = match asked {
            Some(pid) if pid == self.pid() => Some(CallError::CallingSelf),
            Some(pid) => self.ask(pid, reference, request.into()),
            None => Some(CallError::NoProcess),
        };
        Call {
            marker: self.end_of_mailbox(),
            waits: refused.is_none(),
            refused,
            reference,
            sleep: rusm_sched::sleep(patience),
            context: self,
        }
    }

    fn ask(&mut self, to: Pid, reference: Reference, message: Message) -> Option<CallError> {
        let from = self.pid();
        let call = Signal::Call {
            from,
            reference,
            message,
        };
        if !signal(to, call) {
            return Some(CallError::NoProcess);
        }
        self.with_side(|side| {
            side.aliases.insert(reference, AliasKind::MonitorOnce);
            side.watches.insert(reference, Watch::new(to));
        });
        pending::begin(from, to);
        None
    }

    /// Sends a message without waiting, to nobody if nobody is there.
    pub fn cast(&self, to: impl Into<Destination>, message: impl Into<Message>) {
        match to.into() {
            Destination::Pid(pid) => self.send(pid, message),
            // Nobody is told: casts go into the void like sends.
            Destination::Name(name) => drop(self.send_name(&name, message)),
        }
    }

    /// Answers a call. As [`Caller::reply`], but cheaper for who was called.
    pub fn reply(&mut self, to: Caller, message: impl Into<Message>) {
        let watcher = self.with_side(|side| side.watchers.remove(to.reference));
        to.answer(watcher.is_some(), message.into());
    }
}

/// See [`Context::call`]. Dropping it gives the call up: a late answer is dropped.
#[must_use = "a call that is not awaited is given up at once"]
pub struct Call<'a> {
    context: &'a mut Context,
    reference: Reference,
    marker: Marker,
    waits: bool,
    refused: Option<CallError>,
    sleep: Sleep,
}

impl Future for Call<'_> {
    type Output = Result<Message, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(error));
        }
        let reference = this.reference;
        let wanted = |message: &Message| message.answers(reference);
        let looked = this.context.poll_match(cx, &mut this.marker, wanted);
        looked.or_until(&mut this.sleep, cx).map(|found| {
            let message = found.ok_or(CallError::Timeout)?;
            this.waits = false;
            message.into_answer()
        })
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        pending::end(self.context.pid());
        if !self.waits || !self.context.is_current() {
            return;
        }
        let reference = self.reference;
        self.context
            .with_side(|side| side.aliases.remove(reference));
        self.context.demonitor(reference);
        discard(self.context.pick(|message| message.answers(reference)));
    }
}
