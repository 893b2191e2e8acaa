//! What can be done with one bucket: reads from memory or the newest snapshot, and single writes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::{ReadableTableMetadata, StorageError};
use rusm_sched::blocking;

use super::batch::{Batch, Change, Committed, Done};
use super::cache::{Place, Value};
use super::commit::Inner;
use super::error::KvError;
use super::file::{self, Definition, Published, Snapshot};
use super::limit;
use super::scan::{KeyValue, Page, Scan};
use super::{Store, reductions_of};

/// A bucket of a store, by its name: the bucket may be there or not. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    store: Store,
    name: Arc<str>,
}

impl Bucket {
    pub(super) fn new(store: Store, name: Arc<str>) -> Self {
        Self { store, name }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The value of a key, or `None`. From memory about a quarter of a microsecond, else a
    /// journey to the blocking pool and perhaps to the disk.
    ///
    /// # Errors
    /// [`KvError::KeyTooLarge`], [`KvError::NoBucket`], and those of the disk.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Arc<[u8]>>, KvError> {
        limit::check_key(key)?;
        if let Some(value) = self.remembered(key) {
            let bytes = value.as_ref().map_or(0, |value| value.len());
            rusm_sched::reductions(reductions_of(bytes)).await;
            return Ok(value);
        }
        let (inner, key): (_, Arc<[u8]>) = (self.store.0.clone(), key.into());
        self.read(move |rows, bucket, version| {
            let value: Value = rows.get(&*key)?.map(|found| Arc::from(found.value()));
            let key = key.clone();
            inner.cache.fill(&Place { bucket, key }, &value, version);
            Ok(value)
        })
        .await
    }

    /// Is the key there? As `get`, without its value.
    ///
    /// # Errors
    /// As `get`.
    pub async fn exists(&self, key: &[u8]) -> Result<bool, KvError> {
        limit::check_key(key)?;
        if let Some(value) = self.remembered(key) {
            rusm_sched::reductions(1).await;
            return Ok(value.is_some());
        }
        let key: Arc<[u8]> = key.into();
        self.read(move |rows, _, _| Ok(rows.get(&*key)?.is_some()))
            .await
    }

    /// Sets a key. It is durable when this is ready.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), KvError> {
        let batch = Batch::new().set(self.name.clone(), key.as_ref(), value.as_ref());
        self.store.commit(batch).await.map(|_| ())
    }

    /// Deletes a key; false if it was not there.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn delete(&self, key: impl AsRef<[u8]>) -> Result<bool, KvError> {
        let batch = Batch::new().delete(self.name.clone(), key.as_ref());
        let committed = self.store.commit(batch).await?;
        Ok(matches!(committed, Committed::Yes { deleted: 1 }))
    }

    /// Gives a key the value `new` if it has the value `expected`; `None` is an absent key, before
    /// and after. [`Committed::No`] tells what it has instead.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn compare_and_set(
        &self,
        key: impl AsRef<[u8]>,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<Committed, KvError> {
        let (name, key): (_, Arc<[u8]>) = (|| self.name.clone(), key.as_ref().into());
        let batch = match expected {
            Some(value) => Batch::new().expect(name(), key.clone(), value),
            None => Batch::new().expect_absent(name(), key.clone()),
        };
        let batch = match new {
            Some(value) => batch.set(name(), key, value),
            None => batch.delete(name(), key),
        };
        self.store.commit(batch).await
    }

    /// Makes a new value of the old one in one step that nobody comes between, and returns it.
    /// `None` is an absent key, before and after. `modify` runs on the blocking pool and others'
    /// writes wait for it.
    ///
    /// # Errors
    /// As [`Store::commit`], and [`KvError::Panicked`].
    pub async fn modify(
        &self,
        key: impl AsRef<[u8]>,
        modify: impl FnOnce(Option<&[u8]>) -> Option<Vec<u8>> + Send + 'static,
    ) -> Result<Option<Arc<[u8]>>, KvError> {
        limit::check_key(key.as_ref())?;
        rusm_sched::reductions(1).await;
        let change = Change::Modify {
            bucket: self.name.clone(),
            key: key.as_ref().into(),
            modify: Box::new(modify),
        };
        match self.store.0.change(change).await? {
            Done::Modified(value) => Ok(value),
            _ => unreachable!("a modification is answered as one"),
        }
    }

    /// A page of keys and values. A journey to the blocking pool.
    ///
    /// # Errors
    /// [`KvError::PageSize`], [`KvError::KeyTooLarge`], [`KvError::NoBucket`], and those of the
    /// disk.
    pub async fn list(&self, scan: Scan) -> Result<Page<KeyValue>, KvError> {
        scan.check()?;
        let page = self
            .read(move |rows, _, _| {
                scan.page(rows, |key, value| {
                    ((key.into(), value.into()), key.len() + value.len())
                })
            })
            .await?;
        let sizes = page
            .entries
            .iter()
            .map(|(key, value): &KeyValue| key.len() + value.len());
        rusm_sched::reductions(reductions_of(sizes.sum())).await;
        Ok(page)
    }

    /// A page of keys. A journey to the blocking pool.
    ///
    /// # Errors
    /// As `list`.
    pub async fn keys(&self, scan: Scan) -> Result<Page<Arc<[u8]>>, KvError> {
        scan.check()?;
        let page = self
            .read(move |rows, _, _| scan.page(rows, |key, _| (key.into(), key.len())))
            .await?;
        let sizes = page.entries.iter().map(|key: &Arc<[u8]>| key.len());
        rusm_sched::reductions(reductions_of(sizes.sum())).await;
        Ok(page)
    }

    /// How many keys it holds. A journey to the blocking pool.
    ///
    /// # Errors
    /// [`KvError::NoBucket`], and those of the disk.
    pub async fn count(&self) -> Result<u64, KvError> {
        self.read(|rows, _, _| rows.len()).await
    }

    fn remembered(&self, key: &[u8]) -> Option<Value> {
        let inner = &self.store.0;
        let bucket_and_version = |published: &Published| {
            let bucket = published.buckets.get(&self.name).copied();
            Some((bucket?, published.version))
        };
        let (bucket, version) = inner.with_published(bucket_and_version)?;
        let found = inner.cache.get(bucket, key, version);
        let counter = match &found {
            Some(_) => &inner.counters.remembered,
            None => &inner.counters.looked_up,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Reads in the newest snapshot, on the blocking pool. Opens the file anew, once, if it was
    /// given up after a fault of the disk.
    async fn read<T: Send + 'static>(
        &self,
        look: impl Fn(&Snapshot, u64, u64) -> Result<T, StorageError> + Send + Sync + 'static,
    ) -> Result<T, KvError> {
        let look = Arc::new(look);
        for again in [false, true] {
            let (inner, name, look) = (self.store.0.clone(), self.name.clone(), look.clone());
            let work = move || read_now(&inner, &name, &*look);
            match blocking::run(work).await? {
                Err(KvError::Closed) if !again => {
                    self.store.0.change(Change::Nothing).await?;
                }
                outcome => return outcome,
            }
        }
        Err(KvError::Closed)
    }
}

fn read_now<T>(
    inner: &Inner,
    name: &Arc<str>,
    look: &(impl Fn(&Snapshot, u64, u64) -> Result<T, StorageError> + ?Sized),
) -> Result<T, KvError> {
    let Published {
        version,
        buckets,
        snapshot,
    } = inner.published();
    let snapshot = snapshot.ok_or(KvError::Closed)?;
    let bucket = buckets.get(name).copied();
    let bucket = bucket.ok_or_else(|| KvError::NoBucket(name.to_string()))?;
    let outcome = snapshot
        .open_table(Definition::new(name))
        .map_err(file::of_table)
        .and_then(|rows| look(&rows, bucket, version));
    outcome.map_err(|error| match error {
        // It was given up while this looked.
        StorageError::DatabaseClosed | StorageError::PreviousIo => KvError::Closed,
        error => KvError::from_storage(&inner.path, &error),
    })
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Bucket({} in {})",
            self.name,
            self.store.path().display()
        )
    }
}
