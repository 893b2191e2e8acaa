//! Supervisors of any number of children that come and go: no ids, no order.

use std::sync::Arc;
use std::time::Duration;

use crate::call::CallError;
use crate::context::Context;
use crate::node::Node;
use crate::pid::Pid;
use crate::supervisor::begin;
use crate::supervisor::child::Child;
use crate::supervisor::plan::{Order, Plan};
use crate::supervisor::request::{
    ChildError, ChildInfo, Counts, Request, StartChildError, Started, SupervisorRef,
};
use crate::supervisor::run::Parent;
use crate::supervisor::strategy::{AutoShutdown, Strategy};
use crate::supervisor::{StartError, Supervisor, parent_of};

/// The description of a supervisor that starts without children and is given them one by one:
/// connections, sessions, jobs. They are known by their pids (the ids of their descriptions
/// name them in reports and need not differ), each is restarted by itself, and at the end all
/// are stopped at once.
#[derive(Clone, Debug)]
#[must_use = "it starts nothing by itself"]
pub struct DynamicSupervisor(Supervisor);

/// A running dynamic supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DynamicRef(SupervisorRef);

impl Default for DynamicSupervisor {
    fn default() -> Self {
        DynamicSupervisor::new()
    }
}

impl DynamicSupervisor {
    /// Without children, with the defaults of [`Supervisor`].
    pub fn new() -> Self {
        let plan = Plan::new(Strategy::OneForOne, Order::Dynamic);
        DynamicSupervisor(Supervisor::of(plan))
    }

    /// See [`Supervisor::intensity`].
    pub fn intensity(self, restarts_max: u32, period: Duration) -> Self {
        DynamicSupervisor(self.0.intensity(restarts_max, period))
    }

    /// See [`Supervisor::auto_shutdown`].
    pub fn auto_shutdown(self, auto_shutdown: AutoShutdown) -> Self {
        DynamicSupervisor(self.0.auto_shutdown(auto_shutdown))
    }

    /// See [`Supervisor::children_max`].
    pub fn children_max(self, children_max: usize) -> Self {
        DynamicSupervisor(self.0.children_max(children_max))
    }

    /// See [`Supervisor::named`].
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        DynamicSupervisor(self.0.named(name))
    }

    /// See [`Supervisor::start_link`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_link(self, ctx: &mut Context) -> Result<DynamicRef, StartError> {
        let parent = parent_of(ctx);
        let pid = begin::start(ctx, self.into_plan(), parent).await?;
        Ok(DynamicRef::of(pid))
    }

    /// See [`Supervisor::start`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(self, ctx: &mut Context) -> Result<DynamicRef, StartError> {
        let pid = begin::start(ctx, self.into_plan(), Parent::Top(None)).await?;
        Ok(DynamicRef::of(pid))
    }

    pub(crate) fn into_plan(self) -> Plan {
        self.0.into_plan()
    }
}

impl Node {
    /// As [`Node::start_supervisor`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start_dynamic_supervisor(
        &self,
        supervisor: DynamicSupervisor,
    ) -> Result<DynamicRef, StartError> {
        let start = |mut ctx: Context| async move { supervisor.start(&mut ctx).await };
        self.block_on(start)
            .unwrap_or_else(|reason| Err(StartError::Ended(reason)))
    }
}

impl DynamicRef {
    /// The dynamic supervisor that runs as `pid`.
    pub fn of(pid: Pid) -> Self {
        DynamicRef(SupervisorRef::of(pid))
    }

    /// Its process.
    pub fn pid(self) -> Pid {
        self.0.pid()
    }

    /// Starts one more child.
    ///
    /// # Errors
    /// See [`StartChildError`].
    pub async fn start_child(
        self,
        ctx: &mut Context,
        child: Child,
    ) -> Result<Started, StartChildError> {
        self.0.start_child(ctx, child).await
    }

    /// Stops the child that runs as `pid`, waits for its end and forgets it. One that pauses
    /// before its restart has no pid.
    ///
    /// # Errors
    /// See [`ChildError`].
    pub async fn terminate_child(self, ctx: &mut Context, pid: Pid) -> Result<(), ChildError> {
        self.0.try_ask(ctx, Request::TerminatePid(pid)).await
    }

    /// See [`SupervisorRef::count_children`].
    ///
    /// # Errors
    /// When the supervisor has ended.
    pub async fn count_children(self, ctx: &mut Context) -> Result<Counts, CallError> {
        self.0.count_children(ctx).await
    }

    /// See [`SupervisorRef::which_children`].
    ///
    /// # Errors
    /// When the supervisor has ended.
    pub async fn which_children(self, ctx: &mut Context) -> Result<Vec<ChildInfo>, CallError> {
        self.0.which_children(ctx).await
    }

    /// See [`SupervisorRef::stop`].
    ///
    /// # Errors
    /// As there.
    pub async fn stop(self, ctx: &mut Context) -> Result<(), CallError> {
        self.0.stop(ctx).await
    }
}
