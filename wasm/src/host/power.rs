//! What takes a grant: power over other processes, and names that others would trust. One function
//! for each operation, which refuses with the grant that is missing.

use rusm_actor::Pid;

use crate::grant::{self, Grants, Relation};
use crate::guest::State;
use crate::host::Refusal;

/// Reductions of a check that looks who is whose child.
const RELATION_COST: u32 = 4;

pub(super) fn denied(refusal: grant::Refusal) -> Refusal {
    Refusal::Denied(refusal.to_string())
}

pub(crate) fn may_spawn(state: &State, component: &str) -> Result<(), Refusal> {
    state.grants().may_spawn(component).map_err(denied)
}

pub(crate) fn may_register(state: &State, name: &str) -> Result<(), Refusal> {
    state.grants().may_register(name).map_err(denied)
}

pub(crate) fn may_join(state: &State, group: &str) -> Result<(), Refusal> {
    state.grants().may_join(group).map_err(denied)
}

pub(crate) fn may_kill_group(state: &State, group: &str) -> Result<(), Refusal> {
    state.grants().may_kill_group(group).map_err(denied)
}

pub(crate) fn may_read_bucket(state: &State, bucket: &str) -> Result<(), Refusal> {
    state.grants().may_read_bucket(bucket).map_err(denied)
}

pub(crate) fn may_write_bucket(state: &State, bucket: &str) -> Result<(), Refusal> {
    state.grants().may_write_bucket(bucket).map_err(denied)
}

pub(crate) fn may_load_modules(state: &State) -> Result<(), Refusal> {
    state.grants().may_load_modules().map_err(denied)
}

pub(crate) fn may_log(state: &State, level: grant::LogLevel) -> Result<(), Refusal> {
    state.grants().may_log(level).map_err(denied)
}

pub(crate) fn may_kill(state: &State, pid: Pid) -> Result<(), Refusal> {
    over(state, pid, Grants::may_kill)
}

pub(crate) fn may_list(state: &State, pid: Pid) -> Result<(), Refusal> {
    over(state, pid, Grants::may_list)
}

pub(crate) fn may_inspect(state: &State, pid: Pid) -> Result<(), Refusal> {
    over(state, pid, Grants::may_inspect)
}

fn over(
    state: &State,
    pid: Pid,
    may: fn(&Grants, &Relation, Option<&str>) -> Result<(), grant::Refusal>,
) -> Result<(), Refusal> {
    rusm_sched::spend(RELATION_COST);
    let relation = Relation::between(state.pid(), pid);
    let name = state.context.node().name_of(pid);
    may(state.grants(), &relation, name.as_deref()).map_err(denied)
}

/// May it list whoever there is? Then nobody needs to be looked at.
pub(crate) fn may_list_all(state: &State) -> bool {
    let stranger = state.grants().may_list(&Relation::Stranger, None);
    stranger.is_ok()
}
