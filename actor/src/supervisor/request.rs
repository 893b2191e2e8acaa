//! A supervisor as others see it: what can be asked of it, and what it answers.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::CallError;
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::pid::Pid;
use crate::supervisor::child::{Child, ChildKind};
use crate::supervisor::plan::SpecError;

/// A running supervisor. Whoever has it may ask it things. A request waits as long as the
/// supervisor needs to start or stop what it is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SupervisorRef(Pid);

/// A request to a supervisor.
pub(crate) enum Request {
    Start(Box<Child>),
    Restart(Arc<str>),
    Terminate(Arc<str>),
    TerminatePid(Pid),
    Delete(Arc<str>),
    Count,
    List,
    Stop,
}

/// What came of a start.
#[derive(Debug)]
pub enum Started {
    /// The child runs.
    Running {
        /// As this process.
        pid: Pid,
        /// What it had to say: see [`Starter::started_with`](crate::supervisor::Starter).
        info: Option<Message>,
    },
    /// It said that it is not needed. It stays listed, unless it is temporary.
    Ignored,
}

impl Started {
    /// The child's process, if it runs.
    pub fn pid(&self) -> Option<Pid> {
        match self {
            Started::Running { pid, .. } => Some(*pid),
            Started::Ignored => None,
        }
    }
}

/// How many children a supervisor has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Listed children, running or not.
    pub specs: usize,
    /// Children that live.
    pub active: usize,
    /// Listed children that are supervisors.
    pub supervisors: usize,
    /// Listed children that are none.
    pub workers: usize,
}

/// One child of a supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildInfo {
    /// Its id; `None` below a dynamic supervisor.
    pub id: Option<Arc<str>>,
    /// What it is.
    pub kind: ChildKind,
    /// What it does.
    pub state: ChildState,
}

/// What a child is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// It runs as this process.
    Running(Pid),
    /// It will be started again soon.
    Restarting,
    /// It has no process.
    Stopped,
}

/// Why a child was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartChildError {
    /// A child of this id runs, as this process.
    AlreadyStarted(Pid),
    /// A child of this id is about to be restarted.
    Restarting,
    /// A child of this id is listed, and does not run: restart or delete it.
    AlreadyPresent,
    /// The supervisor has so many children already, its `children_max`.
    TooMany(usize),
    /// The description makes no sense.
    Invalid(SpecError),
    /// It could not start. It is not listed.
    Failed(ExitReason),
    /// The supervisor gave no answer.
    Unreachable(CallError),
}

/// Why a child was not stopped, restarted or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChildError {
    /// The supervisor has no such child.
    NotFound,
    /// It runs: terminate it first.
    Running,
    /// It is about to be restarted: terminate it first.
    Restarting,
    /// It could not start. It stays listed.
    Failed(ExitReason),
    /// The supervisor gave no answer.
    Unreachable(CallError),
}

impl SupervisorRef {
    /// The supervisor that runs as `pid`. Of a process that is none, requests are never
    /// answered until it ends.
    pub fn of(pid: Pid) -> Self {
        SupervisorRef(pid)
    }

    /// Its process.
    pub fn pid(self) -> Pid {
        self.0
    }

    /// Adds a child behind all others, and starts it.
    ///
    /// # Errors
    /// See [`StartChildError`].
    pub async fn start_child(
        self,
        ctx: &mut Context,
        child: Child,
    ) -> Result<Started, StartChildError> {
        let asked: Result<Result<_, _>, _> = self.ask(ctx, Request::Start(Box::new(child))).await;
        asked.map_err(StartChildError::Unreachable)?
    }

    /// Starts a child that is listed and does not run.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn restart_child(self, ctx: &mut Context, id: &str) -> Result<Started, ChildError> {
        self.try_ask(ctx, Request::Restart(id.into())).await
    }

    /// Stops a child and waits for its end, or gives up its restart. It stays listed, unless
    /// it is temporary. Siblings that were stopped because of its restart stay down as well.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn terminate_child(self, ctx: &mut Context, id: &str) -> Result<(), ChildError> {
        self.try_ask(ctx, Request::Terminate(id.into())).await
    }

    /// Forgets a child that does not run.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn delete_child(self, ctx: &mut Context, id: &str) -> Result<(), ChildError> {
        self.try_ask(ctx, Request::Delete(id.into())).await
    }

    /// How many children it has. Looks at each of them.
    ///
    /// # Errors
    /// When the supervisor has ended.
    pub async fn count_children(self, ctx: &mut Context) -> Result<Counts, CallError> {
        self.ask(ctx, Request::Count).await
    }

    /// Its children, in the order of their starts.
    ///
    /// # Errors
    /// When the supervisor has ended.
    pub async fn which_children(self, ctx: &mut Context) -> Result<Vec<ChildInfo>, CallError> {
        self.ask(ctx, Request::List).await
    }

    /// Stops all children and then the supervisor, which says `shutdown`, and waits for that.
    /// If another supervisor looks after it, that one decides whether to restart it.
    ///
    /// # Errors
    /// When the supervisor had ended before, or ends for another reason.
    pub async fn stop(self, ctx: &mut Context) -> Result<(), CallError> {
        match self.ask::<()>(ctx, Request::Stop).await {
            Err(CallError::Ended(ExitReason::Shutdown)) => Ok(()),
            other => other,
        }
    }

    pub(crate) async fn try_ask<T: Any>(
        self,
        ctx: &mut Context,
        request: Request,
    ) -> Result<T, ChildError> {
        let asked: Result<Result<T, ChildError>, _> = self.ask(ctx, request).await;
        asked.map_err(ChildError::Unreachable)?
    }

    async fn ask<T: Any>(self, ctx: &mut Context, request: Request) -> Result<T, CallError> {
        let request = Message::native(request);
        let answer = ctx.call_within(Duration::MAX, self.0, request).await?;
        // Whoever answers something else is no supervisor.
        answer.downcast().map_err(|_| CallError::UnexpectedReply)
    }
}

impl fmt::Display for StartChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartChildError::AlreadyStarted(pid) => {
                write!(f, "a child of this id runs already, as {pid}")
            }
            StartChildError::Restarting => {
                f.write_str("a child of this id is about to be restarted")
            }
            StartChildError::AlreadyPresent => {
                f.write_str("a child of this id is listed and stopped; restart or delete it")
            }
            StartChildError::TooMany(children_max) => {
                write!(f, "the supervisor has {children_max} children at most")
            }
            StartChildError::Invalid(error) => fmt::Display::fmt(error, f),
            StartChildError::Failed(reason) => write!(f, "the child did not start: {reason}"),
            StartChildError::Unreachable(error) => write!(f, "no supervisor: {error}"),
        }
    }
}

impl std::error::Error for StartChildError {}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChildError::NotFound => f.write_str("the supervisor has no such child"),
            ChildError::Running => f.write_str("the child runs; terminate it first"),
            ChildError::Restarting => {
                f.write_str("the child is about to be restarted; terminate it first")
            }
            ChildError::Failed(reason) => write!(f, "the child did not start: {reason}"),
            ChildError::Unreachable(error) => write!(f, "no supervisor: {error}"),
        }
    }
}

impl std::error::Error for ChildError {}
