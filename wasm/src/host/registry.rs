//! Names: one process for each name, one name for each process.

use rusm_actor::{Message, Pid, RegisterError};

use crate::guest::State;
use crate::host::{Refusal, message, power};

/// Gives the process a name.
pub(crate) fn register(state: &State, name: &str) -> Result<(), Refusal> {
    rusm_sched::spend(4);
    power::may_register(state, name)?;
    let context = &state.context;
    context
        .node()
        .register(name, context.pid())
        .map_err(refused)
}

/// Takes a name away: its own without a grant, another process's with the one for that name. False:
/// nobody has it.
pub(crate) fn unregister(state: &State, name: &str) -> Result<bool, Refusal> {
    rusm_sched::spend(4);
    let node = state.context.node();
    if node.whereis(name) != Some(state.pid()) {
        power::may_register(state, name)?;
    }
    Ok(node.unregister(name).is_some())
}

/// Who has a name. Everybody may ask.
pub(crate) fn whereis(state: &State, name: &str) -> Option<Pid> {
    rusm_sched::spend(2);
    state.context.whereis(name)
}

/// Sends bytes to whoever has a name.
pub(crate) fn send(state: &State, name: &str, tag: u64, content: &[u8]) -> Result<(), Refusal> {
    let message = Message::tagged(state.pid(), tag, message::measured(content)?);
    let to = whereis(state, name).ok_or_else(|| Refusal::NoName(name.into()))?;
    state.context.send(to, message);
    Ok(())
}

fn refused(error: RegisterError) -> Refusal {
    match error {
        RegisterError::Taken(pid) => Refusal::NameTaken(pid),
        RegisterError::Named(name) => Refusal::Named(name.to_string()),
        RegisterError::NoProcess => Refusal::NoProcess,
        RegisterError::BadName => Refusal::BadName,
    }
}
