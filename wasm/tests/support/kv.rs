//! What tests of the store need: a directory, a guest that tells the results of calls, records.

use std::path::PathBuf;

use rusm_actor::Context;
use rusm_io::kv::{Store, StoreConfig};
use rusm_wasm::Catalog;

use super::actor::told;
use super::services::guest;

/// A directory of its own for each test, gone afterwards.
pub struct Place(PathBuf);

impl Place {
    pub fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("rusm-abi-kv-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub async fn store(&self, catalog: &Catalog) -> Store {
        let path = self.0.join("store.kv");
        let store = Store::open(path, StoreConfig::default()).await.unwrap();
        catalog.set_store(store.clone());
        store
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where things are: the bucket `carts` at 1000, the key `k` at 1010, `value` at 1020, `v2` at 1030.
pub const DATA: &str = r#"(data (i32.const 1000) "carts") (data (i32.const 1010) "k")
  (data (i32.const 1020) "value") (data (i32.const 1030) "v2") (data (i32.const 1040) "\ff")"#;
pub const BUCKET: &str = "(i32.const 1000) (i32.const 5)";
pub const KEY: &str = "(i32.const 1000) (i32.const 5) (i32.const 1010) (i32.const 1)";
pub const VALUE: &str = "(i32.const 1020) (i32.const 5)";
pub const V2: &str = "(i32.const 1030) (i32.const 2)";

/// A guest that tells the results of these calls.
pub fn telling(more: &str, calls: &[String]) -> String {
    let told: Vec<_> = calls
        .iter()
        .map(|call| format!("(call $tell (call ${call}))"))
        .collect();
    guest(&format!("{DATA} {more}"), &told.join("\n"))
}

pub async fn results(ctx: &mut Context, expected: &[i64]) {
    let mut all = Vec::new();
    for _ in expected {
        all.push(told(ctx).await);
    }
    assert_eq!(all, expected);
}

/// The record of a listing.
pub fn scan(
    flags: u32,
    entries: u32,
    from: (u32, u32),
    to: (u32, u32),
    after: (u32, u32),
) -> Vec<u8> {
    let given = u32::from(after.1 > 0);
    let words = [
        flags, entries, from.0, from.1, to.0, to.1, after.0, after.1, given,
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub fn steps(steps: &[(u32, &str, &str, &str)]) -> Vec<u8> {
    let mut all = Vec::new();
    for (what, bucket, key, value) in steps {
        for word in [
            *what,
            bucket.len() as u32,
            key.len() as u32,
            value.len() as u32,
        ] {
            all.extend(word.to_le_bytes());
        }
        all.extend([*bucket, *key, *value].concat().bytes());
    }
    all
}
