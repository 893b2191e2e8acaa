//! Servers: a process that keeps a state and answers for it, one request after the other.
//!
//! What a server says and is told is native Rust, moved from process to process without being
//! written to bytes. A request is one [`Context::call`], an answer one reply: a server that
//! dies tells all who wait, and an answer that comes too late is dropped.
//!
//! ```
//! use rusm_actor::server::{self, Answer, Next, Refusal, ReplyTo, Server};
//! use rusm_actor::{Config, Context, Node};
//!
//! struct Counter(u64);
//!
//! impl Server for Counter {
//!     type Args = u64;
//!     type Call = ();
//!     type Reply = u64;
//!     type Cast = u64;
//!
//!     async fn init(start: u64, _: &mut Context) -> Result<Self, Refusal> {
//!         Ok(Counter(start))
//!     }
//!
//!     async fn handle_call(&mut self, _: (), _: ReplyTo<u64>, _: &mut Context) -> Answer<u64> {
//!         Answer::now(self.0)
//!     }
//!
//!     async fn handle_cast(&mut self, more: u64, _: &mut Context) -> Next {
//!         self.0 += more;
//!         Next::Wait
//!     }
//! }
//!
//! let node = Node::start(Config::default())?;
//! let count = node.block_on(|mut ctx| async move {
//!     let counter = server::start_link::<Counter>(&mut ctx, 40).await.expect("it starts");
//!     counter.cast(&ctx, 2);
//!     counter.call(&mut ctx, ()).await
//! })?;
//! assert_eq!(count, Ok(42));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod serve;
mod service;
pub(crate) mod sort;
mod start;

use std::future::{Future, ready};
use std::time::Duration;

pub use self::service::{ReplyTo, Service};
pub(crate) use self::start::{Behaviour, begin, live};
pub use self::start::{END_WAIT_MAX, INIT_TIMEOUT, Refusal, Start, StartError};
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::reference::Reference;
use serve::Serving;

/// A server: what it is told, and what it does about it.
///
/// Its functions run one at a time, in the order in which the messages came. A panic in one of
/// them ends the server with the panic as its reason, which is what all who wait for an answer
/// are told.
pub trait Server: Sized + Send + 'static {
    /// What it is started with.
    type Args: Send + 'static;
    /// What it may be asked.
    type Call: Send + 'static;
    /// What it answers.
    type Reply: Send + 'static;
    /// What it may be told without an answer.
    type Cast: Send + 'static;

    /// Makes the first state, in the new process. Who starts the server waits for the end of
    /// this.
    fn init(
        args: Self::Args,
        ctx: &mut Context,
    ) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// What comes first once the server has started: waiting, unless it says otherwise.
    fn first(&self) -> Next {
        Next::Wait
    }

    /// Answers a request, now or later: `from` may be kept, or moved to another process.
    fn handle_call(
        &mut self,
        call: Self::Call,
        from: ReplyTo<Self::Reply>,
        ctx: &mut Context,
    ) -> impl Future<Output = Answer<Self::Reply>> + Send;

    /// Hears a cast. Drops it and counts that, unless it says otherwise.
    fn handle_cast(
        &mut self,
        cast: Self::Cast,
        ctx: &mut Context,
    ) -> impl Future<Output = Next> + Send {
        let _ = (cast, ctx);
        ready(Next::Ignore)
    }

    /// Hears any other message: bytes, the ends of those it watches, timeouts, requests that
    /// are not its own. Drops it and counts that, unless it says otherwise.
    fn handle_info(
        &mut self,
        message: Message,
        ctx: &mut Context,
    ) -> impl Future<Output = Next> + Send {
        let _ = (message, ctx);
        ready(Next::Ignore)
    }

    /// Goes on with what `Next::Continue` was said for, before any other message.
    fn handle_continue(&mut self, ctx: &mut Context) -> impl Future<Output = Next> + Send {
        let _ = ctx;
        ready(Next::Wait)
    }

    /// Nothing came for as long as `Next::WaitFor` said.
    fn handle_timeout(&mut self, ctx: &mut Context) -> impl Future<Output = Next> + Send {
        let _ = ctx;
        ready(Next::Wait)
    }

    /// Cleans up before the server stops in order: it said so, it was told so, or it traps
    /// exits and its parent has ended or asks it to end. A server that is killed, panics or
    /// does not trap the exit it dies of never gets here.
    fn terminate(
        &mut self,
        reason: &ExitReason,
        ctx: &mut Context,
    ) -> impl Future<Output = ()> + Send {
        let _ = (reason, ctx);
        ready(())
    }

    /// The state as text, for who looks into a running server.
    fn describe(&self) -> String {
        std::any::type_name::<Self>().into()
    }
}

/// What a server does next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a server does what its functions return"]
pub enum Next {
    /// It waits for the next message.
    Wait,
    /// As `Wait`, and the last message is counted as one that was dropped.
    Ignore,
    /// As `Wait`, but `handle_timeout` is called if nothing comes for so long.
    WaitFor(Duration),
    /// `handle_continue` is called before anything else.
    Continue,
    /// `terminate` is called, and the process ends for this reason.
    Stop(ExitReason),
}

/// What a server says to a request.
#[derive(Debug)]
#[must_use = "a server does what its functions return"]
pub struct Answer<R> {
    reply: Option<R>,
    next: Next,
}

impl<R> Answer<R> {
    /// Answers, and waits for the next message.
    pub fn now(reply: R) -> Self {
        Answer {
            reply: Some(reply),
            next: Next::Wait,
        }
    }

    /// Answers some other time, or in some other way: by the [`ReplyTo`].
    pub fn later() -> Self {
        Answer {
            reply: None,
            next: Next::Wait,
        }
    }

    /// Stops without an answer: who asked is told that the server ended.
    pub fn stop(reason: ExitReason) -> Self {
        Answer::later().then(Next::Stop(reason))
    }

    /// Something else than waiting comes next, after the answer if there is one.
    pub fn then(self, next: Next) -> Self {
        Answer { next, ..self }
    }
}

/// Where a server is to be found: `Copy`, by its pid or its name.
pub type ServerRef<S> = Service<<S as Server>::Call, <S as Server>::Reply, <S as Server>::Cast>;

/// Starts a server and waits until it has initialised, [`INIT_TIMEOUT`] at most.
///
/// # Errors
/// See [`StartError`]. Nothing of the server is left then.
pub async fn start<S: Server>(
    ctx: &mut Context,
    args: S::Args,
) -> Result<ServerRef<S>, StartError> {
    let started = start_with::<S>(ctx, Start::new(), args).await?;
    Ok(started.0)
}

/// As `start`, linked to the calling process, which is the server's parent.
///
/// # Errors
/// As `start`; the caller hears of the failure by this alone and not by the link, unless the
/// server is killed from outside before it has started.
pub async fn start_link<S: Server>(
    ctx: &mut Context,
    args: S::Args,
) -> Result<ServerRef<S>, StartError> {
    let started = start_with::<S>(ctx, Start::new().link(), args).await?;
    Ok(started.0)
}

/// As `start`, watched by the calling process: the reference is the monitor's.
///
/// # Errors
/// As `start`; no `Down` message comes then.
pub async fn start_monitor<S: Server>(
    ctx: &mut Context,
    args: S::Args,
) -> Result<(ServerRef<S>, Reference), StartError> {
    start_with::<S>(ctx, Start::new().monitor(), args).await
}

/// Starts a server in a particular way. The reference is the monitor's; without a monitor it
/// names nothing.
///
/// # Errors
/// As `start`.
pub async fn start_with<S: Server>(
    ctx: &mut Context,
    how: Start,
    args: S::Args,
) -> Result<(ServerRef<S>, Reference), StartError> {
    let (pid, reference) = begin::<Serving<S>>(ctx, how, args).await?;
    Ok((Service::of(pid), reference))
}

/// Is a server, from `init` to the end: the body of a process that somebody else starts, such
/// as a supervisor. Its parent is who started the process with a link.
pub async fn run<S: Server>(ctx: Context, args: S::Args) -> ExitReason {
    run_with::<S, _>(ctx, Start::new(), args, |_| {}).await
}

/// As `run`, and calls `started` as soon as it is known whether the server has started. Of
/// `how` only the name counts: the process runs already.
pub async fn run_with<S, F>(mut ctx: Context, how: Start, args: S::Args, started: F) -> ExitReason
where
    S: Server,
    F: FnOnce(Result<(), &StartError>) + Send,
{
    let told = |_: &mut Context, outcome: &Result<(), StartError>| {
        started(outcome.as_ref().copied());
    };
    live::<Serving<S>, _>(&mut ctx, how, args, told).await
}
