//! Single keys, buckets, conditions and batches.

use rusm_io::kv::{Batch, Committed, KvError, Scan, StoreConfig};

use crate::place::Place;
use crate::support::run;

#[test]
fn a_key_has_the_value_that_was_set_last_until_it_is_deleted() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        assert!(store.create_bucket("b").await.unwrap());
        let bucket = store.bucket("b");
        assert_eq!(bucket.get(b"k").await.unwrap(), None);
        assert!(!bucket.exists(b"k").await.unwrap());
        for value in ["one", "two", ""] {
            bucket.set("k", value).await.unwrap();
            let found = bucket.get(b"k").await.unwrap();
            assert_eq!(found.as_deref(), Some(value.as_bytes()));
            assert!(bucket.exists(b"k").await.unwrap());
        }
        assert_eq!(bucket.count().await.unwrap(), 1);
        assert!(bucket.delete("k").await.unwrap());
        assert!(!bucket.delete("k").await.unwrap());
        assert_eq!(bucket.get(b"k").await.unwrap(), None);
        assert_eq!(bucket.count().await.unwrap(), 0);
    });
}

#[test]
fn buckets_are_made_listed_and_deleted_with_what_they_hold() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        assert!(store.create_bucket("b").await.unwrap());
        assert!(!store.create_bucket("b").await.unwrap());
        assert!(store.create_bucket("a").await.unwrap());
        let names = store.buckets();
        assert_eq!(
            names.iter().map(|name| &**name).collect::<Vec<_>>(),
            ["a", "b"]
        );
        let bucket = store.bucket("b");
        bucket.set("k", "v").await.unwrap();
        store.bucket("a").set("k", "of a").await.unwrap();
        assert!(store.delete_bucket("b").await.unwrap());
        assert!(!store.delete_bucket("b").await.unwrap());
        let missing = Err(KvError::NoBucket("b".into()));
        assert_eq!(bucket.get(b"k").await, missing);
        assert_eq!(bucket.set("k", "v").await, missing.clone().map(|_| ()));
        assert_eq!(bucket.keys(Scan::all()).await.err(), missing.err());
        // One made again is empty, whatever was remembered.
        store.create_bucket("b").await.unwrap();
        assert_eq!(bucket.get(b"k").await.unwrap(), None);
        assert_eq!(
            store.bucket("a").get(b"k").await.unwrap().as_deref(),
            Some(&b"of a"[..])
        );
    });
}

#[test]
fn a_look_tells_what_is_in_the_file() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        store.bucket("b").set("key", "value").await.unwrap();
        let look = store.clone();
        let info = rusm_sched::blocking::run(move || look.info_blocking()).await;
        let info = info.unwrap().unwrap();
        let written = std::fs::metadata(place.file()).unwrap().len();
        assert_eq!(info.file_bytes, Some(written));
        let bucket = &info.buckets[0];
        assert_eq!(
            (&*bucket.name, bucket.keys, bucket.bytes),
            ("b", Some(1), Some(8))
        );
    });
}

#[test]
fn compare_and_set_changes_only_what_is_as_expected() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        let no = |found: Option<&[u8]>| Committed::No {
            step: 0,
            found: found.map(Into::into),
        };
        let yes = |deleted| Committed::Yes { deleted };
        for (expected, new, outcome) in [
            (Some(&b"x"[..]), Some(&b"1"[..]), no(None)),
            (None, Some(b"1"), yes(0)),
            (None, Some(b"2"), no(Some(b"1"))),
            (Some(b"1"), Some(b"2"), yes(0)),
            (Some(b"1"), None, no(Some(b"2"))),
            (Some(b"2"), None, yes(1)),
            (None, None, yes(0)),
        ] {
            let done = bucket.compare_and_set("k", expected, new).await.unwrap();
            assert_eq!(done, outcome, "{expected:?} -> {new:?}");
        }
    });
}

#[test]
fn a_batch_is_done_as_a_whole_or_not_at_all() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("a").await.unwrap();
        store.create_bucket("b").await.unwrap();
        let (a, b) = (store.bucket("a"), store.bucket("b"));
        let seen = |value: Option<std::sync::Arc<[u8]>>| value.map(|v| v.to_vec());
        let first = Batch::new().set("a", *b"x", *b"1").set("b", *b"y", *b"2");
        assert_eq!(
            store.commit(first).await.unwrap(),
            Committed::Yes { deleted: 0 }
        );
        let refused = Batch::new()
            .set("a", *b"x", *b"9")
            .expect("b", *b"y", *b"2")
            .expect_absent("b", *b"y")
            .delete("b", *b"y");
        let outcome = store.commit(refused).await.unwrap();
        assert_eq!(
            outcome,
            Committed::No {
                step: 2,
                found: Some(b"2"[..].into())
            }
        );
        assert_eq!(seen(a.get(b"x").await.unwrap()), Some(b"1".to_vec()));
        let missing = Batch::new().set("a", *b"x", *b"9").set("c", *b"z", *b"9");
        let refused = store.commit(missing).await;
        assert_eq!(refused, Err(KvError::NoBucket("c".into())));
        assert_eq!(seen(a.get(b"x").await.unwrap()), Some(b"1".to_vec()));
        // Conditions look at what was before the batch; writes are done in their order.
        let batch = Batch::new()
            .set("a", *b"x", *b"3")
            .delete("a", *b"x")
            .set("a", *b"x", *b"4")
            .expect("a", *b"x", *b"1")
            .delete("b", *b"y");
        assert_eq!(
            store.commit(batch).await.unwrap(),
            Committed::Yes { deleted: 2 }
        );
        assert_eq!(seen(a.get(b"x").await.unwrap()), Some(b"4".to_vec()));
        assert_eq!(seen(b.get(b"y").await.unwrap()), None);
        assert_eq!(
            store.commit(Batch::new()).await.unwrap(),
            Committed::Yes { deleted: 0 }
        );
    });
}

#[test]
fn a_value_is_modified_in_one_step_and_a_panic_there_changes_nothing() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        let appended = |old: Option<&[u8]>| Some([old.unwrap_or(b"-"), b"x"].concat());
        let made = bucket.modify("k", appended).await.unwrap();
        assert_eq!(made.as_deref(), Some(&b"-x"[..]));
        let failed = bucket.modify("k", |_| panic!("no such luck")).await;
        assert_eq!(failed, Err(KvError::Panicked("no such luck".into())));
        let made = bucket.modify("k", appended).await.unwrap();
        assert_eq!(made.as_deref(), Some(&b"-xx"[..]));
        assert_eq!(bucket.modify("k", |_| None).await.unwrap(), None);
        assert!(!bucket.exists(b"k").await.unwrap());
    });
}

#[test]
fn reads_are_answered_from_memory_once_the_value_is_known() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        bucket.set("k", "v").await.unwrap();
        for _ in 0..10 {
            bucket.get(b"k").await.unwrap();
            bucket.get(b"absent").await.unwrap();
        }
        let stats = store.stats();
        assert_eq!((stats.remembered, stats.looked_up), (19, 1));
        assert_eq!((stats.commits, stats.writes), (2, 2));
    });
}

#[test]
fn a_store_without_memory_for_values_gives_the_same_answers() {
    let place = Place::new();
    run(1, |_| async move {
        let config = StoreConfig {
            cache_bytes_max: 0,
            ..StoreConfig::default()
        };
        let store = rusm_io::kv::Store::open(place.file(), config)
            .await
            .unwrap();
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        for value in ["1", "2"] {
            bucket.set("k", value).await.unwrap();
            let found = bucket.get(b"k").await.unwrap();
            assert_eq!(found.as_deref(), Some(value.as_bytes()));
        }
        assert_eq!(store.stats().remembered, 0);
    });
}
