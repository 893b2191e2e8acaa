//! What is refused, and the words for it.

use rusm_io::kv::{
    BATCH_STEPS_MAX, BUCKET_NAME_BYTES_MAX, Batch, KEY_BYTES_MAX, KvError, PAGE_ENTRIES_MAX, Scan,
    Store, StoreConfig, VALUE_BYTES_MAX,
};

use crate::place::Place;
use crate::support::run;

fn says(error: &KvError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[test]
fn what_is_too_large_is_refused_and_at_the_limit_it_is_not() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        let key = vec![b'k'; KEY_BYTES_MAX];
        let value = vec![b'v'; VALUE_BYTES_MAX];
        bucket.set(&key, &value).await.unwrap();
        assert_eq!(
            bucket.get(&key).await.unwrap().unwrap().len(),
            VALUE_BYTES_MAX
        );
        let (long, large) = (
            vec![b'k'; KEY_BYTES_MAX + 1],
            vec![b'v'; VALUE_BYTES_MAX + 1],
        );
        for refused in [
            bucket.set(&long, "v").await.unwrap_err(),
            bucket.get(&long).await.unwrap_err(),
            bucket.exists(&long).await.unwrap_err(),
            bucket.delete(&long).await.unwrap_err(),
            bucket.modify(&long, |_| None).await.unwrap_err(),
            bucket.keys(Scan::prefix(&long)).await.unwrap_err(),
        ] {
            says(&refused, &["key", "4096 bytes", "4097"]);
        }
        says(
            &bucket.set("k", &large).await.unwrap_err(),
            &["16777216", "16777217"],
        );
        let made = bucket.modify("k", move |_| Some(large)).await;
        says(&made.unwrap_err(), &["16777216", "16777217"]);
        for entries in [0, PAGE_ENTRIES_MAX + 1] {
            let refused = bucket.keys(Scan::all().entries_max(entries)).await;
            assert_eq!(refused, Err(KvError::PageSize { entries }));
        }
        let mut batch = Batch::new();
        for _ in 0..=BATCH_STEPS_MAX {
            batch = batch.set("b", *b"k", *b"v");
        }
        says(&store.commit(batch).await.unwrap_err(), &["10000", "10001"]);
        let half = || vec![0; VALUE_BYTES_MAX];
        let batch = Batch::new()
            .set("b", *b"1", half())
            .set("b", *b"2", half())
            .set("b", *b"3", *b"!");
        says(
            &store.commit(batch).await.unwrap_err(),
            &["16842752", "33554436"],
        );
        assert_eq!(bucket.get(b"1").await.unwrap(), None);
    });
}

#[test]
fn buckets_have_names_of_some_length_and_there_are_not_too_many() {
    let place = Place::new();
    run(1, |_| async move {
        let config = StoreConfig {
            buckets_max: 2,
            ..StoreConfig::default()
        };
        let store = Store::open(place.file(), config).await.unwrap();
        for bytes in [0, BUCKET_NAME_BYTES_MAX + 1] {
            let refused = store.create_bucket("n".repeat(bytes)).await;
            assert_eq!(refused, Err(KvError::BucketName { bytes }));
            let refused = store.bucket("n".repeat(bytes)).set("k", "v").await;
            assert_eq!(refused, Err(KvError::BucketName { bytes }));
        }
        store
            .create_bucket("n".repeat(BUCKET_NAME_BYTES_MAX))
            .await
            .unwrap();
        store.create_bucket("2").await.unwrap();
        let refused = store.create_bucket("3").await.unwrap_err();
        assert_eq!(refused, KvError::TooManyBuckets { max: 2 });
        says(&refused, &["2 buckets", "`buckets_max`"]);
        store.delete_bucket("2").await.unwrap();
        store.create_bucket("3").await.unwrap();
        let missing = store.bucket("2").get(b"k").await.unwrap_err();
        says(&missing, &["no bucket `2`", "Create it"]);
    });
}

#[test]
fn files_that_are_no_stores_are_refused_and_left_alone() {
    let place = Place::new();
    run(1, |_| async move {
        for content in [&b"not a store"[..], &[0; 100_000], &[0xff; 5000]] {
            std::fs::write(place.file(), content).unwrap();
            let refused = Store::open(place.file(), StoreConfig::default()).await;
            says(
                &refused.unwrap_err(),
                &["no store, or is damaged", "store.kv", "backup"],
            );
            assert_eq!(std::fs::read(place.file()).unwrap(), content);
        }
        let nowhere = place.file().join("nowhere");
        let refused = Store::open(nowhere, StoreConfig::default()).await;
        says(
            &refused.unwrap_err(),
            &["cannot use the store", "directory exists"],
        );
        let dir = place.file().parent().unwrap().to_path_buf();
        let refused = Store::open(dir, StoreConfig::default()).await;
        says(&refused.unwrap_err(), &["cannot use the store"]);
    });
}

#[test]
fn a_damaged_store_is_told_as_such_and_nothing_hangs() {
    let place = Place::new();
    run(1, |_| async move {
        {
            let store = place.store().await;
            store.create_bucket("b").await.unwrap();
            for n in 0..500_u32 {
                store
                    .bucket("b")
                    .set(n.to_be_bytes(), [7; 100])
                    .await
                    .unwrap();
            }
            store.close().await.unwrap();
        }
        let sound = std::fs::read(place.file()).unwrap();
        let mut noticed = 0;
        for at in (0..sound.len()).step_by(4096 * 3) {
            let mut damaged = sound.clone();
            for byte in &mut damaged[at..(at + 4096).min(sound.len())] {
                *byte = byte.wrapping_mul(31).wrapping_add(17);
            }
            std::fs::write(place.file(), &damaged).unwrap();
            // Not each byte of a file is in use: it may be opened, and then it answers.
            match Store::open(place.file(), StoreConfig::default()).await {
                Err(error) => {
                    says(&error, &["damaged"]);
                    noticed += 1;
                }
                Ok(store) => {
                    let listed = store.bucket("b").list(Scan::all()).await;
                    let written = store.bucket("b").set("k", "v").await;
                    noticed += usize::from(listed.is_err() || written.is_err());
                }
            }
        }
        assert!(noticed > 0);
    });
}

#[test]
fn a_store_is_opened_once_and_can_be_opened_again_after_it_was_closed() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let second = Store::open(place.file(), StoreConfig::default()).await;
        says(
            &second.unwrap_err(),
            &["somebody else has it open", "Stop the other"],
        );
        store.close().await.unwrap();
        store.close().await.unwrap();
        assert_eq!(store.bucket("b").get(b"k").await, Err(KvError::Closed));
        assert_eq!(store.bucket("b").set("k", "v").await, Err(KvError::Closed));
        let again = place.store().await;
        assert!(!again.create_bucket("b").await.unwrap());
    });
}
