//! API keys: shown once on creation, then looked up by hash.
//!
//! Only a key's SHA-256 is stored: with 256 bits of entropy a slow hash would protect nothing. Lookups are
//! cached per process for seconds and invalidated through the bus when a key or its tenant is disabled.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::context::Context;
use crate::error::{Chain, Error, Result, Thing, Unauthorized};
use crate::field::{Int, Invalid, Name};
use crate::ids::{KeyId, TenantId};
use crate::page::{Page, PageRequest};
use crate::platform::db;
use crate::platform::limits::ClientAddress;
use crate::text_enum;

use super::{Tenant, quota};

mod base62;
mod cache;
mod raw;
mod store;

pub use raw::RawKey;

/// Seconds for which a rotated key keeps working: a week at most.
pub type Grace = Int<0, { 7 * 24 * 60 * 60 }>;

/// Resolution of a key's time of last use.
const USE_RESOLUTION: Duration = Duration::from_secs(60);

text_enum! {
    /// A permission of a key.
    pub enum Scope {
        /// Everything.
        Full = "full",
        /// Every GET.
        Read = "read",
        /// Conversations.
        Chat = "chat",
        /// Knowledge.
        Knowledge = "knowledge",
    }
}

/// An API key without its secret.
#[derive(Clone, Debug)]
pub struct Key {
    /// The id.
    pub id: KeyId,
    /// The owner.
    pub tenant: TenantId,
    /// The name, chosen by the owner.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// Permissions.
    pub scopes: Vec<Scope>,
    /// Time of expiry.
    pub expires_at: Option<DateTime<Utc>>,
    /// Time of the last use, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
}

/// The scopes of a key: at least one, without duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Default for Scopes {
    fn default() -> Self {
        Self(vec![Scope::Full])
    }
}

impl Scopes {
    /// The scopes.
    #[must_use]
    pub fn as_slice(&self) -> &[Scope] {
        &self.0
    }

    /// Parses scope names.
    ///
    /// # Errors
    /// When a name is unknown, or the list is empty.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let unknown =
            |_| Invalid::new(format!("must hold only these: {}", Scope::ALL.map(Scope::as_str).join(", ")));
        let scopes: Result<Vec<Scope>, Invalid> =
            names.into_iter().map(|name| name.parse().map_err(unknown)).collect();
        scopes?.try_into()
    }
}

impl TryFrom<Vec<Scope>> for Scopes {
    type Error = Invalid;

    fn try_from(all: Vec<Scope>) -> Result<Self, Invalid> {
        let mut scopes = Vec::new();
        for scope in all {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        if scopes.is_empty() {
            return Err(Invalid::new("must have at least one scope"));
        }
        Ok(Self(scopes))
    }
}

/// The time at which a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry(DateTime<Utc>);

impl Expiry {
    /// The time.
    #[must_use]
    pub fn time(self) -> DateTime<Utc> {
        self.0
    }
}

impl FromStr for Expiry {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let time = DateTime::parse_from_rfc3339(raw).ok().map(|time| time.with_timezone(&Utc));
        time.filter(|time| *time > Utc::now())
            .map(Self)
            .ok_or_else(|| Invalid::new("must be a moment in the future, in RFC 3339"))
    }
}

/// A key to create.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// The name, chosen by the owner.
    pub name: Name,
    /// Permissions.
    pub scopes: Scopes,
    /// Time of expiry; `None`: never.
    pub expires_at: Option<Expiry>,
}

impl KeyRequest {
    /// A key with every permission and without expiry.
    ///
    /// # Errors
    /// When the name is blank or too long.
    pub fn full(name: &str) -> Result<Self, Invalid> {
        Ok(Self { name: name.parse()?, scopes: Scopes::default(), expires_at: None })
    }
}

/// An authenticated caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// The key.
    pub key: KeyId,
    /// Permissions of the key.
    pub scopes: Vec<Scope>,
    /// Time at which the key expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates a key. Its secret is returned and never stored.
///
/// # Errors
/// [`Error::LimitReached`] when the plan's limit is reached; [`Error::NotFound`] when the tenant does not exist.
pub async fn create(ctx: &Context, tenant: TenantId, request: &KeyRequest) -> Result<(Key, RawKey)> {
    let raw = RawKey::generate();
    let expires_at = request.expires_at.map(Expiry::time);
    let key = new(tenant, &request.name, request.scopes.as_slice(), expires_at, &raw);
    let mut tx = ctx.db().begin(tenant).await?;
    quota::hold_key(&mut tx, tenant, false).await?;
    let created = store::insert(&mut **tx, &key).await?;
    tx.commit().await?;
    Ok((created, raw))
}

/// Creates a key regardless of the plan's limit, so that a tenant without its keys is not locked out. For operators.
///
/// # Errors
/// [`Error::NotFound`] when the tenant does not exist.
pub async fn issue(ctx: &Context, tenant: TenantId, request: &KeyRequest) -> Result<(Key, RawKey)> {
    let raw = RawKey::generate();
    let expires_at = request.expires_at.map(Expiry::time);
    let key = new(tenant, &request.name, request.scopes.as_slice(), expires_at, &raw);
    match store::insert(&mut *ctx.db().for_tenant(tenant).await?, &key).await {
        Err(error) if db::refers_to_nothing(&error) => Err(Error::NotFound(Thing::Tenant)),
        created => Ok((created?, raw)),
    }
}

/// A page of a tenant's non-revoked keys, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context, tenant: TenantId, page: PageRequest) -> Result<Page<Key>> {
    let (keys, total) = store::list(ctx.db().reading(tenant), tenant, page).await?;
    Ok(Page::new(page, keys, total))
}

/// A valid key of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked or expired.
pub async fn get(ctx: &Context, tenant: TenantId, key: KeyId) -> Result<Key> {
    store::find(ctx.db().reading(tenant), tenant, key).await?.ok_or(Error::NotFound(Thing::Key))
}

/// Revokes a key immediately and returns its name.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked already.
pub async fn revoke(ctx: &Context, tenant: TenantId, key: KeyId) -> Result<String> {
    let revoked = store::revoke(&mut *ctx.db().for_tenant(tenant).await?, tenant, key).await?;
    let (name, hash) = revoked.ok_or(Error::NotFound(Thing::Key))?;
    cache::forget(ctx, &[hash]).await;
    Ok(name)
}

/// Creates a key with an older key's permissions; the older key works and counts for the grace period.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked or expired; [`Error::LimitReached`] when old
/// and new keys together are twice as many as the plan has.
pub async fn rotate(ctx: &Context, tenant: TenantId, key: KeyId, grace: Grace) -> Result<(Key, RawKey)> {
    let raw = RawKey::generate();
    let mut tx = ctx.db().begin(tenant).await?;
    let old = store::find(&mut **tx, tenant, key).await?.ok_or(Error::NotFound(Thing::Key))?;
    let hash = match u64::try_from(grace.get()) {
        Ok(seconds) if seconds > 0 => {
            quota::hold_key(&mut tx, tenant, true).await?;
            store::expire(&mut **tx, tenant, key, Duration::from_secs(seconds)).await?
        }
        _ => store::revoke(&mut **tx, tenant, key).await?.map(|(_, hash)| hash),
    };
    // `None` if a concurrent rotation has ended the key already.
    let hash = hash.ok_or(Error::NotFound(Thing::Key))?;
    let created = new(tenant, &old.name, &old.scopes, old.expires_at, &raw);
    let created = store::insert(&mut **tx, &created).await?;
    tx.commit().await?;
    cache::forget(ctx, &[hash]).await;
    Ok((created, raw))
}

/// Authenticates the key of a client's request and returns its caller. Unknown keys count against the limit of the
/// client's address before they are looked up.
///
/// # Errors
/// [`Error::Unauthorized`] when the key is unknown, expired or revoked, or its tenant inactive; [`Error::TooMany`] when
/// the address sent too many invalid keys, without a lookup.
pub async fn authenticate_client(ctx: &Context, client: ClientAddress, raw: &RawKey) -> Result<Caller> {
    let hash = raw.hash();
    if let Some(caller) = cache::find(ctx, &hash) {
        return unexpired(caller);
    }
    let ticket = ctx.limits().strangers.admit(client, hash).await?;
    let found = look_up(ctx, &hash).await;
    match &found {
        Ok(_) => ticket.valid(),
        Err(Error::Unauthorized(_)) => ticket.invalid(),
        Err(_) => ticket.undecided(),
    }
    found
}

/// Authenticates a key from another source than a client's request, without a rate limit, and returns its caller.
///
/// # Errors
/// [`Error::Unauthorized`] when the key is unknown, expired or revoked, or its tenant inactive.
pub async fn authenticate(ctx: &Context, raw: &RawKey) -> Result<Caller> {
    let hash = raw.hash();
    match cache::find(ctx, &hash) {
        Some(caller) => unexpired(caller),
        None => look_up(ctx, &hash).await,
    }
}

fn unexpired(caller: Caller) -> Result<Caller> {
    if caller.expires_at.is_none_or(|end| end > Utc::now()) {
        Ok(caller)
    } else {
        Err(Error::Unauthorized(Unauthorized::Rejected))
    }
}

/// Reads a key's caller from the database and caches it.
async fn look_up(ctx: &Context, hash: &[u8; 32]) -> Result<Caller> {
    let rejected = || Error::Unauthorized(Unauthorized::Rejected);
    let generation = ctx.bus().generation();
    let found = store::find_by_hash(ctx.db().platform(), hash).await?.ok_or_else(rejected)?;
    // The index comparison was not constant-time.
    if !bool::from(found.hash.as_slice().ct_eq(hash.as_slice())) {
        return Err(rejected());
    }
    cache::keep(ctx, hash, &found.caller, generation);
    note_use(ctx, &found);
    Ok(found.caller)
}

/// Records the time of use, at most once per [`USE_RESOLUTION`] and outside the request: a busy key is looked
/// up every few seconds.
fn note_use(ctx: &Context, found: &store::FoundKey) {
    let due = |last: DateTime<Utc>| (Utc::now() - last).to_std().is_ok_and(|ago| ago >= USE_RESOLUTION);
    if !found.last_used_at.is_none_or(due) {
        return;
    }
    let (ctx, key) = (ctx.clone(), found.caller.key);
    tokio::spawn(async move {
        if let Err(error) = store::note_use(ctx.db().platform(), key).await {
            tracing::debug!(key.id = %key, error = %Chain(&Error::from(error)), "recording the use of an API key failed");
        }
    });
}

/// Drops the cached lookups of a tenant's keys, after its activation changed.
pub(super) async fn forget_all(ctx: &Context, tenant: &Tenant) -> Result<()> {
    let hashes = store::list_hashes(ctx.db().platform(), tenant.id).await?;
    cache::forget(ctx, &hashes).await;
    Ok(())
}

fn new<'a>(
    tenant: TenantId,
    name: &'a str,
    scopes: &'a [Scope],
    expires_at: Option<DateTime<Utc>>,
    raw: &RawKey,
) -> store::NewKey<'a> {
    let (prefix, hash) = (raw.prefix(), raw.hash());
    store::NewKey { id: KeyId::fresh(), tenant, name, prefix, hash, scopes, expires_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_deduplicated_and_full_is_the_default() {
        assert_eq!(Scopes::default().as_slice(), [Scope::Full]);
        let scopes = Scopes::parse(["chat", "read", "chat"]).unwrap();
        assert_eq!(scopes.as_slice(), [Scope::Chat, Scope::Read]);
        let refused = |names: &[&str]| Scopes::parse(names.iter().copied()).unwrap_err().to_string();
        assert_eq!(refused(&[]), "must have at least one scope");
        assert_eq!(refused(&["admin"]), "must hold only these: full, read, chat, knowledge");
    }

    #[test]
    fn an_expiry_is_in_the_future() {
        assert!("2036-01-15T10:05:00Z".parse::<Expiry>().is_ok());
        for wrong in ["2001-01-01T00:00:00Z", "2036-01-15", "never", ""] {
            assert!(wrong.parse::<Expiry>().is_err(), "{wrong}");
        }
    }
}
