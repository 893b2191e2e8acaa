//! Supervisors over components: a guest describes children by the names of components, and a
//! supervisor of the node, which is no guest and does not fail with one, starts, watches and restarts
//! them. It is linked to the guest that started it, and ends with it.

use std::sync::Arc;
use std::time::Duration;

use rusm_actor::supervisor::{
    AutoShutdown, Child, ChildError, ChildInfo, Counts, Restart, Shutdown, StartChildError,
    Started, Strategy, Supervisor, SupervisorRef,
};
use rusm_actor::{CallError, Context, ExitReason, Pid};

use crate::catalog::Standing;
use crate::grant::Quota;
use crate::guest::State;
use crate::host::spawn::{self, Options};
use crate::host::things::Thing;
use crate::host::{Refusal, power};
use crate::ready::Ready;

/// Children that a supervisor of a guest may have.
pub(crate) const CHILDREN_MAX: usize = 1_000;
/// Bytes of a child's id.
pub(crate) const ID_BYTES_MAX: usize = 255;

/// What a guest says of a supervisor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) strategy: Strategy,
    pub(crate) restarts_max: u32,
    pub(crate) period: Duration,
    pub(crate) auto_shutdown: AutoShutdown,
}

/// What it says of a child.
pub(crate) struct Spec {
    pub(crate) id: String,
    pub(crate) component: String,
    /// Its profile and arguments; all else is the component's own.
    pub(crate) options: Options,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) significant: bool,
}

/// A supervisor in a guest's hands: what its children are counted by.
#[derive(Clone)]
pub(crate) struct Supervised {
    supervisor: SupervisorRef,
    seat: Arc<Quota>,
}

/// Starts a supervisor and its children; its number and pid.
pub(crate) async fn start(
    state: &mut State,
    plan: Plan,
    children: Vec<Spec>,
) -> Result<(u32, Pid), Refusal> {
    state.things().room()?;
    if children.len() > CHILDREN_MAX {
        return Err(too_many(CHILDREN_MAX));
    }
    // Its seat is that of the supervisor, and those of its children lie within.
    let grants = state.grants().clone();
    let seat = Arc::new(state.seat_for(&grants).map_err(power::denied)?);
    let mut supervisor = Supervisor::new(plan.strategy)
        .intensity(plan.restarts_max, plan.period)
        .auto_shutdown(plan.auto_shutdown)
        .children_max(CHILDREN_MAX);
    for spec in children {
        supervisor = supervisor.child(child(state, &seat, spec)?);
    }
    let started = supervisor.start_link(&mut state.context).await;
    let supervisor = started.map_err(|error| Refusal::Supervision(error.to_string()))?;
    let supervised = Supervised { supervisor, seat };
    let number = state.things().hold(Thing::Supervisor(supervised))?;
    Ok((number, supervisor.pid()))
}

/// The description of a child that starts a component, if the guest may start it.
fn child(state: &State, seat: &Arc<Quota>, spec: Spec) -> Result<Child, Refusal> {
    if spec.id.len() > ID_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a child's id",
            len: spec.id.len(),
            max: ID_BYTES_MAX,
        });
    }
    let standing = spawn::standing_of(state, &spec.component, &spec.options)?;
    let (seat, args) = (seat.clone(), spec.options.args);
    let body = move |context: Context| run(context, standing.clone(), &seat, args.clone());
    let child = Child::worker(spec.id, body)
        .restart(spec.restart)
        .shutdown(spec.shutdown);
    Ok(match spec.significant {
        true => child.significant(),
        false => child,
    })
}

/// The body of a child's process.
fn run(
    context: Context,
    standing: Arc<Standing>,
    seat: &Quota,
    args: Option<Vec<String>>,
) -> impl Future<Output = ExitReason> + Send + use<> {
    let seat = seat.seat(standing.grants.limits().processes_max);
    async move {
        let Some(seat) = seat else {
            return ExitReason::error(
                "cannot start the child: those who started it may have no more processes",
            );
        };
        match Ready::component(standing, args) {
            Ok(ready) => ready.seat(seat).run(context).await,
            Err(error) => ExitReason::error(format!("cannot start the child: {error}")),
        }
    }
}

/// Adds a child and starts it.
pub(crate) async fn start_child(
    state: &mut State,
    number: u32,
    spec: Spec,
) -> Result<Option<Pid>, Refusal> {
    let Supervised { supervisor, seat } = held(state, number)?;
    let child = child(state, &seat, spec)?;
    let started = supervisor.start_child(&mut state.context, child).await;
    started.map(|s: Started| s.pid()).map_err(refused_start)
}

/// Starts a stopped child again.
pub(crate) async fn restart_child(
    state: &mut State,
    number: u32,
    id: &str,
) -> Result<Option<Pid>, Refusal> {
    let supervisor = held(state, number)?.supervisor;
    let started = supervisor.restart_child(&mut state.context, id).await;
    started.map(|started| started.pid()).map_err(refused)
}

/// Stops a child; it stays listed.
pub(crate) async fn terminate_child(
    state: &mut State,
    number: u32,
    id: &str,
) -> Result<(), Refusal> {
    let supervisor = held(state, number)?.supervisor;
    let done = supervisor.terminate_child(&mut state.context, id).await;
    done.map_err(refused)
}

/// Forgets a stopped child.
pub(crate) async fn delete_child(state: &mut State, number: u32, id: &str) -> Result<(), Refusal> {
    let supervisor = held(state, number)?.supervisor;
    let done = supervisor.delete_child(&mut state.context, id).await;
    done.map_err(refused)
}

/// How many children there are, and of which kind.
pub(crate) async fn count(state: &mut State, number: u32) -> Result<Counts, Refusal> {
    let supervisor = held(state, number)?.supervisor;
    let counts = supervisor.count_children(&mut state.context).await;
    counts.map_err(unreachable)
}

/// Who they are, in the order of their starts.
pub(crate) async fn which(state: &mut State, number: u32) -> Result<Vec<ChildInfo>, Refusal> {
    let supervisor = held(state, number)?.supervisor;
    let children = supervisor.which_children(&mut state.context).await;
    children.map_err(unreachable)
}

/// Stops the supervisor and its children, the last one first.
pub(crate) async fn stop(state: &mut State, number: u32) -> Result<(), Refusal> {
    let supervisor = held(state, number)?.supervisor;
    // It says `shutdown`, which would end the guest as well.
    state.context.unlink(supervisor.pid());
    let done = supervisor.stop(&mut state.context).await;
    state.things().release(number);
    match done {
        // It has ended already: that is what was wanted.
        Ok(()) | Err(CallError::NoProcess | CallError::Ended(_)) => Ok(()),
        Err(error) => Err(unreachable(error)),
    }
}

/// Its pid; `None`: the process holds no such one.
pub(crate) fn pid(state: &mut State, number: u32) -> Option<Pid> {
    let supervised = held(state, number).ok()?;
    Some(supervised.supervisor.pid())
}

/// Lets go of one that has ended. One that runs keeps its place, and its seat with it.
pub(crate) fn forget(state: &mut State, number: u32) {
    if pid(state, number).is_some_and(|pid| !rusm_actor::is_alive(pid)) {
        state.things().release(number);
    }
}

fn held(state: &mut State, number: u32) -> Result<Supervised, Refusal> {
    match state.things().get(number) {
        Some(Thing::Supervisor(supervised)) => Ok(supervised.clone()),
        _ => Err(Refusal::NotHeld),
    }
}

pub(crate) fn too_many(max: usize) -> Refusal {
    Refusal::Limit {
        what: "children of one supervisor",
        max,
    }
}

fn refused(error: ChildError) -> Refusal {
    match error {
        ChildError::NotFound => Refusal::NoChild,
        ChildError::Unreachable(error) => unreachable(error),
        other => Refusal::Supervision(other.to_string()),
    }
}

fn refused_start(error: StartChildError) -> Refusal {
    match error {
        StartChildError::TooMany(max) => too_many(max),
        StartChildError::Unreachable(error) => unreachable(error),
        other => Refusal::Supervision(other.to_string()),
    }
}

fn unreachable(error: CallError) -> Refusal {
    Refusal::Supervision(format!("the supervisor gave no answer: {error}"))
}
