//! The engines behind one [`Engine`]: for each make of code a template that compiles and inspects
//! and for each worker a pool of its own, and one dense tier, all made when first used. Engines
//! share nothing between threads, which is worth 6 to 50 % on two workers, and one compile serves
//! all of a make.
//!
//! A process keeps the engine it started in when it migrates; only the choice at its start is
//! local.

use std::sync::{Arc, OnceLock, Weak};

use crate::cache::{Cache, CacheConfig, CacheStats, Code, Key};
use crate::error::{EngineError, LoadError};
use crate::flavour::{Flavour, Make};
use crate::module::{self, Module};
use crate::pool::{self, Dense, Kind, Pool};
use crate::preempt;
use crate::source;

/// What guests of one engine may take, and where their code is kept.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Bytes of memory a process may have at most, 64 KiB to 4 GiB, in steps of 64 KiB (rounded
    /// down). Default 64 MiB. Costs address space for every instance; code compiled for one value
    /// is not used for another.
    pub memory_bytes_max: u64,
    /// Guests that may be live (started and not yet ended) at a time in pools, where a spawn makes
    /// no system call; so many of each kind: memory up to 128 KiB, larger, with more than 32 KiB of
    /// data, and [`Flavour::Compute`]. Default 10,000; fewer if the machine's limit on mappings
    /// (`vm.max_map_count` on Linux) or its address space is too low. Each costs one to two
    /// microseconds when its pool is made, on first use: a program that runs one guest asks for a
    /// few.
    pub instances_max: u32,
    /// Guests that may be live beyond these in the dense tier, which costs the kernel no mappings
    /// and 12 to 20 KiB a parked guest, but a few microseconds more a spawn. [`Flavour::Compute`]
    /// and guests with more than 32 KiB of data cannot go there. Default 200,000, reserved when the
    /// first one goes; fewer if the address space is too small, or if Linux is older than 6.13,
    /// where guard pages cost mappings.
    pub dense_instances_max: u32,
    /// Whether a trap keeps the guest's memories and frames for a [`Probe`](crate::Probe) that
    /// wants a core dump. Costs a trap half a microsecond to five. Default false.
    pub coredumps: bool,
    /// Compiled code kept on disk, or `None` to compile at every start. Default `None`.
    pub cache: Option<CacheConfig>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 << 20,
            instances_max: 10_000,
            dense_instances_max: 200_000,
            coredumps: false,
            cache: None,
        }
    }
}

const PAGE_BYTES: u64 = 64 << 10;
const MEMORY_BYTES_MAX: u64 = 4 << 30;
/// A worker gets pools of its own from this many instances on; a few instances are not worth a
/// second engine.
const POOL_INSTANCES_MIN: u32 = 128;

/// Compiles modules and keeps room for their instances. Cheap to clone; the room is given back
/// with the last clone and the last process. Needs the scheduler it was made for to be running:
/// its ticker is what preempts guests.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    /// By [`Make`]; that of [`Make::Copied`] is always there.
    templates: [OnceLock<Result<wasmtime::Engine, String>>; Make::ALL.len()],
    memory_bytes_max: u64,
    coredumps: bool,
    instances_max: u32,
    dense_instances_max: u32,
    /// By [`Kind`].
    pools: [Box<[Place]>; Kind::ALL.len()],
    dense: OnceLock<Result<Dense, String>>,
    cache: Option<Cache>,
}

/// A worker's pool, once made, or why it could not be.
type Place = OnceLock<Result<Pool, String>>;

impl Engine {
    /// Makes the template and registers the tick of guest time; about 0.2 ms, no pool yet.
    pub fn new(config: EngineConfig, handle: &rusm_sched::Handle) -> Result<Self, EngineError> {
        // Every trap and every kill makes an error, and with `RUST_BACKTRACE=1` each would
        // collect the host's frames: 4.4 us instead of 1.8 us per killed process, for frames that
        // say nothing about the guest.
        wasmtime::error::disable_backtrace();
        let memory_bytes_max = config.memory_bytes_max / PAGE_BYTES * PAGE_BYTES;
        if !(PAGE_BYTES..=MEMORY_BYTES_MAX).contains(&memory_bytes_max) {
            return Err(EngineError::MemoryMax(config.memory_bytes_max));
        }
        let template = wasmtime::Engine::new(&Make::Copied.settings(memory_bytes_max))
            .map_err(|error| EngineError::Settings(error.root_cause().to_string()))?;
        let templates = Make::ALL.map(|_| OnceLock::new());
        templates[Make::Copied as usize].get_or_init(|| Ok(template));
        let instances_max = config.instances_max.max(1);
        let workers = u32::try_from(handle.workers()).unwrap_or(u32::MAX);
        let places = workers.min(instances_max / POOL_INSTANCES_MIN).max(1);
        let pools = Kind::ALL.map(|_| (0..places).map(|_| Place::new()).collect());
        let inner = Arc::new(Inner {
            templates,
            memory_bytes_max,
            coredumps: config.coredumps,
            instances_max,
            dense_instances_max: config.dense_instances_max,
            pools,
            dense: OnceLock::new(),
            cache: config.cache.map(Cache::open).transpose()?,
        });
        let weak: Weak<Inner> = Arc::downgrade(&inner);
        handle.on_tick(move || {
            if let Some(inner) = weak.upgrade() {
                inner.tick();
            }
        });
        Ok(Self(inner))
    }

    /// The core module or component in `bytes`, a `.wasm` file's or a `.wat` text's, from the
    /// cache or compiled.
    ///
    /// Compiling takes about a second per megabyte and blocks: call it outside of processes, or
    /// on the blocking pool.
    pub fn load(&self, bytes: &[u8]) -> Result<Module, LoadError> {
        self.load_for(Flavour::Spawn, bytes)
    }

    /// The same, as code of that flavour.
    pub fn load_for(&self, flavour: Flavour, bytes: &[u8]) -> Result<Module, LoadError> {
        let inner = &*self.0;
        let (wasm, form) = source::wasm(bytes)?;
        let make = Make::of(flavour, &wasm);
        let engine = inner
            .template(make)
            .map_err(|why| LoadError::Flavour(why.to_string()))?;
        let key = Key::of(bytes, engine);
        let kept = inner.cache.as_ref().and_then(|cache| cache.get(&key));
        if let Some(code) = kept
            && let Ok(module) = Module::new(self.clone(), engine, make, code)
        {
            return module.within_limits();
        }
        let refused = |error| module::refused(&error, wasm.len());
        let code = Code::compile(&key, engine, &wasm, form).map_err(refused)?;
        if let Some(cache) = &inner.cache {
            cache.put(&key, &code);
        }
        Module::new(self.clone(), engine, make, code)
            .map_err(refused)?
            .within_limits()
    }

    /// Bytes of memory a process may have at most.
    pub fn memory_bytes_max(&self) -> u64 {
        self.0.memory_bytes_max
    }

    /// Guests with little data and no guard pages that may be live at a time: what was asked for,
    /// or what this machine has room for, in pools and the dense tier together.
    pub fn instances_max(&self) -> u32 {
        self.room_for(Kind::Small)
    }

    /// Guests of one kind that may be live at a time.
    pub(crate) fn room_for(&self, kind: Kind) -> u32 {
        let inner = &*self.0;
        let pooled = kind.slots_that_fit(inner.instances_max, inner.memory_bytes_max);
        if !kind.fits_dense() {
            return pooled;
        }
        let beyond = inner.dense_instances_max;
        pooled.saturating_add(pool::dense_slots_that_fit(beyond, inner.memory_bytes_max))
    }

    /// What the cache of compiled code has done; all zero without one.
    pub fn cache_stats(&self) -> CacheStats {
        self.0.cache.as_ref().map(Cache::stats).unwrap_or_default()
    }

    /// How many pools of each kind there may be.
    pub(crate) fn places(&self) -> usize {
        self.0.pools[0].len()
    }

    /// The place of the worker this runs on.
    pub(crate) fn here(&self) -> usize {
        rusm_sched::worker_index().unwrap_or(0) % self.places()
    }

    /// The pool at a place, made now if nobody has used it yet.
    pub(crate) fn pool(&self, kind: Kind, place: usize) -> Result<&Pool, &str> {
        let (inner, places) = (&*self.0, self.places() as u32);
        let made = inner.pools[kind as usize][place].get_or_init(|| {
            let slots = kind.slots_that_fit(inner.instances_max, inner.memory_bytes_max);
            let settings = inner.settings(kind.make());
            Pool::new(
                kind,
                settings,
                (slots / places).max(1),
                inner.memory_bytes_max,
            )
            .map_err(|error| error.root_cause().to_string())
        });
        made.as_ref().map_err(String::as_str)
    }

    /// The dense tier, made now if nobody has used it yet; `None` if nobody may.
    pub(crate) fn dense(&self) -> Option<Result<&Dense, &str>> {
        let inner = &*self.0;
        if inner.dense_instances_max == 0 {
            return None;
        }
        let made = inner.dense.get_or_init(|| {
            let settings = inner.settings(Make::Copied);
            Dense::new(settings, inner.dense_instances_max, inner.memory_bytes_max)
                .map_err(|error| error.root_cause().to_string())
        });
        Some(made.as_ref().map_err(String::as_str))
    }
}

impl Inner {
    /// For an engine that runs guests.
    fn settings(&self, make: Make) -> wasmtime::Config {
        let mut settings = make.settings(self.memory_bytes_max);
        settings.coredump_on_trap(self.coredumps);
        settings
    }

    fn template(&self, make: Make) -> Result<&wasmtime::Engine, &str> {
        let made = self.templates[make as usize].get_or_init(|| {
            wasmtime::Engine::new(&make.settings(self.memory_bytes_max))
                .map_err(|error| error.root_cause().to_string())
        });
        made.as_ref().map_err(String::as_str)
    }

    /// Guest time goes on: whoever runs guest code now looks up at the next loop head or call.
    fn tick(&self) {
        preempt::tick();
        let places = self.pools.iter().flatten();
        for pool in places.filter_map(OnceLock::get).flatten() {
            pool.engine.increment_epoch();
        }
        if let Some(Ok(dense)) = self.dense.get() {
            dense.pool.engine.increment_epoch();
        }
    }
}
