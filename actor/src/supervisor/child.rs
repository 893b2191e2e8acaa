//! The description of one child: what it does, and how it is started, stopped and restarted.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::exit::Outcome;
use crate::supervisor::Supervisor;
use crate::supervisor::backoff::Backoff;
use crate::supervisor::body::{Body, Starting, Supervised, Worker};
use crate::supervisor::dynamic::DynamicSupervisor;
use crate::supervisor::plan::Plan;
use crate::supervisor::starter::Starter;
use crate::supervisor::strategy::Restart;

/// How long a worker may take to stop before it is killed, unless it says otherwise: as in OTP.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(5_000);

/// How long a child that is no server may take to say that it has started, unless it says
/// otherwise: for ever, as in OTP. No number would be right for a cache that is filled and for a socket that is bound.
/// It holds up nothing but the start: a supervisor that waits still obeys its parent.
pub const START_TIMEOUT: Duration = Duration::MAX;

/// How a supervisor stops a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// By an exit signal `shutdown`, and a kill when that much time is up.
    After(Duration),
    /// By an exit signal `shutdown`, however long it takes: for supervisors.
    Infinity,
    /// By a kill.
    Kill,
}

/// What a child is to its supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildKind {
    /// A process that does something.
    Worker,
    /// A supervisor of further children.
    Supervisor,
}

/// The description of a child. Clones are cheap.
#[derive(Clone)]
#[must_use = "it starts nothing by itself"]
pub struct Child {
    pub(crate) id: Arc<str>,
    pub(crate) body: Arc<dyn Body>,
    pub(crate) kind: ChildKind,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) significant: bool,
    pub(crate) start_timeout: Duration,
    pub(crate) backoff: Option<Backoff>,
}

impl Child {
    /// A child that runs `body`, anew for each restart, and has started at once. It is
    /// permanent and has 5 s to stop.
    pub fn worker<F, Fut>(id: impl Into<Arc<str>>, body: F) -> Self
    where
        F: Fn(Context) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        Child::new(id.into(), ChildKind::Worker, Arc::new(Worker(body)))
    }

    /// As `worker`, of a child that has to get ready first: it has started when it says so.
    /// Until then its supervisor waits and starts nobody else.
    pub fn starting<F, Fut>(id: impl Into<Arc<str>>, body: F) -> Self
    where
        F: Fn(Context, Starter) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        Child::new(id.into(), ChildKind::Worker, Arc::new(Starting(body)))
    }

    /// A supervisor as a child: it has started when all of its own children have. It is
    /// permanent and has all the time it needs to stop.
    pub fn supervisor(id: impl Into<Arc<str>>, supervisor: Supervisor) -> Self {
        Child::planned(id.into(), supervisor.into_plan())
    }

    /// As `supervisor`.
    pub fn dynamic_supervisor(id: impl Into<Arc<str>>, supervisor: DynamicSupervisor) -> Self {
        Child::planned(id.into(), supervisor.into_plan())
    }

    fn planned(id: Arc<str>, plan: Plan) -> Self {
        let body = Arc::new(Supervised(Arc::new(plan)));
        Child {
            shutdown: Shutdown::Infinity,
            ..Child::new(id, ChildKind::Supervisor, body)
        }
    }

    fn new(id: Arc<str>, kind: ChildKind, body: Arc<dyn Body>) -> Self {
        Child {
            id,
            body,
            kind,
            restart: Restart::default(),
            shutdown: Shutdown::After(SHUTDOWN_TIMEOUT),
            significant: false,
            start_timeout: START_TIMEOUT,
            backoff: None,
        }
    }

    /// When it is started again.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How it is stopped.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Its own end may end its supervisor, if that says so by `auto_shutdown`. Not for
    /// permanent children, which never end.
    pub fn significant(mut self) -> Self {
        self.significant = true;
        self
    }

    /// How long it may take to say that it has started; then it is stopped, and the start has
    /// failed with `timeout`. Counts for `starting` children and supervisors only.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long to wait before each restart. Without it there is no pause.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// What its supervisor knows it by.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("restart", &self.restart)
            .field("shutdown", &self.shutdown)
            .field("significant", &self.significant)
            .finish_non_exhaustive()
    }
}
