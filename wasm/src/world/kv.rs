//! The interface `kv`.

use std::ops::Bound;
use std::sync::Arc;

use rusm_io::kv::{Page as HostPage, Scan as HostScan};
use wasmtime::Result as Trappable;

use super::bindings::rusm::runtime::kv::{
    Assignment, Bound as WitBound, Entry, Host, KeyPage, KeysIn, Page, Place, Scan, Step,
};
use super::bindings::rusm::runtime::types::Error;
use crate::guest::State;
use crate::host::Refusal;
use crate::host::kv::{self, What};
use crate::link::{noted, opaque};

/// What a function returns, unless the guest cannot go on.
type Answer<T> = Trappable<Result<T, Error>>;

/// Waits for the store; see [`opaque`].
async fn answer<T>(work: impl Future<Output = Result<T, Refusal>> + Send) -> Answer<T> {
    Ok(Box::into_pin(opaque(work)).await.map_err(Error::from))
}

impl From<Scan> for HostScan {
    fn from(scan: Scan) -> Self {
        let mut listed = match scan.keys_in {
            KeysIn::All => HostScan::all(),
            KeysIn::Prefix(prefix) => HostScan::prefix(prefix),
            KeysIn::Range(range) => HostScan::range((bound(range.from), bound(range.to))),
        };
        if scan.descending {
            listed = listed.descending();
        }
        if let Some(after) = scan.after {
            listed = listed.after(after);
        }
        match scan.entries_max {
            Some(entries_max) => listed.entries_max(entries_max as usize),
            None => listed,
        }
    }
}

fn bound(bound: WitBound) -> Bound<Vec<u8>> {
    match bound {
        WitBound::Unbounded => Bound::Unbounded,
        WitBound::Included(key) => Bound::Included(key),
        WitBound::Excluded(key) => Bound::Excluded(key),
    }
}

impl From<HostPage<(Arc<[u8]>, Arc<[u8]>)>> for Page {
    fn from(page: HostPage<(Arc<[u8]>, Arc<[u8]>)>) -> Self {
        let entry = |(key, value): &(Arc<[u8]>, Arc<[u8]>)| Entry {
            key: key.to_vec(),
            value: value.to_vec(),
        };
        Page {
            entries: page.entries.iter().map(entry).collect(),
            next: page.next,
        }
    }
}

fn assigned(what: What, step: &Assignment) -> kv::Step<'_> {
    kv::Step {
        what,
        bucket: &step.bucket,
        key: &step.key,
        value: &step.value,
    }
}

fn placed(what: What, step: &Place) -> kv::Step<'_> {
    kv::Step {
        what,
        bucket: &step.bucket,
        key: &step.key,
        value: &[],
    }
}

fn step(step: &Step) -> kv::Step<'_> {
    match step {
        Step::Set(step) => assigned(What::Set, step),
        Step::Delete(step) => placed(What::Delete, step),
        Step::Expect(step) => assigned(What::Expect, step),
        Step::ExpectAbsent(step) => placed(What::ExpectAbsent, step),
    }
}

impl Host for State {
    async fn create(&mut self, bucket: String) -> Answer<bool> {
        noted!(self.pid(), "rusm:runtime/kv create");
        answer(kv::create(self, &bucket)).await
    }

    async fn drop(&mut self, bucket: String) -> Answer<bool> {
        noted!(self.pid(), "rusm:runtime/kv drop");
        answer(kv::drop(self, &bucket)).await
    }

    async fn get(&mut self, bucket: String, key: Vec<u8>) -> Answer<Option<Vec<u8>>> {
        noted!(self.pid(), "rusm:runtime/kv get");
        let work = async {
            let value = kv::get(self, &bucket, &key).await?;
            Ok(value.map(|value| value.to_vec()))
        };
        answer(work).await
    }

    async fn exists(&mut self, bucket: String, key: Vec<u8>) -> Answer<bool> {
        noted!(self.pid(), "rusm:runtime/kv exists");
        answer(kv::exists(self, &bucket, &key)).await
    }

    async fn set(&mut self, bucket: String, key: Vec<u8>, value: Vec<u8>) -> Answer<()> {
        noted!(self.pid(), "rusm:runtime/kv set");
        answer(kv::set(self, &bucket, &key, &value)).await
    }

    async fn delete(&mut self, bucket: String, key: Vec<u8>) -> Answer<bool> {
        noted!(self.pid(), "rusm:runtime/kv delete");
        answer(kv::delete(self, &bucket, &key)).await
    }

    async fn compare_and_set(
        &mut self,
        bucket: String,
        key: Vec<u8>,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
    ) -> Answer<bool> {
        noted!(self.pid(), "rusm:runtime/kv compare-and-set");
        let (expected, new) = (expected.as_deref(), new.as_deref());
        answer(kv::compare_and_set(self, &bucket, &key, expected, new)).await
    }

    async fn list(&mut self, bucket: String, scan: Scan) -> Answer<Page> {
        noted!(self.pid(), "rusm:runtime/kv list");
        let work = async {
            let page = kv::list(self, &bucket, scan.into()).await?;
            Ok(page.into())
        };
        answer(work).await
    }

    async fn keys(&mut self, bucket: String, scan: Scan) -> Answer<KeyPage> {
        noted!(self.pid(), "rusm:runtime/kv keys");
        let work = async {
            let page = kv::keys(self, &bucket, scan.into()).await?;
            Ok(KeyPage {
                keys: page.entries.iter().map(|key| key.to_vec()).collect(),
                next: page.next,
            })
        };
        answer(work).await
    }

    async fn batch(&mut self, steps: Vec<Step>) -> Answer<Option<u32>> {
        noted!(self.pid(), "rusm:runtime/kv batch");
        let work = async {
            kv::may_batch(steps.len())?;
            let steps: Vec<_> = steps.iter().map(step).collect();
            let failed = kv::batch(self, &steps).await?;
            // There are far fewer steps than four bytes can number.
            Ok(failed.map(|step| step as u32))
        };
        answer(work).await
    }
}
