//! How instances are kept ready, so that starting a process costs about two microseconds and no
//! system call.
//!
//! A pool holds slots for memories, tables and stacks, reserved once; a slot that was used keeps
//! its first pages mapped and is wiped, not unmapped. Growing a memory never calls `mprotect`,
//! because the code checks bounds itself and needs no guard pages: that call takes the lock on
//! the whole address space, and a storm of growing guests on two threads ran four times slower.
//! (The pool of guests made for computing does: that is their bargain.)

use std::sync::{Arc, OnceLock};

use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, component,
};

use crate::dense;
use crate::flavour::Make;
use crate::guest::State;
use crate::limit::{
    COMPONENT_INSTANCES_MAX, COMPONENT_MEMORIES_MAX, COMPONENT_TABLES_MAX, TABLE_ELEMENTS_MAX,
    TABLES_MAX,
};
use crate::link;

/// The stack of a guest and of the host calls it makes. Address space only: pages are taken when
/// touched.
pub(crate) const STACK_BYTES: usize = 256 << 10;
/// The part of it that the guest may use; endless recursion traps here, and the host's part stays
/// free.
pub(crate) const GUEST_STACK_BYTES_MAX: usize = 128 << 10;
/// A memory up to this size is wiped as a whole when its process ends.
const SMALL_MEMORY_BYTES_MAX: u64 = 128 << 10;
/// What stays mapped of a larger one; the rest goes back to the system unless it can tell which
/// pages were touched.
const KEEP_BYTES: usize = 64 << 10;
/// Slots given back to the system in one go where it cannot tell which pages were touched.
const DECOMMIT_BATCH: usize = 32;
/// Mappings one instance may cost: the stack and its guard, and the memory's image, its grown
/// part and its unused rest.
const MAPPINGS_PER_INSTANCE: u32 = 5;
/// Mappings left for the rest of the program.
const MAPPINGS_RESERVED: u32 = 5_000;
/// What Linux allows by default, and what is assumed where nobody can be asked.
const MAPPINGS_DEFAULT: u32 = 65_530;
/// Address space for the memories of one kind of pool, over all workers.
const ADDRESS_BYTES_MAX: u64 = 16 << 40;
/// Address space for the memories of the dense tier.
const DENSE_ADDRESS_BYTES_MAX: u64 = 48 << 40;
/// Tasks in the middle of a call that a single guest with concurrency may have in an empty pool.
const COMPONENT_TASKS_MIN: u32 = 64;

/// Which pool suits a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Memories so small that wiping them beats asking which of their pages were touched.
    Small,
    /// Larger ones.
    Large,
    /// Those that begin as an image of much data.
    Imaged,
    /// Those with guard pages.
    Guarded,
    /// Those of components with concurrency.
    Concurrent,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Small,
        Self::Large,
        Self::Imaged,
        Self::Guarded,
        Self::Concurrent,
    ];

    pub(crate) fn of(make: Make, initial_memory_bytes: u64) -> Self {
        match make {
            Make::Copied if initial_memory_bytes <= SMALL_MEMORY_BYTES_MAX => Self::Small,
            Make::Copied => Self::Large,
            Make::Imaged => Self::Imaged,
            Make::Guarded => Self::Guarded,
            Make::Concurrent => Self::Concurrent,
        }
    }

    pub(crate) fn make(self) -> Make {
        match self {
            Self::Small | Self::Large => Make::Copied,
            Self::Imaged => Make::Imaged,
            Self::Guarded => Make::Guarded,
            Self::Concurrent => Make::Concurrent,
        }
    }

    /// Stacks for so many guests. One with concurrency has one for each of its tasks that is in the
    /// middle of a call: two are there for every guest, and a single one always finds some.
    fn stacks(self, slots: u32) -> u32 {
        match self {
            Self::Concurrent => slots.saturating_mul(2).saturating_add(COMPONENT_TASKS_MIN),
            _ => slots,
        }
    }

    /// Whether guests that find all pools full may go to the dense tier, which has neither images
    /// nor guard pages.
    pub(crate) fn fits_dense(self) -> bool {
        self.make() == Make::Copied
    }

    /// How many of the `asked` slots there is room for in the mappings and the address space of
    /// this machine.
    pub(crate) fn slots_that_fit(self, asked: u32, memory_bytes_max: u64) -> u32 {
        let slot = self.make().reserved_bytes(memory_bytes_max);
        let by_mappings = mappings() / MAPPINGS_PER_INSTANCE;
        asked.min(by_mappings).min(fit(ADDRESS_BYTES_MAX, slot))
    }

    fn settings(self, slots: u32, memory_bytes_max: usize) -> PoolingAllocationConfig {
        let mut pool = PoolingAllocationConfig::new();
        // One stack for each guest is what limits their number. A component takes more of the
        // others than one: a single one must always find room, and of tables, which cost nothing
        // but addresses, two are there for every guest.
        pool.total_stacks(self.stacks(slots))
            .total_core_instances(slots.saturating_mul(COMPONENT_INSTANCES_MAX))
            .total_component_instances(slots)
            .total_memories(slots.saturating_add(COMPONENT_MEMORIES_MAX - 1))
            .total_tables(slots.saturating_mul(2).saturating_add(COMPONENT_TABLES_MAX))
            .max_memory_size(memory_bytes_max)
            .max_memories_per_module(1)
            .max_tables_per_module(TABLES_MAX)
            .max_core_instances_per_component(COMPONENT_INSTANCES_MAX)
            .max_memories_per_component(COMPONENT_MEMORIES_MAX)
            .max_tables_per_component(COMPONENT_TABLES_MAX)
            .table_elements(TABLE_ELEMENTS_MAX)
            .table_keep_resident(KEEP_BYTES);
        match self {
            Self::Small => pool.linear_memory_keep_resident(SMALL_MEMORY_BYTES_MAX as usize),
            _ if PoolingAllocationConfig::is_pagemap_scan_available() => pool
                .linear_memory_keep_resident(KEEP_BYTES)
                .pagemap_scan(Enabled::Yes),
            _ => pool
                .linear_memory_keep_resident(KEEP_BYTES)
                .decommit_batch_size(DECOMMIT_BATCH),
        };
        pool
    }
}

/// One engine with its slots, and what guests in it may import.
pub(crate) struct Pool {
    pub(crate) engine: wasmtime::Engine,
    make: Make,
    core: OnceLock<Linker<State>>,
    component: OnceLock<component::Linker<State>>,
}

impl Pool {
    /// Reserves the slots: about a microsecond for each, for the guard page of its stack.
    pub(crate) fn new(
        kind: Kind,
        mut settings: Config,
        slots: u32,
        memory_bytes_max: u64,
    ) -> wasmtime::Result<Self> {
        let pool = kind.settings(slots, usize::try_from(memory_bytes_max)?);
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Self::with(kind.make(), settings)
    }

    fn with(make: Make, settings: Config) -> wasmtime::Result<Self> {
        let engine = wasmtime::Engine::new(&settings)?;
        Ok(Self {
            engine,
            make,
            core: OnceLock::new(),
            component: OnceLock::new(),
        })
    }

    /// Whether its guests may have several tasks in the middle of a call.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.make == Make::Concurrent
    }

    /// What core modules in it may import, made now if this is the first one.
    pub(crate) fn core(&self) -> &Linker<State> {
        let made = || link::core(&self.engine).expect("`link.rs` defines no import twice");
        self.core.get_or_init(made)
    }

    /// What components in it may import, made now if this is the first one.
    pub(crate) fn component(&self) -> &component::Linker<State> {
        let made = match self.make {
            Make::Concurrent => link::concurrent,
            _ => link::component,
        };
        let made = || made(&self.engine).expect("`link.rs` defines no import twice");
        self.component.get_or_init(made)
    }
}

/// Where guests go that find no slot in a pool: slower to start, but bounded by memory only.
pub(crate) struct Dense {
    pub(crate) pool: Pool,
    pub(crate) room: Arc<dense::Room>,
}

impl Dense {
    /// Reserves address space for `asked` guests, or as many as there is room for: microseconds.
    pub(crate) fn new(
        mut settings: Config,
        asked: u32,
        memory_bytes_max: u64,
    ) -> wasmtime::Result<Self> {
        let slots = dense_slots_that_fit(asked, memory_bytes_max);
        let bytes = usize::try_from(memory_bytes_max)?;
        let room = dense::install(&mut settings, slots, mappings(), bytes)?;
        let pool = Pool::with(Make::Copied, settings)?;
        Ok(Self { pool, room })
    }
}

/// How many of the `asked` guests the dense tier has address space for.
pub(crate) fn dense_slots_that_fit(asked: u32, memory_bytes_max: u64) -> u32 {
    asked.min(fit(DENSE_ADDRESS_BYTES_MAX, memory_bytes_max))
}

/// Mappings that instances may cost.
fn mappings() -> u32 {
    let allowed = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(MAPPINGS_DEFAULT);
    allowed.saturating_sub(MAPPINGS_RESERVED)
}

/// How often `each` is in `all`, at least once.
fn fit(all: u64, each: u64) -> u32 {
    u32::try_from(all / each).unwrap_or(u32::MAX).max(1)
}
