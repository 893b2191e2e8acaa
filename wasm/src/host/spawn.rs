//! Starting a component by its name: what it is given, and what who starts it holds of it.

use std::sync::Arc;
use std::time::Duration;

use rusm_actor::{MailboxLimit, MailboxPolicy, Pid, Priority, Spawn};

use crate::catalog::Standing;
use crate::grant::{Grants, Limits};
use crate::guest::State;
use crate::host::{Held, Refusal, power};
use crate::ready::Ready;

/// Arguments of one process.
pub(crate) const ARGS_MAX: usize = 1_024;
/// Bytes of all arguments together.
pub(crate) const ARGS_BYTES_MAX: usize = 64 << 10;

/// How a component is to be started, beyond its name. Limits can only be smaller than its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) link: bool,
    pub(crate) monitor: bool,
    /// The component's own if it is `None`, as all that follows.
    pub(crate) priority: Option<Priority>,
    pub(crate) memory_bytes_max: Option<u64>,
    /// Time on a processor in its life.
    pub(crate) cpu: Option<Duration>,
    pub(crate) messages_max: Option<u32>,
    /// Itself and those it starts.
    pub(crate) processes_max: Option<u32>,
    /// A profile, of which it gets no more than that.
    pub(crate) profile: Option<String>,
    /// Instead of the component's own; the program's name is not among them.
    pub(crate) args: Option<Vec<String>>,
}

/// Starts a component. Its pid, and the monitor if one was asked for.
pub(crate) fn spawn(
    state: &mut State,
    name: &str,
    options: Options,
) -> Result<(Pid, Option<u64>), Refusal> {
    let standing = standing_of(state, name, &options)?;
    start(state, standing, options)
}

/// What a component is started as, if the process may start it: with what it may do, or less.
pub(crate) fn standing_of(
    state: &State,
    name: &str,
    options: &Options,
) -> Result<Arc<Standing>, Refusal> {
    power::may_spawn(state, name)?;
    let shared = state.standing.as_ref().and_then(|s| s.shared());
    let named = shared.as_ref().and_then(|shared| shared.find(name));
    let named = named.ok_or_else(|| Refusal::NoComponent(name.into()))?;
    narrowed(state, named, options)
}

/// The same with what the options leave of it.
fn narrowed(
    state: &State,
    standing: Arc<Standing>,
    options: &Options,
) -> Result<Arc<Standing>, Refusal> {
    let mut grants = standing.grants.clone();
    if let Some(profile) = &options.profile {
        let shared = state.standing.as_ref().and_then(|s| s.shared());
        let found = shared.and_then(|shared| shared.profile(profile));
        let unknown = || Refusal::Invalid(format!("there is no profile `{profile}`"));
        grants = grants.narrowed(&found.ok_or_else(unknown)?);
    }
    Ok(narrow(standing, grants.with_limits(&options.limits())))
}

/// Starts a process of code that is no component by itself, with what the options leave of what it
/// may do.
pub(crate) fn start_code(
    state: &mut State,
    standing: Arc<Standing>,
    options: Options,
) -> Result<(Pid, Option<u64>), Refusal> {
    let standing = narrowed(state, standing, &options)?;
    start(state, standing, options)
}

fn start(
    state: &mut State,
    standing: Arc<Standing>,
    options: Options,
) -> Result<(Pid, Option<u64>), Refusal> {
    let monitored = options.monitor;
    if monitored {
        state.actor().room()?;
    }
    let how = options.how(&standing);
    let seat = state.seat_for(&standing.grants).map_err(power::denied)?;
    let ready = Ready::component(standing, options.args);
    let ready = ready
        .map_err(|e| Refusal::Failed(e.to_string()))?
        .seat(seat);
    let spawned = state
        .context
        .spawn_with(how, move |context| ready.run(context));
    let (pid, monitor) = spawned;
    let monitor = monitored.then(|| state.actor().hold(monitor, Held::Monitor(monitor)));
    Ok((pid, monitor))
}

fn narrow(standing: Arc<Standing>, grants: Grants) -> Arc<Standing> {
    if grants.is(&standing.grants) {
        return standing;
    }
    standing.with(grants)
}

impl Options {
    fn limits(&self) -> Limits {
        let none = Limits::none();
        Limits {
            memory_bytes_max: self.memory_bytes_max.unwrap_or(none.memory_bytes_max),
            cpu_total_max: self.cpu,
            processes_max: self.processes_max.unwrap_or(none.processes_max),
            mailbox: self.messages_max.map(|max| MailboxLimit {
                messages_max: max as usize,
                policy: MailboxPolicy::ShedNewest,
            }),
            ..none
        }
    }

    fn how(&self, standing: &Standing) -> Spawn {
        let mut how = Spawn::new().priority(self.priority.unwrap_or(standing.component.priority));
        if self.link {
            how = how.link();
        }
        if self.monitor {
            how = how.monitor();
        }
        if let Some(limit) = standing.grants.limits().mailbox {
            how = how.mailbox(limit);
        }
        how
    }
}

/// Checks arguments.
pub(crate) fn checked(args: Vec<String>) -> Result<Vec<String>, Refusal> {
    let len = args.iter().map(String::len).sum();
    if args.len() > ARGS_MAX {
        return Err(Refusal::Limit {
            what: "arguments",
            max: ARGS_MAX,
        });
    }
    if len > ARGS_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "all arguments together",
            len,
            max: ARGS_BYTES_MAX,
        });
    }
    Ok(args)
}
