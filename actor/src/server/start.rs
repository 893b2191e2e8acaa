//! The start of a server or a state machine: who starts it waits until it says that it runs,
//! and when it does not, nothing of it is left.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rusm_sched::Priority;

use crate::call::CallError;
use crate::context::Context;
use crate::exit::ExitReason;
use crate::limit;
use crate::message::{Content, Message};
use crate::node::kill;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::registry::RegisterError;
use crate::report;
use crate::spawn::Spawn;
use crate::sys::System;

/// How long a start waits for `init` unless it says otherwise. Erlang waits for ever, and so
/// does with one child that hangs a whole tree of supervisors.
pub const INIT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a start that failed waits for the end of the process. It ends at its next await:
/// only a native body that never awaits outlives this.
pub const END_WAIT_MAX: Duration = Duration::from_secs(5);

/// How a server or a state machine is to be started.
#[derive(Clone, Debug)]
#[must_use = "it starts nothing by itself"]
pub struct Start {
    spawn: Spawn,
    name: Option<Arc<str>>,
    init_timeout: Duration,
}

impl Default for Start {
    fn default() -> Self {
        Start {
            spawn: Spawn::new(),
            name: None,
            init_timeout: INIT_TIMEOUT,
        }
    }
}

impl Start {
    /// Neither linked nor watched, without a name, waiting for `INIT_TIMEOUT`.
    pub fn new() -> Self {
        Start::default()
    }

    /// Linked to who starts it, who is its parent.
    pub fn link(mut self) -> Self {
        self.spawn = self.spawn.link();
        self
    }

    /// Watched by who starts it.
    pub fn monitor(mut self) -> Self {
        self.spawn = self.spawn.monitor();
        self
    }

    /// Who goes first.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.spawn = self.spawn.priority(priority);
        self
    }

    /// A name for reports.
    pub fn label(mut self, label: &str) -> Self {
        self.spawn = self.spawn.label(label);
        self
    }

    /// A name on the node, which it has before `init` begins.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long `init` may take; `Duration::MAX` for ever.
    pub fn init_timeout(mut self, span: Duration) -> Self {
        self.init_timeout = span;
        self
    }

    pub(crate) fn init_timeout_max(&self) -> Duration {
        self.init_timeout
    }
}

/// Why `init` made no state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing to do, which is nobody's fault. The process ends normally.
    Ignore,
    /// It cannot be done. The process ends for this reason.
    Stop(ExitReason),
}

impl From<ExitReason> for Refusal {
    fn from(reason: ExitReason) -> Self {
        Refusal::Stop(reason)
    }
}

/// Why a server or a state machine was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// `init` found that there is nothing to do.
    Ignored,
    /// `init` failed or panicked, or the process was killed before it was done.
    Failed(ExitReason),
    /// `init` took too long, and the process was killed.
    Timeout,
    /// This process has the name.
    AlreadyStarted(Pid),
    /// See [`RegisterError::BadName`].
    BadName,
}

impl StartError {
    /// Why the process that was not started ends.
    pub(crate) fn reason(&self) -> ExitReason {
        match self {
            StartError::Ignored | StartError::AlreadyStarted(_) => ExitReason::Normal,
            StartError::Failed(reason) => reason.clone(),
            StartError::Timeout => ExitReason::Timeout,
            StartError::BadName => ExitReason::error("bad_name"),
        }
    }
}

impl From<Refusal> for StartError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Ignore => StartError::Ignored,
            Refusal::Stop(reason) => StartError::Failed(reason),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Ignored => f.write_str("there was nothing to start"),
            StartError::Failed(reason) => write!(f, "`init` failed: {reason}"),
            StartError::Timeout => f.write_str("`init` took too long"),
            StartError::AlreadyStarted(pid) => write!(f, "{pid} runs under that name already"),
            StartError::BadName => fmt::Display::fmt(&RegisterError::BadName, f),
        }
    }
}

impl std::error::Error for StartError {}

/// What is started in this way.
pub(crate) trait Behaviour: Sized + Send + 'static {
    type Args: Send + 'static;

    fn init(
        args: Self::Args,
        ctx: &mut Context,
        system: &mut System,
    ) -> impl Future<Output = Result<Self, Refusal>> + Send;

    /// All that comes after a successful start.
    fn serve(self, ctx: &mut Context, system: System) -> impl Future<Output = ExitReason> + Send;
}

/// The question whether a process has started. Who is asked it has.
struct Begin;

/// What it says, unless it just ends.
type Begun = Result<(), StartError>;

/// Starts a process that is a `B`, and waits until it has initialised. The reference is the
/// monitor's.
pub(crate) async fn begin<B: Behaviour>(
    ctx: &mut Context,
    how: Start,
    args: B::Args,
) -> Result<(Pid, Reference), StartError> {
    let name = how.name;
    let (child, monitor) = ctx.spawn_with(how.spawn, move |ctx| answer::<B>(ctx, name, args));
    let begun = ctx.call_within(how.init_timeout, child, Message::native(Begin));
    let error = match begun.await.map(Message::downcast::<Begun>) {
        Ok(Ok(Ok(()))) => return Ok((child, monitor)),
        Ok(Ok(Err(error))) => error,
        Err(CallError::Timeout) => StartError::Timeout,
        Ok(Err(_)) | Err(CallError::CallingSelf | CallError::UnexpectedReply) => {
            unreachable!("the child is another process and knows what it was asked")
        }
        Err(CallError::Ended(reason)) => StartError::Failed(reason),
        Err(CallError::NoProcess) => StartError::Failed(ExitReason::NoProcess),
        Err(CallError::Full) => {
            // Its mailbox has a limit that others have filled.
            kill(child);
            StartError::Failed(limit::overflow())
        }
    };
    clear_away(ctx, child, monitor, &error).await;
    Err(error)
}

/// Has nothing left of a process that did not start: neither itself nor its name nor news of it.
async fn clear_away(ctx: &mut Context, child: Pid, monitor: Reference, error: &StartError) {
    ctx.unlink(child);
    if *error == StartError::Timeout {
        kill(child);
    }
    // Nobody answers any more: what comes is that it has ended.
    let ended = ctx.call_within(END_WAIT_MAX, child, Message::native(Begin));
    drop(ended.await);
    ctx.demonitor_flush(monitor);
    // What it was linked by may have spoken before it was cut.
    drop(ctx.pick(
        |message| matches!(message.content(), Content::Exit(Some(from), _) if from == child),
    ));
}

/// The body of a process that somebody waits for.
async fn answer<B: Behaviour>(
    mut ctx: Context,
    name: Option<Arc<str>>,
    args: B::Args,
) -> ExitReason {
    let asks = |message: &Message| matches!(message.content(), Content::Call(_, asked) if asked.is::<Begin>());
    let asked = ctx.receive_match(asks).await.into_call();
    let Ok((starter, _)) = asked else {
        unreachable!("only calls were asked for");
    };
    let how = Start {
        name,
        ..Start::new()
    };
    let told = move |ctx: &mut Context, begun: &Begun| {
        if begun.is_err() {
            // The starter hears it by the answer, and must live to do so.
            ctx.unlink(starter.pid());
        }
        ctx.reply(starter, Message::native(begun.clone()));
    };
    live::<B, _>(&mut ctx, how, args, told).await
}

/// Is a `B` from its name to its end. `told` hears whether it has started.
pub(crate) async fn live<B, F>(ctx: &mut Context, how: Start, args: B::Args, told: F) -> ExitReason
where
    B: Behaviour,
    F: FnOnce(&mut Context, &Begun) + Send,
{
    let mut system = System::new(ctx.look(|side| side.parent));
    match launch::<B>(ctx, how.name, args, &mut system).await {
        Ok(body) => {
            told(ctx, &Ok(()));
            body.serve(ctx, system).await
        }
        Err(error) => {
            let reason = error.reason();
            told(ctx, &Err(error));
            reason
        }
    }
}

async fn launch<B: Behaviour>(
    ctx: &mut Context,
    name: Option<Arc<str>>,
    args: B::Args,
    system: &mut System,
) -> Result<B, StartError> {
    if let Some(name) = name {
        ctx.register(&name).map_err(|error| match error {
            RegisterError::Taken(owner) => StartError::AlreadyStarted(owner),
            RegisterError::BadName => StartError::BadName,
            error @ (RegisterError::Named(_) | RegisterError::NoProcess) => {
                StartError::Failed(ExitReason::error(error.to_string()))
            }
        })?;
    }
    let made = contained(async { B::init(args, ctx, system).await }).await;
    Ok(made.map_err(StartError::Failed)??)
}

/// What `body` returns, or why it panicked.
async fn contained<T>(body: impl Future<Output = T>) -> Result<T, ExitReason> {
    let mut body = pin!(body);
    let outcome = poll_fn(|cx| {
        // After a panic it is not polled again.
        match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(payload) => Err(report::take_panic(&*payload)).into(),
        }
    });
    outcome.await
}
