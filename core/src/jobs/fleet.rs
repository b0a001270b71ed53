//! The fleet: which worker processes live, and so how wide the dispatch window is.
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

/// Hints per place: those that its shortest jobs use up until the dispatcher has looked again. Whose turn it
/// is, is decided when a hint is claimed; a wider window delays nobody.
const HINTS_PER_PLACE: i64 = 4;

/// A worker that has not been seen for this long counts as gone.
const SILENCE: Duration = Duration::from_secs(60);

/// The queues of a worker, and how many jobs of each it runs at once.
pub type Queues = BTreeMap<Kind, usize>;

/// A live worker process.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its id, which the jobs it runs carry.
    pub id: WorkerId,
    /// Host and process, for people.
    pub name: String,
    /// What it runs.
    pub queues: Json<Queues>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last said so.
    pub last_seen_at: DateTime<Utc>,
}

/// Says that a worker lives; called at its start and with every sweep.
///
/// # Errors
/// When the statement fails.
pub async fn announce(ctx: &Context, id: WorkerId, name: &str, queues: &Queues) -> Result<()> {
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

/// Forgets a worker that ends, and those that went silent.
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

/// Whether every live worker uses the embedding model of this process.
///
/// # Errors
/// When the statement fails.
pub async fn is_of_one_mind(ctx: &Context) -> Result<bool> {
    let dissent = sqlx::query_scalar!(
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
    Ok(!dissent)
}

/// How many hints may lie in a queue: a few times what the fleet runs at once.
pub(super) async fn window(ctx: &Context, kind: Kind) -> Result<i64> {
    let places: i64 = list_seen(ctx.db().platform(), SILENCE)
        .await?
        .iter()
        .filter_map(|worker| worker.queues.get(&kind))
        .map(|places| i64::try_from(*places).unwrap_or(i64::MAX))
        .fold(0, i64::saturating_add);
    let floor = i64::try_from(ctx.config().jobs.window_floor).unwrap_or(i64::MAX);
    Ok(places.saturating_mul(HINTS_PER_PLACE).max(floor))
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
