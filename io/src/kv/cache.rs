//! Values in memory, so that most reads neither wait for a disk nor leave their worker.
//!
//! Every commit has a version. What a commit changes is staged here next to what was before, then
//! the version that readers ask for is raised in one step, and only then the older values go: so
//! readers see each commit as a whole, and never an older state after a newer one. What was read
//! from the file is taken in unless a younger commit has touched its shard.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parts with a lock each.
const SHARDS: usize = 64;
/// What a slot costs beside its key and value.
const SLOT_BYTES: usize = 128;
/// A value above this share of its shard is not kept: it would empty the shard.
const VALUE_SHARE: usize = 4;

/// A key in a bucket. A bucket that is deleted and made again has another number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) bucket: u64,
    pub(super) key: Arc<[u8]>,
}

/// What a key holds; `None` if it is absent.
pub(super) type Value = Option<Arc<[u8]>>;

pub(super) struct Cache {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    shard_bytes_max: usize,
}

#[derive(Default)]
struct Shard {
    buckets: HashMap<u64, HashMap<Arc<[u8]>, Slot>>,
    /// Every slot once, the oldest first; places of deleted buckets may still stand here.
    order: VecDeque<Place>,
    bytes: usize,
    /// The youngest commit that changed a key of this shard.
    written: u64,
}

struct Slot {
    version: u64,
    now: Held,
    /// What was before `version`, until everybody sees that.
    before: Option<Held>,
    /// Set by a reader, cleared when the slot is spared.
    used: bool,
}

#[derive(Clone)]
enum Held {
    Value(Value),
    /// Too large to be kept.
    Unknown,
}

impl Held {
    fn bytes(&self) -> usize {
        match self {
            Held::Value(Some(value)) => value.len(),
            _ => 0,
        }
    }
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            shard_bytes_max: bytes_max / SHARDS,
        }
    }

    /// What a reader of `version` finds, or `None` if that is not known here.
    pub(super) fn get(&self, bucket: u64, key: &[u8], version: u64) -> Option<Value> {
        let mut shard = self.shard(bucket, key);
        let slot = shard.buckets.get_mut(&bucket)?.get_mut(key)?;
        slot.used = true;
        let held = match &slot.before {
            // It stands here as long as somebody may be behind.
            Some(before) if slot.version > version => before,
            _ => &slot.now,
        };
        match held {
            Held::Value(value) => Some(value.clone()),
            Held::Unknown => None,
        }
    }

    /// Takes in what was read from the file as of `version`.
    pub(super) fn fill(&self, place: &Place, value: &Value, version: u64) {
        let mut shard = self.shard(place.bucket, &place.key);
        if shard.written > version {
            return;
        }
        let now = self.held(value);
        shard.take_in(place, version, now);
        shard.make_room(self.shard_bytes_max);
    }

    /// Notes what the commit `version` makes of a key. Readers see it once they ask for `version`.
    pub(super) fn stage(&self, place: &Place, value: &Value, version: u64) {
        let mut shard = self.shard(place.bucket, &place.key);
        shard.written = version;
        let now = self.held(value);
        shard.change(place, version, now);
        shard.make_room(self.shard_bytes_max);
    }

    /// Forgets what was before: everybody asks for the newer version by now.
    pub(super) fn settle(&self, place: &Place) {
        let mut shard = self.shard(place.bucket, &place.key);
        let slot = shard.buckets.get_mut(&place.bucket);
        if let Some(slot) = slot.and_then(|slots| slots.get_mut(&place.key)) {
            let before = slot.before.take();
            drop(shard);
            drop(before);
        }
    }

    /// Forgets a bucket that is gone.
    pub(super) fn forget(&self, bucket: u64) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let slots = shard.buckets.remove(&bucket);
            for (key, slot) in slots.iter().flatten() {
                shard.bytes -= cost(key, &slot.now);
            }
            drop(shard);
            drop(slots);
        }
    }

    fn held(&self, value: &Value) -> Held {
        let bytes = value.as_ref().map_or(0, |value| value.len());
        match bytes <= self.shard_bytes_max / VALUE_SHARE {
            true => Held::Value(value.clone()),
            false => Held::Unknown,
        }
    }

    fn shard(&self, bucket: u64, key: &[u8]) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one((bucket, key));
        lock(&self.shards[hash as usize % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cost(key: &[u8], held: &Held) -> usize {
    SLOT_BYTES + 2 * key.len() + held.bytes()
}

impl Shard {
    fn change(&mut self, place: &Place, version: u64, now: Held) {
        let slots = self.buckets.entry(place.bucket).or_default();
        let added = cost(&place.key, &now);
        let Some(slot) = slots.get_mut(&place.key) else {
            // What was before is in the file, for readers who are behind.
            self.insert(place, version, now, Some(Held::Unknown));
            return;
        };
        self.bytes = self.bytes + added - cost(&place.key, &slot.now);
        let older = std::mem::replace(&mut slot.now, now);
        // A second change by the same commit: nobody ever sees the first one.
        if slot.version != version {
            slot.before = Some(older);
        }
        slot.version = version;
    }

    fn take_in(&mut self, place: &Place, version: u64, now: Held) {
        let slots = self.buckets.entry(place.bucket).or_default();
        match slots.get_mut(&place.key) {
            // Somebody else has read it as well, or it is too large.
            Some(_) => {}
            None => self.insert(place, version, now, None),
        }
    }

    fn insert(&mut self, place: &Place, version: u64, now: Held, before: Option<Held>) {
        self.bytes += cost(&place.key, &now);
        let slot = Slot {
            version,
            now,
            before,
            used: false,
        };
        let slots = self.buckets.entry(place.bucket).or_default();
        slots.insert(place.key.clone(), slot);
        self.order.push_back(place.clone());
    }

    /// The oldest slots go, but for those that were read since they were looked at last.
    fn make_room(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max {
            let Some(place) = self.order.pop_front() else {
                return;
            };
            let Some(slots) = self.buckets.get_mut(&place.bucket) else {
                continue;
            };
            let Some(slot) = slots.get_mut(&place.key) else {
                continue;
            };
            if std::mem::take(&mut slot.used) {
                self.order.push_back(place);
                continue;
            }
            self.bytes -= cost(&place.key, &slot.now);
            slots.remove(&place.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Place {
        Place {
            bucket: 1,
            key: key.as_bytes().into(),
        }
    }

    fn value(text: &str) -> Value {
        Some(text.as_bytes().into())
    }

    #[test]
    fn a_change_is_seen_by_those_who_ask_for_its_version_and_by_nobody_else() {
        let cache = Cache::new(1 << 20);
        let a = place("a");
        cache.fill(&a, &value("old"), 1);
        cache.stage(&a, &value("new"), 2);
        assert_eq!(cache.get(1, b"a", 1), Some(value("old")));
        assert_eq!(cache.get(1, b"a", 2), Some(value("new")));
        cache.settle(&a);
        assert_eq!(cache.get(1, b"a", 1), Some(value("new")));
    }

    #[test]
    fn a_key_that_was_not_known_before_its_change_stays_so_for_those_behind() {
        let cache = Cache::new(1 << 20);
        cache.stage(&place("a"), &value("new"), 2);
        assert_eq!(cache.get(1, b"a", 1), None);
        assert_eq!(cache.get(1, b"a", 2), Some(value("new")));
    }

    #[test]
    fn what_was_read_before_a_commit_is_not_taken_in_after_it() {
        let cache = Cache::new(1 << 20);
        let a = place("a");
        cache.stage(&a, &None, 2);
        cache.settle(&a);
        cache.fill(&a, &value("stale"), 1);
        assert_eq!(cache.get(1, b"a", 2), Some(None));
    }

    #[test]
    fn it_stays_below_its_size_and_keeps_what_is_read() {
        let cache = Cache::new(256 << 10);
        let hot = place("hot");
        cache.fill(&hot, &value("hot"), 1);
        for n in 0..10_000 {
            cache.fill(&place(&format!("cold {n}")), &value("0123456789"), 1);
            assert_eq!(cache.get(1, b"hot", 1), Some(value("hot")), "{n}");
        }
        let bytes: usize = cache.shards.iter().map(|shard| lock(shard).bytes).sum();
        assert!(bytes <= 256 << 10, "{bytes}");
        assert_eq!(cache.get(1, b"cold 0", 1), None);
    }

    #[test]
    fn a_large_value_is_not_kept_and_hides_the_one_before_it() {
        let cache = Cache::new(256 << 10);
        let a = place("a");
        cache.fill(&a, &value("small"), 1);
        cache.stage(&a, &Some(vec![0; 100_000].into()), 2);
        assert_eq!(cache.get(1, b"a", 1), Some(value("small")));
        assert_eq!(cache.get(1, b"a", 2), None);
    }

    #[test]
    fn a_bucket_that_is_gone_leaves_nothing() {
        let cache = Cache::new(1 << 20);
        for n in 0..100 {
            cache.fill(&place(&n.to_string()), &value("v"), 1);
        }
        cache.forget(1);
        assert_eq!(cache.get(1, b"5", 1), None);
        assert!(cache.shards.iter().all(|shard| lock(shard).bytes == 0));
    }
}
