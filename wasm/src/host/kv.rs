//! The node's store of keys and values, as a guest may use it: those buckets that it was granted, to
//! read or to write.

use std::sync::Arc;

use rusm_io::kv::{
    BATCH_STEPS_MAX, BUCKET_NAME_BYTES_MAX, Batch, Bucket, Committed, KeyValue, KvError, Page,
    Scan, Store,
};

use crate::guest::State;
use crate::host::{Refusal, power};

const NO_STORE: &str = "this node keeps no store. Name the file of one: write \
    `store = \"data/app.redb\"` under [node] in rusm.toml, or run the program with `--store FILE`.";

/// What a guest wants of a bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// One write or condition of a batch.
pub(crate) struct Step<'a> {
    pub(crate) what: What,
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a [u8],
    /// Of a set and an expectation.
    pub(crate) value: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Set,
    Delete,
    Expect,
    ExpectAbsent,
}

impl From<KvError> for Refusal {
    fn from(error: KvError) -> Self {
        Refusal::Store(error)
    }
}

/// The store, if the process may use this bucket in that way.
fn store(state: &State, bucket: &str, access: Access) -> Result<Store, Refusal> {
    match access {
        Access::Read => power::may_read_bucket(state, bucket)?,
        Access::Write => power::may_write_bucket(state, bucket)?,
    }
    // Before it is copied anywhere.
    let bytes = bucket.len();
    if bytes > BUCKET_NAME_BYTES_MAX {
        return Err(KvError::BucketName { bytes }.into());
    }
    let shared = state.standing.as_ref().and_then(|s| s.shared());
    shared
        .and_then(|shared| shared.store())
        .ok_or_else(|| Refusal::Failed(NO_STORE.into()))
}

fn bucket(state: &State, name: &str, access: Access) -> Result<Bucket, Refusal> {
    Ok(store(state, name, access)?.bucket(name))
}

/// Makes a bucket; false if it was there.
pub(crate) async fn create(state: &mut State, name: &str) -> Result<bool, Refusal> {
    let store = store(state, name, Access::Write)?;
    Ok(store.create_bucket(name).await?)
}

/// Deletes a bucket and all it holds; false if there was none.
pub(crate) async fn drop(state: &mut State, name: &str) -> Result<bool, Refusal> {
    let store = store(state, name, Access::Write)?;
    Ok(store.delete_bucket(name).await?)
}

/// The value of a key.
pub(crate) async fn get(
    state: &mut State,
    name: &str,
    key: &[u8],
) -> Result<Option<Arc<[u8]>>, Refusal> {
    let bucket = bucket(state, name, Access::Read)?;
    Ok(bucket.get(key).await?)
}

/// Is the key there?
pub(crate) async fn exists(state: &mut State, name: &str, key: &[u8]) -> Result<bool, Refusal> {
    let bucket = bucket(state, name, Access::Read)?;
    Ok(bucket.exists(key).await?)
}

/// Sets a key, durably.
pub(crate) async fn set(
    state: &mut State,
    name: &str,
    key: &[u8],
    value: &[u8],
) -> Result<(), Refusal> {
    let bucket = bucket(state, name, Access::Write)?;
    Ok(bucket.set(key, value).await?)
}

/// Deletes a key; false if it was not there.
pub(crate) async fn delete(state: &mut State, name: &str, key: &[u8]) -> Result<bool, Refusal> {
    let bucket = bucket(state, name, Access::Write)?;
    Ok(bucket.delete(key).await?)
}

/// Gives a key another value if it has the expected one. Whoever may write may ask this, although
/// the answer tells something about what is there.
pub(crate) async fn compare_and_set(
    state: &mut State,
    name: &str,
    key: &[u8],
    expected: Option<&[u8]>,
    new: Option<&[u8]>,
) -> Result<bool, Refusal> {
    let bucket = bucket(state, name, Access::Write)?;
    let committed = bucket.compare_and_set(key, expected, new).await?;
    Ok(matches!(committed, Committed::Yes { .. }))
}

/// May a batch have so many steps? To be asked before they are gathered.
pub(crate) fn may_batch(steps: usize) -> Result<(), Refusal> {
    match steps {
        0..=BATCH_STEPS_MAX => Ok(()),
        _ => Err(Refusal::Limit {
            what: "steps in a batch",
            max: BATCH_STEPS_MAX,
        }),
    }
}

/// Does all steps or none; which condition did not hold, if one did not.
pub(crate) async fn batch(state: &mut State, steps: &[Step<'_>]) -> Result<Option<usize>, Refusal> {
    let mut batch = Batch::new();
    let mut stores = None;
    for step in steps {
        let (name, key) = (step.bucket, step.key);
        stores = Some(store(state, name, Access::Write)?);
        batch = match step.what {
            What::Set => batch.set(name, key, step.value),
            What::Delete => batch.delete(name, key),
            What::Expect => batch.expect(name, key, step.value),
            What::ExpectAbsent => batch.expect_absent(name, key),
        };
    }
    let Some(store) = stores else {
        return Ok(None);
    };
    match store.commit(batch).await? {
        Committed::Yes { .. } => Ok(None),
        Committed::No { step, .. } => Ok(Some(step)),
    }
}

/// A page of a bucket.
pub(crate) async fn list(
    state: &mut State,
    name: &str,
    scan: Scan,
) -> Result<Page<KeyValue>, Refusal> {
    let bucket = bucket(state, name, Access::Read)?;
    Ok(bucket.list(scan).await?)
}

/// A page of the keys of a bucket.
pub(crate) async fn keys(
    state: &mut State,
    name: &str,
    scan: Scan,
) -> Result<Page<Arc<[u8]>>, Refusal> {
    let bucket = bucket(state, name, Access::Read)?;
    Ok(bucket.keys(scan).await?)
}
