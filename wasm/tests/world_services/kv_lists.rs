//! The interface `kv`: listings.

use rusm_io::kv::Store;
use rusm_wasm::grant::Profile;

use crate::Said::{Gave, Told};
use crate::kv::{BUCKET, DATA, NONE, SOME, TO};
use crate::says;
use crate::support::actor::{beside_components, said, start, told};
use crate::support::kv::Place;
use crate::support::runtime::actor;
use crate::support::services::words;

async fn filled(store: &Store) {
    store.create_bucket("carts").await.unwrap();
    let carts = store.bucket("carts");
    for (key, value) in [("a/1", "1"), ("a/2", "2"), ("a/3", "3"), ("b", "4")] {
        carts.set(key, value).await.unwrap();
    }
}

/// Which keys, whether descending, after which one, how many at most.
pub(crate) fn listing(
    function: &str,
    keys: &str,
    down: u32,
    after: &str,
    max: Option<u32>,
) -> String {
    let max = match max {
        Some(max) => format!("(i32.const 1) (i32.const {max})"),
        None => "(i32.const 0) (i32.const 0)".into(),
    };
    format!(r#"(call $"kv#{function}" {BUCKET} {keys} (i32.const {down}) {after} {max} {TO})"#)
}

/// A component that lists in eight ways.
fn lister() -> Vec<u8> {
    // `a/2` at 4000, `b` at 4008, `a/` at 4016.
    let data = format!(
        r#"{DATA} (data (i32.const 4000) "a/2") (data (i32.const 4008) "b") (data (i32.const 4016) "a/")"#
    );
    let none = "(i32.const 0) ".repeat(4);
    let all = format!("{none} (i32.const 0) (i32.const 0) (i32.const 0)");
    let prefix = format!("(i32.const 1) (i32.const 4016) (i32.const 2) {none}");
    let a2 = "(i32.const 4000) (i32.const 3)";
    let range = |from: u32, to: u32| {
        format!(
            "(i32.const 2) (i32.const {from}) {a2} (i32.const {to}) (i32.const 4008) (i32.const 1)"
        )
    };
    let (after, pairs) = (format!("{SOME} {a2}"), "(call $kv:give_list (i32.const 2))");
    let singles = "(call $kv:give_list (i32.const 1))";
    let code = [
        listing("list", &prefix, 0, NONE, Some(2)) + pairs,
        listing("list", &prefix, 0, &after, Some(2)) + pairs,
        listing("keys", &all, 1, NONE, None) + singles,
        listing("keys", &range(1, 2), 0, NONE, None) + singles,
        listing("keys", &range(2, 1), 0, NONE, None) + singles,
        listing("keys", &range(0, 2), 0, NONE, Some(1)) + singles,
        listing("list", &all, 0, NONE, Some(0)) + "(call $kv:done_or_why)",
        listing("keys", &all, 0, NONE, Some(10_001)) + "(call $kv:done_or_why)",
    ];
    actor(&data, &code.join("\n"))
}

#[test]
fn a_component_lists_ranges_and_prefixes_page_by_page() {
    let place = Place::new("world-lists");
    let guests = [(lister(), Profile::trusted())];
    beside_components(&guests, |mut ctx, guests| async move {
        filled(&place.store(&guests[0].catalog).await).await;
        start(&mut ctx, &guests[0]);
        // Two of them, with values, and where to go on.
        let first = ["a/1", "1", "a/2", "2"].map(Gave);
        says(&mut ctx, &[Told(0), Told(2)]).await;
        says(&mut ctx, &first).await;
        says(&mut ctx, &[Told(1), Gave("a/2")]).await;
        let rest = [Told(0), Told(1), Gave("a/3"), Gave("3"), Told(0)];
        says(&mut ctx, &rest).await;
        for (keys, next) in [
            (&["b", "a/3", "a/2", "a/1"][..], None),
            (&["a/2", "a/3"], None),
            (&["a/3", "b"], None),
            (&["a/1"], Some("a/1")),
        ] {
            says(&mut ctx, &[Told(0), Told(keys.len() as i64)]).await;
            for key in keys {
                says(&mut ctx, &[Gave(key)]).await;
            }
            says(&mut ctx, &[Told(next.is_some().into())]).await;
            if let Some(next) = next {
                says(&mut ctx, &[Gave(next)]).await;
            }
        }
        for entries in ["not 0.", "not 10001."] {
            assert_eq!(told(&mut ctx).await, -6, "it makes no sense");
            let why = said(&mut ctx).await;
            assert!(words(&why).contains(entries), "{}", words(&why));
        }
    });
}
