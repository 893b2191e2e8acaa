//! What the processes of a node have in common: names, groups, and whose end is awaited.

use std::sync::Arc;

use crate::group::Groups;
use crate::halt::Halt;
use crate::pid::Pid;
use crate::registry::Registry;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) groups: Groups,
    pub(crate) halt: Halt,
}

/// Frees all that an ended process had there.
#[cold]
pub(crate) fn forget(pid: Pid) {
    let world: Option<Arc<World>> = rusm_sched::extension_of(pid.address());
    if let Some(world) = world {
        world.registry.forget(pid);
        world.groups.forget(pid);
    }
}
