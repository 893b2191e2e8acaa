//! The store of keys and values in the hands of core modules, through the flat functions.

mod support;

use rusm_actor::{Context, Message, Pid};
use rusm_wasm::grant::{Access, BucketGrant, Pattern, Profile};
use support::actor::{beside, beside_granted, ended, start, told};
use support::kv::{BUCKET, DATA, KEY, Place, V2, VALUE, results, scan, steps, telling};
use support::services::{data, guest, told_bytes, words};

#[test]
fn a_guest_makes_a_bucket_and_keeps_values_in_it() {
    let calls = [
        format!("kv_get {KEY} (i32.const 2000) (i32.const 9)"),
        format!("kv_create {BUCKET}"),
        format!("kv_create {BUCKET}"),
        format!("kv_get {KEY} (i32.const 2000) (i32.const 9)"),
        format!("kv_exists {KEY}"),
        format!("kv_set {KEY} {VALUE}"),
        format!("kv_get {KEY} (i32.const 2000) (i32.const 2)"),
        format!("kv_exists {KEY}"),
        format!("kv_compare_and_set {KEY} {VALUE} {V2} (i32.const 0)"),
        format!("kv_compare_and_set {KEY} {VALUE} {V2} (i32.const 0)"),
        format!("kv_compare_and_set {KEY} {VALUE} {V2} (i32.const 1)"),
        format!("kv_get {KEY} (i32.const 2100) (i32.const 100)"),
        format!("kv_compare_and_set {KEY} {V2} {VALUE} (i32.const 2)"),
        format!("kv_delete {KEY}"),
        format!("kv_compare_and_set {KEY} {VALUE} {V2} (i32.const 1)"),
        format!("kv_delete {KEY}"),
        format!("kv_drop {BUCKET}"),
        format!("kv_drop {BUCKET}"),
    ];
    let place = Place::new("values");
    let quiet = telling("", &calls);
    let end = quiet.rfind("))").unwrap();
    let gives =
        "(call $give (i32.const 2000) (i32.const 4)) (call $give (i32.const 2100) (i32.const 3))";
    let code = format!("{}{gives}{}", &quiet[..end], &quiet[end..]);
    beside(&[code], |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        let (pid, _) = start(&mut ctx, &guests[0]);
        results(
            &mut ctx,
            &[-24, 1, 0, -23, 0, 0, 5, 1, 1, 0, 0, 2, 1, 0, 1, 1, 1, 0],
        )
        .await;
        assert_eq!(told_bytes(&mut ctx, pid).await.bytes(), b"va\0\0");
        assert_eq!(told_bytes(&mut ctx, pid).await.bytes(), b"v2\0");
        assert!(store.buckets().is_empty());
    });
}

/// Each function, and whether it needs to write.
fn each() -> Vec<(String, bool)> {
    let record = "(i32.const 3000)";
    vec![
        (
            format!("kv_get {KEY} (i32.const 2000) (i32.const 9)"),
            false,
        ),
        (format!("kv_exists {KEY}"), false),
        (
            format!("kv_list {BUCKET} {record} (i32.const 8192) (i32.const 500)"),
            false,
        ),
        (format!("kv_create {BUCKET}"), true),
        (format!("kv_set {KEY} {VALUE}"), true),
        (format!("kv_delete {KEY}"), true),
        (
            format!("kv_compare_and_set {KEY} {VALUE} {V2} (i32.const 0)"),
            true,
        ),
        (
            "kv_batch (i32.const 3100) (i32.const 22) (i32.const 2000)".into(),
            true,
        ),
        (format!("kv_drop {BUCKET}"), true),
    ]
}

fn asking() -> String {
    let record = data(3000, &scan(0, 0, (0, 0), (0, 0), (0, 0)));
    let batch = data(3100, &steps(&[(0, "carts", "k", "")]));
    let calls: Vec<_> = each()
        .iter()
        .map(|(call, _)| format!("(call $tell (call ${call})) (call $why)"))
        .collect();
    guest(&format!("{DATA} {record} {batch}"), &calls.join("\n"))
}

#[test]
fn a_bucket_is_read_and_written_by_those_who_were_granted_that_and_by_nobody_else() {
    let granted = |bucket: &str, access| Profile {
        kv: vec![BucketGrant {
            bucket: Pattern::new(bucket).unwrap(),
            access,
        }],
        ..Profile::sandboxed()
    };
    let profiles = [
        (granted("carts", Access::ReadWrite), true, true),
        (granted("c*", Access::Read), true, false),
        (granted("prices", Access::ReadWrite), false, false),
        (Profile::sandboxed(), false, false),
        (Profile::trusted(), true, true),
    ];
    for (index, (profile, reads, writes)) in profiles.into_iter().enumerate() {
        let place = Place::new(&format!("grants-{index}"));
        let code = asking();
        beside_granted(&[(&code, profile)], move |mut ctx, guests| async move {
            let store = place.store(&guests[0].catalog).await;
            store.create_bucket("carts").await.unwrap();
            store.bucket("carts").set("k", "value").await.unwrap();
            let (pid, _) = start(&mut ctx, &guests[0]);
            for (call, write) in each() {
                let may = if write { writes } else { reads };
                let result = told(&mut ctx).await;
                assert_eq!(result >= 0, may, "{index} {call}: {result}");
                let why = told_text(&mut ctx, pid).await;
                if !may {
                    assert_eq!(result, -12, "{call}");
                    assert!(why.contains("kv = ["), "{why}");
                }
            }
            let left = store.bucket("carts").get(b"k").await;
            assert_eq!(left.is_err(), writes, "it was dropped");
        });
    }
}

async fn told_text(ctx: &mut Context, pid: Pid) -> String {
    let from = |m: &Message| m.envelope().is_some_and(|e| e.from == pid);
    let text = ctx.receive_match_within(support::PATIENCE, from).await;
    words(&text.unwrap()).to_string()
}

#[test]
fn a_node_without_a_store_says_so() {
    beside(&[asking()], |mut ctx, guests| async move {
        let (pid, _) = start(&mut ctx, &guests[0]);
        for (call, _) in each() {
            assert_eq!(told(&mut ctx).await, -13, "{call}");
            assert!(told_text(&mut ctx, pid).await.contains("keeps no store"));
        }
    });
}

#[test]
fn what_is_too_long_or_no_text_is_refused_and_a_range_outside_of_the_memory_ends_the_guest() {
    let long = "(i32.const 1000) (i32.const 5) (i32.const 0) (i32.const 4097)";
    let calls = [
        format!("kv_get {long} (i32.const 0) (i32.const 0)"),
        format!("kv_set {long} {VALUE}"),
        "kv_create (i32.const 0) (i32.const 129)".into(),
        "kv_create (i32.const 0) (i32.const 0)".into(),
        "kv_create (i32.const 1040) (i32.const 1)".into(),
    ];
    let out = "(i32.const 4194300) (i32.const 5)";
    let mut guests = vec![telling("", &calls)];
    let traps = [
        format!("kv_create {out}"),
        format!("kv_drop {out}"),
        format!("kv_get {out} {out} (i32.const 0) (i32.const 0)"),
        format!("kv_get {BUCKET} {out} (i32.const 0) (i32.const 0)"),
        format!("kv_get {KEY} {out}"),
        format!("kv_exists {BUCKET} {out}"),
        format!("kv_set {KEY} {out}"),
        format!("kv_delete {out} (i32.const 0) (i32.const 0)"),
        format!("kv_compare_and_set {KEY} {out} {V2} (i32.const 0)"),
        format!("kv_compare_and_set {KEY} {V2} {out} (i32.const 0)"),
        format!("kv_list {BUCKET} (i32.const 4194300) (i32.const 0) (i32.const 0)"),
        format!("kv_list {BUCKET} (i32.const 2000) {out}"),
        format!("kv_list {BUCKET} (i32.const 3000) (i32.const 0) (i32.const 99)"),
        format!("kv_batch {out} (i32.const 0)"),
        "kv_batch (i32.const 0) (i32.const 0) (i32.const 4194302)".into(),
    ];
    let record = data(3000, &scan(0, 0, (u32::MAX, 2), (0, 0), (0, 0)));
    guests.extend(
        traps
            .iter()
            .map(|trap| telling(&record, std::slice::from_ref(trap))),
    );
    let place = Place::new("pointers");
    beside(&guests, |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        store.create_bucket("carts").await.unwrap();
        start(&mut ctx, &guests[0]);
        results(&mut ctx, &[-4, -4, -4, -4, -6]).await;
        for (guest, trap) in guests[1..].iter().zip(traps) {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await.to_string();
            assert!(
                reason.contains("not within the guest's memory"),
                "{trap}: {reason}"
            );
        }
    });
}
