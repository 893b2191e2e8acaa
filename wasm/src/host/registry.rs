//! Names: one process for each name, one name for each process.

use rusm_actor::{Message, Pid, RegisterError};

use crate::guest::State;
use crate::host::{Refusal, message};

/// Gives the process a name.
pub(crate) fn register(state: &State, name: &str) -> Result<(), Refusal> {
    rusm_sched::spend(4);
    let context = &state.context;
    context
        .node()
        .register(name, context.pid())
        .map_err(refused)
}

/// Takes the process's own name away. False: it has another one, or none.
pub(crate) fn unregister(state: &State, name: &str) -> bool {
    rusm_sched::spend(4);
    let node = state.context.node();
    let own = node.whereis(name) == Some(state.pid());
    own && node.unregister(name).is_some()
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
