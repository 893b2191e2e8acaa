//! The body of a guest's process: a store, an instance, one call, and what its end means.
//! Everything a process owns is dropped with this future, so killing a guest, parked or between
//! two turns, is dropping it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use rusm_actor::{Context, ExitReason, JoinHandle, Node, Pid};
use wasmtime::{Memory, Store};

use crate::budget;
use crate::catalog::{Alive, Standing};
use crate::dense::Admission;
use crate::engine::Engine;
use crate::error::{LoadError, ProgramError};
use crate::grant::{Grants, Limits, Profile, Quota, Refusal};
use crate::host::Actor;
use crate::limit::Limit;
use crate::lunatic;
use crate::module::{Entry, Linked, Module};
use crate::preempt;
use crate::probe::Active;
use crate::program::Program;
use crate::ready::Ready;
use crate::wasi::Wasi;

/// A core module or component that can be started, any number of times. Cheap to clone.
#[derive(Clone)]
pub struct Prepared(Arc<Inner>);

struct Inner {
    module: Module,
    entry: Entry,
    linked: Box<[OnceLock<Result<Linked, String>>]>,
    linked_dense: OnceLock<Result<Linked, String>>,
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
    /// What a process of a Lunatic program has beside.
    pub(crate) lunatic: Option<Box<lunatic::Guest>>,
    /// Which component it is; none if it was not started from a catalogue.
    pub(crate) standing: Option<Arc<Standing>>,
    /// Counts it among the processes of that component.
    pub(crate) alive: Option<Alive>,
    /// What the process holds of other processes, made when it first holds something.
    pub(crate) actor: Option<Box<Actor>>,
    /// Made at the first call of WASI, unless the program brought its own: most guests of a storm
    /// never make one.
    pub(crate) wasi: Option<Box<Wasi>>,
    /// What it may do; nothing if there are none.
    pub(crate) grants: Option<Grants>,
    /// Its place among the processes that those above it may have.
    pub(crate) seat: Option<Quota>,
    /// What looks into it; for most processes nothing does.
    pub(crate) probe: Option<Box<Active>>,
}

impl State {
    pub(crate) fn new(context: Context, memory_bytes_max: u64) -> Self {
        Self {
            limit: Limit::new(memory_bytes_max),
            context,
            memory: None,
            lunatic: None,
            standing: None,
            alive: None,
            actor: None,
            wasi: None,
            grants: None,
            seat: None,
            probe: None,
        }
    }

    /// Of a process that holds these grants.
    pub(crate) fn granted(context: Context, memory_bytes_max: u64, grants: Option<Grants>) -> Self {
        let mut state = Self::new(context, memory_bytes_max);
        if let Some(grants) = &grants {
            state.limit = Limit::granted(memory_bytes_max, grants.limits());
        }
        state.grants = grants;
        state
    }

    /// What the process may do.
    pub(crate) fn grants(&self) -> &Grants {
        static NONE: OnceLock<Grants> = OnceLock::new();
        let none = || NONE.get_or_init(|| Grants::new(Profile::sandboxed()));
        self.grants.as_ref().unwrap_or_else(none)
    }

    /// A seat for a process that this one starts, which will hold `grants`.
    pub(crate) fn seat_for(&mut self, grants: &Grants) -> Result<Quota, Refusal> {
        let own = self.grants().limits().processes_max;
        let seat = match &self.seat {
            Some(seat) => seat,
            None => {
                let first = Quota::new(own).ok_or_else(|| self.grants().full(own))?;
                self.seat.insert(first)
            }
        };
        let max = seat.processes_max();
        let seat = seat.seat(grants.limits().processes_max);
        seat.ok_or_else(|| self.grants().full(max))
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
            linked_dense: OnceLock::new(),
        })))
    }

    /// What it was compiled with.
    pub(crate) fn engine(&self) -> &Engine {
        self.0.module.engine()
    }

    /// Starts a process with arguments, directories, stdio and grants. The directories are opened
    /// here, on the calling thread.
    pub fn spawn(&self, node: &Node, program: Program) -> Result<JoinHandle, ProgramError> {
        let ready = self.ready(program)?;
        Ok(node.spawn_join(move |context| ready.run(context)))
    }

    /// Checks the limits of `program` and opens its directories, on the calling thread: all that
    /// can fail before there is a process.
    ///
    /// # Errors
    /// See [`ProgramError`].
    pub fn ready(&self, program: Program) -> Result<Ready, ProgramError> {
        Ready::alone(self, program)
    }

    /// Bytes of memory for a process that asks for so much (or for all it can get) and holds
    /// these grants.
    pub(crate) fn memory_for(
        &self,
        asked: Option<u64>,
        grants: Option<&Grants>,
    ) -> Result<u64, ProgramError> {
        let max = self.0.module.engine().memory_bytes_max();
        let needs = self.0.module.memory_bytes();
        // More than the engine has is granted to those who may have all of it.
        let granted = grants.map_or(max, |grants| grants.limits().memory_bytes_max.min(max));
        let asked = asked.unwrap_or(granted);
        if asked > max {
            return Err(ProgramError::AboveEngine { asked, max });
        }
        let max = asked.min(granted);
        if needs > max {
            return Err(ProgramError::Memory { needs, max });
        }
        Ok(max)
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

    /// What it was made of.
    pub(crate) fn module(&self) -> &Module {
        &self.0.module
    }

    /// The body of a process whose state is made, within the limits of its grants.
    pub(crate) fn run(&self, mut state: State) -> impl Future<Output = ExitReason> + Send + use<> {
        let guest = self.clone();
        let limits = state.grants.as_ref().map(Grants::limits);
        let mailbox = limits.and_then(|limits| limits.mailbox);
        let timed = limits.is_some_and(Limits::has_cpu);
        let timed = state.grants.clone().filter(|_| timed);
        let meter = state.lunatic.as_ref().and_then(|guest| guest.meter());
        async move {
            // On a turn of its own: nobody else may touch the mailbox.
            if let Some(limit) = mailbox {
                state.context.set_mailbox_limit(limit);
            }
            if let Some(meter) = meter {
                let body = meter.time(Box::pin(run(guest, state)));
                return match timed {
                    Some(grants) => budget::within(&grants, body).await,
                    None => body.await,
                };
            }
            match timed {
                Some(grants) => budget::within(&grants, run(guest, state)).await,
                None => run(guest, state).await,
            }
        }
    }

    fn linked(&self, place: usize) -> Result<&Linked, &str> {
        let Inner { module, entry, .. } = &*self.0;
        let made = self.0.linked[place]
            .get_or_init(|| link(module, entry, place).map_err(|error| error.to_string()));
        made.as_ref().map_err(String::as_str)
    }

    /// The guest in the dense tier, and room there until the admission is dropped; `None` if it
    /// may not go there, or no room is left.
    fn admitted(&self) -> Result<Option<(&Linked, Admission)>, &str> {
        let Inner { module, entry, .. } = &*self.0;
        let engine = module.engine();
        let Some(dense) = engine.dense().filter(|_| module.kind().fits_dense()) else {
            return Ok(None);
        };
        let dense = dense?;
        let Some(admission) = dense.room.admit(module.memories()) else {
            return Ok(None);
        };
        let made = self.0.linked_dense.get_or_init(|| {
            module
                .link(&dense.pool, entry)
                .map_err(|error| error.to_string())
        });
        Ok(Some((made.as_ref().map_err(String::as_str)?, admission)))
    }
}

/// Runs the guest in the pool of this worker, in another one's if that is full, or else in the
/// dense tier.
async fn run(prepared: Prepared, mut state: State) -> ExitReason {
    let module = &prepared.0.module;
    let engine = module.engine();
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
    match prepared.admitted() {
        Err(error) => why = Some(error),
        Ok(None) => {}
        // The admission is dropped after the store.
        Ok(Some((linked, _admission))) => {
            if let Ok(reason) = linked.run(state).await {
                return reason;
            }
        }
    }
    ExitReason::error(match why {
        Some(why) => format!("cannot start the guest: {why}"),
        None => no_room(engine.room_for(module.kind())),
    })
}

/// What is said when there is no room for one more.
pub(crate) fn no_room(instances_max: u32) -> String {
    format!(
        "cannot start the guest: all {instances_max} instances of its kind that this node may have \
         are live. Wait for some to end, or raise `dense_instances_max`, `instances_max` or \
         `vm.max_map_count`."
    )
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
    async fn run(&self, mut state: State) -> Result<ExitReason, State> {
        let engine = match self {
            Self::Core(linked) => linked.engine(),
            Self::Component(linked) => linked.engine(),
            Self::Lunatic(linked) => linked.engine(),
        };
        if let Some(probe) = &mut state.probe {
            probe.begin(|| match self {
                Self::Core(linked) => linked.profiler(),
                Self::Component(linked) => linked.profiler(),
                Self::Lunatic(linked) => linked.profiler(),
            });
        }
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limit);
        preempt::arm(&mut store);
        let ended = match self {
            Self::Core(linked) => preempt::in_turns(pin!(linked.run(&mut store))).await,
            // In boxes: their futures are far larger than that of a core module.
            Self::Component(linked) => {
                preempt::in_turns(Box::pin(linked.run(&mut store)).as_mut()).await
            }
            Self::Lunatic(linked) => {
                preempt::in_turns(Box::pin(linked.run(&mut store)).as_mut()).await
            }
        };
        if let Ok(reason) = &ended {
            store.data_mut().ended(reason);
        }
        ended.map_err(|_full| {
            let mut unused = store.into_data();
            unused.limit.restart();
            unused.memory = None;
            unused
        })
    }
}
