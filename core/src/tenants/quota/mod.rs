//! Limits of a plan on knowledge and API keys.
//!
//! Triggers count sources and stored bytes (`migrations/0015_quotas.sql`), also when an older release writes them; this
//! module decides whether more fits. [`check_growth`] refuses early. [`hold_growth`] decides: it locks the tenant's row
//! until the caller's transaction ends, so that concurrent additions commit only if they fit.
//!
//! Lock order: jobs, source, tenant, bot.

use sqlx::{PgConnection, PgTransaction};

use super::Limits;
use crate::error::{Error, Limit, Result, Thing};
use crate::ids::TenantId;

mod store;

/// Rotated keys in their grace period count too; with them a tenant may have this many times the keys of its plan.
const KEYS_WHILE_ROTATING: i64 = 2;

/// Knowledge about to be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// Sources.
    pub(crate) sources: i64,
    /// Bytes of originals and texts.
    pub(crate) bytes: i64,
}

impl Growth {
    /// More bytes in a source that exists.
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        Self { sources: 0, bytes: i64::try_from(bytes).unwrap_or(i64::MAX) }
    }

    /// A new source with an original of this size; a web site has none.
    pub(crate) fn of_source(bytes: Option<i64>) -> Self {
        Self { sources: 1, bytes: bytes.unwrap_or(0) }
    }
}

/// A tenant's stored knowledge, and the limits of its plan.
#[derive(Clone, Copy, Debug)]
struct Stored {
    limits: Limits,
    sources: i64,
    bytes: i64,
}

impl Stored {
    /// Pure. A limit that is already exceeded forbids growth only.
    fn admits(&self, growth: Growth) -> Result<()> {
        if growth.sources > 0 && is_above(self.sources, growth.sources, self.limits.sources) {
            return Err(Error::LimitReached(Limit::Sources));
        }
        if growth.bytes > 0 && is_above(self.bytes, growth.bytes, self.limits.storage_bytes) {
            return Err(Error::LimitReached(Limit::Storage));
        }
        Ok(())
    }
}

fn is_above(used: i64, more: i64, limit: Option<i64>) -> bool {
    limit.is_some_and(|limit| used.saturating_add(more) > limit)
}

/// Whether knowledge may grow, without a lock: refuses before a file is written or a text is computed.
///
/// # Errors
/// [`Error::LimitReached`] when it would exceed the plan's limit.
pub(crate) async fn check_growth(db: &mut PgConnection, tenant: TenantId, growth: Growth) -> Result<()> {
    store::find_stored(db, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?.admits(growth)
}

/// Admits growth in the caller's transaction. The triggers count the stored data.
///
/// # Errors
/// [`Error::LimitReached`] when it would exceed the plan's limit; the caller must not commit it.
pub(crate) async fn hold_growth(tx: &mut PgTransaction<'_>, tenant: TenantId, growth: Growth) -> Result<()> {
    store::lock_stored(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?.admits(growth)
}

/// Admits one more API key, in the caller's transaction. While a key is rotated, both keys count, and twice as many
/// keys may exist.
///
/// # Errors
/// [`Error::LimitReached`] when the plan's limit is reached.
pub(super) async fn hold_key(tx: &mut PgTransaction<'_>, tenant: TenantId, is_rotation: bool) -> Result<()> {
    let plan = super::store::lock_plan(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
    let factor = if is_rotation { KEYS_WHILE_ROTATING } else { 1 };
    let Some(limit) = plan.limits().api_keys.map(|keys| keys * factor) else { return Ok(()) };
    // After the lock, so that the statement sees the keys of earlier holders.
    if is_above(store::count_keys(&mut **tx, tenant).await?, 1, Some(limit)) {
        return Err(Error::LimitReached(Limit::ApiKeys));
    }
    Ok(())
}

/// Whether tokens may be embedded this month: refuses before vectors are computed.
///
/// # Errors
/// [`Error::LimitReached`] when they would exceed the plan's limit.
pub(crate) async fn check_embedding(db: &mut PgConnection, tenant: TenantId, tokens: i64) -> Result<()> {
    let (plan, used) = store::find_embedded(db, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
    if tokens > 0 && is_above(used, tokens, plan.limits().embedded_tokens) {
        return Err(Error::LimitReached(Limit::EmbeddedTokens));
    }
    Ok(())
}

/// Counts embedded tokens this month, in the transaction that stores their vectors. Call it last: messages of the
/// tenant wait for the same row.
///
/// # Errors
/// [`Error::LimitReached`] when they would exceed the plan's limit.
pub(crate) async fn count_embedded(tx: &mut PgTransaction<'_>, tenant: TenantId, tokens: i64) -> Result<()> {
    if tokens == 0 {
        return Ok(());
    }
    let plan = super::store::find(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?.plan;
    let limit = plan.limits().embedded_tokens;
    let counted = store::count_embedded(&mut **tx, tenant, tokens, limit).await?;
    if counted { Ok(()) } else { Err(Error::LimitReached(Limit::EmbeddedTokens)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenants::Plan;

    fn refused(sources: i64, bytes: i64, growth: Growth) -> Option<Limit> {
        let limits = Limits { sources: Some(2), storage_bytes: Some(100), ..Plan::Enterprise.limits() };
        match (Stored { limits, sources, bytes }).admits(growth) {
            Ok(()) => None,
            Err(Error::LimitReached(limit)) => Some(limit),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn growth_fits_up_to_the_limit() {
        assert_eq!(refused(1, 90, Growth::of_source(Some(10))), None);
        assert_eq!(refused(2, 0, Growth::of_source(None)), Some(Limit::Sources));
        assert_eq!(refused(1, 91, Growth::of_source(Some(10))), Some(Limit::Storage));
        assert_eq!(refused(0, 0, Growth::of_bytes(usize::MAX)), Some(Limit::Storage));
    }

    #[test]
    fn an_exceeded_limit_forbids_only_its_own_growth() {
        assert_eq!(refused(9, 0, Growth::of_bytes(1)), None);
        assert_eq!(refused(0, 900, Growth::of_source(None)), None);
    }

    #[test]
    fn a_plan_without_limits_admits_everything() {
        let stored = Stored { limits: Plan::Enterprise.limits(), sources: i64::MAX, bytes: i64::MAX };
        assert!(stored.admits(Growth { sources: i64::MAX, bytes: i64::MAX }).is_ok());
    }
}
