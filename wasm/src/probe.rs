//! What a run leaves behind for the author of a guest: a core dump if it traps, and a profile of
//! where its time went. Whoever starts a process asks for them, and a process without pays nothing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use wasmtime::{AsContextMut, GuestProfiler, Module, StoreContextMut, WasmCoreDump};

use crate::guest::State;

/// The guest is looked at as often as the ticker raises the epoch.
pub(crate) const INTERVAL: Duration = Duration::from_millis(1);
/// Looks of one profile; ten minutes of guest time. What comes later is not in it.
const SAMPLES_MAX: u32 = 600_000;

/// Looks into one process. Clones share what was found, so keep one.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    coredump: bool,
    profile: bool,
    found: Arc<Mutex<Found>>,
}

#[derive(Default)]
struct Found {
    coredump: Option<Vec<u8>>,
    profile: Option<Vec<u8>>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = |found: &Option<Vec<u8>>| found.as_ref().map(Vec::len);
        write!(
            f,
            "dump of {:?}, profile of {:?} bytes",
            len(&self.coredump),
            len(&self.profile)
        )
    }
}

impl Probe {
    /// Looks at nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the guest's memories, globals and frames if it traps. The engine must keep them too
    /// ([`EngineConfig::coredumps`](crate::EngineConfig)); a dump is as large as the memories.
    pub fn coredump(mut self) -> Self {
        self.coredump = true;
        self
    }

    /// Notes once a millisecond of the guest's own time which function it is in, for ten minutes
    /// at most. What it waits for is not in the profile. Costs the guest about 4 % of its speed.
    pub fn profile(mut self) -> Self {
        self.profile = true;
        self
    }

    /// The core dump, in the format of WebAssembly's tool conventions, once the process has
    /// trapped.
    pub fn take_coredump(&self) -> Option<Vec<u8>> {
        self.found().coredump.take()
    }

    /// The profile, as JSON for profiler.firefox.com, once the process has ended in whatever way.
    pub fn take_profile(&self) -> Option<Vec<u8>> {
        self.found().profile.take()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found
            .lock()
            .expect("nothing that holds this lock can panic")
    }
}

/// A probe in the process that it looks into.
pub(crate) struct Active {
    probe: Probe,
    profiler: Option<Profiler>,
}

struct Profiler {
    guest: GuestProfiler,
    samples_left: u32,
    last: Instant,
}

impl Active {
    pub(crate) fn new(probe: Probe) -> Box<Self> {
        Box::new(Self {
            probe,
            profiler: None,
        })
    }

    /// Gets ready for a guest; `made` makes its profiler. Without one there is no profile.
    pub(crate) fn begin(&mut self, made: impl FnOnce() -> wasmtime::Result<GuestProfiler>) {
        if !self.probe.profile {
            return;
        }
        self.profiler = made().ok().map(|guest| Profiler {
            guest,
            samples_left: SAMPLES_MAX,
            last: Instant::now(),
        });
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let Some(profiler) = self.profiler.take() else {
            return;
        };
        let mut json = Vec::new();
        if profiler.guest.finish(&mut json).is_ok() {
            self.probe.found().profile = Some(json);
        }
    }
}

/// The profiler of a guest that is one module.
pub(crate) fn of_module(module: &Module) -> wasmtime::Result<GuestProfiler> {
    let name = module.name().unwrap_or("guest").to_string();
    let modules = [(name.clone(), module.clone())];
    GuestProfiler::new(module.engine(), &name, INTERVAL, modules)
}

/// Looks where the guest is, from the callback of its epoch.
pub(crate) fn sample(store: &mut StoreContextMut<'_, State>) {
    let active = store.data_mut().probe.as_mut();
    let Some(mut profiler) = active.and_then(|active| active.profiler.take()) else {
        return;
    };
    let now = Instant::now();
    if let Some(left) = profiler.samples_left.checked_sub(1) {
        // The time since the last look is the guest's and that of others; more than an epoch of
        // it was not the guest's.
        let used = (now - profiler.last).min(INTERVAL);
        profiler.guest.sample(&*store, used);
        profiler.samples_left = left;
    }
    profiler.last = now;
    if let Some(active) = &mut store.data_mut().probe {
        active.profiler = Some(profiler);
    }
}

/// Keeps the core dump that came with a trap, if somebody wants it.
pub(crate) fn keep_dump(mut store: impl AsContextMut<Data = State>, error: &wasmtime::Error) {
    let mut store = store.as_context_mut();
    let wanted = store.data().probe.as_ref().map(|active| &active.probe);
    let Some(probe) = wanted.filter(|probe| probe.coredump).cloned() else {
        return;
    };
    if let Some(dump) = error.downcast_ref::<WasmCoreDump>() {
        let bytes = dump.serialize(&mut store, "guest");
        probe.found().coredump = Some(bytes);
    }
}
