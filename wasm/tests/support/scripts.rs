//! Calls of the flat functions that make sense one after the other, with the numbers that a guest of
//! `fuzz/abi.rs` would say.

use super::abi::{BATCH, CHILD, CHILD_ID, KEY, MODULE, PLAN, SCAN, VALUE};

/// A function by its name, and its numbers.
type Call = (&'static str, &'static [u64]);

/// The bucket `a`; a place for what is written; the guest's own pid.
const A: (u64, u64) = (64, 1);
const OUT: u64 = 1500;
const OWN: u64 = 5;
const RECEIVE: Call = ("try_receive", &[0, 0, OUT, 1600, 64]);

pub(crate) const ALL: &[&[Call]] = &[STREAM, STORE, CRYPTO, SIGNATURES, CODE, SUPERVISOR];

const STREAM: &[Call] = &[
    ("stream_open", &[OWN, 1, 64]),
    RECEIVE,
    ("stream_accept", &[2]),
    ("stream_write", &[1, VALUE.0, VALUE.1]),
    ("stream_read", &[2, OUT, 64]),
    ("stream_close", &[1]),
    ("stream_read", &[2, OUT, 64]),
    ("stream_close", &[2]),
];

const STORE: &[Call] = &[
    ("kv_create", &[A.0, A.1]),
    ("kv_set", &[A.0, A.1, KEY.0, KEY.1, VALUE.0, VALUE.1]),
    ("kv_get", &[A.0, A.1, KEY.0, KEY.1, OUT, 64]),
    ("kv_exists", &[A.0, A.1, KEY.0, KEY.1]),
    (
        "kv_compare_and_set",
        &[A.0, A.1, KEY.0, KEY.1, VALUE.0, VALUE.1, VALUE.0, 3, 0],
    ),
    ("kv_list", &[A.0, A.1, SCAN, OUT, 500]),
    ("kv_batch", &[BATCH.0, BATCH.1, OUT]),
    ("kv_delete", &[A.0, A.1, KEY.0, KEY.1]),
    ("kv_drop", &[A.0, A.1]),
];

const CRYPTO: &[Call] = &[
    ("random", &[OUT, 32]),
    ("hash", &[0, VALUE.0, VALUE.1, OUT]),
    ("hmac", &[1, KEY.0, KEY.1, VALUE.0, VALUE.1, OUT]),
    ("hmac_verify", &[1, KEY.0, KEY.1, VALUE.0, VALUE.1, OUT, 48]),
    (
        "aes_gcm_seal",
        &[PLAN, 32, CHILD, 0, 0, VALUE.0, VALUE.1, OUT],
    ),
    ("aes_gcm_open", &[PLAN, 32, CHILD, 0, 0, OUT, 21, 1600]),
    ("refusal", &[OUT, 100]),
];

const SIGNATURES: &[Call] = &[
    ("ed25519_generate", &[OUT]),
    ("ed25519_public", &[OUT, 1540]),
    ("ed25519_sign", &[OUT, VALUE.0, VALUE.1, 1580]),
    ("ed25519_verify", &[1540, VALUE.0, VALUE.1, 1580]),
];

const CODE: &[Call] = &[
    ("module_compile", &[MODULE.0, MODULE.1]),
    ("module_spawn", &[1, 0, 0, 0, 0, OUT]),
    ("module_send", &[OWN, 1, 1]),
    RECEIVE,
    ("module_spawn", &[2, 0, 0, 0, 0, OUT]),
    ("module_close", &[1]),
];

const SUPERVISOR: &[Call] = &[
    ("supervise_start", &[PLAN, OUT]),
    ("supervise_count", &[1, OUT]),
    ("supervise_terminate_child", &[1, CHILD_ID.0, CHILD_ID.1]),
    ("supervise_restart_child", &[1, CHILD_ID.0, CHILD_ID.1, OUT]),
    ("supervise_which", &[1, OUT, 400]),
    ("supervise_terminate_child", &[1, CHILD_ID.0, CHILD_ID.1]),
    ("supervise_delete_child", &[1, CHILD_ID.0, CHILD_ID.1]),
    ("supervise_start_child", &[1, CHILD, OUT]),
    ("supervise_stop", &[1]),
];
