//! Which supervisors a node has, for those who look: each is listed from its start to its end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::node::Node;
use crate::pid::Pid;
use crate::world::World;

/// A supervisor from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupervisorInfo {
    /// Its process.
    pub pid: Pid,
    /// Children it has started again so far.
    pub restarts: u64,
}

/// The supervisors of a node, and how many restarts each has counted.
#[derive(Default)]
pub(crate) struct Supervisors(Mutex<BTreeMap<Pid, Arc<AtomicU64>>>);

/// The place of one among them, which it gives back however it ends.
pub(crate) struct Listed {
    world: Arc<World>,
    pid: Pid,
    restarts: Arc<AtomicU64>,
}

impl Supervisors {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Pid, Arc<AtomicU64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    pub(crate) fn new(world: &Arc<World>, pid: Pid) -> Self {
        let restarts = Arc::<AtomicU64>::default();
        world.supervisors.lock().insert(pid, restarts.clone());
        Listed {
            world: world.clone(),
            pid,
            restarts,
        }
    }

    pub(crate) fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.world.supervisors.lock().remove(&self.pid);
    }
}

impl Node {
    /// The supervisors that run now, in the order of their pids.
    pub fn supervisors(&self) -> Vec<SupervisorInfo> {
        let world = self.world();
        let listed = world.supervisors.lock();
        let info = |(pid, restarts): (&Pid, &Arc<AtomicU64>)| SupervisorInfo {
            pid: *pid,
            restarts: restarts.load(Ordering::Relaxed),
        };
        listed.iter().map(info).collect()
    }
}
