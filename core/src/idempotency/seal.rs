//! Kept answers are sealed: only who holds the API key that they were given to can have them read again. An answer may
//! show an API key, and a copy of the database must not.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};
use crate::tenants::keys::RawKey;

const PURPOSE: &[&[u8]] = &[b"parlance: kept answers"];

/// What answers are sealed with: a key derived from an API key by HKDF-SHA256 (RFC 5869).
pub(super) struct Seal(LessSafeKey);

impl Seal {
    /// That of an API key.
    ///
    /// # Errors
    /// Never: the key that is derived is not too long.
    pub(super) fn of(key: &RawKey) -> Result<Self> {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(key.expose().as_bytes());
        let derived = secret.expand(PURPOSE, &CHACHA20_POLY1305);
        let derived = derived.map_err(|error| Error::internal("an answer's seal", error))?;
        Ok(Self(LessSafeKey::new(UnboundKey::from(derived))))
    }

    /// A nonce, at random, and the text, sealed by ChaCha20-Poly1305 (RFC 8439).
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn close(&self, text: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        let failed = |error| Error::internal("an answer cannot be sealed", error);
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let mut sealed = text.as_bytes().to_vec();
        let nonce_of_this = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(nonce_of_this, Aad::empty(), &mut sealed).map_err(failed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The text; `None` when another key sealed it.
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
    fn what_is_sealed_opens_with_the_same_key_alone() {
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
