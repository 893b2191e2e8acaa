//! Where to ask: typed addresses of servers and state machines, and of who waits for answers.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::sort::{Ask, Tell};
use crate::call::{CALL_TIMEOUT, CallError, Caller};
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::pid::Pid;
use crate::sys;
use crate::timer::Destination;

/// A process that answers `Call`s with `Reply`s and hears `Cast`s. `Copy`; keeping one keeps
/// nothing alive.
pub struct Service<Call, Reply, Cast> {
    place: Place,
    protocol: PhantomData<fn(Call, Cast) -> Reply>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Pid(Pid),
    Name(&'static str),
}

impl<C: Send + 'static, R: Send + 'static, K: Send + 'static> Service<C, R, K> {
    /// The process with this pid. If it is another kind of process, calls go unanswered there.
    pub fn of(pid: Pid) -> Self {
        Service {
            place: Place::Pid(pid),
            protocol: PhantomData,
        }
    }

    /// Whoever has this name at the time of each call or cast.
    pub fn named(name: &'static str) -> Self {
        Service {
            place: Place::Name(name),
            protocol: PhantomData,
        }
    }

    /// Who that is now; `None` if nobody has the name.
    pub fn pid(self, ctx: &Context) -> Option<Pid> {
        match self.place {
            Place::Pid(pid) => Some(pid),
            Place::Name(name) => ctx.whereis(name),
        }
    }

    /// Asks, and waits for the answer, `CALL_TIMEOUT` at most. About 300 ns and two turns.
    ///
    /// # Errors
    /// See [`CallError`]. None of them leaves anything in the mailbox.
    pub async fn call(self, ctx: &mut Context, request: C) -> Result<R, CallError> {
        self.call_within(ctx, CALL_TIMEOUT, request).await
    }

    /// As `call`, with a patience of your own; `Duration::MAX` for ever.
    ///
    /// # Errors
    /// As `call`.
    pub async fn call_within(
        self,
        ctx: &mut Context,
        patience: Duration,
        request: C,
    ) -> Result<R, CallError> {
        let pid = self.pid(ctx).ok_or(CallError::NoProcess)?;
        let answer = ctx.call_within(patience, pid, Ask::<C, R>::message(request));
        let answer = answer.await?.downcast();
        answer.map_err(|_| CallError::UnexpectedReply)
    }

    /// Tells it something without waiting; nobody, if nobody is there.
    pub fn cast(self, ctx: &Context, message: K) {
        if let Some(pid) = self.pid(ctx) {
            ctx.send(pid, Message::native(Tell(message)));
        }
    }

    /// Has it end in order for `reason`, and waits for that.
    ///
    /// # Errors
    /// See [`CallError`]: `Ended` with another reason than the wanted one, or `Timeout`, after
    /// which it may still end.
    pub async fn stop(
        self,
        ctx: &mut Context,
        reason: ExitReason,
        patience: Duration,
    ) -> Result<(), CallError> {
        let pid = self.pid(ctx).ok_or(CallError::NoProcess)?;
        sys::stop(ctx, pid, reason, patience).await
    }
}

impl<C, R, K> From<Service<C, R, K>> for Destination {
    fn from(service: Service<C, R, K>) -> Self {
        match service.place {
            Place::Pid(pid) => pid.into(),
            Place::Name(name) => name.into(),
        }
    }
}

// Derived, these would ask the same of the messages.
impl<C, R, K> Clone for Service<C, R, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, R, K> Copy for Service<C, R, K> {}

impl<C, R, K> PartialEq for Service<C, R, K> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<C, R, K> Eq for Service<C, R, K> {}

impl<C, R, K> fmt::Debug for Service<C, R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Pid(pid) => write!(f, "Service({pid})"),
            Place::Name(name) => write!(f, "Service({name:?})"),
        }
    }
}

/// Who waits for an `R`. It can be answered once: now, later, or from elsewhere. Dropping it
/// leaves the caller to its patience.
#[must_use = "somebody waits for this answer"]
pub struct ReplyTo<R> {
    caller: Caller,
    reply: PhantomData<fn(R)>,
}

impl<R: Send + 'static> ReplyTo<R> {
    pub(crate) fn new(caller: Caller) -> Self {
        ReplyTo {
            caller,
            reply: PhantomData,
        }
    }

    /// Who asked, for answers of other kinds. A second answer reaches nobody.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Answers, from any process or thread. Nobody gets it if the caller has given up.
    pub fn reply(self, value: R) {
        self.caller.reply(Message::native(value));
    }

    /// As `reply`, but cheaper for the process that was asked.
    pub fn reply_by(self, ctx: &mut Context, value: R) {
        ctx.reply(self.caller, Message::native(value));
    }
}

impl<R> fmt::Debug for ReplyTo<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyTo({:?})", self.caller)
    }
}
