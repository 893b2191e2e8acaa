//! What a store takes: sizes of names, keys, values, batches and pages, each with a name.

use super::error::KvError;

/// Bytes that the name of a bucket may have; at least one.
pub const BUCKET_NAME_BYTES_MAX: usize = 128;
/// Bytes that a key may have.
pub const KEY_BYTES_MAX: usize = 4 << 10;
/// Bytes that a value may have.
pub const VALUE_BYTES_MAX: usize = 16 << 20;
/// Writes and conditions that one batch may hold.
pub const BATCH_STEPS_MAX: usize = 10_000;
/// Bytes of keys and values that one batch may hold, conditions included: the largest value with its
/// key, and something beside it.
pub const BATCH_BYTES_MAX: usize = VALUE_BYTES_MAX + (64 << 10);
/// Entries of one page of a listing at most.
pub const PAGE_ENTRIES_MAX: usize = 10_000;
/// Bytes of keys and values after which a page of a listing ends. Its last entry may pass it.
pub const PAGE_BYTES_MAX: usize = 4 << 20;
/// Bytes that one waiting write is counted with beside its keys and values.
pub(super) const WRITE_OVERHEAD_BYTES: usize = 256;
/// Writes that share one transaction at most, unless a single batch has more.
pub(super) const GROUP_WRITES_MAX: usize = 16 << 10;
/// Bytes of writes after which a shared transaction is full.
pub(super) const GROUP_BYTES_MAX: usize = 32 << 20;

/// How large a store may get in memory and in its number of buckets.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Bytes of values kept in memory, from which reads are answered without leaving the worker.
    /// Default 32 MiB.
    pub cache_bytes_max: usize,
    /// Bytes of the file's pages kept in memory. Default 64 MiB.
    pub pages_bytes_max: usize,
    /// Bytes of writes that may wait for their transaction; one more is refused. Default 64 MiB.
    pub waiting_bytes_max: usize,
    /// Buckets that there may be. Default 1,000.
    pub buckets_max: usize,
    /// What a crash costs, and what every write pays for that.
    pub recovery: Recovery,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            cache_bytes_max: 32 << 20,
            pages_bytes_max: 64 << 20,
            waiting_bytes_max: 64 << 20,
            buckets_max: 1_000,
            recovery: Recovery::default(),
        }
    }
}

/// How a store that was not closed is brought in order when it is opened next. Nothing that was
/// committed is lost either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recovery {
    /// The whole file is read, which takes seconds per gigabyte; a commit waits once for the disk.
    #[default]
    Scan,
    /// Opening takes milliseconds; a commit waits twice for the disk and writes more.
    Quick,
}

pub(super) fn check_bucket(name: &str) -> Result<(), KvError> {
    match name.len() {
        1..=BUCKET_NAME_BYTES_MAX => Ok(()),
        bytes => Err(KvError::BucketName { bytes }),
    }
}

pub(super) fn check_key(key: &[u8]) -> Result<(), KvError> {
    match key.len() {
        0..=KEY_BYTES_MAX => Ok(()),
        bytes => Err(KvError::KeyTooLarge { bytes }),
    }
}

pub(super) fn check_value(value: &[u8]) -> Result<(), KvError> {
    match value.len() {
        0..=VALUE_BYTES_MAX => Ok(()),
        bytes => Err(KvError::ValueTooLarge { bytes }),
    }
}
