//! The file of a store: how it is opened, what is in it at first, and what readers look at.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase, StorageError,
    TableDefinition, TableError, TableHandle, TransactionError,
};

use super::error::KvError;
use super::limit::StoreConfig;

/// The table of a bucket has its name.
pub(super) type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
pub(super) type Snapshot = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The buckets there are, each with a number that no other one ever had.
pub(super) type Buckets = BTreeMap<Arc<str>, u64>;

/// What readers see: all commits up to one.
#[derive(Clone, Default)]
pub(super) struct Published {
    pub(super) version: u64,
    pub(super) buckets: Arc<Buckets>,
    /// None when the file is closed.
    pub(super) snapshot: Option<Arc<ReadTransaction>>,
}

/// Opens the file; tests open something else instead.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

pub(super) fn opener(path: &Arc<Path>, config: &StoreConfig) -> Opener {
    let (path, pages) = (path.clone(), config.pages_bytes_max);
    Box::new(move || {
        // What processes keep is nobody else's business: not readable by other users.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        Database::builder()
            .set_cache_size(pages)
            .create_with_backend(FileBackend::new(file)?)
    })
}

/// Numbers for buckets.
static BUCKETS_NUMBERED: AtomicU64 = AtomicU64::new(0);

pub(super) fn new_number() -> u64 {
    BUCKETS_NUMBERED.fetch_add(1, Ordering::Relaxed)
}

/// Opens the file and lists its buckets, under new numbers: nothing that was known of them before
/// counts any more.
pub(super) fn open(
    path: &Arc<Path>,
    opener: &Opener,
    version: u64,
) -> Result<(Database, Published), KvError> {
    let database = opener().map_err(|error| KvError::from_open(path, &error))?;
    let look = || -> Result<Published, StorageError> {
        let snapshot = snapshot_of(&database)?;
        let tables = snapshot.list_tables()?;
        let buckets = tables.map(|table| (Arc::from(table.name()), new_number()));
        Ok(Published {
            version,
            buckets: Arc::new(buckets.collect()),
            snapshot: Some(snapshot),
        })
    };
    let published = look().map_err(|error| KvError::from_storage(path, &error))?;
    Ok((database, published))
}

/// What is in the file now.
pub(super) fn snapshot_of(database: &Database) -> Result<Arc<ReadTransaction>, StorageError> {
    match database.begin_read() {
        Ok(snapshot) => Ok(Arc::new(snapshot)),
        Err(error) => Err(of_transaction(error)),
    }
}

pub(super) fn of_transaction(error: TransactionError) -> StorageError {
    match error {
        TransactionError::Storage(error) => error,
        other => StorageError::Corrupted(other.to_string()),
    }
}

pub(super) fn of_table(error: TableError) -> StorageError {
    match error {
        TableError::Storage(error) => error,
        // Somebody else has written to the file: our tables have one type.
        other => StorageError::Corrupted(other.to_string()),
    }
}
