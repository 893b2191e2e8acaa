//! Random programs against a map in memory, with the store closed and opened again in between.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use rusm_io::kv::{Batch, Bucket, Committed, Scan, Store};

use crate::place::Place;
use crate::support::run;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Set(u8, Vec<u8>),
    Delete(u8),
    Get(u8),
    CompareAndSet(u8, Option<Vec<u8>>, Option<Vec<u8>>),
    Append(u8),
    Batch(Vec<(u8, Option<Vec<u8>>)>, Option<(u8, Option<Vec<u8>>)>),
    List(Bound<u8>, Bound<u8>, bool, usize),
    Reopen,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..4), vec(0..2u8, 20_000..20_001)]
}

fn bound() -> impl Strategy<Value = Bound<u8>> {
    prop_oneof![
        key().prop_map(Bound::Included),
        key().prop_map(Bound::Excluded),
        Just(Bound::Unbounded)
    ]
}

fn key() -> std::ops::Range<u8> {
    0..12
}

fn step() -> impl Strategy<Value = Step> {
    let maybe = || proptest::option::of(value());
    prop_oneof![
        4 => (key(), value()).prop_map(|(k, v)| Step::Set(k, v)),
        2 => key().prop_map(Step::Delete),
        4 => key().prop_map(Step::Get),
        2 => (key(), maybe(), maybe()).prop_map(|(k, e, n)| Step::CompareAndSet(k, e, n)),
        2 => key().prop_map(Step::Append),
        2 => (vec((key(), maybe()), 0..6), proptest::option::of((key(), maybe())))
            .prop_map(|(writes, expect)| Step::Batch(writes, expect)),
        3 => (bound(), bound(), any::<bool>(), 1..5usize)
            .prop_map(|(from, to, down, max)| Step::List(from, to, down, max)),
        1 => Just(Step::Reopen),
    ]
}

fn bytes(key: u8) -> Vec<u8> {
    // Keys of several lengths, one of them empty.
    vec![b'k'; usize::from(key)]
}

fn put(model: &mut Model, key: Vec<u8>, value: Option<Vec<u8>>) {
    match value {
        Some(value) => model.insert(key, value),
        None => model.remove(&key),
    };
}

async fn batch(
    store: &Store,
    model: &mut Model,
    writes: Vec<(u8, Option<Vec<u8>>)>,
    expect: Option<(u8, Option<Vec<u8>>)>,
) {
    let mut batch = Batch::new();
    let mut after = model.clone();
    for (k, value) in writes {
        batch = match &value {
            Some(value) => batch.set("b", bytes(k), value.as_slice()),
            None => batch.delete("b", bytes(k)),
        };
        put(&mut after, bytes(k), value);
    }
    let mut holds = true;
    if let Some((k, value)) = expect {
        holds = model.get(&bytes(k)) == value.as_ref();
        batch = match value {
            Some(value) => batch.expect("b", bytes(k), value),
            None => batch.expect_absent("b", bytes(k)),
        };
    }
    let committed = store.commit(batch).await.unwrap();
    assert_eq!(matches!(committed, Committed::Yes { .. }), holds);
    if holds {
        *model = after;
    }
}

async fn list(
    bucket: &Bucket,
    model: &Model,
    bounds: (Bound<u8>, Bound<u8>),
    down: bool,
    max: usize,
) {
    let range = (bounds.0.map(bytes), bounds.1.map(bytes));
    let mut scan = Scan::range(range.clone()).entries_max(max);
    if down {
        scan = scan.descending();
    }
    let (mut entries, mut next) = (Vec::new(), Some(scan.clone()));
    while let Some(scan_of_page) = next {
        let page = bucket.list(scan_of_page).await.unwrap();
        next = page.next.map(|cursor| scan.clone().after(cursor));
        entries.extend(page.entries.iter().map(|(k, v)| (k.to_vec(), v.to_vec())));
    }
    let inside = |key: &Vec<u8>| std::ops::RangeBounds::contains(&range, key);
    let mut expected: Vec<_> = model
        .clone()
        .into_iter()
        .filter(|(k, _)| inside(k))
        .collect();
    if down {
        expected.reverse();
    }
    assert_eq!(entries, expected);
}

async fn play(place: Place, steps: Vec<Step>) {
    let mut store = place.store().await;
    store.create_bucket("b").await.unwrap();
    let mut model = Model::new();
    for step in steps {
        let bucket = store.bucket("b");
        match step {
            Step::Set(k, value) => {
                bucket.set(bytes(k), &value).await.unwrap();
                model.insert(bytes(k), value);
            }
            Step::Delete(k) => {
                let there = bucket.delete(bytes(k)).await.unwrap();
                assert_eq!(there, model.remove(&bytes(k)).is_some());
            }
            Step::Get(k) => {
                let found = bucket.get(&bytes(k)).await.unwrap();
                assert_eq!(found.as_deref(), model.get(&bytes(k)).map(Vec::as_slice));
                let there = bucket.exists(&bytes(k)).await.unwrap();
                assert_eq!(there, model.contains_key(&bytes(k)));
            }
            Step::CompareAndSet(k, expected, new) => {
                let done = bucket.compare_and_set(bytes(k), expected.as_deref(), new.as_deref());
                let done = matches!(done.await.unwrap(), Committed::Yes { .. });
                assert_eq!(done, model.get(&bytes(k)) == expected.as_ref());
                if done {
                    put(&mut model, bytes(k), new);
                }
            }
            Step::Append(k) => {
                let append = |old: Option<&[u8]>| Some([old.unwrap_or_default(), b"+"].concat());
                let new = append(model.get(&bytes(k)).map(Vec::as_slice));
                let made = bucket.modify(bytes(k), append).await.unwrap();
                assert_eq!(made.as_deref(), new.as_deref());
                put(&mut model, bytes(k), new);
            }
            Step::Batch(writes, expect) => batch(&store, &mut model, writes, expect).await,
            Step::List(from, to, down, max) => list(&bucket, &model, (from, to), down, max).await,
            Step::Reopen => {
                store.close().await.unwrap();
                store = place.store().await;
            }
        }
        let count = store.bucket("b").count().await.unwrap();
        assert_eq!(count, model.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_program_reads_what_a_map_would_hold(steps in vec(step(), 1..40)) {
        let place = Place::new();
        run(1, |_| play(place, steps));
    }
}
