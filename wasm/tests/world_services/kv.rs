//! The interface `kv`: values, batches, and who may do what.

use rusm_actor::ExitReason;
use rusm_wasm::grant::{Access, BucketGrant, Pattern, Profile};

use crate::Said::{Gave, Told};
use crate::kv_lists::listing;
use crate::says;
use crate::support::actor::{beside_components, ended, said, start, told};
use crate::support::kv::Place;
use crate::support::runtime::actor;
use crate::support::services::words;

/// `carts` at 3000, `k` at 3008, `value` at 3016, `v2` at 3024, `other` at 3032; the results of calls
/// are at 512.
pub(crate) const DATA: &str = r#"
  (data (i32.const 3000) "carts") (data (i32.const 3008) "k") (data (i32.const 3016) "value")
  (data (i32.const 3024) "v2") (data (i32.const 3032) "other")
  ;; Tells whether it was done; gives why not, if the error has words.
  (func $kv:done (call $tell_result (i32.const 512)))
  (func $kv:done_or_why (call $kv:done) (if (i32.load8_u (i32.const 512)) (then (call $give (i32.load (i32.const 528)) (i32.load (i32.const 532))))))
  ;; Tells whether it was done, and the first byte of what came of it: a bool, or whether it is some.
  (func $kv:outcome (call $kv:done) (call $tell32 (i32.load8_u (i32.const 520))))
  (func $kv:value (call $kv:outcome) (call $give (i32.load (i32.const 524)) (i32.load (i32.const 528))))
  ;; Gives the parts of a list of pairs, or of single ones, as one message each, and whether there is more.
  (func $kv:give_list (param $words i32) (local $at i32) (local $end i32)
    (call $kv:done)
    (local.set $at (i32.load (i32.const 520)))
    (local.set $end (i32.add (local.get $at) (i32.mul (i32.load (i32.const 524)) (i32.mul (local.get $words) (i32.const 8)))))
    (call $tell32 (i32.load (i32.const 524)))
    (block $over (loop $more
      (br_if $over (i32.eq (local.get $at) (local.get $end)))
      (call $give (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $more)))
    (call $tell32 (i32.load8_u (i32.const 528)))
    (if (i32.load8_u (i32.const 528)) (then (call $give (i32.load (i32.const 532)) (i32.load (i32.const 536))))))
  ;; Writes a step: where, what, where the value is and how long; of the key `k` in `carts`.
  (func $kv:step (param i32 i32 i32 i32)
    (i32.store8 (local.get 0) (local.get 1))
    (i32.store offset=4 (local.get 0) (i32.const 3000)) (i32.store offset=8 (local.get 0) (i32.const 5))
    (i32.store offset=12 (local.get 0) (i32.const 3008)) (i32.store offset=16 (local.get 0) (i32.const 1))
    (i32.store offset=20 (local.get 0) (local.get 2)) (i32.store offset=24 (local.get 0) (local.get 3)))"#;
pub(crate) const BUCKET: &str = "(i32.const 3000) (i32.const 5)";
pub(crate) const KEY: &str = "(i32.const 3000) (i32.const 5) (i32.const 3008) (i32.const 1)";
pub(crate) const VALUE: &str = "(i32.const 3016) (i32.const 5)";
pub(crate) const V2: &str = "(i32.const 3024) (i32.const 2)";
/// An option with nothing in it; one with what follows.
pub(crate) const NONE: &str = "(i32.const 0) (i32.const 0) (i32.const 0)";
pub(crate) const SOME: &str = "(i32.const 1)";
pub(crate) const TO: &str = "(i32.const 512)";

#[test]
fn a_component_makes_a_bucket_and_keeps_values_in_it() {
    let swap = |expected: &str, new: &str| {
        format!(r#"(call $"kv#compare-and-set" {KEY} {expected} {new} {TO}) (call $kv:outcome)"#)
    };
    let (value, v2) = (format!("{SOME} {VALUE}"), format!("{SOME} {V2}"));
    let code = [
        format!(r#"(call $"kv#get" {KEY} {TO}) (call $kv:done_or_why)"#),
        format!(r#"(call $"kv#create" {BUCKET} {TO}) (call $kv:outcome)"#),
        format!(r#"(call $"kv#create" {BUCKET} {TO}) (call $kv:outcome)"#),
        format!(r#"(call $"kv#get" {KEY} {TO}) (call $kv:outcome)"#),
        format!(r#"(call $"kv#exists" {KEY} {TO}) (call $kv:outcome)"#),
        format!(r#"(call $"kv#set" {KEY} {VALUE} {TO}) (call $kv:done)"#),
        format!(r#"(call $"kv#get" {KEY} {TO}) (call $kv:value)"#),
        format!(r#"(call $"kv#exists" {KEY} {TO}) (call $kv:outcome)"#),
        swap(&value, &v2),
        swap(&value, &v2),
        swap(NONE, &v2),
        format!(r#"(call $"kv#get" {KEY} {TO}) (call $kv:value)"#),
        swap(&v2, NONE),
        format!(r#"(call $"kv#delete" {KEY} {TO}) (call $kv:outcome)"#),
        swap(NONE, &v2),
        format!(r#"(call $"kv#delete" {KEY} {TO}) (call $kv:outcome)"#),
        format!(r#"(call $"kv#drop" {BUCKET} {TO}) (call $kv:outcome)"#),
        format!(r#"(call $"kv#drop" {BUCKET} {TO}) (call $kv:outcome)"#),
    ];
    let keeps = actor(DATA, &code.join("\n"));
    let place = Place::new("world-values");
    beside_components(
        &[(keeps, Profile::trusted())],
        |mut ctx, guests| async move {
            let store = place.store(&guests[0].catalog).await;
            let (_, monitor) = start(&mut ctx, &guests[0]);
            // There is no such bucket: which.
            says(&mut ctx, &[Told(-13), Gave("carts")]).await;
            for outcome in [1, 0, 0, 0] {
                says(&mut ctx, &[Told(0), Told(outcome)]).await;
            }
            says(&mut ctx, &[Told(0), Told(0), Told(1), Gave("value")]).await;
            for outcome in [1, 1, 0, 0] {
                says(&mut ctx, &[Told(0), Told(outcome)]).await;
            }
            says(&mut ctx, &[Told(0), Told(1), Gave("v2")]).await;
            for outcome in [1, 0, 1, 1, 1, 0] {
                says(&mut ctx, &[Told(0), Told(outcome)]).await;
            }
            assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
            assert!(store.buckets().is_empty());
        },
    );
}

#[test]
fn a_batch_is_done_as_a_whole_or_not_at_all() {
    let step = |at: u32, what: u32, value: &str| {
        format!("(call $kv:step (i32.const {at}) (i32.const {what}) {value})")
    };
    let batch = |steps: u32| {
        format!(
            r#"(call $"kv#batch" (i32.const 8000) (i32.const {steps}) {TO}) (call $kv:outcome)"#
        )
    };
    let condition = "(call $tell32 (i32.load (i32.const 524)))";
    let code = [
        batch(0),
        // Expect absent, set; then the first one does not hold.
        step(8000, 3, V2) + &step(8028, 0, VALUE) + &batch(2),
        batch(2) + condition,
        // Set, expect: what was there before counts; then delete.
        step(8000, 0, V2) + &step(8028, 2, V2) + &batch(2) + condition,
        step(8028, 2, VALUE) + &batch(2),
        step(8000, 1, V2) + &batch(1),
    ];
    let writes = actor(DATA, &code.join("\n"));
    let place = Place::new("world-batches");
    let guests = [(writes, Profile::trusted())];
    beside_components(&guests, |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        store.create_bucket("carts").await.unwrap();
        let (_, monitor) = start(&mut ctx, &guests[0]);
        for said in [
            &[0, 0][..],
            &[0, 0],
            &[0, 1, 0],
            &[0, 1, 1],
            &[0, 0],
            &[0, 0],
        ] {
            for number in said {
                assert_eq!(told(&mut ctx).await, *number, "{said:?}");
            }
        }
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
        assert!(!store.bucket("carts").exists(b"k").await.unwrap());
    });
}

/// Each function, and whether it needs to write.
fn each() -> Vec<(String, bool)> {
    let all = "(i32.const 0) ".repeat(7);
    vec![
        (format!(r#"(call $"kv#get" {KEY} {TO})"#), false),
        (format!(r#"(call $"kv#exists" {KEY} {TO})"#), false),
        (listing("list", &all, 0, NONE, None), false),
        (listing("keys", &all, 0, NONE, None), false),
        (format!(r#"(call $"kv#create" {BUCKET} {TO})"#), true),
        (format!(r#"(call $"kv#set" {KEY} {VALUE} {TO})"#), true),
        (format!(r#"(call $"kv#delete" {KEY} {TO})"#), true),
        (
            format!(r#"(call $"kv#compare-and-set" {KEY} {NONE} {NONE} {TO})"#),
            true,
        ),
        (
            format!(
                r#"(call $kv:step (i32.const 8000) (i32.const 1) {V2})
                   (call $"kv#batch" (i32.const 8000) (i32.const 1) {TO})"#
            ),
            true,
        ),
        (format!(r#"(call $"kv#drop" {BUCKET} {TO})"#), true),
    ]
}

fn asking() -> Vec<u8> {
    let ask = |(call, _): (String, bool)| call + "(call $kv:done_or_why)\n";
    let code: String = each().into_iter().map(ask).collect();
    actor(DATA, &code)
}

#[test]
fn a_bucket_is_read_and_written_by_components_that_were_granted_that_and_by_no_other() {
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
    ];
    for (index, (profile, reads, writes)) in profiles.into_iter().enumerate() {
        let place = Place::new(&format!("world-grants-{index}"));
        beside_components(&[(asking(), profile)], |mut ctx, guests| async move {
            let store = place.store(&guests[0].catalog).await;
            store.create_bucket("carts").await.unwrap();
            store.bucket("carts").set("k", "value").await.unwrap();
            start(&mut ctx, &guests[0]);
            for (call, write) in each() {
                let may = if write { writes } else { reads };
                let expected = if may { 0 } else { -11 };
                assert_eq!(told(&mut ctx).await, expected, "{index} {call}");
                if !may {
                    let why = said(&mut ctx).await;
                    assert!(words(&why).contains("kv = ["), "{}", words(&why));
                }
            }
            let left = store.bucket("carts").get(b"k").await;
            assert_eq!(left.is_err(), writes, "it was dropped");
        });
    }
}

#[test]
fn a_node_without_a_store_tells_components_so() {
    let guests = [(asking(), Profile::trusted())];
    beside_components(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        for (call, _) in each() {
            assert_eq!(told(&mut ctx).await, -12, "{call}");
            assert!(words(&said(&mut ctx).await).contains("keeps no store"));
        }
    });
}
