//! Aliases as numbers that can be handed on in messages, and not be made up.
//!
//! An alias travels as three numbers: whose it is, its reference, and a seal over both with a key
//! of this run. References alone would not do: whoever has some of them could compute others.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use rusm_actor::Alias;

/// The seal of an alias: SipHash with 128 random bits as its key, which nobody outside of this
/// program has. Trying is hopeless: 2^63 messages on average.
pub(crate) fn seal(alias: Alias) -> u64 {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    KEY.get_or_init(RandomState::new)
        .hash_one((alias.pid().to_bits(), alias.reference().to_bits()))
}

/// The three numbers, little-endian.
pub(crate) fn to_bytes(alias: Alias) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[0..8].copy_from_slice(&alias.pid().to_bits().to_le_bytes());
    bytes[8..16].copy_from_slice(&alias.reference().to_bits().to_le_bytes());
    bytes[16..24].copy_from_slice(&seal(alias).to_le_bytes());
    bytes
}
