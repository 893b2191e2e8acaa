//! The body of a guest's process: a store, an instance, one call, and what its end means.
//! Everything a process owns is dropped with this future, so killing a guest, parked or between
//! two turns, is dropping it.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use rusm_actor::{Context, ExitReason, JoinHandle, Node, Pid};
use wasmtime::{Memory, Store};

use crate::error::{LoadError, ProgramError};
use crate::host::Actor;
use crate::limit::Limit;
use crate::module::{Entry, Linked, Module};
use crate::preempt;
use crate::program::Program;
use crate::wasi::Wasi;

/// A core module or component that can be started, any number of times. Cheap to clone.
#[derive(Clone)]
pub struct Prepared(Arc<Inner>);

struct Inner {
    module: Module,
    entry: Entry,
    linked: Box<[OnceLock<Result<Linked, String>>]>,
}

/// What a store carries for its process. Small and made without allocation, because every spawn
/// makes one.
pub(crate) struct State {
    pub(crate) limit: Limit,
    /// The process itself: what host calls act for.
    pub(crate) context: Context,
    /// The guest's memory, once a host call has looked for it: finding it by its name takes
    /// longer than sending a message.
    pub(crate) memory: Option<Memory>,
    /// What the process holds of other processes, made when it first holds something.
    pub(crate) actor: Option<Box<Actor>>,
    /// Made at the first call of WASI, unless the program brought its own: most guests of a storm
    /// never make one.
    pub(crate) wasi: Option<Box<Wasi>>,
}

impl State {
    pub(crate) fn new(context: Context, memory_bytes_max: u64) -> Self {
        Self {
            limit: Limit::new(memory_bytes_max),
            context,
            memory: None,
            actor: None,
            wasi: None,
        }
    }
}

impl Prepared {
    pub(crate) fn new(module: Module, entry: Entry) -> Result<Self, LoadError> {
        let engine = module.engine();
        let linked: Box<[_]> = (0..engine.places()).map(|_| OnceLock::new()).collect();
        let here = engine.here();
        let first = link(&module, &entry, here)?;
        assert!(
            linked[here].set(Ok(first)).is_ok(),
            "nobody else has this slice yet"
        );
        Ok(Self(Arc::new(Inner {
            module,
            entry,
            linked,
        })))
    }

    /// Starts a process with arguments, directories and stdio. The directories are opened here,
    /// on the calling thread.
    pub fn spawn(&self, node: &Node, program: Program) -> Result<JoinHandle, ProgramError> {
        let max = self.0.module.engine().memory_bytes_max();
        let (asked, needs) = (
            program.memory_bytes_max.unwrap_or(max),
            self.0.module.memory_bytes(),
        );
        if asked > max {
            return Err(ProgramError::AboveEngine { asked, max });
        }
        if needs > asked {
            return Err(ProgramError::Memory { needs, max: asked });
        }
        let wasi = Some(Box::new(Wasi::new(program, asked)?));
        let prepared = self.clone();
        Ok(node.spawn_join(move |context| {
            let mut state = State::new(context, asked);
            state.wasi = wasi;
            run(prepared, state)
        }))
    }

    /// Starts a process without arguments, directories and stdio: about two microseconds from
    /// here to the drop of the instance.
    pub fn spawn_pure(&self, node: &Node) -> Pid {
        let guest = self.clone();
        node.spawn(move |context| guest.run_pure(context))
    }

    /// The body of such a process, for whoever spawns it in another way.
    pub fn run_pure(&self, context: Context) -> impl Future<Output = ExitReason> + Send + use<> {
        let max = self.0.module.engine().memory_bytes_max();
        run(self.clone(), State::new(context, max))
    }

    fn linked(&self, place: usize) -> Result<&Linked, &str> {
        let Inner {
            module,
            entry,
            linked,
        } = &*self.0;
        let made = linked[place]
            .get_or_init(|| link(module, entry, place).map_err(|error| error.to_string()));
        made.as_ref().map_err(String::as_str)
    }
}

/// Runs the guest in the pool of this worker, or in another one's if that is full.
async fn run(prepared: Prepared, mut state: State) -> ExitReason {
    let engine = prepared.0.module.engine();
    let (here, places) = (engine.here(), engine.places());
    let mut why = None;
    for place in (here..here + places).map(|place| place % places) {
        match prepared.linked(place) {
            Err(error) => why = Some(error),
            Ok(linked) => match linked.run(state).await {
                Ok(reason) => return reason,
                Err(unused) => state = unused,
            },
        }
    }
    ExitReason::error(match why {
        Some(why) => format!("cannot start the guest: {why}"),
        None => format!(
            "cannot start the guest: all {} instances that this node may have are live. Wait for \
             some to end, or raise `instances_max` or `vm.max_map_count`.",
            engine.instances_max()
        ),
    })
}

fn link(module: &Module, entry: &Entry, place: usize) -> Result<Linked, LoadError> {
    let pool = module
        .engine()
        .pool(module.kind(), place)
        .map_err(|why| LoadError::Reserve(why.to_string()))?;
    module.link(pool, entry)
}

impl Linked {
    /// Runs one instance to its end; gives the state back if the pool has no room for it.
    async fn run(&self, state: State) -> Result<ExitReason, State> {
        let engine = match self {
            Self::Core(linked) => linked.engine(),
            Self::Component(linked) => linked.engine(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limit);
        preempt::arm(&mut store);
        let ended = match self {
            Self::Core(linked) => linked.run(&mut store).await,
            Self::Component(linked) => linked.run(&mut store).await,
        };
        ended.map_err(|_full| {
            let mut unused = store.into_data();
            unused.limit.restart();
            unused.memory = None;
            unused
        })
    }
}
