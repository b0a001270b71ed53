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

/// Hints per concurrent job: enough for the shortest jobs until the dispatcher runs again. A larger window delays no
/// tenant, because the next tenant is chosen when a hint is claimed.
const HINTS_PER_SLOT: i64 = 4;

/// Jobs that mostly wait, for each hint of them: hundreds are started one after the other, and the dispatcher runs while
/// the last ones start. Hints of jobs without a place only time out.
const WAITING_SLOTS_PER_HINT: i64 = 8;

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

/// Records a worker's heartbeat. Called at its start and with every sweep.
///
/// # Errors
/// When the statement fails.
pub async fn heartbeat(ctx: &Context, id: WorkerId, name: &str, queues: &Queues) -> Result<()> {
    sqlx::query!(
        r#"
        insert into worker (id, name, queues, model)
        values ($1, $2, $3, $4)
        on conflict (id) do update set last_seen_at = now()
        "#,
        id.uuid(),
        name,
        Json(queues) as _,
        ctx.embedder().id(),
    )
    .execute(ctx.db().platform())
    .await?;
    Ok(())
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

/// Maximum number of hints in a queue: a small multiple of the workers' concurrency.
pub(super) async fn window(ctx: &Context, kind: Kind) -> Result<i64> {
    let slots: i64 = list_seen(ctx.db().platform(), SILENCE)
        .await?
        .iter()
        .filter_map(|worker| worker.queues.get(&kind))
        .map(|slots| i64::try_from(*slots).unwrap_or(i64::MAX))
        .fold(0, i64::saturating_add);
    let floor = i64::try_from(ctx.config().jobs.window_floor).unwrap_or(i64::MAX);
    let hints =
        if kind.spec().waits { slots / WAITING_SLOTS_PER_HINT } else { slots.saturating_mul(HINTS_PER_SLOT) };
    Ok(hints.max(floor))
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
