//! What a write is: one step or many, with conditions, all of it or nothing.

use std::sync::Arc;

use super::cache::Value;
use super::error::KvError;
use super::limit::{self, BATCH_BYTES_MAX, BATCH_STEPS_MAX, WRITE_OVERHEAD_BYTES};

/// Writes in one transaction, with the conditions under which they are done.
///
/// All conditions are looked at before the first write; writes are done in their order. Mistakes,
/// such as a key that is too large, are told when the batch is committed.
#[derive(Clone, Debug, Default)]
#[must_use = "it writes nothing until it is committed"]
pub struct Batch {
    pub(super) steps: Vec<Step>,
    bytes: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) bucket: Arc<str>,
    pub(super) key: Arc<[u8]>,
    pub(super) what: What,
    /// The value that is set or expected.
    pub(super) value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Sets the value, or deletes the key if there is none.
    Write,
    /// Demands the value, or that the key is absent.
    Expect,
}

impl Batch {
    /// Without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key.
    pub fn set(
        self,
        bucket: impl Into<Arc<str>>,
        key: impl Into<Arc<[u8]>>,
        value: impl Into<Arc<[u8]>>,
    ) -> Self {
        self.step(bucket.into(), key.into(), What::Write, Some(value.into()))
    }

    /// Deletes a key, if it is there.
    pub fn delete(self, bucket: impl Into<Arc<str>>, key: impl Into<Arc<[u8]>>) -> Self {
        self.step(bucket.into(), key.into(), What::Write, None)
    }

    /// Writes only if the key has this value.
    pub fn expect(
        self,
        bucket: impl Into<Arc<str>>,
        key: impl Into<Arc<[u8]>>,
        value: impl Into<Arc<[u8]>>,
    ) -> Self {
        self.step(bucket.into(), key.into(), What::Expect, Some(value.into()))
    }

    /// Writes only if the key is not there.
    pub fn expect_absent(self, bucket: impl Into<Arc<str>>, key: impl Into<Arc<[u8]>>) -> Self {
        self.step(bucket.into(), key.into(), What::Expect, None)
    }

    fn step(mut self, bucket: Arc<str>, key: Arc<[u8]>, what: What, value: Value) -> Self {
        self.bytes += key.len() + value.as_ref().map_or(0, |value| value.len());
        self.steps.push(Step {
            bucket,
            key,
            what,
            value,
        });
        self
    }

    /// Writes and conditions so far.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Has it no step yet?
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes of keys and values so far.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn check(&self) -> Result<(), KvError> {
        let (steps, bytes) = (self.steps.len(), self.bytes);
        if steps > BATCH_STEPS_MAX || bytes > BATCH_BYTES_MAX {
            return Err(KvError::BatchTooLarge { steps, bytes });
        }
        for step in &self.steps {
            limit::check_bucket(&step.bucket)?;
            limit::check_key(&step.key)?;
            step.value.as_deref().map_or(Ok(()), limit::check_value)?;
        }
        Ok(())
    }
}

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It was done, and is durable.
    Yes {
        /// Keys that were there and are deleted now.
        deleted: usize,
    },
    /// A condition did not hold, and nothing was done.
    No {
        /// Which step was the condition.
        step: usize,
        /// What its key has instead; `None` if it is absent.
        found: Option<Arc<[u8]>>,
    },
}

/// Makes a new value of an old one; `None` is an absent key.
pub(super) type Modify = Box<dyn FnOnce(Option<&[u8]>) -> Option<Vec<u8>> + Send>;

/// One thing that the committer does.
pub(super) enum Change {
    Batch(Batch),
    Modify {
        bucket: Arc<str>,
        key: Arc<[u8]>,
        modify: Modify,
    },
    CreateBucket(Arc<str>),
    DeleteBucket(Arc<str>),
    /// Nothing: opens the file anew if that is needed.
    Nothing,
    /// Closes the file.
    Close,
}

/// What came of it.
pub(super) enum Done {
    Committed(Committed),
    Modified(Value),
    /// Whether a bucket was made or deleted.
    Bucket(bool),
    Nothing,
}

impl Change {
    /// Bytes it is counted with while it waits.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Change::Batch(batch) => batch.bytes + batch.len() * WRITE_OVERHEAD_BYTES,
            _ => WRITE_OVERHEAD_BYTES,
        }
    }

    /// Transactions are shared up to a number of these.
    pub(super) fn writes(&self) -> usize {
        match self {
            Change::Batch(batch) => batch.len().max(1),
            _ => 1,
        }
    }
}
