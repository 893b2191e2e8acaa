//! Listings and batches of the store in the hands of core modules, through the flat functions.

mod support;

use rusm_io::kv::Scan;
use support::actor::{beside, start, told};
use support::kv::{BUCKET, DATA, Place, results, scan, steps, telling};
use support::services::{data, guest, told_bytes, words};

/// What a page says: whether there is more, and its entries.
fn page(bytes: &[u8]) -> (bool, Vec<String>) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut entries) = (8, Vec::new());
    for _ in 0..word(0) {
        let (key, value) = (at + 8, at + 8 + word(at));
        let end = value + word(at + 4);
        let text = |from, to| str::from_utf8(&bytes[from..to]).unwrap();
        entries.push(format!("{}={}", text(key, value), text(value, end)));
        at = end;
    }
    assert_eq!(at, bytes.len());
    (word(4) == 1, entries)
}

type Case = (Vec<u8>, u32, bool, &'static [&'static str]);

/// Records, the room for a page, and what is listed: whether there is more, and the entries.
fn listings() -> Vec<Case> {
    // `a/2` at 1100, `b` at 1110, `a/` at 1120.
    let (a2, b, a, no) = ((1100, 3), (1110, 1), (1120, 2), (0, 0));
    let all: &[&str] = &["a/1=1", "a/2=2", "a/3=3", "b=4"];
    vec![
        (scan(0, 0, no, no, no), 500, false, all),
        (scan(4, 0, a, no, no), 500, false, &all[..3]),
        (scan(4, 2, a, no, no), 500, true, &all[..2]),
        (scan(4, 2, a, no, a2), 500, false, &all[2..3]),
        (
            scan(1 | 2, 0, no, no, no),
            500,
            false,
            &["b=", "a/3=", "a/2=", "a/1="],
        ),
        (scan(32, 0, a2, b, no), 500, false, &all[1..3]),
        (scan(32 | 8 | 16, 0, a2, b, no), 500, false, &all[2..]),
        // Room for one entry of twelve bytes and a bit.
        (scan(0, 0, no, no, no), 8 + 12 + 11, true, &all[..1]),
        (scan(4, 0, b, no, no), 8 + 10, false, &all[3..]),
    ]
}

const KEYS: &str =
    r#"(data (i32.const 1100) "a/2") (data (i32.const 1110) "b") (data (i32.const 1120) "a/")"#;

#[test]
fn a_guest_lists_ranges_and_prefixes_page_by_page() {
    let (mut more, mut code) = (String::from(KEYS), String::new());
    let list = |at: usize, max: u32| {
        format!("(call $kv_list {BUCKET} (i32.const {at}) (i32.const 8192) (i32.const {max}))")
    };
    for (index, (record, max, ..)) in listings().iter().enumerate() {
        let at = 3000 + 40 * index;
        more += &data(at, record);
        code += &format!("(call $give (i32.const 8192) {})\n", list(at, *max));
    }
    for (entries, max) in [(0, 7), (0, 8 + 11), (20_000, 500)] {
        let at = 4000 + entries as usize;
        more += &data(at, &scan(0, entries, (0, 0), (0, 0), (0, 0)));
        code += &format!("(call $tell {}) (call $why)\n", list(at, max));
    }
    let place = Place::new("lists");
    let lists = guest(&format!("{DATA} {more}"), &code);
    beside(&[lists], |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        store.create_bucket("carts").await.unwrap();
        for (key, value) in [("a/1", "1"), ("a/2", "2"), ("a/3", "3"), ("b", "4")] {
            store.bucket("carts").set(key, value).await.unwrap();
        }
        let (pid, _) = start(&mut ctx, &guests[0]);
        for (_, _, more, entries) in listings() {
            let found = told_bytes(&mut ctx, pid).await;
            let entries = entries.iter().map(ToString::to_string).collect();
            assert_eq!(page(found.bytes()), (more, entries));
        }
        for expected in ["20 bytes of room", "20 bytes of room", "not 20000"] {
            assert_eq!(told(&mut ctx).await, -7);
            let why = told_bytes(&mut ctx, pid).await;
            assert!(words(&why).contains(expected), "{}", words(&why));
        }
    });
}

/// Batches, and what comes of each.
fn batches() -> Vec<(Vec<u8>, i64)> {
    let c = "carts";
    vec![
        (
            steps(&[(3, c, "k", ""), (0, c, "k", "1"), (0, c, "l", "2")]),
            1,
        ),
        (
            steps(&[(2, c, "k", "1"), (0, c, "k", "9"), (2, c, "l", "1")]),
            0,
        ),
        (
            steps(&[(2, c, "k", "1"), (1, c, "k", ""), (0, c, "l", "3")]),
            1,
        ),
        (steps(&[(0, c, "l", "9"), (0, "other", "k", "9")]), -24),
        (steps(&[(4, c, "k", "")]), -7),
        (steps(&[(0, c, "k", "cut")])[..20].to_vec(), -7),
        (vec![0; 15], -7),
        (Vec::new(), 1),
        (steps(&[(0, "", "k", "")]), -4),
    ]
}

#[test]
fn a_guest_writes_a_batch_as_a_whole_or_not_at_all() {
    let (mut more, mut calls) = (String::new(), Vec::new());
    for (index, (batch, _)) in batches().iter().enumerate() {
        let (at, len) = (3000 + 200 * index, batch.len());
        more += &data(at, batch);
        calls.push(format!(
            "kv_batch (i32.const {at}) (i32.const {len}) (i32.const 2000)"
        ));
    }
    let place = Place::new("batches");
    let code = telling(&more, &calls);
    let (code, end) = code.split_at(code.rfind("))").unwrap());
    let code = format!("{code}(call $give (i32.const 2000) (i32.const 4)){end}");
    beside(&[code], |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        store.create_bucket("carts").await.unwrap();
        let (pid, _) = start(&mut ctx, &guests[0]);
        let expected: Vec<_> = batches().iter().map(|(_, result)| *result).collect();
        results(&mut ctx, &expected).await;
        let step = told_bytes(&mut ctx, pid).await;
        assert_eq!(
            step.bytes(),
            [2, 0, 0, 0],
            "the condition that did not hold"
        );
        let all = store.bucket("carts").list(Scan::all()).await.unwrap();
        let all: Vec<_> = all.entries.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(all, [(&b"l"[..], &b"3"[..])]);
    });
}
