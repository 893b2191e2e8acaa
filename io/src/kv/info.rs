//! What a store holds, for those who look at it: how much in each bucket, found out within a limit of keys and time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, StorageError};

use super::Store;
use super::error::KvError;
use super::file::{Definition, Published, Snapshot, of_table};

/// Keys whose lengths, and those of their values, one look adds up, in all buckets together.
pub const INFO_KEYS_MAX: u64 = 100_000;
/// For one look; what is not known by then stays unknown.
pub const INFO_TIME_MAX: Duration = Duration::from_millis(50);

/// What a store holds at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Bytes of its file, which has room that is free as well; none if the system does not say.
    pub file_bytes: Option<u64>,
    /// Its buckets, in the order of their names.
    pub buckets: Vec<BucketInfo>,
}

/// What a bucket holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: Arc<str>,
    /// How many keys; none if the look took too long, or the disk failed.
    pub keys: Option<u64>,
    /// Bytes of its keys and values; none if there are too many to add up, or as above.
    pub bytes: Option<u64>,
}

impl Store {
    /// What it holds. Reads the lengths of `INFO_KEYS_MAX` keys at most, of the buckets with the fewest first, for
    /// `INFO_TIME_MAX` at most and one value more; waits for the disk, so it is for threads that may.
    ///
    /// # Errors
    /// [`KvError::Closed`].
    pub fn info_blocking(&self) -> Result<StoreInfo, KvError> {
        self.info_within(INFO_KEYS_MAX, INFO_TIME_MAX)
    }

    pub(super) fn info_within(
        &self,
        keys_max: u64,
        time_max: Duration,
    ) -> Result<StoreInfo, KvError> {
        let begun = Instant::now();
        let in_time = || begun.elapsed() < time_max;
        let Published {
            buckets, snapshot, ..
        } = self.0.published();
        let snapshot = snapshot.ok_or(KvError::Closed)?;
        let unknown = |name: &Arc<str>| BucketInfo {
            name: name.clone(),
            keys: None,
            bytes: None,
        };
        let mut buckets: Vec<BucketInfo> = buckets.keys().map(unknown).collect();
        for bucket in &mut buckets {
            if !in_time() {
                break;
            }
            bucket.keys = rows(&snapshot, &bucket.name).and_then(|rows| rows.len().ok());
        }
        let mut fewest: Vec<&mut BucketInfo> = buckets.iter_mut().collect();
        fewest.sort_unstable_by_key(|bucket| bucket.keys.unwrap_or(u64::MAX));
        let mut left = keys_max;
        for bucket in fewest {
            let few = bucket.keys.and_then(|keys| left.checked_sub(keys));
            let Some(fewer) = few.filter(|_| in_time()) else {
                break;
            };
            left = fewer;
            let rows = rows(&snapshot, &bucket.name);
            bucket.bytes = rows.and_then(|rows| bytes(&rows, &in_time).ok().flatten());
        }
        let file = std::fs::metadata(&*self.0.path);
        Ok(StoreInfo {
            file_bytes: file.ok().map(|file| file.len()),
            buckets,
        })
    }
}

fn rows(snapshot: &ReadTransaction, name: &str) -> Option<Snapshot> {
    let opened = snapshot.open_table(Definition::new(name));
    opened.map_err(of_table).ok()
}

/// Bytes of all keys and values, if there is time to add them up.
fn bytes(rows: &Snapshot, in_time: &impl Fn() -> bool) -> Result<Option<u64>, StorageError> {
    let mut sum = 0;
    for row in rows.iter()? {
        let (key, value) = row?;
        sum += (key.value().len() + value.value().len()) as u64;
        if !in_time() {
            return Ok(None);
        }
    }
    Ok(Some(sum))
}
