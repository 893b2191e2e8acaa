//! The interface `crypto`.

use wasmtime::Result as Trappable;

use super::bindings::rusm::runtime::crypto::{Algorithm, Host};
use super::bindings::rusm::runtime::types::Error;
use crate::guest::State;
use crate::host::Refusal;
use crate::host::crypto::{self, CryptoError, Digest, Digester, Hash, PIECE_BYTES_MAX, reductions};
use crate::link::{noted, opaque};

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Refusal::from(error).into()
    }
}

fn hash(algorithm: Algorithm) -> Hash {
    match algorithm {
        Algorithm::Sha256 => Hash::Sha256,
        Algorithm::Sha384 => Hash::Sha384,
        Algorithm::Sha512 => Hash::Sha512,
    }
}

/// Feeds all of `content` to a digester: what fits in one piece at once, and more of it piece by
/// piece with a look at the turn in between.
async fn digest(mut digester: Digester, content: &[u8]) -> Digest {
    if content.len() <= PIECE_BYTES_MAX {
        rusm_sched::spend(reductions(content.len()));
        digester.update(content);
        return digester.finish();
    }
    let all = opaque(async move {
        for piece in content.chunks(PIECE_BYTES_MAX) {
            digester.update(piece);
            rusm_sched::reductions(reductions(piece.len())).await;
        }
        digester.finish()
    });
    Box::into_pin(all).await
}

impl Host for State {
    fn random(&mut self, len: u32) -> Result<Vec<u8>, Error> {
        // A guest says any number; there is room for what it may have.
        crypto::may_random(len as usize)?;
        let mut bytes = vec![0; len as usize];
        crypto::random(&mut bytes)?;
        Ok(bytes)
    }

    async fn hash(&mut self, algorithm: Algorithm, content: Vec<u8>) -> Trappable<Vec<u8>> {
        noted!(self.pid(), "rusm:runtime/crypto hash");
        let digester = Digester::hash(hash(algorithm));
        Ok(digest(digester, &content).await.as_ref().to_vec())
    }

    async fn hmac(
        &mut self,
        algorithm: Algorithm,
        key: Vec<u8>,
        content: Vec<u8>,
    ) -> Trappable<Result<Vec<u8>, Error>> {
        noted!(self.pid(), "rusm:runtime/crypto hmac");
        Ok(match Digester::code(hash(algorithm), &key) {
            Ok(digester) => Ok(digest(digester, &content).await.as_ref().to_vec()),
            Err(error) => Err(error.into()),
        })
    }

    async fn hmac_verify(
        &mut self,
        algorithm: Algorithm,
        key: Vec<u8>,
        content: Vec<u8>,
        code: Vec<u8>,
    ) -> Trappable<Result<bool, Error>> {
        noted!(self.pid(), "rusm:runtime/crypto hmac-verify");
        Ok(match Digester::code(hash(algorithm), &key) {
            Ok(digester) => Ok(digest(digester, &content).await.is(&code)),
            Err(error) => Err(error.into()),
        })
    }

    fn aes_gcm_seal(
        &mut self,
        key: Vec<u8>,
        nonce: Vec<u8>,
        also: Vec<u8>,
        content: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        Ok(crypto::seal(&key, &nonce, &also, &content)?)
    }

    fn aes_gcm_open(
        &mut self,
        key: Vec<u8>,
        nonce: Vec<u8>,
        also: Vec<u8>,
        sealed: Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        Ok(crypto::open(&key, &nonce, &also, &sealed)?)
    }

    fn ed25519_generate(&mut self) -> Result<Vec<u8>, Error> {
        Ok(crypto::ed25519_generate()?.to_vec())
    }

    fn ed25519_public(&mut self, secret: Vec<u8>) -> Result<Vec<u8>, Error> {
        Ok(crypto::ed25519_public(&secret)?.to_vec())
    }

    fn ed25519_sign(&mut self, secret: Vec<u8>, content: Vec<u8>) -> Result<Vec<u8>, Error> {
        Ok(crypto::ed25519_sign(&secret, &content)?.to_vec())
    }

    fn ed25519_verify(
        &mut self,
        public: Vec<u8>,
        content: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<bool, Error> {
        Ok(crypto::ed25519_verify(&public, &content, &signature)?)
    }
}
