//! Tenants, their plans and their usage.
//!
//! Owns the tables `tenant`, `api_key` and `usage_month`. Tenants and plans are made by operators.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::{Error, Limit, Problem, Result, Thing};
use crate::ids::TenantId;

pub mod erase;
pub mod keys;
mod store;

/// What a tenant pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Plan {
    /// To try it.
    Free,
    /// To begin.
    Starter,
    /// To run a business on it.
    Professional,
    /// Without limits.
    Enterprise,
}

/// A plan's limits; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bots at once.
    pub bots: Option<i32>,
    /// Conversations begun in a calendar month, UTC.
    pub conversations: Option<i64>,
    /// Messages stored in a calendar month, UTC; welcome messages excepted.
    pub messages: Option<i64>,
}

impl Plan {
    /// Every plan, smallest first.
    pub const ALL: [Plan; 4] = [Plan::Free, Plan::Starter, Plan::Professional, Plan::Enterprise];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Plan::Free => "free",
            Plan::Starter => "starter",
            Plan::Professional => "professional",
            Plan::Enterprise => "enterprise",
        }
    }

    /// Its limits. Those of `professional` are the reference's example.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Plan::Free => Limits { bots: Some(1), conversations: Some(100), messages: Some(1_000) },
            Plan::Starter => Limits { bots: Some(3), conversations: Some(1_000), messages: Some(10_000) },
            Plan::Professional => {
                Limits { bots: Some(10), conversations: Some(5_000), messages: Some(50_000) }
            }
            Plan::Enterprise => Limits { bots: None, conversations: None, messages: None },
        }
    }
}

impl FromStr for Plan {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        Plan::ALL.into_iter().find(|plan| plan.as_str() == raw).ok_or_else(|| {
            let known = Plan::ALL.map(Plan::as_str).join(", ");
            Error::invalid("plan", format!("The plan must be one of: {known}"))
        })
    }
}

/// A company on the platform.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// Whether its keys open anything.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a tenant has used of what its plan allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What it pays for.
    pub plan: Plan,
    /// Bots that exist now.
    pub bots: i32,
    /// Conversations begun in this calendar month, UTC.
    pub conversations: i64,
    /// Messages stored in this calendar month, UTC; welcome messages excepted.
    pub messages: i64,
}

/// Makes a tenant. For operators.
///
/// # Errors
/// [`Error::Invalid`] when the name is blank or longer than 255 characters.
pub async fn create(ctx: &Context, name: &str, plan: Plan) -> Result<Tenant> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::Invalid(vec![Problem::missing("name")]));
    }
    if name.chars().count() > 255 {
        return Err(Error::invalid("name", "The 'name' field must be at most 255 characters"));
    }
    Ok(store::insert(ctx.db().platform(), TenantId::fresh(), name, plan).await?)
}

/// Every tenant, newest first. For operators.
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
    store::find(&mut *ctx.db().of(tenant).await?, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// What a tenant has used of its plan.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn usage(ctx: &Context, tenant: TenantId) -> Result<Usage> {
    store::find_usage(&mut *ctx.db().of(tenant).await?, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Moves a tenant to another plan, at once. What it has above the new limits stays. For operators.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn set_plan(ctx: &Context, tenant: TenantId, plan: Plan) -> Result<Tenant> {
    store::update(ctx.db().platform(), tenant, Some(plan), None).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Shuts a tenant out, or lets it in again: its keys open nothing while it is inactive. For operators.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn set_active(ctx: &Context, tenant: TenantId, active: bool) -> Result<Tenant> {
    let changed = store::update(ctx.db().platform(), tenant, None, Some(active)).await?;
    let changed = changed.ok_or(Error::NotFound(Thing::Tenant))?;
    keys::forget_all(ctx, &changed).await?;
    Ok(changed)
}

/// Counts one more bot, in the caller's transaction.
///
/// # Errors
/// [`Error::LimitReached`] when the plan has no room; under any concurrency, for the count is one
/// conditional update.
pub(crate) async fn count_bot(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    let plan = store::lock_plan(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
    let counted = store::count_bot(&mut **tx, tenant, plan.limits().bots).await?;
    if counted { Ok(()) } else { Err(Error::LimitReached(Limit::Bots)) }
}

/// Holds the tenant's row until the caller's transaction ends, against others that would too. Whoever
/// reads it does not wait.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub(crate) async fn hold(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    store::lock_plan(&mut **tx, tenant).await?.map(drop).ok_or(Error::NotFound(Thing::Tenant))
}

/// Counts one bot less, in the caller's transaction.
///
/// # Errors
/// When the statement fails.
pub(crate) async fn uncount_bot(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    Ok(store::uncount_bot(&mut **tx, tenant).await?)
}

/// Counts one more conversation of this month, in the caller's transaction.
///
/// # Errors
/// [`Error::LimitReached`] when the plan has no room.
pub(crate) async fn count_conversation(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    count(tx, tenant, 1, 0, Limit::Conversations).await
}

/// Counts messages of this month, in the caller's transaction.
///
/// # Errors
/// [`Error::LimitReached`] when the plan has no room for all of them.
pub(crate) async fn count_messages(
    tx: &mut PgTransaction<'_>,
    tenant: TenantId,
    messages: i64,
) -> Result<()> {
    count(tx, tenant, 0, messages, Limit::Messages).await
}

/// Takes messages back that were counted and came to nothing, in the caller's transaction.
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
