//! Tenants, their plans and their usage.
//!
//! Owns the tables `tenant`, `api_key` and `usage_month`. Operators create tenants and choose their plans.

use chrono::{DateTime, Utc};
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::{Error, Limit, Result, Thing};
use crate::field::{Invalid, Name};
use crate::ids::TenantId;

pub mod keys;
mod plan;
pub(crate) mod quota;
mod store;

pub use plan::{Limits, Plan};

/// A customer company of the platform.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The id.
    pub id: TenantId,
    /// The name.
    pub name: String,
    /// The plan.
    pub plan: Plan,
    /// Whether its API keys work.
    pub is_active: bool,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// A tenant's usage of its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The plan.
    pub plan: Plan,
    /// Current number of bots.
    pub bots: i32,
    /// Conversations started in this calendar month, UTC.
    pub conversations: i64,
    /// Messages stored in this calendar month, UTC; welcome messages excepted.
    pub messages: i64,
    /// Current number of knowledge sources, in any state.
    pub sources: i64,
    /// Size of stored knowledge in bytes: originals and texts.
    pub storage_bytes: i64,
    /// Current number of API keys that are neither revoked nor expired.
    pub api_keys: i64,
    /// Tokens embedded in this calendar month, UTC; questions and re-embedding with another model excepted.
    pub embedded_tokens: i64,
}

/// Creates a tenant. For operators.
///
/// # Errors
/// [`Error::Invalid`] when the name is blank or longer than 255 characters.
pub async fn create(ctx: &Context, name: &str, plan: Plan) -> Result<Tenant> {
    let name: Name = name.trim().parse().map_err(|invalid: Invalid| invalid.in_field("name"))?;
    Ok(store::insert(ctx.db().platform(), TenantId::fresh(), &name, plan).await?)
}

/// All tenants, newest first. For operators.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context) -> Result<Vec<Tenant>> {
    Ok(store::list(ctx.db().platform()).await?)
}

/// A tenant.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(ctx: &Context, tenant: TenantId) -> Result<Tenant> {
    store::find(ctx.db().reading(tenant), tenant).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// A tenant's usage of its plan.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn usage(ctx: &Context, tenant: TenantId) -> Result<Usage> {
    store::find_usage(ctx.db().reading(tenant), tenant).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Changes a tenant's plan immediately. Bots, knowledge, keys and usage above the new limits stay. For operators.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn set_plan(ctx: &Context, tenant: TenantId, plan: Plan) -> Result<Tenant> {
    store::update(ctx.db().platform(), tenant, Some(plan), None).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Activates or deactivates a tenant: while inactive, its API keys are rejected. For operators.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn set_active(ctx: &Context, tenant: TenantId, active: bool) -> Result<Tenant> {
    let changed = store::update(ctx.db().platform(), tenant, None, Some(active)).await?;
    let changed = changed.ok_or(Error::NotFound(Thing::Tenant))?;
    keys::forget_all(ctx, &changed).await?;
    Ok(changed)
}

/// Deletes a tenant with its keys, jobs and usage. Returns whether it existed.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn delete(ctx: &Context, tenant: TenantId) -> Result<bool> {
    Ok(store::delete(ctx.db().platform(), tenant).await?)
}

/// The number of rows of a tenant in each table with a tenant column, zeros included.
///
/// # Errors
/// When a statement fails.
pub(crate) async fn count_rows(ctx: &Context, tenant: TenantId) -> Result<Vec<(String, i64)>> {
    Ok(store::count_everywhere(ctx.db().platform(), tenant).await?)
}

/// Counts one more bot, in the caller's transaction. Exact under concurrency: one conditional update.
///
/// # Errors
/// [`Error::LimitReached`] when the plan's limit is reached.
pub(crate) async fn count_bot(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    let plan = store::lock_plan(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
    let counted = store::count_bot(&mut **tx, tenant, plan.limits().bots).await?;
    if counted { Ok(()) } else { Err(Error::LimitReached(Limit::Bots)) }
}

/// Locks the tenant's row until the caller's transaction ends, against other writers; readers do not wait.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub(crate) async fn hold(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    store::lock_plan(&mut **tx, tenant).await?.map(drop).ok_or(Error::NotFound(Thing::Tenant))
}

/// Uncounts one bot, in the caller's transaction.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn uncount_bot(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    Ok(store::uncount_bot(&mut **tx, tenant).await?)
}

/// Counts one more conversation this month, in the caller's transaction.
///
/// # Errors
/// [`Error::LimitReached`] when the plan's limit is reached.
pub(crate) async fn count_conversation(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    count(tx, tenant, 1, 0, Limit::Conversations).await
}

/// Counts messages this month, in the caller's transaction.
///
/// # Errors
/// [`Error::LimitReached`] when they would exceed the plan's limit.
pub(crate) async fn count_messages(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    messages: i64,
) -> Result<()> {
    count(tx, tenant, 0, messages, Limit::Messages).await
}

/// Uncounts messages that were not answered, in the caller's transaction.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn uncount_messages(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    messages: i64,
) -> Result<()> {
    Ok(store::uncount_messages(&mut **tx, tenant, messages).await?)
}

async fn count(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    conversations: i64,
    messages: i64,
    limit: Limit,
) -> Result<()> {
    let plan = store::find(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?.plan;
    let counted = store::count_usage(&mut **tx, tenant, conversations, messages, plan.limits()).await?;
    if counted { Ok(()) } else { Err(Error::LimitReached(limit)) }
}
