//! One shared transaction: the changes of many writers, one after the other, each of which sees
//! those before it. A change that is refused leaves no trace; a fault of the storage ends them all.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{ReadableTable, StorageError, Table, WriteTransaction};

use super::batch::{Batch, Change, Committed, Done, Modify, Step, What};
use super::cache::{Place, Value};
use super::error::KvError;
use super::file::{Buckets, Definition, new_number, of_table};
use super::limit;

/// Why a change was not done.
pub(super) enum Fault {
    /// Its own fault.
    Refused(KvError),
    /// The storage's, and with it the whole transaction's.
    Storage(StorageError),
}

impl From<KvError> for Fault {
    fn from(error: KvError) -> Self {
        Fault::Refused(error)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Fault::Storage(error)
    }
}

/// What a transaction makes of the store, to be shown to readers after its commit.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) values: Vec<(Place, Value)>,
    pub(super) gone: Vec<u64>,
}

type Rows<'t> = Table<'t, &'static [u8], &'static [u8]>;

pub(super) struct Apply<'t> {
    transaction: &'t WriteTransaction,
    tables: HashMap<u64, Rows<'t>>,
    buckets_max: usize,
    buckets: Arc<Buckets>,
    effects: Effects,
}

impl<'t> Apply<'t> {
    pub(super) fn new(
        transaction: &'t WriteTransaction,
        buckets: Arc<Buckets>,
        buckets_max: usize,
    ) -> Self {
        Self {
            transaction,
            tables: HashMap::new(),
            buckets_max,
            buckets,
            effects: Effects::default(),
        }
    }

    /// The buckets there are now, and what else has changed.
    pub(super) fn finish(self) -> (Arc<Buckets>, Effects) {
        (self.buckets, self.effects)
    }

    pub(super) fn change(&mut self, change: Change) -> Result<Done, Fault> {
        match change {
            Change::Batch(batch) => self.batch(batch).map(Done::Committed),
            Change::Modify {
                bucket,
                key,
                modify,
            } => self.modify(&bucket, key, modify).map(Done::Modified),
            Change::CreateBucket(name) => self.create(name).map(Done::Bucket),
            Change::DeleteBucket(name) => self.delete(&name).map(Done::Bucket),
            Change::Nothing | Change::Close => Ok(Done::Nothing),
        }
    }

    fn batch(&mut self, batch: Batch) -> Result<Committed, Fault> {
        // Everything that may be refused comes before the first write.
        let numbers: Vec<u64> = batch
            .steps
            .iter()
            .map(|step| self.number(&step.bucket))
            .collect::<Result<_, _>>()?;
        for (index, (step, number)) in batch.steps.iter().zip(&numbers).enumerate() {
            if step.what != What::Expect {
                continue;
            }
            let rows = self.rows(*number, &step.bucket)?;
            let found = rows.get(&*step.key)?;
            let found = found.as_ref().map(|found| found.value());
            if found != step.value.as_deref() {
                let found = found.map(Arc::from);
                return Ok(Committed::No { step: index, found });
            }
        }
        let mut deleted = 0;
        for (step, number) in batch.steps.into_iter().zip(numbers) {
            if step.what == What::Write {
                deleted += usize::from(self.write(number, step)?);
            }
        }
        Ok(Committed::Yes { deleted })
    }

    /// Writes, and says whether a key was deleted.
    fn write(&mut self, number: u64, step: Step) -> Result<bool, Fault> {
        let rows = self.rows(number, &step.bucket)?;
        let deleted = match &step.value {
            Some(value) => {
                rows.insert(&*step.key, &**value)?;
                false
            }
            None => rows.remove(&*step.key)?.is_some(),
        };
        let place = Place {
            bucket: number,
            key: step.key,
        };
        self.effects.values.push((place, step.value));
        Ok(deleted)
    }

    fn modify(
        &mut self,
        bucket: &Arc<str>,
        key: Arc<[u8]>,
        modify: Modify,
    ) -> Result<Value, Fault> {
        let number = self.number(bucket)?;
        let rows = self.rows(number, bucket)?;
        let old = rows.get(&*key)?.map(|found| found.value().to_vec());
        // The function is the caller's: its panic is its own, and not that of the other writers.
        let made = catch_unwind(AssertUnwindSafe(|| modify(old.as_deref())));
        let new = made.map_err(|payload| {
            let text = payload.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            KvError::Panicked(text.unwrap_or_else(|| "a value that is no text".into()))
        })?;
        new.as_deref().map_or(Ok(()), limit::check_value)?;
        let value: Value = new.map(Arc::from);
        let step = Step {
            bucket: bucket.clone(),
            key,
            what: What::Write,
            value: value.clone(),
        };
        self.write(number, step)?;
        Ok(value)
    }

    fn create(&mut self, name: Arc<str>) -> Result<bool, Fault> {
        if self.buckets.contains_key(&name) {
            return Ok(false);
        }
        if self.buckets.len() >= self.buckets_max {
            let max = self.buckets_max;
            return Err(KvError::TooManyBuckets { max }.into());
        }
        let number = new_number();
        self.rows(number, &name)?;
        Arc::make_mut(&mut self.buckets).insert(name, number);
        Ok(true)
    }

    fn delete(&mut self, name: &Arc<str>) -> Result<bool, Fault> {
        let Some(number) = Arc::make_mut(&mut self.buckets).remove(name) else {
            return Ok(false);
        };
        self.tables.remove(&number);
        self.transaction
            .delete_table(Definition::new(name))
            .map_err(of_table)?;
        self.effects.gone.push(number);
        Ok(true)
    }

    fn number(&self, bucket: &Arc<str>) -> Result<u64, KvError> {
        let number = self.buckets.get(bucket).copied();
        number.ok_or_else(|| KvError::NoBucket(bucket.to_string()))
    }

    /// The rows of a bucket that is there, or that is to be made.
    fn rows(&mut self, number: u64, name: &Arc<str>) -> Result<&mut Rows<'t>, StorageError> {
        if !self.tables.contains_key(&number) {
            let definition = Definition::new(name);
            let rows = self.transaction.open_table(definition).map_err(of_table)?;
            self.tables.insert(number, rows);
        }
        Ok(self.tables.get_mut(&number).expect("it was put there"))
    }
}
