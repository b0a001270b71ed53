//! API keys: made, shown once, recognised by their hash.
//!
//! Only a key's SHA-256 is stored: with 256 bits of entropy there is nothing to guess, so a slow hash
//! would protect nothing. Who a key belongs to is kept in a process for seconds, and forgotten when the bus tells
//! that the key or its tenant stopped counting.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::context::Context;
use crate::error::{Chain, Error, Result, Thing, Unauthorized};
use crate::ids::{KeyId, TenantId};
use crate::input::{Collect, required_text};
use crate::page::{Page, PageRequest};
use crate::platform::db;

use super::Tenant;

mod base62;
mod cache;
mod raw;
mod store;

pub use raw::RawKey;

/// The longest time for which a rotated key goes on working.
pub const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How exactly the last use of a key is known.
const USE_RESOLUTION: Duration = Duration::from_secs(60);

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
            Error::invalid("scopes", format!("The 'scopes' field must hold only these: {known}"))
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
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key to be made, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct RawKeyRequest {
    /// 1 to 255 characters.
    pub name: Option<String>,
    /// Each a [`Scope`]; `full` when absent.
    pub scopes: Option<Vec<String>>,
    /// RFC 3339, in the future; never when absent.
    pub expires_at: Option<String>,
}

/// A key to be made, with everything checked.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    name: String,
    scopes: Vec<Scope>,
    expires_at: Option<DateTime<Utc>>,
}

impl KeyRequest {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields.
    pub fn parse(raw: RawKeyRequest) -> Result<Self> {
        let mut problems = Vec::new();
        let name = problems.take(required_text("name", raw.name, 255));
        let scopes = problems.take(scopes(raw.scopes));
        let expires_at = problems.take(expiry(raw.expires_at.as_deref()));
        match (name, scopes, expires_at) {
            (Some(name), Some(scopes), Some(expires_at)) => Ok(Self { name, scopes, expires_at }),
            _ => Err(Error::Invalid(problems)),
        }
    }

    /// A key that does everything and never ends.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name is blank or too long.
    pub fn full(name: &str) -> Result<Self> {
        Self::parse(RawKeyRequest { name: Some(name.to_owned()), ..RawKeyRequest::default() })
    }
}

fn scopes(raw: Option<Vec<String>>) -> Result<Vec<Scope>> {
    let Some(raw) = raw else { return Ok(vec![Scope::Full]) };
    let mut scopes = Vec::new();
    for scope in &raw {
        let scope: Scope = scope.parse()?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", "The 'scopes' field must have at least one scope"));
    }
    Ok(scopes)
}

fn expiry(raw: Option<&str>) -> Result<Option<DateTime<Utc>>> {
    let Some(raw) = raw else { return Ok(None) };
    let wrong =
        || Error::invalid("expires_at", "The 'expires_at' field must be a moment in the future, in RFC 3339");
    let moment = DateTime::parse_from_rfc3339(raw).map_err(|_| wrong())?.with_timezone(&Utc);
    if moment <= Utc::now() {
        return Err(wrong());
    }
    Ok(Some(moment))
}

/// Who is calling, as a key proves it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// The key.
    pub key: KeyId,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// When the key ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a key. The key itself is in the answer and nowhere else.
///
/// # Errors
/// When the tenant does not exist.
pub async fn create(ctx: &Context, tenant: TenantId, request: &KeyRequest) -> Result<(Key, RawKey)> {
    let raw = RawKey::generate();
    let made = store::insert(&mut *ctx.db().of(tenant).await?, &new(tenant, request, &raw)).await;
    match made {
        Err(error) if db::refers_to_nothing(&error) => Err(Error::NotFound(Thing::Tenant)),
        made => Ok((made?, raw)),
    }
}

/// A page of a tenant's keys that are not revoked, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context, tenant: TenantId, page: PageRequest) -> Result<Page<Key>> {
    let (keys, total) = store::list(&mut *ctx.db().of(tenant).await?, tenant, page).await?;
    Ok(Page::new(page, keys, total))
}

/// A key of a tenant that still opens something.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked or over.
pub async fn get(ctx: &Context, tenant: TenantId, key: KeyId) -> Result<Key> {
    store::find(&mut *ctx.db().of(tenant).await?, tenant, key).await?.ok_or(Error::NotFound(Thing::Key))
}

/// Ends a key at once. Gives what it was called.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked already.
pub async fn revoke(ctx: &Context, tenant: TenantId, key: KeyId) -> Result<String> {
    let revoked = store::revoke(&mut *ctx.db().of(tenant).await?, tenant, key).await?;
    let (name, hash) = revoked.ok_or(Error::NotFound(Thing::Key))?;
    cache::forget(ctx, &[hash]).await;
    Ok(name)
}

/// Makes a key that may do what an older one may, and lets the older one go on for `grace`.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such key, or it is revoked or over;
/// [`Error::Invalid`] when the grace is longer than [`MAX_GRACE`].
pub async fn rotate(ctx: &Context, tenant: TenantId, key: KeyId, grace: Duration) -> Result<(Key, RawKey)> {
    if grace > MAX_GRACE {
        let most = MAX_GRACE.as_secs();
        let message = format!("The 'grace_period_seconds' field must be between 0 and {most}");
        return Err(Error::invalid("grace_period_seconds", message));
    }
    let raw = RawKey::generate();
    let mut tx = ctx.db().begin(tenant).await?;
    let old = store::find(&mut *tx, tenant, key).await?.ok_or(Error::NotFound(Thing::Key))?;
    let hash = if grace.is_zero() {
        store::revoke(&mut *tx, tenant, key).await?.map(|(_, hash)| hash)
    } else {
        store::expire(&mut *tx, tenant, key, grace).await?
    };
    // Of two rotations at once that end the key, the second finds none.
    let hash = hash.ok_or(Error::NotFound(Thing::Key))?;
    let request = KeyRequest { name: old.name, scopes: old.scopes, expires_at: old.expires_at };
    let made = store::insert(&mut *tx, &new(tenant, &request, &raw)).await?;
    tx.commit().await?;
    cache::forget(ctx, &[hash]).await;
    Ok((made, raw))
}

/// Who holds this key.
///
/// # Errors
/// [`Error::Unauthorized`] when the key is unknown, expired or revoked, or its tenant inactive.
pub async fn authenticate(ctx: &Context, raw: &RawKey) -> Result<Caller> {
    let hash = raw.hash();
    let rejected = || Error::Unauthorized(Unauthorized::Rejected);
    if let Some(caller) = cache::find(ctx, &hash) {
        return if caller.expires_at.is_none_or(|end| end > Utc::now()) {
            Ok(caller)
        } else {
            Err(rejected())
        };
    }
    let asked = ctx.bus().asked();
    let known = store::find_by_hash(ctx.db().platform(), &hash).await?.ok_or_else(rejected)?;
    // The index compared them already, but not in constant time.
    if !bool::from(known.hash.ct_eq(&hash)) {
        return Err(rejected());
    }
    cache::keep(ctx, &hash, &known.caller, asked);
    note_use(ctx, &known);
    Ok(known.caller)
}

/// Writes down that the key is used, now and then and beside the request: a key that is used all the
/// time is looked up every few seconds.
fn note_use(ctx: &Context, known: &store::Known) {
    let due = |last: DateTime<Utc>| (Utc::now() - last).to_std().is_ok_and(|ago| ago >= USE_RESOLUTION);
    if !known.last_used_at.is_none_or(due) {
        return;
    }
    let (ctx, key) = (ctx.clone(), known.caller.key);
    tokio::spawn(async move {
        if let Err(error) = store::note_use(ctx.db().platform(), key).await {
            tracing::debug!(key.id = %key, error = %Chain(&Error::from(error)), "its use was not noted");
        }
    });
}

/// Forgets who the tenant's keys belong to: it has become inactive, or active again.
pub(super) async fn forget_all(ctx: &Context, tenant: &Tenant) -> Result<()> {
    let hashes = store::list_hashes(ctx.db().platform(), tenant.id).await?;
    cache::forget(ctx, &hashes).await;
    Ok(())
}

fn new<'a>(tenant: TenantId, request: &'a KeyRequest, raw: &RawKey) -> store::NewKey<'a> {
    store::NewKey {
        id: KeyId::fresh(),
        tenant,
        name: &request.name,
        prefix: raw.prefix(),
        hash: raw.hash(),
        scopes: &request.scopes,
        expires_at: request.expires_at,
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Problem;

    use super::*;

    #[test]
    fn everything_wrong_with_a_key_is_told_at_once() {
        let raw = RawKeyRequest {
            name: Some(" ".into()),
            scopes: Some(vec!["admin".into()]),
            expires_at: Some("2001-01-01T00:00:00Z".into()),
        };
        let Err(Error::Invalid(problems)) = KeyRequest::parse(raw) else { panic!() };
        let fields: Vec<&str> = problems.iter().map(|problem: &Problem| problem.field).collect();
        assert_eq!(fields, ["name", "scopes", "expires_at"]);
    }

    #[test]
    fn a_scope_counts_once_and_full_is_the_default() {
        let of = |scopes: Option<Vec<&str>>| {
            let scopes = scopes.map(|scopes| scopes.into_iter().map(str::to_owned).collect());
            KeyRequest::parse(RawKeyRequest { name: Some("a".into()), scopes, expires_at: None })
        };
        assert_eq!(of(None).unwrap().scopes, [Scope::Full]);
        assert_eq!(of(Some(vec!["chat", "read", "chat"])).unwrap().scopes, [Scope::Chat, Scope::Read]);
        assert!(of(Some(vec![])).is_err());
    }
}
