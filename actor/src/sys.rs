//! Looking into a server or a state machine while it runs: hold it, read it, count, listen.
//!
//! Such a request is a call as any other, and its errors are [`CallError`]'s. It is answered
//! between two messages, also while the process is suspended. A process that is neither a
//! server nor a state machine does not answer.

mod system;

use std::any::{Any, TypeId};
use std::time::Duration;

pub(crate) use self::system::{Subject, System};
use crate::call::CallError;
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::pid::Pid;
use crate::timer::Destination;

/// What a process did since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How long that is.
    pub age: Duration,
    /// Requests it was asked.
    pub calls: u64,
    /// Casts it was told.
    pub casts: u64,
    /// Other messages it got.
    pub infos: u64,
    /// Timeouts it was told of.
    pub timeouts: u64,
    /// Answers it gave in its step; those given later, by a `ReplyTo`, are not known.
    pub replies: u64,
    /// Messages it had no use for.
    pub dropped: u64,
}

/// All there is to know about a process without asking what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// It hears nothing but system requests.
    pub suspended: bool,
    /// Who started it with a link.
    pub parent: Option<Pid>,
    /// Who is sent what it does.
    pub tracer: Option<Pid>,
    /// See [`describe`].
    pub state: String,
    /// What it did.
    pub statistics: Statistics,
}

/// What a traced process did: its tracer gets these as native messages, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// Who did it.
    pub pid: Pid,
    /// What it did.
    pub what: Trace,
}

/// See [`TraceEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trace {
    /// It was asked by this process.
    Call(Pid),
    /// It was told something.
    Cast,
    /// It got another message.
    Info,
    /// It answered this process.
    Reply(Pid),
    /// A timeout came due.
    Timeout,
    /// It goes on with something it left open, or with an event it made itself.
    Continue,
    /// It is in another state now: this one.
    Entered(String),
    /// It stops in order.
    Stop(ExitReason),
}

/// What may be asked of a running process.
pub(crate) enum Request {
    Suspend,
    Resume,
    Describe,
    Statistics,
    Status,
    Trace(Option<Pid>),
    Look(TypeId, Look),
    Stop(ExitReason),
}

/// A look at a part of the state; the answer to it.
type Look = Box<dyn FnOnce(&mut dyn Any) -> Message + Send>;

/// Has a process hear nothing but system requests from now on: all else waits in its mailbox.
///
/// # Errors
/// See [`CallError`].
pub async fn suspend(ctx: &mut Context, to: impl Into<Destination>) -> Result<(), CallError> {
    ask(ctx, to, Request::Suspend).await
}

/// Ends a `suspend`.
///
/// # Errors
/// See [`CallError`].
pub async fn resume(ctx: &mut Context, to: impl Into<Destination>) -> Result<(), CallError> {
    ask(ctx, to, Request::Resume).await
}

/// What a process says its state is, in `describe`.
///
/// # Errors
/// See [`CallError`].
pub async fn describe(ctx: &mut Context, to: impl Into<Destination>) -> Result<String, CallError> {
    ask(ctx, to, Request::Describe).await
}

/// Counts of what a process did.
///
/// # Errors
/// See [`CallError`].
pub async fn statistics(
    ctx: &mut Context,
    to: impl Into<Destination>,
) -> Result<Statistics, CallError> {
    ask(ctx, to, Request::Statistics).await
}

/// All of it at once.
///
/// # Errors
/// See [`CallError`].
pub async fn status(ctx: &mut Context, to: impl Into<Destination>) -> Result<Status, CallError> {
    ask(ctx, to, Request::Status).await
}

/// Has `tracer` get a [`TraceEvent`] for each thing that a process does from now on, and
/// nobody else. It ends when the tracer does.
///
/// # Errors
/// See [`CallError`].
pub async fn trace(
    ctx: &mut Context,
    to: impl Into<Destination>,
    tracer: Pid,
) -> Result<(), CallError> {
    ask(ctx, to, Request::Trace(Some(tracer))).await
}

/// Ends a `trace`.
///
/// # Errors
/// See [`CallError`].
pub async fn trace_off(ctx: &mut Context, to: impl Into<Destination>) -> Result<(), CallError> {
    ask(ctx, to, Request::Trace(None)).await
}

/// Runs `look` on the state of a process, between two messages: a server, a state machine, or
/// a state machine's state, whichever `S` is. To read it is safe; who changes it should know
/// what for, since nobody notices, and who panics ends the process.
///
/// # Errors
/// See [`CallError`]; `UnexpectedReply` if it has no such state.
pub async fn with_state<S, T>(
    ctx: &mut Context,
    to: impl Into<Destination>,
    look: impl FnOnce(&mut S) -> T + Send + 'static,
) -> Result<T, CallError>
where
    S: 'static,
    T: Send + 'static,
{
    let look: Look = Box::new(|part| match part.downcast_mut() {
        Some(state) => Message::native(look(state)),
        None => unreachable!("it is called with the part that it names"),
    });
    ask(ctx, to, Request::Look(TypeId::of::<S>(), look)).await
}

/// Has a process end in order for `reason`, and waits for that.
///
/// # Errors
/// See [`CallError`]: `Ended` with another reason than the wanted one, or `Timeout`, after
/// which it may still end.
pub async fn stop(
    ctx: &mut Context,
    to: impl Into<Destination>,
    reason: ExitReason,
    patience: Duration,
) -> Result<(), CallError> {
    let request = Message::native(Request::Stop(reason.clone()));
    match ctx.call_within(patience, to, request).await {
        Err(CallError::Ended(why)) if why == reason => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(CallError::UnexpectedReply),
    }
}

async fn ask<T: Send + 'static>(
    ctx: &mut Context,
    to: impl Into<Destination>,
    request: Request,
) -> Result<T, CallError> {
    let answer = ctx.call(to, Message::native(request)).await?.downcast();
    answer.map_err(|_| CallError::UnexpectedReply)
}
