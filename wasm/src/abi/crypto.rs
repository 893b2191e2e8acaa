//! Cryptography: see `docs/guest-services.md`.

use std::future::{Future, ready};

use wasmtime::{Caller, Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, room, settle};
use crate::guest::State;
use crate::host::Refusal;
use crate::host::crypto::{
    self, CryptoError, Digest, Digester, ED25519_KEY_BYTES, Hash, NONCE_BYTES, PIECE_BYTES_MAX,
    SIGNATURE_BYTES,
};
use crate::link::{opaque, waits};

/// A range of the guest's memory: where it begins, and its length.
type Range = (i32, i32);

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "random", random)?;
    waits(linker, MODULE, "hash", hash)?;
    waits(linker, MODULE, "hmac", hmac)?;
    waits(linker, MODULE, "hmac_verify", hmac_verify)?;
    linker.func_wrap(MODULE, "aes_gcm_seal", seal)?;
    linker.func_wrap(MODULE, "aes_gcm_open", open)?;
    linker.func_wrap(MODULE, "ed25519_generate", generate)?;
    linker.func_wrap(MODULE, "ed25519_public", public)?;
    linker.func_wrap(MODULE, "ed25519_sign", sign)?;
    linker.func_wrap(MODULE, "ed25519_verify", verify)?;
    Ok(())
}

fn random(mut caller: Guest<'_>, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let filled = crypto::random(room(memory, at, len)?);
    Ok(settle(state, filled.map(|()| 0).map_err(Refusal::from)))
}

type Answer<'a> = Box<dyn Future<Output = Result<i32>> + Send + 'a>;

fn hash<'a>(caller: Caller<'a, State>, (which, at, len, to): (i32, i32, i32, i32)) -> Answer<'a> {
    let digester = Hash::from_number(which).map(Digester::hash);
    digest(caller, digester, (at, len), move |memory, digest| {
        write(memory, to, digest.as_ref())
    })
}

fn hmac<'a>(
    mut caller: Caller<'a, State>,
    (which, key, key_len, at, len, to): (i32, i32, i32, i32, i32, i32),
) -> Answer<'a> {
    let digester = match code(&mut caller, which, (key, key_len)) {
        Ok(digester) => digester,
        Err(error) => return Box::new(ready(Err(error))),
    };
    digest(caller, digester, (at, len), move |memory, digest| {
        write(memory, to, digest.as_ref())
    })
}

#[allow(
    clippy::type_complexity,
    reason = "it is the list of a function's arguments"
)]
fn hmac_verify<'a>(
    mut caller: Caller<'a, State>,
    (which, key, key_len, at, len, claimed, claimed_len): (i32, i32, i32, i32, i32, i32, i32),
) -> Answer<'a> {
    let digester = match code(&mut caller, which, (key, key_len)) {
        Ok(digester) => digester,
        Err(error) => return Box::new(ready(Err(error))),
    };
    digest(caller, digester, (at, len), move |memory, digest| {
        Ok(i32::from(digest.is(bytes(memory, claimed, claimed_len)?)))
    })
}

fn code(
    caller: &mut Guest<'_>,
    which: i32,
    (key, key_len): Range,
) -> Result<Result<Digester, CryptoError>> {
    let (memory, _) = guest(caller)?;
    let key = bytes(memory, key, key_len)?;
    Ok(Hash::from_number(which).and_then(|hash| Digester::code(hash, key)))
}

/// Writes a result; how long it is.
fn write(memory: &mut [u8], to: i32, result: &[u8]) -> Result<i32> {
    put(memory, to, result)?;
    Ok(i32::try_from(result.len())?)
}

/// Feeds a range to a digester, piece by piece with a look at the turn in between, and hands what
/// it made to `then`. What fits in one piece is done at once.
fn digest<'a>(
    mut caller: Caller<'a, State>,
    digester: Result<Digester, CryptoError>,
    (at, len): Range,
    then: impl FnOnce(&mut [u8], &Digest) -> Result<i32> + Send + 'a,
) -> Answer<'a> {
    let mut digester = match digester {
        Ok(digester) => digester,
        Err(error) => {
            return Box::new(ready(Ok(settle(caller.data_mut(), Err(error.into())))));
        }
    };
    if len.cast_unsigned() as usize <= PIECE_BYTES_MAX {
        let at_once = || {
            let (memory, _) = guest(&mut caller)?;
            let content = bytes(memory, at, len)?;
            rusm_sched::spend(crypto::reductions(content.len()));
            digester.update(content);
            then(memory, &digester.finish())
        };
        return Box::new(ready(at_once()));
    }
    opaque(async move {
        let mut done = 0;
        loop {
            let (memory, _) = guest(&mut caller)?;
            let rest = &bytes(memory, at, len)?[done..];
            let piece = &rest[..rest.len().min(PIECE_BYTES_MAX)];
            if piece.is_empty() {
                return then(memory, &digester.finish());
            }
            digester.update(piece);
            done += piece.len();
            let price = crypto::reductions(piece.len());
            rusm_sched::reductions(price).await;
        }
    })
}

#[allow(clippy::too_many_arguments, reason = "they are a guest's")]
fn seal(
    mut caller: Guest<'_>,
    key: i32,
    key_len: i32,
    nonce: i32,
    also: i32,
    also_len: i32,
    at: i32,
    len: i32,
    to: i32,
) -> Result<i32> {
    let (key, also) = ((key, key_len), (also, also_len));
    aead(&mut caller, crypto::seal, key, nonce, also, (at, len), to)
}

#[allow(clippy::too_many_arguments, reason = "they are a guest's")]
fn open(
    mut caller: Guest<'_>,
    key: i32,
    key_len: i32,
    nonce: i32,
    also: i32,
    also_len: i32,
    at: i32,
    len: i32,
    to: i32,
) -> Result<i32> {
    let (key, also) = ((key, key_len), (also, also_len));
    aead(&mut caller, crypto::open, key, nonce, also, (at, len), to)
}

/// Of key, nonce, additional data and content.
type Aead = fn(&[u8], &[u8], &[u8], &[u8]) -> Result<Vec<u8>, CryptoError>;

/// Sealing or opening: key, nonce, additional data and content in, the outcome to `to`.
fn aead(
    caller: &mut Guest<'_>,
    done: Aead,
    (key, key_len): (i32, i32),
    nonce: i32,
    (also, also_len): (i32, i32),
    (at, len): (i32, i32),
    to: i32,
) -> Result<i32> {
    let (memory, state) = guest(caller)?;
    let nonce = bytes(memory, nonce, NONCE_BYTES as i32)?;
    let also = bytes(memory, also, also_len)?;
    let key = bytes(memory, key, key_len)?;
    let done = done(key, nonce, also, bytes(memory, at, len)?);
    finish(memory, state, done, to)
}

fn generate(mut caller: Guest<'_>, to: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    finish(memory, state, crypto::ed25519_generate(), to)
}

fn public(mut caller: Guest<'_>, secret: i32, to: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let secret = bytes(memory, secret, ED25519_KEY_BYTES as i32)?;
    finish(memory, state, crypto::ed25519_public(secret), to)
}

fn sign(mut caller: Guest<'_>, secret: i32, at: i32, len: i32, to: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let secret = bytes(memory, secret, ED25519_KEY_BYTES as i32)?;
    let signature = crypto::ed25519_sign(secret, bytes(memory, at, len)?);
    finish(memory, state, signature, to)
}

fn verify(mut caller: Guest<'_>, public: i32, at: i32, len: i32, signature: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let public = bytes(memory, public, ED25519_KEY_BYTES as i32)?;
    let signature = bytes(memory, signature, SIGNATURE_BYTES as i32)?;
    let verified = crypto::ed25519_verify(public, bytes(memory, at, len)?, signature);
    Ok(settle(
        state,
        verified.map(i32::from).map_err(Refusal::from),
    ))
}

/// Writes what was made, or keeps why it was not.
fn finish(
    memory: &mut [u8],
    state: &mut State,
    made: Result<impl AsRef<[u8]>, CryptoError>,
    to: i32,
) -> Result<i32> {
    match made {
        Ok(made) => write(memory, to, made.as_ref()),
        Err(error) => Ok(settle(state, Err(error.into()))),
    }
}
