//! Names of processes: one process for each name, one name for each process.

pub(crate) mod conflicts;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use crate::context::Context;
use crate::exit::{ExitReason, Outcome};
use crate::link::NoProcess;
use crate::message::Message;
use crate::node::{Node, is_alive, send};
use crate::pid::Pid;
use crate::signal::{Signal, signal};
use crate::world::World;

/// Bytes a name may have.
pub const NAME_BYTES_MAX: usize = 255;
/// What "no name" is called where names are texts.
const RESERVED: &str = "undefined";

/// Why a name was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterError {
    /// Another process has the name.
    Taken(Pid),
    /// The process has a name already; this one, perhaps.
    Named(Arc<str>),
    /// The process has ended.
    NoProcess,
    /// Names have 1 to `NAME_BYTES_MAX` bytes, and are not "undefined".
    BadName,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterError::Taken(pid) => write!(f, "{pid} has that name; unregister it first"),
            RegisterError::Named(name) => write!(
                f,
                "the process is named `{name}` already, and may have one name only"
            ),
            RegisterError::NoProcess => fmt::Display::fmt(&NoProcess, f),
            RegisterError::BadName => write!(
                f,
                "a name has 1 to {NAME_BYTES_MAX} bytes and is not `{RESERVED}`"
            ),
        }
    }
}

impl std::error::Error for RegisterError {}

/// Tells a process that it got the name it was started for.
struct Won;

/// The names of one node.
///
/// Who has ended is forgotten here a moment later, and whoever finds its address dead must find
/// its name free: so everything that reads asks whether the owner lives.
#[derive(Default)]
pub(crate) struct Registry(RwLock<Names>);

#[derive(Default)]
struct Names {
    pids: HashMap<Arc<str>, Pid>,
    names: HashMap<Pid, Arc<str>>,
}

impl Registry {
    fn register(&self, name: &str, pid: Pid) -> Result<(), RegisterError> {
        self.register_telling(name, pid, || signal(pid, Signal::Listed))
    }

    /// `tell` has the process know that it is listed here; false: it has ended.
    fn register_telling(
        &self,
        name: &str,
        pid: Pid,
        tell: impl FnOnce() -> bool,
    ) -> Result<(), RegisterError> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name == RESERVED {
            return Err(RegisterError::BadName);
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(&owner) = names.pids.get(name)
            && owner != pid
            && is_alive(owner)
        {
            return Err(RegisterError::Taken(owner));
        }
        if let Some(name) = names.names.get(&pid)
            && is_alive(pid)
        {
            return Err(RegisterError::Named(name.clone()));
        }
        // Told under the lock: whoever frees the names of `pid` when it ends comes later.
        if !tell() {
            return Err(RegisterError::NoProcess);
        }
        names.insert(name.into(), pid);
        Ok(())
    }

    fn unregister(&self, name: &str) -> Option<Pid> {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let pid = names.pids.remove(name)?;
        names.names.remove(&pid);
        Some(pid).filter(|pid| is_alive(*pid))
    }

    fn find(&self, name: &str) -> Option<Pid> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let pid = names.pids.get(name).copied();
        pid.filter(|pid| is_alive(*pid))
    }

    pub(crate) fn name_of(&self, pid: Pid) -> Option<Arc<str>> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let name = names.names.get(&pid).cloned();
        name.filter(|_| is_alive(pid))
    }

    fn all(&self) -> Vec<(Arc<str>, Pid)> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let living = names.pids.iter().filter(|(_, pid)| is_alive(**pid));
        let mut all: Vec<_> = living.map(|(name, pid)| (name.clone(), *pid)).collect();
        all.sort_unstable();
        all
    }

    /// Frees the name of a process that has ended.
    pub(crate) fn forget(&self, pid: Pid) -> Option<Arc<str>> {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name = names.names.remove(&pid)?;
        if names.pids.get(&name) == Some(&pid) {
            names.pids.remove(&name);
        }
        Some(name)
    }
}

impl Names {
    fn insert(&mut self, name: Arc<str>, pid: Pid) {
        // An owner that has ended and was not forgotten yet loses the name here.
        if let Some(before) = self.pids.insert(name.clone(), pid) {
            self.names.remove(&before);
        }
        self.names.insert(pid, name);
    }
}

impl Node {
    /// Gives a process a name. It is free again when the process ends, before anybody is told
    /// of that. About 150 ns.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn register(&self, name: &str, pid: Pid) -> Result<(), RegisterError> {
        let world = self.world();
        let given = world.registry.register(name, pid);
        if let Err(RegisterError::Taken(holder)) = given {
            let now = self.handle_ref().now();
            world.conflicts.note(name, holder, pid, now);
        }
        given
    }

    /// Takes a name away; who had it.
    pub fn unregister(&self, name: &str) -> Option<Pid> {
        self.world().registry.unregister(name)
    }

    /// Who has the name.
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        self.world().registry.find(name)
    }

    /// What a process is called.
    pub fn name_of(&self, pid: Pid) -> Option<Arc<str>> {
        self.world().registry.name_of(pid)
    }

    /// All names, in their order.
    pub fn registered(&self) -> Vec<(Arc<str>, Pid)> {
        self.world().registry.all()
    }

    /// Sends a message to whoever has the name.
    ///
    /// # Errors
    /// When nobody has.
    pub fn send_name(&self, name: &str, message: impl Into<Message>) -> Result<(), NoProcess> {
        let pid = self.whereis(name).ok_or(NoProcess)?;
        send(pid, message);
        Ok(())
    }

    /// Who has the name; if nobody has, a process started for it with `body`. Of several that
    /// try at once, one wins, and the processes of the others never run.
    ///
    /// # Errors
    /// When the name is none.
    pub fn whereis_or_spawn<F, Fut>(&self, name: &str, body: F) -> Result<Pid, RegisterError>
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome + Send,
    {
        if let Some(pid) = self.whereis(name) {
            return Ok(pid);
        }
        let pid = self.spawn(|mut ctx| async move {
            // Others may write to the name before this says that it was won.
            ctx.receive_match(|message| message.is::<Won>()).await;
            body(ctx).await.reason()
        });
        // Losing is nothing that anybody should look at: no conflict is noted.
        match self.world().registry.register(name, pid) {
            Ok(()) => {
                send(pid, Message::native(Won));
                Ok(pid)
            }
            Err(error) => {
                // Not killed: that would be reported as a crash.
                self.exit(pid, ExitReason::Shutdown);
                match error {
                    RegisterError::Taken(owner) => Ok(owner),
                    error => Err(error),
                }
            }
        }
    }

    pub(crate) fn world(&self) -> Arc<World> {
        self.handle_ref().extension()
    }
}

impl Context {
    /// Gives the process itself a name. See [`Node::register`].
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn register(&self, name: &str) -> Result<(), RegisterError> {
        self.node().register(name, self.pid())
    }

    /// See [`Node::whereis`].
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        self.node().whereis(name)
    }

    /// See [`Node::send_name`].
    ///
    /// # Errors
    /// When nobody has the name.
    pub fn send_name(&self, name: &str, message: impl Into<Message>) -> Result<(), NoProcess> {
        self.node().send_name(name, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusm_sched::Config;
    use std::time::Duration;

    /// The one moment that matters between names and ends, held still: somebody has been told
    /// of its name, and ends before the name is written down. Looks into the maps, since from
    /// outside an entry of a dead owner is not to be seen.
    #[test]
    fn who_ends_while_it_is_given_a_name_leaves_nothing_behind() {
        let node = Node::start(Config::default()).expect("a node starts");
        let (world, moment) = (node.world(), Duration::from_millis(20));
        let victim = node.spawn_join(|mut ctx| async move { drop(ctx.receive().await) });
        let pid = victim.pid();
        let given = world.registry.register_telling("late", pid, || {
            let told = signal(pid, Signal::Listed);
            node.kill(pid);
            // Its end is settled after this call, and not told before.
            assert_eq!(victim.wait_for(moment), None);
            told
        });
        assert_eq!((given, victim.wait()), (Ok(()), ExitReason::Killed));
        let names = world
            .registry
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        assert!(names.pids.is_empty() && names.names.is_empty());
    }
}
