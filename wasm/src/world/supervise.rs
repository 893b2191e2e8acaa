//! The interface `supervise`.

use std::time::Duration;

use rusm_actor::Pid;
use rusm_actor::supervisor::{self, ChildInfo as Info, ChildState, SHUTDOWN_TIMEOUT};
use wasmtime::Result as Trappable;
use wasmtime::component::Resource;

use super::bindings::rusm::runtime::supervise::{
    AutoShutdown, Child, ChildInfo, Counts, Host, HostSupervisor, Plan, Restart, Shutdown,
    State as Doing, Strategy,
};
use super::bindings::rusm::runtime::types::Error;
use crate::guest::State;
use crate::host::spawn::{Options, checked};
use crate::host::{Refusal, process, supervise};
use crate::link::{noted, opaque};

/// A supervisor that the process has started.
pub enum Supervisor {}

fn plan(plan: Plan) -> supervise::Plan {
    supervise::Plan {
        strategy: match plan.strategy {
            Strategy::OneForOne => supervisor::Strategy::OneForOne,
            Strategy::OneForAll => supervisor::Strategy::OneForAll,
            Strategy::RestForOne => supervisor::Strategy::RestForOne,
        },
        restarts_max: plan.restarts_max,
        period: Duration::from_nanos(plan.period),
        auto_shutdown: match plan.auto_shutdown {
            AutoShutdown::Never => supervisor::AutoShutdown::Never,
            AutoShutdown::AnySignificant => supervisor::AutoShutdown::Any,
            AutoShutdown::AllSignificant => supervisor::AutoShutdown::All,
        },
    }
}

fn spec(child: Child) -> Result<supervise::Spec, Refusal> {
    Ok(supervise::Spec {
        id: child.id,
        component: child.component,
        options: Options {
            profile: child.profile,
            args: child.arguments.map(checked).transpose()?,
            ..Options::default()
        },
        restart: match child.restart {
            Restart::Permanent => supervisor::Restart::Permanent,
            Restart::Transient => supervisor::Restart::Transient,
            Restart::Temporary => supervisor::Restart::Temporary,
        },
        shutdown: match child.shutdown {
            Shutdown::Usual => supervisor::Shutdown::After(SHUTDOWN_TIMEOUT),
            Shutdown::After(span) => match process::within(span) {
                Some(span) => supervisor::Shutdown::After(span),
                None => supervisor::Shutdown::Infinity,
            },
            Shutdown::Infinity => supervisor::Shutdown::Infinity,
            Shutdown::Kill => supervisor::Shutdown::Kill,
        },
        significant: child.significant,
    })
}

fn listed(child: Info) -> ChildInfo {
    ChildInfo {
        id: child.id.as_deref().unwrap_or_default().into(),
        state: match child.state {
            ChildState::Stopped => Doing::Stopped,
            ChildState::Restarting => Doing::Restarting,
            ChildState::Running(pid) => Doing::Running(pid.to_bits()),
        },
    }
}

fn bits(pid: Option<Pid>) -> Option<u64> {
    pid.map(Pid::to_bits)
}

/// What fits in the type of the package: there are a thousand at most.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Waits for an operation, and says it in the types of the package.
async fn done<T, U>(
    operation: impl Future<Output = Result<T, Refusal>> + Send,
    said: impl FnOnce(T) -> U,
) -> Trappable<Result<U, Error>> {
    let done = Box::into_pin(opaque(operation)).await;
    Ok(done.map(said).map_err(Error::from))
}

impl Host for State {
    async fn start(
        &mut self,
        how: Plan,
        children: Vec<Child>,
    ) -> Trappable<Result<Resource<Supervisor>, Error>> {
        noted!(self.context.pid(), "rusm:runtime/supervise start");
        let start = async move {
            let children = children.into_iter().map(spec).collect::<Result<_, _>>()?;
            supervise::start(self, plan(how), children).await
        };
        done(start, |(number, _pid)| Resource::new_own(number)).await
    }
}

impl HostSupervisor for State {
    fn pid(&mut self, supervisor: Resource<Supervisor>) -> u64 {
        bits(supervise::pid(self, supervisor.rep())).unwrap_or(0)
    }

    async fn start_child(
        &mut self,
        supervisor: Resource<Supervisor>,
        child: Child,
    ) -> Trappable<Result<Option<u64>, Error>> {
        noted!(
            self.context.pid(),
            "rusm:runtime/supervise supervisor.start-child"
        );
        let start =
            async move { supervise::start_child(self, supervisor.rep(), spec(child)?).await };
        done(start, bits).await
    }

    async fn restart_child(
        &mut self,
        supervisor: Resource<Supervisor>,
        id: String,
    ) -> Trappable<Result<Option<u64>, Error>> {
        noted!(
            self.context.pid(),
            "rusm:runtime/supervise supervisor.restart-child"
        );
        let restart = async move { supervise::restart_child(self, supervisor.rep(), &id).await };
        done(restart, bits).await
    }

    async fn terminate_child(
        &mut self,
        supervisor: Resource<Supervisor>,
        id: String,
    ) -> Trappable<Result<(), Error>> {
        noted!(
            self.context.pid(),
            "rusm:runtime/supervise supervisor.terminate-child"
        );
        let terminate =
            async move { supervise::terminate_child(self, supervisor.rep(), &id).await };
        done(terminate, |()| ()).await
    }

    async fn delete_child(
        &mut self,
        supervisor: Resource<Supervisor>,
        id: String,
    ) -> Trappable<Result<(), Error>> {
        noted!(
            self.context.pid(),
            "rusm:runtime/supervise supervisor.delete-child"
        );
        let delete = async move { supervise::delete_child(self, supervisor.rep(), &id).await };
        done(delete, |()| ()).await
    }

    async fn count(
        &mut self,
        supervisor: Resource<Supervisor>,
    ) -> Trappable<Result<Counts, Error>> {
        noted!(
            self.context.pid(),
            "rusm:runtime/supervise supervisor.count"
        );
        let counted = async move { supervise::count(self, supervisor.rep()).await };
        done(counted, |counts| Counts {
            listed: count(counts.specs),
            alive: count(counts.active),
            supervisors: count(counts.supervisors),
            workers: count(counts.workers),
        })
        .await
    }

    async fn which(
        &mut self,
        supervisor: Resource<Supervisor>,
    ) -> Trappable<Result<Vec<ChildInfo>, Error>> {
        noted!(
            self.context.pid(),
            "rusm:runtime/supervise supervisor.which"
        );
        let which = async move { supervise::which(self, supervisor.rep()).await };
        done(which, |children| children.into_iter().map(listed).collect()).await
    }

    async fn stop(&mut self, supervisor: Resource<Supervisor>) -> Trappable<Result<(), Error>> {
        noted!(self.context.pid(), "rusm:runtime/supervise supervisor.stop");
        let stop = async move { supervise::stop(self, supervisor.rep()).await };
        done(stop, |()| ()).await
    }

    fn drop(&mut self, supervisor: Resource<Supervisor>) -> Trappable<()> {
        supervise::forget(self, supervisor.rep());
        Ok(())
    }
}
