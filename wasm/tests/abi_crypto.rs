//! Cryptography of core modules, through the flat functions: that each is there, and how it answers.
//! What it answers is held against the standards in `src/host/crypto/tests.rs`.

mod support;

use rusm_actor::ExitReason;
use support::actor::{beside, ended, next, start, told};
use support::services::guest;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hashes_and_message_codes_are_made_of_short_and_of_long_ranges() {
    // The memory from 65536 on holds a million `a`.
    let code = r#"
      (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1000000))
      (call $tell (call $hash (i32.const 0) (i32.const 1000) (i32.const 3) (i32.const 2000)))
      (call $give (i32.const 2000) (i32.const 32))
      (call $tell (call $hash (i32.const 1) (i32.const 1000) (i32.const 0) (i32.const 2000)))
      (call $give (i32.const 2000) (i32.const 48))
      (call $tell (call $hash (i32.const 2) (i32.const 65536) (i32.const 1000000) (i32.const 2000)))
      (call $give (i32.const 2000) (i32.const 64))
      (call $tell (call $hmac (i32.const 0) (i32.const 1100) (i32.const 4) (i32.const 1200) (i32.const 28) (i32.const 2000)))
      (call $give (i32.const 2000) (i32.const 32))
      (call $tell (call $hmac_verify (i32.const 0) (i32.const 1100) (i32.const 4) (i32.const 1200) (i32.const 28) (i32.const 2000) (i32.const 32)))
      (call $tell (call $hmac_verify (i32.const 0) (i32.const 1100) (i32.const 4) (i32.const 1200) (i32.const 27) (i32.const 2000) (i32.const 32)))
      (call $tell (call $hmac_verify (i32.const 0) (i32.const 1100) (i32.const 4) (i32.const 1200) (i32.const 28) (i32.const 2000) (i32.const 31)))
      (call $tell (call $hash (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 2000))) (call $why)
      (call $tell (call $hmac (i32.const 0) (i32.const 0) (i32.const 5000) (i32.const 0) (i32.const 0) (i32.const 2000))) (call $why)"#;
    let data = r#"(data (i32.const 1000) "abc") (data (i32.const 1100) "Jefe")
      (data (i32.const 1200) "what do ya want for nothing?")"#;
    beside(&[guest(data, code)], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        for (len, digest) in [
            (
                32,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                48,
                "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
            ),
            (
                64,
                "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
            ),
            (
                32,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            assert_eq!(told(&mut ctx).await, len);
            assert_eq!(hex(next(&mut ctx).await.bytes()), digest);
        }
        for verified in [1, 0, 0] {
            assert_eq!(told(&mut ctx).await, verified);
        }
        for (code, words) in [(-7, "SHA-256 (0)"), (-4, "a key of 5000 bytes")] {
            assert_eq!(told(&mut ctx).await, code);
            let why = next(&mut ctx).await;
            assert!(
                str::from_utf8(why.bytes()).unwrap().contains(words),
                "{why:?}"
            );
        }
    });
}

#[test]
fn what_one_guest_seals_and_signs_is_opened_and_verified_and_changes_are_noticed() {
    let code = r#"
      (call $tell (call $random (i32.const 100) (i32.const 44)))
      (call $tell (call $aes_gcm_seal (i32.const 112) (i32.const 32) (i32.const 100) (i32.const 1000) (i32.const 2) (i32.const 1000) (i32.const 5) (i32.const 2000)))
      (call $tell (call $aes_gcm_open (i32.const 112) (i32.const 32) (i32.const 100) (i32.const 1000) (i32.const 2) (i32.const 2000) (i32.const 21) (i32.const 3000)))
      (call $give (i32.const 3000) (i32.const 5))
      (call $tell (call $aes_gcm_open (i32.const 112) (i32.const 32) (i32.const 100) (i32.const 1000) (i32.const 3) (i32.const 2000) (i32.const 21) (i32.const 3000)))
      (call $why)
      (call $tell (call $aes_gcm_seal (i32.const 112) (i32.const 24) (i32.const 100) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2000)))
      (call $why)
      (call $tell (call $ed25519_generate (i32.const 200)))
      (call $tell (call $ed25519_public (i32.const 200) (i32.const 300)))
      (call $tell (call $ed25519_sign (i32.const 200) (i32.const 1000) (i32.const 5) (i32.const 400)))
      (call $tell (call $ed25519_verify (i32.const 300) (i32.const 1000) (i32.const 5) (i32.const 400)))
      (call $tell (call $ed25519_verify (i32.const 300) (i32.const 1000) (i32.const 4) (i32.const 400)))
      (call $tell (call $ed25519_sign (i32.const 200) (i32.const 0) (i32.const 1048577) (i32.const 400)))"#;
    let data = r#"(data (i32.const 1000) "hello")"#;
    beside(&[guest(data, code)], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        for result in [0, 21, 5] {
            assert_eq!(told(&mut ctx).await, result);
        }
        assert_eq!(next(&mut ctx).await.bytes(), b"hello");
        for (code, words) in [(-20, "not authentic"), (-7, "16 or 32 bytes, not 24")] {
            assert_eq!(told(&mut ctx).await, code);
            let why = next(&mut ctx).await;
            assert!(
                str::from_utf8(why.bytes()).unwrap().contains(words),
                "{why:?}"
            );
        }
        for result in [32, 32, 64, 1, 0, -4] {
            assert_eq!(told(&mut ctx).await, result);
        }
    });
}

/// Each is given one range that is not in its memory, among others that are.
#[test]
fn a_range_outside_of_the_memory_ends_the_guest_whichever_it_is() {
    let out = "(i32.const 4194300)";
    let calls = [
        ("random", 2, vec![0]),
        ("hash", 4, vec![1, 3]),
        ("hmac", 6, vec![1, 3, 5]),
        ("hmac_verify", 7, vec![1, 3, 5]),
        ("aes_gcm_seal", 8, vec![0, 2, 3, 5, 7]),
        ("aes_gcm_open", 8, vec![0, 2, 3, 5]),
        ("ed25519_generate", 1, vec![0]),
        ("ed25519_public", 2, vec![0, 1]),
        ("ed25519_sign", 4, vec![0, 1, 3]),
        ("ed25519_verify", 4, vec![0, 1, 3]),
    ];
    let mut guests = Vec::new();
    for (name, count, pointers) in calls {
        for wrong in pointers {
            let argument = |index| match (index, name) {
                (0, "hash" | "hmac" | "hmac_verify") => "(i32.const 0)",
                (index, _) if index == wrong => out,
                _ => "(i32.const 32)",
            };
            let arguments: Vec<_> = (0..count).map(argument).collect();
            guests.push(guest(
                "",
                &format!("(drop (call ${name} {}))", arguments.join(" ")),
            ));
        }
    }
    // A range that passes the end of the numbers, in the long way.
    guests.push(guest(
        "",
        "(drop (call $hash (i32.const 0) (i32.const -2) (i32.const -1) (i32.const 0)))",
    ));
    beside(&guests, |mut ctx, guests| async move {
        for (index, guest) in guests.iter().enumerate() {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await;
            let text = reason.to_string();
            assert!(matches!(reason, ExitReason::Trap(_)), "{index}: {text}");
            assert!(
                text.contains("not within the guest's memory"),
                "{index}: {text}"
            );
        }
    });
}
