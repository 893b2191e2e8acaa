//! How instances are kept ready, so that starting a process costs about two microseconds and no
//! system call.
//!
//! A pool holds slots for memories, tables and stacks, reserved once; a slot that was used keeps
//! its first pages mapped and is wiped, not unmapped. Growing a memory never calls `mprotect`,
//! because the code checks bounds itself and needs no guard pages: that call takes the lock on
//! the whole address space, and a storm of growing guests on two threads ran four times slower.

use std::sync::OnceLock;

use wasmtime::{Enabled, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, component};

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

/// Which pool suits a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Memories so small that wiping them beats asking which of their pages were touched.
    Small,
    /// All others.
    Large,
}

impl Kind {
    pub(crate) fn of(initial_memory_bytes: u64) -> Self {
        if initial_memory_bytes <= SMALL_MEMORY_BYTES_MAX {
            Self::Small
        } else {
            Self::Large
        }
    }

    fn settings(self, slots: u32, memory_bytes_max: usize) -> PoolingAllocationConfig {
        let mut pool = PoolingAllocationConfig::new();
        // One stack for each guest is what limits their number. A component takes more of the
        // others than one: a single one must always find room, and of tables, which cost nothing
        // but addresses, two are there for every guest.
        pool.total_stacks(slots)
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
            Self::Large if PoolingAllocationConfig::is_pagemap_scan_available() => pool
                .linear_memory_keep_resident(KEEP_BYTES)
                .pagemap_scan(Enabled::Yes),
            Self::Large => pool
                .linear_memory_keep_resident(KEEP_BYTES)
                .decommit_batch_size(DECOMMIT_BATCH),
        };
        pool
    }
}

/// One engine with its slots, and what guests in it may import.
pub(crate) struct Pool {
    pub(crate) engine: wasmtime::Engine,
    core: OnceLock<Linker<State>>,
    component: OnceLock<component::Linker<State>>,
}

impl Pool {
    /// Reserves the slots: about a microsecond for each, for the guard page of its stack.
    pub(crate) fn new(kind: Kind, slots: u32, memory_bytes_max: u64) -> wasmtime::Result<Self> {
        let mut settings = code_settings(memory_bytes_max);
        let pool = kind.settings(slots, usize::try_from(memory_bytes_max)?);
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = wasmtime::Engine::new(&settings)?;
        Ok(Self {
            engine,
            core: OnceLock::new(),
            component: OnceLock::new(),
        })
    }

    /// What core modules in it may import, made now if this is the first one.
    pub(crate) fn core(&self) -> &Linker<State> {
        let made = || link::core(&self.engine).expect("`link.rs` defines no import twice");
        self.core.get_or_init(made)
    }

    /// What components in it may import, made now if this is the first one.
    pub(crate) fn component(&self) -> &component::Linker<State> {
        let made = || link::component(&self.engine).expect("`link.rs` defines no import twice");
        self.component.get_or_init(made)
    }
}

/// Everything that changes what a module compiles to, the same for all engines, so that one
/// compile serves them all.
pub(crate) fn code_settings(memory_bytes_max: u64) -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings
        .epoch_interruption(true)
        .signals_based_traps(false)
        .memory_guard_size(0)
        .memory_reservation(memory_bytes_max)
        .memory_reservation_for_growth(0)
        .memory_may_move(false)
        .async_stack_size(STACK_BYTES)
        .max_wasm_stack(GUEST_STACK_BYTES_MAX)
        .concurrency_support(false)
        .native_unwind_info(false)
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Enable);
    settings
}

/// How many of the `asked` instances there is room for in the mappings and the address space of
/// this machine.
pub(crate) fn instances_that_fit(asked: u32, memory_bytes_max: u64) -> u32 {
    let mappings = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(MAPPINGS_DEFAULT);
    let by_mappings = mappings.saturating_sub(MAPPINGS_RESERVED) / MAPPINGS_PER_INSTANCE;
    let by_address = u32::try_from(ADDRESS_BYTES_MAX / memory_bytes_max).unwrap_or(u32::MAX);
    asked.min(by_mappings).min(by_address).max(1)
}
