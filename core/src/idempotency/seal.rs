//! Kept answers are sealed: only who holds the API key that they were given to can have them read again. An answer may
//! show an API key, and a copy of the database must not.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretBox};

use crate::error::{Error, Result};
use crate::tenants::keys::RawKey;

const PURPOSE: &[&[u8]] = &[b"parlance: kept answers"];

/// What answers are sealed with: a key derived from an API key by HKDF-SHA256 (RFC 5869).
pub(super) struct Seal(SecretBox<[u8; 32]>);

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        CHACHA20_POLY1305.key_len()
    }
}

impl Seal {
    /// That of an API key.
    pub(super) fn of(key: &RawKey) -> Self {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(key.expose().as_bytes());
        let mut derived = SecretBox::new(Box::new([0; 32]));
        if let Ok(material) = secret.expand(PURPOSE, Length) {
            let bytes: &mut [u8; 32] = secrecy::ExposeSecretMut::expose_secret_mut(&mut derived);
            // Of the right length, as the type says.
            let _filled = material.fill(bytes);
        }
        Self(derived)
    }

    fn key(&self) -> Result<LessSafeKey> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.0.expose_secret());
        key.map(LessSafeKey::new).map_err(|error| Error::internal("an answer's seal", error))
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
        let key = self.key()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .map_err(failed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// The text; `None` when another key sealed it.
    ///
    /// # Errors
    /// Never for a key that was derived.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Option<String>> {
        let Some((nonce, sealed)) = sealed.split_first_chunk::<NONCE_LEN>() else { return Ok(None) };
        let mut sealed = sealed.to_vec();
        let key = self.key()?;
        let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut sealed);
        Ok(opened.ok().and_then(|text| String::from_utf8(text.to_vec()).ok()))
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_alone() {
        let (mine, other) = (RawKey::generate(), RawKey::generate());
        let sealed = Seal::of(&mine).close("tk_secret").unwrap();
        assert!(!sealed.windows(3).any(|part| part == b"tk_"));
        assert_ne!(sealed, Seal::of(&mine).close("tk_secret").unwrap(), "no nonce is used twice");
        assert_eq!(Seal::of(&mine).open(&sealed).unwrap().as_deref(), Some("tk_secret"));
        assert_eq!(Seal::of(&other).open(&sealed).unwrap(), None);
        for short in [&sealed[..5], &sealed[..20], &[]] {
            assert_eq!(Seal::of(&mine).open(short).unwrap(), None);
        }
    }
}
