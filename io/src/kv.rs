//! A durable store of keys and values in one file, for native code and for guests.
//!
//! Keys live in *buckets*, which are created before they are used. A write is answered once it is
//! durable: it survives a kill of the program and, as far as the disk keeps its promises, a loss of
//! power. Writes of many processes that wait at the same time share one transaction and one wait
//! for the disk, so many writers get many durable writes a second and one writer gets as many as
//! the disk syncs. Nothing here ever blocks a worker: reads are answered from values kept in memory, or
//! else on the blocking pool, and writes are done there.
//!
//! Every operation takes effect at one moment between its call and its answer, and a batch does so
//! as a whole. A write whose caller is killed while it waits is done all the same.
//!
//! ```
//! # use std::time::Duration;
//! # use rusm_io::Reactor;
//! # use rusm_sched::{Config, Scheduler};
//! use rusm_io::kv::{Batch, Committed, Scan, Store, StoreConfig};
//!
//! # let dir = std::env::temp_dir().join(format!("rusm-kv-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("shop.kv");
//! # let scheduler = Scheduler::start(Config::default(), Reactor::new()?)?;
//! # let (done, wait) = std::sync::mpsc::channel();
//! # scheduler.handle().spawn(async move { done.send(async {
//! let store = Store::open(path, StoreConfig::default()).await?;
//! store.create_bucket("stock").await?;
//! let stock = store.bucket("stock");
//! stock.set(b"apples", b"3").await?;
//! stock.modify(b"apples", |old| Some([old.unwrap_or_default(), b"0"].concat())).await?;
//! assert_eq!(stock.get(b"apples").await?.as_deref(), Some(b"30".as_slice()));
//!
//! let sold = Batch::new()
//!     .expect("stock", *b"apples", *b"30")
//!     .delete("stock", *b"apples")
//!     .set("stock", *b"pears", *b"7");
//! assert_eq!(store.commit(sold).await?, Committed::Yes { deleted: 1 });
//! let page = stock.keys(Scan::prefix("p")).await?;
//! assert_eq!(&*page.entries[0], b"pears");
//! # Ok::<(), rusm_io::kv::KvError>(()) }.await).ok(); });
//! # wait.recv()??;
//! # scheduler.shutdown(Duration::from_secs(9))?;
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod apply;
mod batch;
mod bucket;
mod cache;
mod commit;
mod error;
mod file;
mod info;
mod limit;
mod patience;
mod scan;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusm_sched::blocking;

use batch::{Change, Done};
use commit::Inner;

pub use batch::{Batch, Committed};
pub use bucket::Bucket;
pub use error::KvError;
pub use info::{BucketInfo, INFO_KEYS_MAX, INFO_TIME_MAX, StoreInfo};
pub use limit::{
    BATCH_BYTES_MAX, BATCH_STEPS_MAX, BUCKET_NAME_BYTES_MAX, KEY_BYTES_MAX, PAGE_BYTES_MAX,
    PAGE_ENTRIES_MAX, Recovery, StoreConfig, VALUE_BYTES_MAX,
};
pub use scan::{KeyValue, Page, Scan};

/// Copying this much costs one reduction, as sending a message does.
const BYTES_PER_REDUCTION: usize = 512;

/// An open store. Clones are the same one; the file is closed with the last of them and the last
/// of its buckets. Its futures work inside of tasks only.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Transactions, each a wait for the disk.
    pub commits: u64,
    /// Writes that they held: changes of one key, and batches.
    pub writes: u64,
    /// Reads of one key that were answered from memory.
    pub remembered: u64,
    /// Reads of one key that went to the file.
    pub looked_up: u64,
}

impl Store {
    /// Opens the store in a file, or makes one: readable by this user only.
    ///
    /// # Errors
    /// [`KvError::Locked`], [`KvError::Corrupt`], [`KvError::Disk`], [`KvError::DiskFull`].
    pub async fn open(path: impl Into<PathBuf>, config: StoreConfig) -> Result<Self, KvError> {
        let path = error::shared(path.into());
        let opened = {
            let path = path.clone();
            move || Self::open_blocking(&*path, config)
        };
        match blocking::run(opened).await {
            Ok(store) => store,
            // redb panics on some files that are no stores.
            Err(blocking::Refused::Panicked(why)) => Err(KvError::Corrupt { path, why }),
            Err(refused) => Err(refused.into()),
        }
    }

    /// As `open`, for the time before there are tasks: blocks the calling thread.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_blocking(path: impl Into<PathBuf>, config: StoreConfig) -> Result<Self, KvError> {
        let path = error::shared(path.into());
        let opener = file::opener(&path, &config);
        Inner::open(path, config, opener).map(Self)
    }

    /// The file it is in.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The bucket with this name, which need not be there yet.
    pub fn bucket(&self, name: impl Into<Arc<str>>) -> Bucket {
        Bucket::new(self.clone(), name.into())
    }

    /// The names of the buckets there are, in order. Does not wait.
    pub fn buckets(&self) -> Vec<Arc<str>> {
        self.0
            .with_published(|published| published.buckets.keys().cloned().collect())
    }

    /// Makes a bucket; false if it was there already.
    ///
    /// # Errors
    /// [`KvError::BucketName`], [`KvError::TooManyBuckets`], and those of all writes.
    pub async fn create_bucket(&self, name: impl Into<Arc<str>>) -> Result<bool, KvError> {
        let name = name.into();
        limit::check_bucket(&name)?;
        self.bucket_change(Change::CreateBucket(name)).await
    }

    /// Deletes a bucket with all it holds; false if there was none. Takes time in proportion to
    /// what it holds, during which others' writes wait.
    ///
    /// # Errors
    /// Those of all writes.
    pub async fn delete_bucket(&self, name: impl Into<Arc<str>>) -> Result<bool, KvError> {
        self.bucket_change(Change::DeleteBucket(name.into())).await
    }

    /// Does all of a batch, or nothing. It is durable when this is ready.
    ///
    /// # Errors
    /// Those of the sizes, [`KvError::NoBucket`], and those of all writes: [`KvError::Busy`],
    /// [`KvError::DiskFull`], [`KvError::Disk`], [`KvError::NotRun`], [`KvError::Closed`].
    pub async fn commit(&self, batch: Batch) -> Result<Committed, KvError> {
        batch.check()?;
        rusm_sched::reductions(reductions_of(batch.bytes())).await;
        match self.0.change(Change::Batch(batch)).await? {
            Done::Committed(committed) => Ok(committed),
            _ => unreachable!("a batch is answered as a batch"),
        }
    }

    /// Closes the file after the writes that wait. Calls after it fail with [`KvError::Closed`].
    ///
    /// # Errors
    /// Those of all writes.
    pub async fn close(&self) -> Result<(), KvError> {
        match self.0.change(Change::Close).await {
            Ok(_) | Err(KvError::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What it has done so far.
    pub fn stats(&self) -> StoreStats {
        let counters = &self.0.counters;
        StoreStats {
            commits: counters.commits.load(Ordering::Relaxed),
            writes: counters.writes.load(Ordering::Relaxed),
            remembered: counters.remembered.load(Ordering::Relaxed),
            looked_up: counters.looked_up.load(Ordering::Relaxed),
        }
    }

    async fn bucket_change(&self, change: Change) -> Result<bool, KvError> {
        rusm_sched::reductions(1).await;
        match self.0.change(change).await? {
            Done::Bucket(changed) => Ok(changed),
            _ => unreachable!("buckets are answered as buckets"),
        }
    }
}

/// One, and one for each 512 bytes.
fn reductions_of(bytes: usize) -> u32 {
    u32::try_from(1 + bytes / BYTES_PER_REDUCTION).unwrap_or(u32::MAX)
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.path().display())
    }
}
