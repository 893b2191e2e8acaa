//! Process groups: joining, writing to all members, hearing who comes and goes.

use std::sync::Arc;

use rusm_actor::{INLINE_BYTES_MAX, Message, Pid, send};

use crate::guest::State;
use crate::host::{Held, Refusal, message, power};

/// Bytes of a group's name.
pub(crate) const GROUP_NAME_BYTES_MAX: usize = 255;
/// Groups that one process may be in at a time, each as often as it has joined it.
pub(crate) const GROUPS_MAX: u32 = 1_024;
/// Reductions of a change, of which all who watch are told.
const CHANGE_COST: u32 = 8;

fn checked(group: &str) -> Result<&str, Refusal> {
    match group.len() {
        1..=GROUP_NAME_BYTES_MAX => Ok(group),
        len => Err(Refusal::TooLong {
            what: "the name of a group (which is not empty)",
            len,
            max: GROUP_NAME_BYTES_MAX,
        }),
    }
}

/// Joins a group, once more if the process is in it.
pub(crate) fn join(state: &mut State, group: &str) -> Result<(), Refusal> {
    rusm_sched::spend(CHANGE_COST);
    checked(group)?;
    power::may_join(state, group)?;
    let me = state.pid();
    let node = state.context.node();
    let joined = &mut state.actor().joined;
    if *joined >= GROUPS_MAX {
        return Err(Refusal::Limit {
            what: "groups joined at a time",
            max: GROUPS_MAX as usize,
        });
    }
    node.join(group, me).map_err(|_| Refusal::NoProcess)?;
    *joined += 1;
    Ok(())
}

/// Leaves a group, once. False: it was not in it.
pub(crate) fn leave(state: &mut State, group: &str) -> bool {
    rusm_sched::spend(CHANGE_COST);
    let left = state.context.node().leave(group, state.pid());
    if left {
        let joined = &mut state.actor().joined;
        *joined = joined.saturating_sub(1);
    }
    left
}

/// Who is in a group. Everybody may ask.
pub(crate) fn members(state: &State, group: &str) -> Arc<Vec<Pid>> {
    let members = state.context.node().members(group);
    rusm_sched::spend(1 + (members.len() / 64) as u32);
    members
}

/// Sends bytes to all members; to how many.
pub(crate) fn publish(
    state: &State,
    group: &str,
    tag: u64,
    content: &[u8],
) -> Result<usize, Refusal> {
    let content = message::measured(content)?;
    let (from, members) = (state.pid(), members(state, group));
    rusm_sched::spend(u32::try_from(members.len()).unwrap_or(u32::MAX));
    if content.len() <= INLINE_BYTES_MAX {
        let message = || Message::tagged(from, tag, content);
        members.iter().for_each(|member| send(*member, message()));
    } else {
        let shared: Arc<[u8]> = content.into();
        let message = || Message::tagged_shared(from, tag, shared.clone());
        members.iter().for_each(|member| send(*member, message()));
    }
    Ok(members.len())
}

/// Has the process told who joins and leaves from now on; who is in it now.
pub(crate) fn watch(state: &mut State, group: &str) -> Result<(u64, Arc<Vec<Pid>>), Refusal> {
    rusm_sched::spend(CHANGE_COST);
    let name = checked(group)?;
    state.actor().room()?;
    let watched = state.context.node().watch_group(name, state.pid());
    let (reference, members) = watched.map_err(|_| Refusal::NoProcess)?;
    let held = Held::Watch(reference, name.into());
    Ok((state.actor().hold(reference, held), members))
}

/// Ends that. False: it was over.
pub(crate) fn unwatch(state: &mut State, bits: u64) -> bool {
    let (me, node) = (state.pid(), state.context.node());
    let actor = state.actor();
    let Some(Held::Watch(reference, group)) = actor.held(bits) else {
        return false;
    };
    let ended = node.unwatch_group(group, me, *reference);
    actor.release(bits);
    ended
}

/// Kills all members; how many.
pub(crate) fn kill(state: &State, group: &str) -> Result<usize, Refusal> {
    power::may_kill_group(state, group)?;
    let killed = state.context.node().kill_group(group);
    rusm_sched::spend(u32::try_from(killed).unwrap_or(u32::MAX));
    Ok(killed)
}
