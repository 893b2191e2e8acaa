//! What one process may take: its memories, tables and instances. Growth past a limit fails inside
//! the guest (`-1`), it does not end it; what a module asks for from the start is checked before
//! it is started.

use wasmtime::{ResourceLimiter, Result};

use crate::grant::Limits;

/// The largest table of a guest, in elements. A table slot costs sixteen bytes of address space per
/// element.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// The most tables one core module may define.
pub(crate) const TABLES_MAX: u32 = 4;
/// The core modules that one component may consist of. A program of one language has one to four;
/// an interpreter with its libraries in modules of their own has dozens.
pub(crate) const COMPONENT_INSTANCES_MAX: u32 = 64;
/// The memories that these may have in all; modules of one language share one.
pub(crate) const COMPONENT_MEMORIES_MAX: u32 = 4;
/// The tables that these may have in all.
pub(crate) const COMPONENT_TABLES_MAX: u32 = 32;
/// Handles to resources that a component may hold at a time, its own and others'; one more ends it
/// with a trap.
pub(crate) const COMPONENT_HANDLES_MAX: usize = 100_000;
/// Files, directories, streams and other things of the host that one guest may have open at a
/// time; one more ends it with a trap.
pub(crate) const FILES_MAX: usize = 1024;
/// Bytes of a guest's memory the host may copy in one call of WASI preview 1; one that asks for more
/// fails with `ENOMEM`.
pub(crate) const PREVIEW1_CALL_BYTES_MAX: usize = 128 << 20;
/// Bytes that a component may give to the host in one call; more end it with a trap. They are copied
/// before the host's function begins, so nobody can be charged for them and nothing cuts the turn:
/// 18 MiB made a bystander 5 ms late, 36 MiB 28 ms. A batch of the store needs most: 16 MiB, and as
/// much as 3 MiB for ten thousand steps and the names of their buckets.
pub(crate) const COMPONENT_CALL_BYTES_MAX: usize = 20 << 20;

/// The limits of one process. Small, because every store carries one.
#[derive(Debug)]
pub(crate) struct Limit {
    memory_bytes_max: usize,
    /// What the guest's memories have together. It counts what was allowed: if the system then has
    /// no room, the guest has been refused more than it needed to be.
    memory_bytes: usize,
    tables_max: u32,
    table_elements_max: u32,
}

impl Limit {
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        let memory_bytes_max = usize::try_from(memory_bytes_max).unwrap_or(usize::MAX);
        Self {
            memory_bytes_max,
            memory_bytes: 0,
            tables_max: COMPONENT_TABLES_MAX,
            table_elements_max: TABLE_ELEMENTS_MAX as u32,
        }
    }

    /// As much memory, and no more tables than were granted.
    pub(crate) fn granted(memory_bytes_max: u64, limits: &Limits) -> Self {
        let limit = Self::new(memory_bytes_max);
        Self {
            tables_max: limit.tables_max.min(limits.tables_max),
            table_elements_max: limit.table_elements_max.min(limits.table_elements_max),
            ..limit
        }
    }

    pub(crate) fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max as u64
    }

    /// The guest could not be made and is tried again elsewhere: it has no memories yet.
    pub(crate) fn restart(&mut self) {
        self.memory_bytes = 0;
    }
}

impl ResourceLimiter for Limit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        its_max: Option<usize>,
    ) -> Result<bool> {
        let total = self.memory_bytes.saturating_add(desired - current);
        let allowed = total <= self.memory_bytes_max && its_max.is_none_or(|max| desired <= max);
        if allowed {
            self.memory_bytes = total;
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= self.table_elements_max as usize)
    }

    fn instances(&self) -> usize {
        COMPONENT_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        self.tables_max as usize
    }

    fn memories(&self) -> usize {
        COMPONENT_MEMORIES_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_grows_up_to_its_limit_and_no_byte_further() {
        let mut limit = Limit::new(1 << 20);
        assert!(limit.memory_growing(0, 1 << 20, None).unwrap());
        assert!(!limit.memory_growing(1 << 20, (1 << 20) + 1, None).unwrap());
    }

    #[test]
    fn several_memories_share_one_limit() {
        let mut limit = Limit::new(3 << 16);
        assert!(limit.memory_growing(0, 1 << 16, None).unwrap());
        assert!(limit.memory_growing(0, 1 << 16, None).unwrap());
        assert!(limit.memory_growing(1 << 16, 2 << 16, None).unwrap());
        assert!(!limit.memory_growing(1 << 16, 2 << 16, None).unwrap());
    }

    #[test]
    fn growth_that_the_memory_itself_refuses_takes_nothing_of_the_limit() {
        let mut limit = Limit::new(2 << 16);
        assert!(!limit.memory_growing(0, 2 << 16, Some(1 << 16)).unwrap());
        assert!(limit.memory_growing(0, 2 << 16, None).unwrap());
    }

    #[test]
    fn a_table_grows_up_to_its_limit_and_no_element_further() {
        let mut limit = Limit::new(0);
        assert!(limit.table_growing(0, TABLE_ELEMENTS_MAX, None).unwrap());
        assert!(
            !limit
                .table_growing(0, TABLE_ELEMENTS_MAX + 1, None)
                .unwrap()
        );
    }

    #[test]
    fn granted_tables_are_fewer_and_never_more() {
        let limits = Limits {
            tables_max: 2,
            table_elements_max: 10,
            ..Limits::none()
        };
        let mut limit = Limit::granted(0, &limits);
        assert!(limit.table_growing(0, 10, None).unwrap());
        assert!(!limit.table_growing(10, 11, None).unwrap());
        assert_eq!(limit.tables(), 2);
        let limits = Limits {
            table_elements_max: u32::MAX,
            ..Limits::none()
        };
        let mut limit = Limit::granted(0, &limits);
        assert!(
            !limit
                .table_growing(0, TABLE_ELEMENTS_MAX + 1, None)
                .unwrap()
        );
    }
}
