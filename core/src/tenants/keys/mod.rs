//! API keys: made, shown once, recognised by their hash.
//!
//! A key is `tk_` + 43 characters of base62 that carry 256 random bits + 6 of a CRC-32 over what
//! stands before, so that a mistyped key is told from an unknown one without a look at the database.
//! Only its SHA-256 is stored: with 256 bits of entropy there is nothing to guess, so a slow hash
//! would protect nothing.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::error::{Error, Result, Thing, Unauthorized};
use crate::ids::{KeyId, TenantId};

mod base62;
mod store;

const MARK: &str = "tk_";
/// 256 bits in base 62: ⌈256 / log2 62⌉.
const SECRET_LENGTH: usize = 43;
/// 32 bits in base 62: ⌈32 / log2 62⌉.
const CHECKSUM_LENGTH: usize = 6;
/// How much of a key is shown afterwards.
const PREFIX_LENGTH: usize = 11;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Full,
    /// Every GET.
    Read,
    /// Conversations.
    Chat,
    /// Knowledge.
    Knowledge,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 4] = [Scope::Full, Scope::Read, Scope::Chat, Scope::Knowledge];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Full => "full",
            Scope::Read => "read",
            Scope::Chat => "chat",
            Scope::Knowledge => "knowledge",
        }
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == raw).ok_or_else(|| {
            let known = Scope::ALL.map(Scope::as_str).join(", ");
            Error::invalid("scopes", format!("A scope must be one of: {known}"))
        })
    }
}

/// A key's row: everything but the key.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What its owner calls it.
    pub name: String,
    /// Its visible beginning.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Who is calling, as a key proves it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// The key.
    pub key: KeyId,
    /// What the key may do.
    pub scopes: Vec<Scope>,
}

/// A well-formed key: its checksum holds. Not shown by `Debug`.
#[derive(Clone)]
pub struct RawKey(SecretString);

impl RawKey {
    fn generate() -> Self {
        let mut bits = [0_u8; 32];
        rand::rng().fill_bytes(&mut bits);
        let body = format!("{MARK}{}", base62::encode(&bits, SECRET_LENGTH));
        let checksum = checksum(&body);
        Self(SecretString::from(body + &checksum))
    }

    /// The key itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn prefix(&self) -> String {
        self.expose().chars().take(PREFIX_LENGTH).collect()
    }

    fn hash(&self) -> [u8; 32] {
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
    /// [`Unauthorized::Rejected`] when it is not a key of ours.
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

/// Makes a key. The key itself is in the answer and nowhere else.
///
/// # Errors
/// When the tenant does not exist.
pub async fn create(
    ctx: &Context,
    tenant: TenantId,
    name: &str,
    scopes: &[Scope],
    expires_at: Option<DateTime<Utc>>,
) -> Result<(Key, RawKey)> {
    super::get(ctx, tenant).await?;
    let raw = RawKey::generate();
    let new = store::NewKey {
        id: KeyId::fresh(),
        tenant,
        name: name.trim(),
        prefix: &raw.prefix(),
        hash: &raw.hash(),
        scopes,
        expires_at,
    };
    Ok((store::insert(ctx.db(), &new).await?, raw))
}

/// A tenant's keys, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context, tenant: TenantId) -> Result<Vec<Key>> {
    Ok(store::list(ctx.db(), tenant).await?)
}

/// Ends a key at once.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked already.
pub async fn revoke(ctx: &Context, tenant: TenantId, key: KeyId) -> Result<()> {
    let revoked = store::revoke(ctx.db(), tenant, key).await?;
    if revoked { Ok(()) } else { Err(Error::NotFound(Thing::Key)) }
}

/// Who holds this key.
///
/// # Errors
/// [`Error::Unauthorized`] when the key is unknown, expired or revoked, or its tenant inactive.
pub async fn authenticate(ctx: &Context, raw: &RawKey) -> Result<Caller> {
    let found = store::find_by_hash(ctx.db(), &raw.hash()).await?;
    found.ok_or(Error::Unauthorized(Unauthorized::Rejected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_documented_shape_and_reads_back() {
        for _ in 0..100 {
            let key = RawKey::generate();
            assert_eq!(key.expose().len(), 3 + 43 + 6);
            assert!(key.expose()[3..].chars().all(|c| c.is_ascii_alphanumeric()));
            assert_eq!(key.expose().parse::<RawKey>().unwrap().hash(), key.hash());
        }
    }

    #[test]
    fn one_wrong_character_is_noticed_without_a_look_at_the_database() {
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
    fn a_key_is_not_shown_by_accident() {
        assert_eq!(format!("{:?}", RawKey::generate()), "RawKey(…)");
    }
}
