//! The components of a node that can be started by their names, each with what it may do, and what
//! all guests of the node share.
//!
//! A process that was started from here knows its [`Standing`]: which component it is and what it
//! was granted. One that was not has the standing of nobody: it may compute and answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use rusm_actor::{JoinHandle, Node, Priority, StreamView};
use rusm_io::kv::Store;

use crate::error::ProgramError;
use crate::grant::{Grants, Profile, Profiles, Quota};
use crate::guest::Prepared;
use crate::host::listed::Listed;
use crate::host::log::{Line, Pace};
use crate::program::Program;
use crate::ready::Ready;

/// A component, as it is started if nobody says otherwise.
#[derive(Clone)]
pub struct Spawnable {
    /// Its code.
    pub guest: Prepared,
    /// Its arguments, environment, directories and stdio, and its grants: without any it computes
    /// and answers. Who starts it can take from them, and add nothing.
    pub program: Program,
    /// Who goes first.
    pub priority: Priority,
}

/// The components of a node, by name. Clones are the same catalogue.
#[derive(Clone, Default)]
pub struct Catalog(Arc<Shared>);

type Sink = Arc<dyn Fn(&Line<'_>) + Send + Sync>;

/// What the guests of a node have in common.
#[derive(Default)]
pub(crate) struct Shared {
    components: RwLock<HashMap<Arc<str>, Arc<Standing>>>,
    profiles: RwLock<Option<Profiles>>,
    sink: RwLock<Option<Sink>>,
    store: RwLock<Option<Store>>,
    pub(crate) streams: Listed,
    pub(crate) pace: Pace,
}

/// Which component a process is, and what it may do.
pub(crate) struct Standing {
    /// Not held: the catalogue holds this.
    shared: Weak<Shared>,
    pub(crate) name: Arc<str>,
    pub(crate) component: Arc<Spawnable>,
    /// Those of the component, or fewer.
    pub(crate) grants: Grants,
    /// Of this name, however they were started.
    living: Arc<Living>,
}

/// How many processes of a component live.
#[derive(Default)]
struct Living(AtomicU64);

/// One process that counts, until it is dropped.
pub(crate) struct Alive(Arc<Living>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Catalog {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component, or puts it in another one's place: processes that run already keep what
    /// they have.
    ///
    /// # Errors
    /// If its program asks for more memory than its engine gives, or less than it starts with.
    pub fn put(&self, name: &str, component: Spawnable) -> Result<(), ProgramError> {
        let Program {
            memory_bytes_max,
            grants,
            ..
        } = &component.program;
        let grants = grants.clone().unwrap_or_else(nobodys);
        let guest = &component.guest;
        guest.memory_for(*memory_bytes_max, Some(&grants))?;
        let name: Arc<str> = name.into();
        let standing = Arc::new(Standing {
            shared: Arc::downgrade(&self.0),
            name: name.clone(),
            component: Arc::new(component),
            grants,
            living: self
                .0
                .find(&name)
                .map_or_else(Arc::default, |it| it.living.clone()),
        });
        self.0.write(|components| components.insert(name, standing));
        Ok(())
    }

    /// Takes a component out. False: there was none of that name.
    pub fn remove(&self, name: &str) -> bool {
        self.0.write(|components| components.remove(name)).is_some()
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<Arc<str>> {
        let components = self.0.components.read();
        let components = components.unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = components.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The names in order, each with how many processes of it live.
    pub fn living(&self) -> Vec<(String, u64)> {
        let components = self.0.components.read();
        let components = components.unwrap_or_else(PoisonError::into_inner);
        let count = |standing: &Arc<Standing>| standing.living.0.load(Ordering::Relaxed);
        let mut all: Vec<(String, u64)> = components
            .iter()
            .map(|(name, standing)| (name.to_string(), count(standing)))
            .collect();
        all.sort_unstable();
        all
    }

    /// The profiles that a guest may name to start a component with less than it was granted.
    pub fn set_profiles(&self, profiles: Profiles) {
        let mut place = self
            .0
            .profiles
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(profiles);
    }

    /// The store of keys and values for guests that were granted buckets. Without one they are told
    /// that there is none.
    pub fn set_store(&self, store: Store) {
        let mut place = self.0.store.write().unwrap_or_else(PoisonError::into_inner);
        let before = place.replace(store);
        drop(place);
        drop(before);
    }

    /// The store that was set.
    pub fn store(&self) -> Option<Store> {
        self.0.store()
    }

    /// The streams that processes of its components have opened or were offered, while somebody holds an end of them; the
    /// oldest first. Those that were opened while there were 100,000 are not among them, nor are those between others (native code, guests of no
    /// catalogue) whose reader was told before the offer came here.
    pub fn streams(&self) -> Vec<StreamView> {
        self.0.streams.all()
    }

    /// Has `sink` called for each line that a guest logs, by the guest's process: it must not wait.
    pub fn on_log(&self, sink: impl Fn(&Line<'_>) + Send + Sync + 'static) {
        let mut place = self.0.sink.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::new(sink));
    }

    /// Starts a component in a family of its own, with its own arguments. Its directories are
    /// opened here.
    ///
    /// # Errors
    /// If there is none of that name, a directory cannot be opened, or its grants leave no memory
    /// or process for it.
    pub fn spawn(&self, node: &Node, name: &str) -> Result<JoinHandle, ProgramError> {
        let ready = self.ready(name)?;
        Ok(node.spawn_join(move |context| ready.run(context)))
    }

    /// The same, for whoever starts the process in another way: a supervisor, for instance.
    ///
    /// # Errors
    /// As `spawn`.
    pub fn ready(&self, name: &str) -> Result<Ready, ProgramError> {
        self.ready_with(name, None)
    }

    /// The same with other arguments behind the program's name; `None` are its own.
    ///
    /// # Errors
    /// As `spawn`, or if the arguments are too many or too long.
    pub fn ready_with(&self, name: &str, args: Option<Vec<String>>) -> Result<Ready, ProgramError> {
        let checked = args.map(crate::host::spawn::checked).transpose();
        let args = checked.map_err(|why| ProgramError::Args(why.to_string()))?;
        let standing = self.0.find(name);
        let standing = standing.ok_or_else(|| ProgramError::NoComponent(name.into()))?;
        let quota = Quota::new(standing.grants.limits().processes_max);
        let quota = quota.ok_or_else(|| ProgramError::NoProcesses(name.into()))?;
        Ok(Ready::component(standing, args)?.seat(quota))
    }
}

impl Shared {
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Standing>> {
        let components = self.components.read();
        let components = components.unwrap_or_else(PoisonError::into_inner);
        components.get(name).cloned()
    }

    pub(crate) fn profile(&self, name: &str) -> Option<Arc<Profile>> {
        let profiles = self.profiles.read().unwrap_or_else(PoisonError::into_inner);
        profiles.as_ref()?.get(name).cloned()
    }

    pub(crate) fn store(&self) -> Option<Store> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        store.clone()
    }

    pub(crate) fn sink(&self) -> Option<Sink> {
        let sink = self.sink.read().unwrap_or_else(PoisonError::into_inner);
        sink.clone()
    }

    /// What is taken out is dropped when the lock is free again: it may be the last hold of a
    /// component.
    fn write<R>(&self, f: impl FnOnce(&mut HashMap<Arc<str>, Arc<Standing>>) -> R) -> R {
        let components = self.components.write();
        f(&mut components.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Standing {
    /// The same with other grants.
    pub(crate) fn with(&self, grants: Grants) -> Arc<Self> {
        Arc::new(Self {
            shared: self.shared.clone(),
            name: self.name.clone(),
            component: self.component.clone(),
            grants,
            living: self.living.clone(),
        })
    }

    /// The same component with other code: what it was started with, and these grants.
    pub(crate) fn running(&self, guest: Prepared, grants: Grants) -> Arc<Self> {
        let component = Spawnable {
            guest,
            ..(*self.component).clone()
        };
        Arc::new(Self {
            shared: self.shared.clone(),
            name: self.name.clone(),
            component: Arc::new(component),
            grants,
            living: self.living.clone(),
        })
    }

    /// Counts a process of it.
    pub(crate) fn enter(&self) -> Alive {
        self.living.0.fetch_add(1, Ordering::Relaxed);
        Alive(self.living.clone())
    }

    /// What the guests of its node share, while that exists.
    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        self.shared.upgrade()
    }
}

/// The grants of a component that was given none.
fn nobodys() -> Grants {
    Grants::new(Profile::sandboxed())
}
