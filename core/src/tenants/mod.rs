//! Tenants, plans and usage limits.
//!
//! Owns the tables `tenant`, `api_key` and `usage_month`. Only operators create tenants and set plans.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::{Error, Limit, Problem, Result, Thing};
use crate::ids::TenantId;

pub mod erase;
pub mod keys;
mod store;

/// Subscription plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Plan {
    /// For trials.
    Free,
    /// For small deployments.
    Starter,
    /// For businesses.
    Professional,
    /// No limits.
    Enterprise,
}

/// Limits of a plan; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Existing bots.
    pub bots: Option<i32>,
    /// Conversations started per calendar month (UTC).
    pub conversations: Option<i64>,
    /// Messages stored per calendar month (UTC), except welcome messages.
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

    /// Limits of the plan. Those of `professional` come from the API reference's example.
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
    /// Its plan.
    pub plan: Plan,
    /// Whether its API keys are accepted.
    pub is_active: bool,
    /// Creation time.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// A tenant's usage against its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Its plan.
    pub plan: Plan,
    /// Existing bots.
    pub bots: i32,
    /// Conversations started this calendar month (UTC).
    pub conversations: i64,
    /// Messages stored this calendar month (UTC), except welcome messages.
    pub messages: i64,
}

/// Creates a tenant. For operators.
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

/// A tenant's usage of its plan.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn usage(ctx: &Context, tenant: TenantId) -> Result<Usage> {
    store::find_usage(&mut *ctx.db().of(tenant).await?, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Changes a tenant's plan immediately. Existing data above the new limits is kept. For operators.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant.
pub async fn set_plan(ctx: &Context, tenant: TenantId, plan: Plan) -> Result<Tenant> {
    store::update(ctx.db().platform(), tenant, Some(plan), None).await?.ok_or(Error::NotFound(Thing::Tenant))
}

/// Activates or deactivates a tenant. The keys of an inactive tenant are rejected. For operators.
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
/// [`Error::LimitReached`] when the plan's limit is reached. Race-free: the count is a single conditional
/// update.
pub(crate) async fn count_bot(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    let plan = store::lock_plan(&mut **tx, tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
    let counted = store::count_bot(&mut **tx, tenant, plan.limits().bots).await?;
    if counted { Ok(()) } else { Err(Error::LimitReached(Limit::Bots)) }
}

/// Locks the tenant's row against other lockers until the caller's transaction ends. Readers do not wait.
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
/// [`Error::LimitReached`] when the plan's limit is reached.
pub(crate) async fn count_conversation(tx: &mut PgTransaction<'_>, tenant: TenantId) -> Result<()> {
    count(tx, tenant, 1, 0, Limit::Conversations).await
}

/// Counts messages of this month, in the caller's transaction.
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

/// Subtracts counted messages that failed, in the caller's transaction.
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
