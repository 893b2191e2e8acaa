//! Many processes at once: shared transactions, and reads that never go back in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusm_io::kv::{Batch, Committed, KvError, Scan, Store, StoreConfig};
use rusm_sched::handle;

use crate::place::Place;
use crate::support::{join, run, wait};

fn number(value: Option<&[u8]>) -> u64 {
    value.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
}

#[test]
fn writers_that_wait_together_share_a_transaction_and_none_is_lost() {
    let place = Place::new();
    run(2, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let bucket = store.bucket("b");
                join(&handle(), async move {
                    for _ in 0..20 {
                        let one_more =
                            |old: Option<&[u8]>| Some((number(old) + 1).to_le_bytes().to_vec());
                        bucket.modify("n", one_more).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            wait(task).await;
        }
        let total = store.bucket("b").get(b"n").await.unwrap();
        assert_eq!(number(total.as_deref()), 64 * 20);
        let stats = store.stats();
        assert_eq!(stats.writes, 64 * 20 + 1);
        assert!(stats.commits < stats.writes / 4, "{stats:?}");
    });
}

#[test]
fn compare_and_set_of_many_counts_each_once() {
    let place = Place::new();
    run(2, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let bucket = store.bucket("b");
                join(&handle(), async move {
                    for _ in 0..20 {
                        let mut old = bucket.get(b"n").await.unwrap();
                        loop {
                            let new = (number(old.as_deref()) + 1).to_le_bytes();
                            let done = bucket.compare_and_set("n", old.as_deref(), Some(&new));
                            match done.await.unwrap() {
                                Committed::Yes { .. } => break,
                                Committed::No { found, .. } => old = found,
                            }
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            wait(task).await;
        }
        let total = store.bucket("b").get(b"n").await.unwrap();
        assert_eq!(number(total.as_deref()), 160);
    });
}

/// The writer sets two keys to the same number. A reader that has seen a number, in memory or in
/// the file, must not see a smaller one of either key after it.
#[test]
fn nobody_sees_an_older_state_after_a_newer_one() {
    let place = Place::new();
    run(2, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|n| {
                let (bucket, over) = (store.bucket("b"), over.clone());
                join(&handle(), async move {
                    let (mut seen, mut rounds) = (0, 0);
                    while !over.load(Ordering::Relaxed) || rounds < 10 {
                        let now = match (rounds + n) % 3 {
                            0 => number(bucket.get(b"x").await.unwrap().as_deref()),
                            1 => number(bucket.get(b"y").await.unwrap().as_deref()),
                            _ => {
                                let page = bucket.list(Scan::all()).await.unwrap().entries;
                                let both: Vec<_> =
                                    page.iter().map(|(_, v)| number(Some(v))).collect();
                                assert!(both.windows(2).all(|pair| pair[0] == pair[1]), "{both:?}");
                                both.first().copied().unwrap_or(0)
                            }
                        };
                        assert!(now >= seen, "{now} after {seen}");
                        (seen, rounds) = (now, rounds + 1);
                        rusm_sched::yield_now().await;
                    }
                    seen
                })
            })
            .collect();
        for n in 1..=300_u64 {
            let value = n.to_le_bytes();
            let batch = Batch::new().set("b", *b"x", value).set("b", *b"y", value);
            store.commit(batch).await.unwrap();
            assert_eq!(
                number(store.bucket("b").get(b"y").await.unwrap().as_deref()),
                n
            );
        }
        over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(wait(reader).await > 0);
        }
    });
}

#[test]
fn more_waiting_writes_than_there_is_room_for_are_refused_at_once() {
    let place = Place::new();
    run(1, |_| async move {
        let config = StoreConfig {
            waiting_bytes_max: 100_000,
            ..StoreConfig::default()
        };
        let store = Store::open(place.file(), config).await.unwrap();
        store.create_bucket("b").await.unwrap();
        // The pool is slower than this one worker's tasks, which all queue in their first turn.
        let tasks: Vec<_> = (0..64_u8)
            .map(|n| {
                let bucket = store.bucket("b");
                join(
                    &handle(),
                    async move { bucket.set([n], vec![n; 30_000]).await },
                )
            })
            .collect();
        let (mut done, mut refused) = (0, 0);
        for task in tasks {
            match wait(task).await {
                Ok(()) => done += 1,
                Err(KvError::Busy { waiting_bytes }) => {
                    assert!(waiting_bytes <= 100_000);
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(store.bucket("b").count().await.unwrap(), done);
        assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
    });
}

#[test]
fn a_write_is_done_even_if_its_process_goes_away() {
    let place = Place::new();
    run(1, |_| async move {
        let store = place.store().await;
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        let mut write = Box::pin(bucket.set("k", "v"));
        // One poll queues it.
        std::future::poll_fn(|cx| {
            let _ = write.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
        drop(write);
        bucket.set("other", "v").await.unwrap();
        assert!(bucket.exists(b"k").await.unwrap());
    });
}
