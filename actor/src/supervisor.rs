//! Supervisors: processes that start others, watch over them, and start them again.
//!
//! As in OTP: children are started from the first to the last and stopped the other way round;
//! a strategy says which siblings go down with one that died; too many restarts in too short a
//! time end the supervisor, whose own supervisor then deals with that. The decisions are in
//! `strategy`, `intensity` and `backoff`, which know no processes; `run` acts on them. From a
//! child's last breath to the first one of its successor it takes less than a microsecond.
//!
//! Five things are not as in OTP. A start that fails is an error and does not also end the
//! caller. A supervisor that waits for the start of a child still obeys its parent, so a start
//! that hangs does not keep a tree from being stopped. An exit signal that a child sends, and
//! survives, is not taken for its end. Dynamic supervisors are given a description for each
//! child instead of arguments for one template, as in Elixir. And children are listed in the
//! order of their starts.
//!
//! ```
//! use std::time::Duration;
//! use rusm_actor::supervisor::{Child, Restart, Strategy, Supervisor};
//! use rusm_actor::{Config, Node};
//!
//! let node = Node::start(Config::default())?;
//! let supervisor = Supervisor::new(Strategy::OneForOne)
//!     .intensity(3, Duration::from_secs(5))
//!     .child(Child::starting("clock", |ctx, starter| async move {
//!         starter.started();
//!         loop {
//!             ctx.sleep(Duration::from_secs(1)).await;
//!         }
//!     }))
//!     .child(Child::worker("once", |_| async {}).restart(Restart::Transient));
//! let supervisor = node.start_supervisor(supervisor)?;
//! let counts = node.block_on(|mut ctx| async move { supervisor.count_children(&mut ctx).await })??;
//! assert_eq!(counts.specs, 2);
//! let report = node.stop(Duration::from_secs(1));
//! assert!(report.killed.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backoff;
mod begin;
mod body;
mod child;
mod dynamic;
mod intensity;
pub(crate) mod listed;
mod plan;
mod report;
mod request;
mod run;
mod serve;
mod serving;
mod starter;
mod stop;
mod strategy;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::exit::{ExitReason, Term};
use crate::node::Node;
use crate::registry::RegisterError;
use plan::{Order, Plan};
use run::Parent;

pub use backoff::Backoff;
pub(crate) use body::own_name;
pub use child::{Child, ChildKind, SHUTDOWN_TIMEOUT, START_TIMEOUT, Shutdown};
pub use dynamic::{DynamicRef, DynamicSupervisor};
pub use intensity::{INTENSITY_PERIOD, INTENSITY_RESTARTS_MAX};
pub use listed::SupervisorInfo;
pub use plan::SpecError;
pub use report::{Action, SupervisorReport, set_supervisor_sink};
pub use request::{
    ChildError, ChildInfo, ChildState, Counts, StartChildError, Started, SupervisorRef,
};
pub use starter::Starter;
pub use strategy::{AutoShutdown, Restart, Strategy};

/// The description of a supervisor. Clones start supervisors of their own.
#[derive(Clone)]
#[must_use = "it starts nothing by itself"]
pub struct Supervisor {
    plan: Plan,
}

impl Supervisor {
    /// Without children; one restart in 5 s is allowed.
    pub fn new(strategy: Strategy) -> Self {
        Supervisor::of(Plan::new(strategy, Order::Listed))
    }

    fn of(plan: Plan) -> Self {
        Supervisor { plan }
    }

    /// Adds a child: it starts after those that were added before.
    pub fn child(mut self, child: Child) -> Self {
        self.plan.children.push(child);
        self
    }

    /// Allows so many restarts within `period`. One more, and the supervisor stops its
    /// children and ends with `shutdown`. `Duration::MAX`: so many in all.
    pub fn intensity(mut self, restarts_max: u32, period: Duration) -> Self {
        self.plan.restarts_max = restarts_max;
        self.plan.period = period;
        self
    }

    /// Ends the supervisor when significant children have ended.
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.plan.auto_shutdown = auto_shutdown;
        self
    }

    /// Allows so many listed children, running or not. Without it there is no limit but that
    /// of processes.
    pub fn children_max(mut self, children_max: usize) -> Self {
        self.plan.children_max = children_max;
        self
    }

    /// Gives the supervisor's process a name. If it is taken, the start fails.
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.plan.name = Some(name.into());
        self
    }

    /// Asked at each start, in the supervisor's process: if it says no, the start is ignored
    /// and no child is started.
    pub fn only_if(mut self, wanted: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.plan.wanted = Some(Arc::new(wanted));
        self
    }

    /// Starts the supervisor, linked to the calling process, and waits until all children have
    /// started. When the caller ends or sends an exit signal, the supervisor stops its
    /// children and ends with the same reason.
    ///
    /// A start that fails does not end the caller, whether it traps exits or not, unless the
    /// supervisor is killed meanwhile. A caller that gives up waiting has a supervisor all the
    /// same: do not race this against a timer, but use `start_timeout` of the children.
    ///
    /// # Errors
    /// See [`StartError`]. Children that had been started are stopped again.
    pub async fn start_link(self, ctx: &mut Context) -> Result<SupervisorRef, StartError> {
        let parent = parent_of(ctx);
        let pid = begin::start(ctx, self.plan, parent).await?;
        Ok(SupervisorRef::of(pid))
    }

    /// As `start_link`, but the supervisor outlives the calling process: it ends when it is
    /// stopped, or its node, or by an exit signal from outside of processes.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(self, ctx: &mut Context) -> Result<SupervisorRef, StartError> {
        let pid = begin::start(ctx, self.plan, Parent::Top(None)).await?;
        Ok(SupervisorRef::of(pid))
    }

    pub(crate) fn into_plan(self) -> Plan {
        self.plan
    }
}

/// Whom a supervisor that is linked to the calling process obeys.
fn parent_of(ctx: &Context) -> Parent {
    let me = ctx.pid();
    if ctx.look(|side| side.supervised) {
        Parent::Within(me)
    } else {
        Parent::Top(Some(me))
    }
}

impl Node {
    /// Starts a supervisor that ends when it is stopped, or the node, and blocks the calling
    /// thread until all its children have started. Not inside of processes: see
    /// [`Supervisor::start`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start_supervisor(&self, supervisor: Supervisor) -> Result<SupervisorRef, StartError> {
        let start = |mut ctx: Context| async move { supervisor.start(&mut ctx).await };
        self.block_on(start)
            .unwrap_or_else(|reason| Err(StartError::Ended(reason)))
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("strategy", &self.plan.strategy)
            .field("children", &self.plan.children)
            .finish_non_exhaustive()
    }
}

/// Why a supervisor did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Its description makes no sense.
    Invalid(SpecError),
    /// Its `only_if` said no: that is no failure.
    Ignored,
    /// It could not have its name.
    Name(RegisterError),
    /// A child did not start; those before it were stopped again.
    Child {
        /// Which one.
        id: Arc<str>,
        /// Why: `Timeout` if it did not say anything within its `start_timeout`.
        reason: ExitReason,
    },
    /// It ended, or was ended, before it had started.
    Ended(ExitReason),
    /// The node is being stopped.
    NodeStops,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Invalid(error) => fmt::Display::fmt(error, f),
            StartError::Ignored => f.write_str("the supervisor was told not to start"),
            StartError::Name(error) => write!(f, "the supervisor has no name: {error}"),
            StartError::Child { id, reason } => {
                write!(f, "child `{id}` did not start: {reason}")
            }
            StartError::Ended(reason) => {
                write!(f, "the supervisor ended before it had started: {reason}")
            }
            StartError::NodeStops => f.write_str("the node is being stopped"),
        }
    }
}

impl std::error::Error for StartError {}

/// What a supervisor that did not start ends with.
impl From<&StartError> for ExitReason {
    fn from(error: &StartError) -> Self {
        match error {
            StartError::Ignored => ExitReason::Normal,
            StartError::NodeStops => ExitReason::Shutdown,
            StartError::Ended(reason) => reason.clone(),
            StartError::Child { id, reason } => {
                let text = format!("{id}: {reason}");
                ExitReason::ShutdownWith(Arc::new(Term::new("failed_to_start_child", text)))
            }
            StartError::Invalid(_) | StartError::Name(_) => ExitReason::error(error.to_string()),
        }
    }
}
