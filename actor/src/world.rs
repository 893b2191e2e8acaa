//! What the processes of a node have in common: names, conflicts over them, groups, gates of mailboxes, whose end is
//! awaited, a limit of crash reports, and the supervisors.

use std::sync::Arc;

use crate::gate::Gates;
use crate::group::Groups;
use crate::halt::Halt;
use crate::pid::Pid;
use crate::registry::Registry;
use crate::registry::conflicts::Conflicts;
use crate::report::limit::Limit;
use crate::supervisor::listed::Supervisors;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) conflicts: Conflicts,
    pub(crate) groups: Groups,
    pub(crate) halt: Halt,
    pub(crate) crashes: Limit,
    pub(crate) gates: Gates,
    pub(crate) supervisors: Supervisors,
}

/// Frees all that an ended process had there; its name.
#[cold]
pub(crate) fn forget(pid: Pid) -> Option<Arc<str>> {
    let world: Arc<World> = rusm_sched::extension_of(pid.address())?;
    let name = world.registry.forget(pid);
    world.groups.forget(pid);
    name
}
