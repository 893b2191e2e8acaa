//! Ranges, prefixes, directions and pages.

use std::ops::Bound;
use std::sync::Arc;

use rusm_io::kv::{Bucket, Scan};

use crate::place::Place;
use crate::support::run;

const KEYS: [&[u8]; 8] = [
    b"",
    b"a",
    b"a/1",
    b"a/2",
    b"b",
    b"\xff",
    b"\xff\x01",
    b"\xff\xff",
];

async fn filled(place: &Place) -> Bucket {
    let store = place.store().await;
    store.create_bucket("b").await.unwrap();
    let bucket = store.bucket("b");
    for key in KEYS {
        bucket.set(key, [b"of ", key].concat()).await.unwrap();
    }
    bucket
}

async fn check(bucket: &Bucket, scan: Scan, expected: &[&[u8]]) {
    let page = bucket.keys(scan.clone()).await.unwrap();
    assert_eq!(page.next, None);
    let keys: Vec<&[u8]> = page.entries.iter().map(|key| &**key).collect();
    assert_eq!(keys, expected, "{scan:?}");
    let entries = bucket.list(scan.clone()).await.unwrap().entries;
    for ((key, value), expected) in entries.iter().zip(expected) {
        assert_eq!(
            (&**key, &**value),
            (*expected, &*[b"of ", *expected].concat())
        );
    }
    let mut reversed: Vec<&[u8]> = expected.to_vec();
    reversed.reverse();
    let page = bucket.keys(scan.clone().descending()).await.unwrap();
    let keys: Vec<&[u8]> = page.entries.iter().map(|key| &**key).collect();
    assert_eq!(keys, reversed, "{scan:?} descending");
}

#[test]
fn ranges_and_prefixes_list_what_lies_in_them_in_either_direction() {
    let place = Place::new();
    run(1, |_| async move {
        let bucket = filled(&place).await;
        check(&bucket, Scan::all(), &KEYS).await;
        check(&bucket, Scan::range("a".."b"), &KEYS[1..4]).await;
        check(&bucket, Scan::range("a"..="b"), &KEYS[1..5]).await;
        check(&bucket, Scan::range("a/2"..), &KEYS[3..]).await;
        check(&bucket, Scan::range(.."a"), &KEYS[..1]).await;
        let between = (Bound::Excluded("a"), Bound::Excluded("b"));
        check(&bucket, Scan::range::<&str>(between), &KEYS[2..4]).await;
        let nothing = [
            (Bound::Included("b"), Bound::Included("a")),
            (Bound::Included("b"), Bound::Excluded("b")),
            (Bound::Excluded("b"), Bound::Excluded("b")),
            (Bound::Excluded("b"), Bound::Included("b")),
        ];
        for range in nothing {
            check(&bucket, Scan::range::<&str>(range), &[]).await;
        }
        check(&bucket, Scan::prefix("a"), &KEYS[1..4]).await;
        check(&bucket, Scan::prefix("a/"), &KEYS[2..4]).await;
        check(&bucket, Scan::prefix("c"), &[]).await;
        check(&bucket, Scan::prefix(""), &KEYS).await;
        check(&bucket, Scan::prefix(b"\xff"), &KEYS[5..]).await;
        check(&bucket, Scan::prefix(b"\xff\xff"), &KEYS[7..]).await;
    });
}

async fn pages(bucket: &Bucket, scan: Scan) -> Vec<Vec<Arc<[u8]>>> {
    let mut pages = Vec::new();
    let mut next = Some(scan.clone());
    while let Some(scan_of_page) = next {
        let page = bucket.keys(scan_of_page).await.unwrap();
        next = page.next.map(|cursor| scan.clone().after(cursor));
        pages.push(page.entries);
    }
    pages
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap_and_end() {
    let place = Place::new();
    run(1, |_| async move {
        let bucket = filled(&place).await;
        for entries_max in 1..=KEYS.len() + 1 {
            for descending in [false, true] {
                let mut scan = Scan::all().entries_max(entries_max);
                let mut expected = KEYS.to_vec();
                if descending {
                    scan = scan.descending();
                    expected.reverse();
                }
                let pages = pages(&bucket, scan).await;
                assert_eq!(pages.len(), KEYS.len().div_ceil(entries_max));
                assert_eq!(
                    pages.concat().iter().map(|key| &**key).collect::<Vec<_>>(),
                    expected
                );
            }
        }
    });
}

#[test]
fn a_cursor_stays_good_when_its_key_is_deleted_and_outside_of_the_range() {
    let place = Place::new();
    run(1, |_| async move {
        let bucket = filled(&place).await;
        let page = bucket.keys(Scan::all().entries_max(3)).await.unwrap();
        let cursor = page.next.unwrap();
        assert_eq!(cursor, b"a/1");
        bucket.delete(b"a/1").await.unwrap();
        let rest = bucket.keys(Scan::all().after(cursor)).await.unwrap();
        assert_eq!(&*rest.entries[0], b"a/2");
        // Before the range it changes nothing, behind it nothing is left.
        let range = || Scan::range("a".."b");
        let count = async |scan| bucket.keys(scan).await.unwrap().entries.len();
        assert_eq!(count(range().after("")).await, 2);
        assert_eq!(count(range().after("z")).await, 0);
        assert_eq!(count(range().descending().after("z")).await, 2);
        assert_eq!(count(range().descending().after("")).await, 0);
    });
}

#[test]
fn a_page_ends_when_it_has_become_large() {
    let place = Place::new();
    run(1, |_| async move {
        let bucket = filled(&place).await;
        for key in ["x1", "x2", "x3", "x4"] {
            bucket.set(key, vec![7; 3 << 20]).await.unwrap();
        }
        let page = bucket.list(Scan::prefix("x")).await.unwrap();
        assert_eq!(page.entries.len(), 2);
        assert_eq!(page.next.as_deref(), Some(&b"x2"[..]));
    });
}
