//! Read access to jobs, for tenants and operators.

use chrono::{DateTime, Utc};

use super::{Kind, State, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{BotId, JobId, SourceId, TenantId, WorkerId};
use crate::page::{Page, PageRequest};

/// Public view of a job, for its tenant and for operators.
#[derive(Clone, Debug)]
pub struct Report {
    /// The job.
    pub id: JobId,
    /// The owner.
    pub tenant_id: TenantId,
    /// The bot, if any.
    pub bot_id: Option<BotId>,
    /// The source, if any.
    pub source_id: Option<SourceId>,
    /// Version of the source.
    pub source_version: Option<i32>,
    /// The job that enqueued this one.
    pub parent_id: Option<JobId>,
    /// Its kind.
    pub kind: Kind,
    /// Its state.
    pub state: State,
    /// Incremented with every visible change; also the id of the event.
    pub revision: i64,
    /// Attempts started.
    pub attempt: i32,
    /// Maximum number of attempts.
    pub max_attempts: i32,
    /// Units done.
    pub progress_done: i64,
    /// Total number of units, if known.
    pub progress_total: Option<i64>,
    /// Unit of progress.
    pub progress_unit: Option<String>,
    /// Failure of the last attempt, as a slug.
    pub error_code: Option<String>,
    /// Failure of the last attempt, as a sentence.
    pub error_message: Option<String>,
    /// Whether cancellation was requested.
    pub cancel_requested: bool,
    /// The worker running it.
    pub worker_id: Option<WorkerId>,
    /// Time of enqueueing.
    pub created_at: DateTime<Utc>,
    /// Earliest time of the next attempt: the end of the backoff.
    pub not_before: DateTime<Utc>,
    /// Start of the first attempt.
    pub started_at: Option<DateTime<Utc>>,
    /// Time of its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// Deadline: the job fails if unfinished by then.
    pub deadline_at: DateTime<Utc>,
}

/// Filter of a list of jobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Jobs of this kind.
    pub kind: Option<Kind>,
    /// Jobs in this state.
    pub state: Option<State>,
    /// Jobs about this bot.
    pub bot: Option<BotId>,
    /// Jobs about this source.
    pub source: Option<SourceId>,
}

/// Queue position and expected wait of a waiting job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// Position among the tenant's waiting jobs of its kind, from 1.
    pub position: i64,
    /// Expected seconds until it starts, from the tenant's throughput of this kind in the last ten minutes; `None` if
    /// that is zero.
    pub wait_seconds: Option<f64>,
}

/// An entry of a job's history.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    /// Revision of the job; also the id of the event.
    pub revision: i64,
    /// The state; `dispatched` is recorded as `queued`.
    pub state: State,
    /// Attempts started by then.
    pub attempt: i32,
    /// Time.
    pub at: DateTime<Utc>,
    /// Failure of the last attempt, as a slug.
    pub error_code: Option<String>,
    /// Failure of the last attempt, as a sentence.
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
    let db = ctx.db().reading(tenant);
    let total = store::count(db, tenant, filter).await?;
    let jobs = store::list(db, tenant, filter, page).await?;
    Ok(Page::new(page, jobs, total))
}

/// A job of a tenant.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such job.
pub async fn get(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Report> {
    store::find(ctx.db().reading(tenant), tenant, job).await?.ok_or(Error::NotFound(Thing::Job))
}

/// A job of any tenant, for operators.
///
/// # Errors
/// When the statement fails.
pub async fn find(ctx: &Context, job: JobId) -> Result<Option<Report>> {
    let Some(tenant) = store::find_tenant(ctx.db().platform(), job).await? else { return Ok(None) };
    Ok(store::find(ctx.db().platform(), tenant, job).await?)
}

/// Jobs enqueued by a job, oldest first, at most 200.
///
/// # Errors
/// When the statement fails.
pub async fn children(ctx: &Context, tenant: TenantId, job: JobId) -> Result<Vec<Report>> {
    Ok(store::list_children(ctx.db().reading(tenant), tenant, job).await?)
}

/// Queue position and expected wait of a job; `None` unless it is waiting.
///
/// # Errors
/// When the statement fails.
pub async fn outlook(ctx: &Context, tenant: TenantId, job: &Report) -> Result<Option<Outlook>> {
    if !matches!(job.state, State::Queued | State::Dispatched) {
        return Ok(None);
    }
    let db = ctx.db().reading(tenant);
    Ok(Some(store::outlook(db, tenant, job.kind, job.id).await?))
}

/// A job's history after a revision, oldest first.
///
/// # Errors
/// When the statement fails.
pub async fn history(ctx: &Context, tenant: TenantId, job: JobId, after: i64) -> Result<Vec<Moment>> {
    let moments = store::find_history(ctx.db().reading(tenant), tenant, job).await?;
    Ok(moments.into_iter().filter(|moment| moment.revision > after).collect())
}

/// Number of jobs by kind and state, across tenants, for metrics and tests.
///
/// # Errors
/// When the statement fails.
pub async fn count_by_state(ctx: &Context) -> Result<Vec<(Kind, State, i64)>> {
    Ok(store::count_by_state(ctx.db().platform()).await?)
}

/// Longest waiting time of a due job, in seconds, per kind with waiting jobs.
///
/// # Errors
/// When the statement fails.
pub async fn oldest_waiting(ctx: &Context) -> Result<Vec<(Kind, f64)>> {
    Ok(store::list_oldest_waiting(ctx.db().platform()).await?)
}

/// Jobs across tenants, newest first, for operators. `worker` restricts the list to its running jobs.
///
/// # Errors
/// When the statement fails.
pub async fn list_all(
    ctx: &Context,
    filter: Filter,
    worker: Option<WorkerId>,
    limit: i64,
) -> Result<Vec<Report>> {
    Ok(store::list_all(ctx.db().platform(), filter, worker, limit).await?)
}
