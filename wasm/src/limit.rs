//! What one process may take: its memory, tables and instances. Growth past a limit fails inside
//! the guest (`-1`), it does not end it; what a module asks for from the start is checked before
//! it is started.

use wasmtime::{ResourceLimiter, Result};

/// The largest table of a guest, in elements. A table slot costs eight bytes of address space per
/// element.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// The most tables one guest may define.
pub(crate) const TABLES_MAX: u32 = 4;
/// Files and directories one guest may have open at a time; one more ends it with a trap.
pub(crate) const FILES_MAX: usize = 1024;
/// Bytes of a guest's memory the host may copy in one call of WASI; a call that asks for more
/// fails with `ENOMEM`.
pub(crate) const HOST_CALL_BYTES_MAX: usize = 128 << 20;

/// The limits of one process. Eight bytes, because every store carries one.
#[derive(Debug)]
pub(crate) struct Limit {
    memory_bytes_max: usize,
}

impl Limit {
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        let memory_bytes_max = usize::try_from(memory_bytes_max).unwrap_or(usize::MAX);
        Self { memory_bytes_max }
    }

    pub(crate) fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max as u64
    }
}

impl ResourceLimiter for Limit {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= self.memory_bytes_max)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_grows_up_to_its_limit_and_no_byte_further() {
        let mut limit = Limit::new(1 << 20);
        assert!(limit.memory_growing(0, 1 << 20, None).unwrap());
        assert!(!limit.memory_growing(0, (1 << 20) + 1, None).unwrap());
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
}
