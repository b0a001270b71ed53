//! Encryption of stored responses with a key derived from the caller's API key.
//!
//! A response may contain a new API key, which a copy of the database must not reveal.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};
use crate::tenants::keys::RawKey;

const PURPOSE: &[&[u8]] = &[b"parlance: kept answers"];

/// Encryption key, derived from an API key by HKDF-SHA256 (RFC 5869).
pub(super) struct Seal(LessSafeKey);

impl Seal {
    /// Derives the key from an API key.
    ///
    /// # Errors
    /// Never in practice: the derived length is within HKDF's limit.
    pub(super) fn of(key: &RawKey) -> Result<Self> {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(key.expose().as_bytes());
        let derived = secret.expand(PURPOSE, &CHACHA20_POLY1305);
        let derived = derived.map_err(|error| Error::internal("cannot derive the response key", error))?;
        Ok(Self(LessSafeKey::new(UnboundKey::from(derived))))
    }

    /// Encrypts with ChaCha20-Poly1305 (RFC 8439). Returns a random nonce followed by the ciphertext.
    ///
    /// # Errors
    /// When the system's random number generator fails.
    pub(super) fn close(&self, text: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        let failed = |error| Error::internal("cannot encrypt the response", error);
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let mut sealed = text.as_bytes().to_vec();
        let unique_nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique_nonce, Aad::empty(), &mut sealed).map_err(failed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts; `None` if another key encrypted it.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
        let text = self.0.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_decrypts() {
        let (raw, other) = (RawKey::generate(), Seal::of(&RawKey::generate()).unwrap());
        let (mine, again) = (Seal::of(&raw).unwrap(), Seal::of(&raw).unwrap());
        let sealed = mine.close("tk_secret").unwrap();
        assert!(!sealed.windows(3).any(|part| part == b"tk_"));
        assert_ne!(sealed, mine.close("tk_secret").unwrap(), "no nonce is used twice");
        assert_eq!(again.open(&sealed).as_deref(), Some("tk_secret"));
        assert_eq!(other.open(&sealed), None);
        for short in [&sealed[..5], &sealed[..20], &[]] {
            assert_eq!(mine.open(short), None);
        }
    }
}
