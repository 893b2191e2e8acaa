//! Cryptography for guests, by ring: what a guest would otherwise bring along, slower and harder to
//! keep correct. Bytes in, bytes out; nothing here knows a guest.
//!
//! Which limits there are, and why: an operation that cannot be interrupted holds its worker, so
//! sealing, opening, signing and verifying take a mebibyte at most, less than a millisecond. Hashes
//! and message codes are made piece by piece, and whoever feeds them may yield in between.
//!
//! **Nonces.** AES-GCM needs another nonce for each message sealed under one key. Two messages with
//! the same nonce give away the difference of their contents and the means to forge others. A
//! counter that is never reset is best; twelve random bytes are good for 2^32 messages a key. The
//! nonce is no secret: it goes along with the message.

use std::fmt;

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{self, Ed25519KeyPair, KeyPair};
use ring::{digest, hmac};

use crate::host::Refusal;

/// Bytes of randomness that one call gives.
const RANDOM_BYTES_MAX: usize = 64 << 10;
/// Bytes that are sealed, opened, signed or verified at a time, and additional data likewise.
pub(crate) const WHOLE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a key for message codes.
pub(crate) const HMAC_KEY_BYTES_MAX: usize = 4 << 10;
/// Bytes that may be hashed between two looks at the clock.
pub(crate) const PIECE_BYTES_MAX: usize = 64 << 10;
/// Hashing or sealing this much costs one reduction.
const BYTES_PER_REDUCTION: usize = 64;
/// What a signature costs beside its message: some twenty microseconds.
const SIGN_REDUCTIONS: u32 = 400;
/// What it costs to verify one.
const VERIFY_REDUCTIONS: u32 = 1_000;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Bytes that sealing adds.
pub(crate) const SEAL_BYTES: usize = 16;
/// Bytes of an Ed25519 key, secret or public.
pub(crate) const ED25519_KEY_BYTES: usize = 32;
/// Bytes of an Ed25519 signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Why an operation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CryptoError {
    /// More than one call takes.
    TooLong {
        what: &'static str,
        len: usize,
        max: usize,
    },
    /// Something has not the one length it must have.
    Length {
        what: &'static str,
        len: usize,
        must: &'static str,
    },
    /// There is no hash function with that number.
    NoHash(i32),
    /// What was opened or verified is not what was sealed or signed, or the key is another one.
    NotAuthentic,
    /// The system has no randomness to give.
    NoRandomness,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { what, len, max } => {
                write!(
                    f,
                    "{what} of {len} bytes; {max} is the most at a time. Split it."
                )
            }
            Self::Length { what, len, must } => {
                write!(f, "{what} must have {must} bytes, not {len}")
            }
            Self::NoHash(number) => write!(
                f,
                "there is no hash function {number}; choose SHA-256 (0), SHA-384 (1) or SHA-512 (2)"
            ),
            Self::NotAuthentic => f.write_str(
                "it is not authentic: it was changed, or sealed or signed with another key, nonce \
                 or additional data. Do not use it.",
            ),
            Self::NoRandomness => {
                f.write_str("the system has no randomness to give. Try again later.")
            }
        }
    }
}

impl From<CryptoError> for Refusal {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::TooLong { what, len, max } => Refusal::TooLong { what, len, max },
            CryptoError::NotAuthentic => Refusal::NotAuthentic,
            CryptoError::NoRandomness => Refusal::Failed(error.to_string()),
            CryptoError::Length { .. } | CryptoError::NoHash(_) => {
                Refusal::Invalid(error.to_string())
            }
        }
    }
}

/// What hashing or sealing so many bytes costs.
pub(crate) fn reductions(bytes: usize) -> u32 {
    u32::try_from(1 + bytes / BYTES_PER_REDUCTION).unwrap_or(u32::MAX)
}

/// A hash function of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn from_number(number: i32) -> Result<Self, CryptoError> {
        match number {
            0 => Ok(Hash::Sha256),
            1 => Ok(Hash::Sha384),
            2 => Ok(Hash::Sha512),
            number => Err(CryptoError::NoHash(number)),
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// A hash or a message code in the making.
pub(crate) enum Digester {
    Hash(digest::Context),
    Code(hmac::Context),
}

/// What a digester made: 32, 48 or 64 bytes.
pub(crate) enum Digest {
    Hash(digest::Digest),
    Code(hmac::Tag),
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        match self {
            Digest::Hash(digest) => digest.as_ref(),
            Digest::Code(tag) => tag.as_ref(),
        }
    }
}

impl Digester {
    pub(crate) fn hash(hash: Hash) -> Self {
        Digester::Hash(digest::Context::new(hash.digest()))
    }

    /// A message code (HMAC) under a key of any length, zero included; 32 bytes or more are
    /// sensible.
    pub(crate) fn code(hash: Hash, key: &[u8]) -> Result<Self, CryptoError> {
        at_most("a key", key, HMAC_KEY_BYTES_MAX)?;
        let key = hmac::Key::new(hash.hmac(), key);
        Ok(Digester::Code(hmac::Context::with_key(&key)))
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        match self {
            Digester::Hash(context) => context.update(piece),
            Digester::Code(context) => context.update(piece),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Digester::Hash(context) => Digest::Hash(context.finish()),
            Digester::Code(context) => Digest::Code(context.sign()),
        }
    }
}

impl Digest {
    /// Is it `claimed`? How long that takes says nothing about where they differ.
    pub(crate) fn is(&self, claimed: &[u8]) -> bool {
        let own = self.as_ref();
        let differ = |(a, b): (&u8, &u8)| a ^ b;
        let difference = own
            .iter()
            .zip(claimed)
            .map(differ)
            .fold(0, |all, one| all | one);
        std::hint::black_box(difference) == 0 && own.len() == claimed.len()
    }
}

/// May a guest have so much randomness in one call?
pub(crate) fn may_random(len: usize) -> Result<(), CryptoError> {
    no_more("randomness", len, RANDOM_BYTES_MAX)
}

/// Fills `into` with bytes that nobody can foretell.
pub(crate) fn random(into: &mut [u8]) -> Result<(), CryptoError> {
    may_random(into.len())?;
    rusm_sched::spend(reductions(into.len()));
    SystemRandom::new()
        .fill(into)
        .map_err(|_| CryptoError::NoRandomness)
}

/// Seals `plain` with AES-128-GCM or AES-256-GCM, as the key is 16 or 32 bytes long; what is sealed
/// is 16 bytes longer. `also` is not hidden and not part of the result, but must be the same when it
/// is opened. See above for the nonce.
pub(crate) fn seal(
    key: &[u8],
    nonce: &[u8],
    also: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    at_most("what is sealed", plain, WHOLE_BYTES_MAX)?;
    at_most("additional data", also, WHOLE_BYTES_MAX)?;
    let (key, nonce) = (aes_key(key)?, aes_nonce(nonce)?);
    rusm_sched::spend(reductions(plain.len() + also.len()));
    let mut sealed = Vec::with_capacity(plain.len() + SEAL_BYTES);
    sealed.extend_from_slice(plain);
    key.seal_in_place_append_tag(nonce, Aad::from(also), &mut sealed)
        .expect("it is far shorter than what AES-GCM can seal");
    Ok(sealed)
}

/// Opens what [`seal`] has sealed.
pub(crate) fn open(
    key: &[u8],
    nonce: &[u8],
    also: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    at_most("what is opened", sealed, WHOLE_BYTES_MAX + SEAL_BYTES)?;
    at_most("additional data", also, WHOLE_BYTES_MAX)?;
    let (key, nonce) = (aes_key(key)?, aes_nonce(nonce)?);
    rusm_sched::spend(reductions(sealed.len() + also.len()));
    let mut bytes = sealed.to_vec();
    let plain = key
        .open_in_place(nonce, Aad::from(also), &mut bytes)
        .map_err(|_| CryptoError::NotAuthentic)?;
    let len = plain.len();
    bytes.truncate(len);
    Ok(bytes)
}

/// A new secret key for signatures: 32 random bytes. Keep it secret, and use it for nothing else.
pub(crate) fn ed25519_generate() -> Result<[u8; ED25519_KEY_BYTES], CryptoError> {
    let mut secret = [0; ED25519_KEY_BYTES];
    random(&mut secret)?;
    Ok(secret)
}

/// The public key of a secret one.
pub(crate) fn ed25519_public(secret: &[u8]) -> Result<[u8; ED25519_KEY_BYTES], CryptoError> {
    let pair = key_pair(secret)?;
    let public = pair.public_key().as_ref().try_into();
    Ok(public.expect("every public key of Ed25519 has 32 bytes"))
}

/// The signature of a message. The same message and key have the same signature.
pub(crate) fn ed25519_sign(
    secret: &[u8],
    message: &[u8],
) -> Result<[u8; SIGNATURE_BYTES], CryptoError> {
    at_most("what is signed", message, WHOLE_BYTES_MAX)?;
    rusm_sched::spend(SIGN_REDUCTIONS + reductions(message.len()));
    let signature = key_pair(secret)?.sign(message);
    let signature = signature.as_ref().try_into();
    Ok(signature.expect("every signature of Ed25519 has 64 bytes"))
}

/// Is it the signature of `message` by the owner of `public`? Wrong lengths and points that are on
/// no curve are no signatures.
pub(crate) fn ed25519_verify(
    public: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    at_most("what is verified", message, WHOLE_BYTES_MAX)?;
    rusm_sched::spend(VERIFY_REDUCTIONS + reductions(message.len()));
    let public = signature::UnparsedPublicKey::new(&signature::ED25519, public);
    Ok(public.verify(message, signature).is_ok())
}

fn key_pair(secret: &[u8]) -> Result<Ed25519KeyPair, CryptoError> {
    Ed25519KeyPair::from_seed_unchecked(secret).map_err(|_| CryptoError::Length {
        what: "a secret key",
        len: secret.len(),
        must: "32",
    })
}

fn aes_key(key: &[u8]) -> Result<LessSafeKey, CryptoError> {
    let algorithm = match key.len() {
        16 => &aead::AES_128_GCM,
        32 => &aead::AES_256_GCM,
        len => {
            return Err(CryptoError::Length {
                what: "a key for AES-GCM",
                len,
                must: "16 or 32",
            });
        }
    };
    let key = UnboundKey::new(algorithm, key).expect("its length is that of the algorithm");
    Ok(LessSafeKey::new(key))
}

fn aes_nonce(nonce: &[u8]) -> Result<Nonce, CryptoError> {
    Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::Length {
        what: "a nonce",
        len: nonce.len(),
        must: "12",
    })
}

fn at_most(what: &'static str, bytes: &[u8], max: usize) -> Result<(), CryptoError> {
    no_more(what, bytes.len(), max)
}

fn no_more(what: &'static str, len: usize, max: usize) -> Result<(), CryptoError> {
    match len <= max {
        true => Ok(()),
        false => Err(CryptoError::TooLong { what, len, max }),
    }
}

#[cfg(test)]
mod tests;
