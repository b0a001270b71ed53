//! Jobs as their tenants and operators see them.

use chrono::{DateTime, Utc};

use super::{Kind, State, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, JobId, SourceId, TenantId, WorkerId};
use crate::page::{Page, PageRequest};

/// A job as its tenant and its operator see it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job.
    pub id: JobId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that it is about.
    pub bot_id: Option<BotId>,
    /// The source that it is about.
    pub source_id: Option<SourceId>,
    /// The version of that source.
    pub source_version: Option<i32>,
    /// The job from which it follows.
    pub parent_id: Option<JobId>,
    /// What it does.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Counts what can be seen of it: the id of an event.
    pub revision: i64,
    /// Tries begun.
    pub attempt: i32,
    /// Tries at most.
    pub max_attempts: i32,
    /// Units done.
    pub progress_done: i64,
    /// Units in all, when known.
    pub progress_total: Option<i64>,
    /// What is counted.
    pub progress_unit: Option<String>,
    /// Why the last try failed.
    pub error_code: Option<String>,
    /// The same, as a sentence.
    pub error_message: Option<String>,
    /// Whether somebody wants it stopped.
    pub cancel_requested: bool,
    /// The worker that has it.
    pub worker_id: Option<WorkerId>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// A retry waits until then.
    pub not_before: DateTime<Utc>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it fails whatever happens.
    pub deadline_at: DateTime<Utc>,
}

/// Which jobs of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those of a kind.
    pub kind: Option<Kind>,
    /// Those in a state.
    pub state: Option<State>,
    /// Those about a bot.
    pub bot: Option<BotId>,
    /// Those about a source.
    pub source: Option<SourceId>,
}

/// What a job that waits has before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// Its place among the tenant's jobs of its kind that wait, from 1.
    pub position: i64,
    /// How long until it is begun, in seconds, at the rate at which the tenant's jobs of its kind ended in the
    /// last ten minutes; `None` when none did.
    pub wait_seconds: Option<f64>,
}

/// A state that a job passed through.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    /// Which event it was.
    pub revision: i64,
    /// The state, in which `dispatched` counts as `queued`.
    pub state: State,
    /// Tries begun until then.
    pub attempt: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// Why the last try failed.
    pub error_code: Option<String>,
    /// The same, as a sentence.
    pub error_message: Option<String>,
}

/// A page of a tenant's jobs, newest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(
    ctx: &Context,
    tenant: TenantId,
    filter: Filter,
    page: PageRequest,
) -> Result<Page<Report>> {
    let mut db = ctx.db().of(tenant).await?;
    let total = store::count(&mut *db, tenant, filter).await?;
    let jobs = store::list(&mut *db, tenant, filter, page).await?;
    Ok(Page::new(page, jobs, total))
}

/// A job of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such job.
pub async fn get(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Report> {
    store::find(&mut *ctx.db().of(tenant).await?, tenant, job).await?.ok_or(Error::NotFound(Thing::Job))
}

/// A job of any tenant, for operators.
///
/// # Errors
/// When the statement fails.
pub async fn find(ctx: &Context, job: JobId) -> Result<Option<Report>> {
    let Some(tenant) = store::find_tenant(ctx.db().platform(), job).await? else { return Ok(None) };
    Ok(store::find(ctx.db().platform(), tenant, job).await?)
}

/// The jobs that followed from a job, oldest first, 200 at most.
///
/// # Errors
/// When the statement fails.
pub async fn children(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Vec<Report>> {
    Ok(store::list_children(&mut *ctx.db().of(tenant).await?, tenant, job).await?)
}

/// What a job has before it; `None` when it does not wait.
///
/// # Errors
/// When the statement fails.
pub async fn outlook(ctx: &Context, tenant: TenantId, job: &Report) -> Result<Option<Outlook>> {
    if !matches!(job.state, State::Queued | State::Dispatched) {
        return Ok(None);
    }
    let mut db = ctx.db().of(tenant).await?;
    Ok(Some(store::outlook(&mut *db, tenant, job.kind, job.id).await?))
}

/// The states that a job passed through after a revision, oldest first.
///
/// # Errors
/// When the statement fails.
pub async fn history(ctx: &Context, tenant: TenantId, job: JobId, after: i64) -> Result<Vec<Moment>> {
    let moments = store::find_history(&mut *ctx.db().of(tenant).await?, tenant, job).await?;
    Ok(moments.into_iter().filter(|moment| moment.revision > after).collect())
}

/// Jobs by state, over all tenants: what the harness asserts and operators watch.
///
/// # Errors
/// When the statement fails.
pub async fn count_by_state(ctx: &Context) -> Result<Vec<(Kind, State, i64)>> {
    Ok(store::count_by_state(ctx.db().platform()).await?)
}

/// For how many seconds the job of each kind that is due for longest has waited; without a kind of which none waits.
///
/// # Errors
/// When the statement fails.
pub async fn oldest_waiting(ctx: &Context) -> Result<Vec<(Kind, f64)>> {
    Ok(store::list_oldest_waiting(ctx.db().platform()).await?)
}

/// Jobs of all tenants, newest first: what operators look through. `worker`: those that it is at.
///
/// # Errors
/// When the statement fails.
pub async fn list_all(
    ctx: &Context,
    filter: Filter,
    worker: Option<WorkerId>,
    most: i64,
) -> Result<Vec<Report>> {
    Ok(store::list_all(ctx.db().platform(), filter, worker, most).await?)
}
