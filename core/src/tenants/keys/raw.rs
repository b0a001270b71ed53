//! Pure: raw API key format.
//!
//! `tk_`, then 256 random bits in 43 base62 characters, then the CRC-32 of the preceding text in 6. The
//! checksum rejects mistyped keys without a database lookup.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::base62;
use crate::error::{Error, Result, Unauthorized};

const MARK: &str = "tk_";
/// 256 bits in base 62: ⌈256 / log2 62⌉.
const SECRET_LENGTH: usize = 43;
/// 32 bits in base 62: ⌈32 / log2 62⌉.
const CHECKSUM_LENGTH: usize = 6;
/// Length of the prefix shown after creation.
const PREFIX_LENGTH: usize = 11;

/// A well-formed key with a valid checksum. Redacted in `Debug`.
#[derive(Clone)]
pub struct RawKey(SecretString);

impl RawKey {
    pub(crate) fn generate() -> Self {
        let mut bits = [0_u8; 32];
        rand::rng().fill_bytes(&mut bits);
        let body = format!("{MARK}{}", base62::encode(&bits, SECRET_LENGTH));
        let checksum = checksum(&body);
        Self(SecretString::from(body + &checksum))
    }

    /// The key in plain text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn prefix(&self) -> String {
        self.expose().chars().take(PREFIX_LENGTH).collect()
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }
}

impl fmt::Debug for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawKey(…)")
    }
}

impl FromStr for RawKey {
    type Err = Error;

    /// # Errors
    /// [`Unauthorized::Rejected`] when the key is malformed.
    fn from_str(raw: &str) -> Result<Self> {
        let malformed = || Error::Unauthorized(Unauthorized::Rejected);
        let length = MARK.len() + SECRET_LENGTH + CHECKSUM_LENGTH;
        if raw.len() != length || !raw.is_ascii() || !raw.starts_with(MARK) {
            return Err(malformed());
        }
        let (body, given) = raw.split_at(length - CHECKSUM_LENGTH);
        if given != checksum(body) {
            return Err(malformed());
        }
        Ok(Self(SecretString::from(raw.to_owned())))
    }
}

fn checksum(body: &str) -> String {
    base62::encode(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_documented_format_and_parses() {
        for _ in 0..100 {
            let key = RawKey::generate();
            assert_eq!(key.expose().len(), 3 + 43 + 6);
            assert!(key.expose()[3..].chars().all(|c| c.is_ascii_alphanumeric()));
            assert_eq!(key.expose().parse::<RawKey>().unwrap().hash(), key.hash());
        }
    }

    #[test]
    fn the_checksum_detects_one_wrong_character() {
        let key = RawKey::generate();
        for place in 3..key.expose().len() {
            let mut wrong: Vec<char> = key.expose().chars().collect();
            wrong[place] = if wrong[place] == 'a' { 'b' } else { 'a' };
            assert!(String::from_iter(wrong).parse::<RawKey>().is_err());
        }
        for wrong in ["", "tk_", "sk_123", "tk_ü", &format!("{}x", key.expose())] {
            assert!(wrong.parse::<RawKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn debug_redacts_the_key() {
        assert_eq!(format!("{:?}", RawKey::generate()), "RawKey(…)");
    }
}
