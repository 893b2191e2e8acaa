//! What components may ask of their node beside processes and messages: each function of those
//! interfaces is called by one, and does what the flat functions do (`abi_kv.rs`, `abi_crypto.rs`).

#[path = "../support/mod.rs"]
mod support;

mod crypto;
mod kv;
mod kv_limits;
mod kv_lists;

use rusm_actor::Context;
use support::actor::said;
use support::services::words;

/// What a component says: a number, or bytes.
#[derive(Debug, PartialEq)]
enum Said {
    Told(i64),
    Gave(&'static str),
}

async fn says(ctx: &mut Context, expected: &[Said]) {
    for (index, expected) in expected.iter().enumerate() {
        let message = said(ctx).await;
        let tag = message.envelope().unwrap().tag.cast_signed();
        match expected {
            Said::Told(number) => assert_eq!(tag, *number, "{index}: {}", words(&message)),
            Said::Gave(text) => assert_eq!(words(&message), *text, "{index}"),
        }
    }
}
