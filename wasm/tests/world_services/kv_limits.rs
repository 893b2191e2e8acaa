//! The interface `kv`: what is refused as too long, and what ends the component.

use rusm_actor::ExitReason;
use rusm_wasm::grant::Profile;

use crate::kv::{DATA, KEY, TO, VALUE};
use crate::support::actor::{beside_components, ended, said, start, told};
use crate::support::kv::Place;
use crate::support::runtime::actor;
use crate::support::services::words;

const GROWN: &str = "(drop (memory.grow (i32.const 8)))";

/// A batch of so many steps, which all set the same value of so many bytes.
fn many(steps: u32, bytes: u32) -> String {
    let end = 131_072 + steps * 28;
    format!(
        r#"(local.set $i (i32.const 131072))
           (loop $more
             (call $kv:step (local.get $i) (i32.const 0) (i32.const 0) (i32.const {bytes}))
             (local.set $i (i32.add (local.get $i) (i32.const 28)))
             (br_if $more (i32.lt_u (local.get $i) (i32.const {end}))))
           (call $"kv#batch" (i32.const 131072) (i32.const {steps}) {TO})"#
    )
}

#[test]
fn what_is_too_long_is_refused() {
    let key = "(i32.const 3000) (i32.const 5) (i32.const 8192) (i32.const 4097)";
    let name = "(i32.const 8192) (i32.const 129)";
    let refused = [
        format!(r#"(call $"kv#get" {key} {TO})"#),
        format!(r#"(call $"kv#set" {key} {VALUE} {TO})"#),
        format!(r#"(call $"kv#create" {name} {TO})"#),
        format!(r#"(call $"kv#exists" {name} (i32.const 3008) (i32.const 1) {TO})"#),
        many(170, 100_000),
        many(10_001, 0),
    ];
    let ask = |call: &String| format!("{call} (call $kv:done_or_why)\n");
    let asks: String = refused.iter().map(ask).collect();
    let guests = [(actor(DATA, &(GROWN.to_owned() + &asks)), Profile::trusted())];
    let place = Place::new("world-long");
    beside_components(&guests, |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        store.create_bucket("carts").await.unwrap();
        start(&mut ctx, &guests[0]);
        for (code, what) in [
            (-4, "not 4097"),
            (-4, "not 4097"),
            (-4, "not 129"),
            (-4, "not 129"),
            (-4, "not 170 and 17000170"),
            (-3, "10000 steps in a batch"),
        ] {
            assert_eq!(told(&mut ctx).await, code, "{what}");
            let why = said(&mut ctx).await;
            assert!(words(&why).contains(what), "{}", words(&why));
        }
        assert_eq!(store.bucket("carts").count().await.unwrap(), 0);
    });
}

/// Two hundred megabytes of steps are made of a few hundred kilobytes of memory.
#[test]
fn lists_that_would_fill_the_host_or_are_not_there_end_the_component() {
    let out = "(i32.const 65536) (i32.const -1)";
    let traps = [
        (many(2_000, 100_000), "fuel"),
        (format!(r#"(call $"kv#set" {KEY} {out} {TO})"#), "bounds"),
        (format!(r#"(call $"kv#batch" {out} {TO})"#), "bounds"),
        (format!(r#"(call $"kv#create" {out} {TO})"#), "bounds"),
    ];
    let trap = |(code, _): &(String, &str)| actor(DATA, &format!("{GROWN} {code}"));
    let guests = traps
        .each_ref()
        .map(|case| (trap(case), Profile::trusted()));
    let place = Place::new("world-lists-out");
    beside_components(&guests, |mut ctx, guests| async move {
        let store = place.store(&guests[0].catalog).await;
        store.create_bucket("carts").await.unwrap();
        for (guest, (_, why)) in guests.iter().zip(traps) {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await;
            assert!(matches!(reason, ExitReason::Trap(_)), "{reason}");
            assert!(reason.to_string().contains(why), "{why}: {reason}");
        }
        assert_eq!(store.bucket("carts").count().await.unwrap(), 0);
    });
}
