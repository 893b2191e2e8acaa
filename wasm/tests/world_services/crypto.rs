//! The interface `crypto`: answers that the standards publish, and what is refused. No grant is needed.

use rusm_actor::{Context, ExitReason};
use rusm_wasm::grant::Profile;

use crate::support::actor::{beside_components, ended, said, start, told};
use crate::support::runtime::actor;
use crate::support::services::{data, words};

/// Calls return to 512; a list that is a result alone, or that of a result with errors, is given.
const HELPERS: &str = r#"
  (func $crypto:list (call $give (i32.load (i32.const 512)) (i32.load (i32.const 516))))
  (func $crypto:made (call $tell_result (i32.const 512)) (call $give (i32.load (i32.const 520)) (i32.load (i32.const 524))))
  (func $crypto:refused (call $tell_result (i32.const 512)))
  (func $crypto:why (call $crypto:refused) (call $give (i32.load (i32.const 528)) (i32.load (i32.const 532))))
  (func $crypto:is (call $tell_result (i32.const 512)) (call $tell32 (i32.load8_u (i32.const 520))))
  ;; Keeps what was made at a place, from where it is used again.
  (func $crypto:keep (param i32) (memory.copy (local.get 0) (i32.load (i32.const 520)) (i32.load (i32.const 524))))"#;
const TO: &str = "(i32.const 512)";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn at(place: u32, len: u32) -> String {
    format!("(i32.const {place}) (i32.const {len})")
}

/// What a component gives after it has told that it could be made.
async fn made(ctx: &mut Context) -> String {
    assert_eq!(told(ctx).await, 0);
    hex(said(ctx).await.bytes())
}

fn sandboxed(segments: &[String], code: &str) -> [(Vec<u8>, Profile); 1] {
    let data = format!("{HELPERS} {}", segments.join("\n"));
    [(actor(&data, code), Profile::sandboxed())]
}

/// FIPS 180-4's examples, and RFC 4231's test case 2.
#[test]
fn hashes_and_message_codes_are_those_of_the_standards_for_short_and_for_long_content() {
    let segments = [
        data(3000, b"abc"),
        data(3100, b"Jefe"),
        data(3200, b"what do ya want for nothing?"),
    ];
    let (abc, key, content) = (at(3000, 3), at(3100, 4), at(3200, 28));
    let verify = |content: &str, code: &str| {
        format!(
            r#"(call $"crypto#hmac-verify" (i32.const 2) {key} {content} {code} {TO}) (call $crypto:is)"#
        )
    };
    let code = [
        "(drop (memory.grow (i32.const 16)))
         (memory.fill (i32.const 131072) (i32.const 97) (i32.const 1000000))"
            .into(),
        format!(r#"(call $"crypto#hash" (i32.const 0) {abc} {TO}) (call $crypto:list)"#),
        format!(
            r#"(call $"crypto#hash" (i32.const 1) {} {TO}) (call $crypto:list)"#,
            at(0, 0)
        ),
        format!(
            r#"(call $"crypto#hash" (i32.const 2) {} {TO}) (call $crypto:list)"#,
            at(131_072, 1_000_000)
        ),
        format!(r#"(call $"crypto#hmac" (i32.const 0) {key} {content} {TO}) (call $crypto:made)"#),
        format!(r#"(call $"crypto#hmac" (i32.const 1) {key} {content} {TO}) (call $crypto:made)"#),
        format!(
            r#"(call $"crypto#hmac" (i32.const 2) {key} {content} {TO}) (call $crypto:made) (call $crypto:keep (i32.const 3300))"#
        ),
        verify(&content, &at(3300, 64)),
        verify(&at(3200, 27), &at(3300, 64)),
        verify(&content, &at(3300, 63)),
        verify(&content, &at(3301, 64)),
    ];
    let guests = sandboxed(&segments, &code.join("\n"));
    beside_components(&guests, |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        for digest in [
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
        ] {
            assert_eq!(hex(said(&mut ctx).await.bytes()), digest);
        }
        for code in [
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ] {
            assert_eq!(made(&mut ctx).await, code);
        }
        for is in [1, 0, 0, 0] {
            assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (0, is));
        }
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
    });
}

const NONCE: &str = "cafebabefacedbaddecaf888";
const KEY: &str = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const ALSO: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const PLAIN: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const SEALED: &str = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b";

/// The test cases 14 (of which the tag is all) and 16 of the proposal of GCM to NIST.
#[test]
fn sealing_is_that_of_the_standard_and_what_was_changed_is_not_opened() {
    let segments = [(3000, KEY), (3040, NONCE), (3060, ALSO), (3100, PLAIN)]
        .map(|(at, hex)| data(at, &bytes(hex)));
    let (key, nonce, also) = (at(3000, 32), at(3040, 12), at(3060, 20));
    let aead = |function: &str, key: &str, nonce: &str, also: &str, content: &str| {
        format!(r#"(call $"crypto#aes-gcm-{function}" {key} {nonce} {also} {content} {TO})"#)
    };
    let (zeros, nothing) = (at(4000, 32), at(0, 0));
    let code = [
        aead("seal", &zeros, &at(4000, 12), &nothing, &nothing) + "(call $crypto:made)",
        aead("seal", &key, &nonce, &also, &at(3100, 60))
            + "(call $crypto:made) (call $crypto:keep (i32.const 5000))",
        aead("open", &key, &nonce, &also, &at(5000, 76)) + "(call $crypto:made)",
        // Other additional data; another key; a changed byte.
        aead("open", &key, &nonce, &at(3060, 19), &at(5000, 76)) + "(call $crypto:refused)",
        aead("open", &zeros, &nonce, &also, &at(5000, 76)) + "(call $crypto:refused)",
        "(i32.store8 (i32.const 5007) (i32.const 0))".into(),
        aead("open", &key, &nonce, &also, &at(5000, 76)) + "(call $crypto:refused)",
        aead("open", &key, &nonce, &also, &at(5000, 15)) + "(call $crypto:refused)",
        aead("seal", &at(3000, 24), &nonce, &also, &nothing) + "(call $crypto:why)",
        aead("seal", &key, &at(3040, 11), &also, &nothing) + "(call $crypto:why)",
    ];
    let guests = sandboxed(&segments, &code.join("\n"));
    beside_components(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        for expected in ["530f8afbc74536b9a963b4f1c4cb738b", SEALED, PLAIN] {
            assert_eq!(made(&mut ctx).await, expected);
        }
        for _ in 0..4 {
            assert_eq!(told(&mut ctx).await, -16, "it is not authentic");
        }
        for expected in ["16 or 32 bytes, not 24", "12 bytes, not 11"] {
            assert_eq!(told(&mut ctx).await, -6);
            let why = said(&mut ctx).await;
            assert!(words(&why).contains(expected), "{}", words(&why));
        }
    });
}

const SECRET: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

/// RFC 8032, section 7.1, test 2.
#[test]
fn signatures_are_those_of_the_standard_and_others_are_told_apart() {
    let segments = [
        (3000, SECRET),
        (3040, PUBLIC),
        (3100, SIGNATURE),
        (3200, "72"),
    ]
    .map(|(at, hex)| data(at, &bytes(hex)));
    let verify = |public: &str, content: &str, signature: &str| {
        format!(
            r#"(call $"crypto#ed25519-verify" {public} {content} {signature} {TO}) (call $crypto:is)"#
        )
    };
    let (secret, public) = (at(3000, 32), at(3040, 32));
    let (signature, content) = (at(3100, 64), at(3200, 1));
    let code = [
        format!(r#"(call $"crypto#ed25519-public" {secret} {TO}) (call $crypto:made)"#),
        format!(r#"(call $"crypto#ed25519-sign" {secret} {content} {TO}) (call $crypto:made)"#),
        verify(&public, &content, &signature),
        verify(&public, &at(3200, 2), &signature),
        verify(&public, &content, &at(3100, 63)),
        verify(&at(3040, 31), &content, &signature),
        // A key of its own.
        format!(
            r#"(call $"crypto#ed25519-generate" {TO}) (call $tell32 (i32.load (i32.const 524))) (call $crypto:keep (i32.const 6000))"#
        ),
        format!(
            r#"(call $"crypto#ed25519-public" {} {TO}) (call $crypto:keep (i32.const 6100))"#,
            at(6000, 32)
        ),
        format!(
            r#"(call $"crypto#ed25519-sign" {} {content} {TO}) (call $crypto:keep (i32.const 6200))"#,
            at(6000, 32)
        ),
        verify(&at(6100, 32), &content, &at(6200, 64)),
        verify(&public, &content, &at(6200, 64)),
    ];
    let guests = sandboxed(&segments, &code.join("\n"));
    beside_components(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(made(&mut ctx).await, PUBLIC);
        assert_eq!(made(&mut ctx).await, SIGNATURE);
        for is in [1, 0, 0, 0] {
            assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (0, is));
        }
        assert_eq!(told(&mut ctx).await, 32, "bytes of a secret key");
        for is in [1, 0] {
            assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (0, is));
        }
    });
}

/// A call with these ranges of the memory, from its beginning on.
fn refused(function: &str, number: &str, lens: &[u32]) -> String {
    let ranges: String = lens.iter().map(|len| at(0, *len)).collect();
    format!(r#"(call $"crypto#{function}" {number} {ranges} {TO}) (call $crypto:refused)"#)
}

#[test]
fn randomness_differs_and_what_is_too_long_or_has_a_wrong_length_is_refused() {
    let random = format!(r#"(call $"crypto#random" (i32.const 32) {TO}) (call $crypto:made)"#);
    let (hash, more) = ("(i32.const 0)", (1 << 20) + 1);
    let code = [
        random.clone(),
        random,
        refused("random", "(i32.const 65537)", &[]),
        refused("random", "(i32.const -1)", &[]),
        refused("hmac", hash, &[4097, 1]),
        refused("hmac-verify", hash, &[4097, 1, 1]),
        "(drop (memory.grow (i32.const 16)))".into(),
        refused("ed25519-sign", "", &[32, more]),
        refused("ed25519-verify", "", &[32, more, 64]),
        refused("aes-gcm-seal", "", &[32, 12, more, 0]),
        refused("aes-gcm-seal", "", &[32, 12, 0, more]),
        refused("aes-gcm-open", "", &[32, 12, 0, more + 16]),
        refused("ed25519-public", "", &[31]),
        refused("ed25519-sign", "", &[33, 1]),
        // And a range that is not in the memory.
        refused("hash", hash, &[u32::MAX]),
    ];
    let guests = sandboxed(&[], &code.join("\n"));
    beside_components(&guests, |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        let (one, other) = (made(&mut ctx).await, made(&mut ctx).await);
        assert!(one.len() == 64 && other.len() == 64 && one != other);
        for refused in [-4, -4, -4, -4, -4, -4, -4, -4, -4, -6, -6] {
            assert_eq!(told(&mut ctx).await, refused);
        }
        let reason = ended(&mut ctx, monitor).await.to_string();
        assert!(reason.contains("bounds"), "{reason}");
    });
}
