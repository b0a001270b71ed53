//! Live worker processes, and the size of the dispatch window derived from them.
//!
//! Owns the table `worker`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use sqlx::types::Json;

use super::Kind;
use super::store::interval;
use crate::context::Context;
use crate::error::Result;
use crate::ids::WorkerId;

/// Dispatched jobs per concurrent job: enough for the shortest jobs until the dispatcher runs again. A larger window
/// delays no tenant, because the next tenant is chosen when a job is claimed.
const JOBS_PER_PLACE: usize = 4;

/// Places per dispatched job of a kind that mostly waits. Its window is smaller, because hundreds of its jobs start one
/// after the other and the dispatcher runs meanwhile.
const WAITING_PLACES_PER_JOB: usize = 8;

/// Time without a heartbeat after which a worker counts as gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Queues of a worker, each with the number of jobs it runs at once.
pub type Queues = BTreeMap<Kind, usize>;

/// A live worker process.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its id, recorded in the jobs it runs.
    pub id: WorkerId,
    /// Host and process, human-readable.
    pub name: String,
    /// Its queues.
    pub queues: Json<Queues>,
    /// Start time.
    pub started_at: DateTime<Utc>,
    /// Last heartbeat.
    pub last_seen_at: DateTime<Utc>,
}

/// Records a worker's heartbeat. Called at its start and with every sweep. Returns the database's time.
///
/// # Errors
/// When the statement fails.
pub async fn heartbeat(ctx: &Context, id: WorkerId, name: &str, queues: &Queues) -> Result<DateTime<Utc>> {
    Ok(sqlx::query_scalar!(
        r#"
        insert into worker (id, name, queues, model)
        values ($1, $2, $3, $4)
        on conflict (id) do update set last_seen_at = now()
        returning last_seen_at
        "#,
        id.uuid(),
        name,
        Json(queues) as _,
        ctx.embedder().id(),
    )
    .fetch_one(ctx.db().platform())
    .await?)
}

/// Deletes the row of a worker that shuts down, and of all that count as gone.
///
/// # Errors
/// When the statement fails.
pub async fn retire(ctx: &Context, id: WorkerId) -> Result<()> {
    sqlx::query!(
        "delete from worker where id = $1 or last_seen_at < now() - $2::interval",
        id.uuid(),
        interval(SILENCE),
    )
    .execute(ctx.db().platform())
    .await?;
    Ok(())
}

/// The live workers, oldest first.
///
/// # Errors
/// When the statement fails.
pub async fn list(ctx: &Context) -> Result<Vec<Worker>> {
    Ok(list_seen(ctx.db().platform(), SILENCE).await?)
}

/// Whether every live worker uses this process's embedding model.
///
/// # Errors
/// When the statement fails.
pub async fn has_one_model(ctx: &Context) -> Result<bool> {
    let differs = sqlx::query_scalar!(
        r#"
        select exists (
            select 1 from worker where last_seen_at > now() - $1::interval and model is distinct from $2
        ) as "dissent!"
        "#,
        interval(SILENCE),
        ctx.embedder().id(),
    )
    .fetch_one(ctx.db().platform())
    .await?;
    Ok(!differs)
}

/// The fleet's places for jobs of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Concurrent jobs of all workers, or [`window_floor`](crate::platform::config::Jobs::window_floor) if that is more.
    pub(super) number: usize,
    /// Maximum number of dispatched jobs: a small multiple of the workers' concurrency.
    pub(super) window: i64,
}

/// The fleet's places for jobs of a kind.
pub(super) async fn places(ctx: &Context, kind: Kind) -> Result<Places> {
    let slots: usize = list_seen(ctx.db().platform(), SILENCE)
        .await?
        .iter()
        .filter_map(|worker| worker.queues.get(&kind))
        .fold(0, |slots, more| slots.saturating_add(*more));
    let floor = ctx.config().jobs.window_floor;
    let jobs =
        if kind.spec().waits { slots / WAITING_PLACES_PER_JOB } else { slots.saturating_mul(JOBS_PER_PLACE) };
    Ok(Places { number: slots.max(floor), window: i64::try_from(jobs.max(floor)).unwrap_or(i64::MAX) })
}

async fn list_seen(db: impl PgExecutor<'_>, within: Duration) -> sqlx::Result<Vec<Worker>> {
    sqlx::query_as!(
        Worker,
        r#"
        select id as "id: WorkerId", name, queues as "queues: Json<Queues>", started_at, last_seen_at
        from worker
        where last_seen_at > now() - $1::interval
        order by id
        "#,
        interval(within),
    )
    .fetch_all(db)
    .await
}
