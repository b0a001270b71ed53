//! Dispatch: pushes hints of queued jobs to Redis, limited to a small window per queue.
//!
//! The window keeps the order under our control: by priority, then round-robin over tenants, then by age. Of ten
//! thousand files uploaded by one tenant, at most a window's worth is in Redis; the next free place goes to a tenant
//! with fewer. For kinds that mostly wait, the number of a tenant's dispatched and running jobs is limited.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::served::Served;
use super::{Kind, fleet, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::JobId;

/// Pause after a failed push. Each sweep nudges every queue in any case.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Pause after filling the window, to batch nudges: filling one free place costs as much as filling many.
const GATHER: Duration = Duration::from_millis(20);

/// Signals that a queue may have jobs to dispatch, or room for more. Returns immediately. Call it after the commit.
pub fn nudge(ctx: &Context, kind: Kind) {
    ctx.queue().nudge(kind.as_str());
}

/// Fills the window of one queue. Returns the number of jobs dispatched.
///
/// # Errors
/// When Postgres does not answer, or Redis does not accept the hints; then the jobs are requeued.
pub async fn fill(ctx: &Context, kind: Kind) -> Result<usize> {
    let places = fleet::places(ctx, kind).await?;
    let picked = pick(ctx, kind, places.window).await?;
    if picked.is_empty() {
        return Ok(0);
    }
    if let Err(error) = push(ctx, kind, &picked, places.number).await {
        store::return_to_queue(ctx.db().platform(), &picked).await?;
        return Err(error);
    }
    Ok(picked.len())
}

/// Pushes hints of dispatched jobs until there is one for each of the fleet's places. A hint wakes an idle place, which
/// then runs jobs until none is dispatched, so more hints than places would be useless.
///
/// No job is missed: the hints are counted after the dispatch is committed, so the consumer of a hint finds the jobs.
async fn push(ctx: &Context, kind: Kind, picked: &[JobId], places: usize) -> Result<()> {
    let queue = kind.as_str();
    let missing = places.saturating_sub(ctx.queue().untaken(queue).await?);
    let hinted = picked.get(..missing).unwrap_or(picked);
    ctx.queue().push(queue, hinted).await
}

/// Requeues the dispatched jobs of one queue, in case Redis lost their hints. A surviving hint still
/// works; a duplicate finds the job claimed.
///
/// # Errors
/// When Postgres does not answer.
pub async fn recall(ctx: &Context, kind: Kind) -> Result<u64> {
    let recalled = store::requeue_dispatched(ctx.db().platform(), kind).await?;
    nudge(ctx, kind);
    Ok(recalled)
}

/// Marks the next jobs as dispatched. A lock admits one dispatcher per queue: two would fill the same free places
/// twice.
async fn pick(ctx: &Context, kind: Kind, window: i64) -> Result<Vec<JobId>> {
    let mut tx = ctx.db().platform().begin().await?;
    store::lock_dispatch(&mut *tx, kind).await?;
    let served = ctx.state::<Served>().order();
    let (most, backpressure) = (per_tenant(ctx, kind), backpressure(ctx, kind));
    let picked = store::pick(&mut *tx, kind, window, most, backpressure, &served).await?;
    tx.commit().await?;
    Ok(picked)
}

/// Maximum number of a tenant's dispatched and running jobs.
fn per_tenant(ctx: &Context, kind: Kind) -> i64 {
    let most = kind.per_tenant(&ctx.config().jobs);
    most.and_then(|most| i64::try_from(most).ok()).unwrap_or(i64::MAX)
}

/// Follow-up kind of these jobs, and its maximum number of waiting jobs per tenant. At the maximum, dispatch stops for
/// the tenant.
fn backpressure(ctx: &Context, kind: Kind) -> Option<(Kind, i64)> {
    let backlog = i64::try_from(ctx.config().jobs.embed_backlog).unwrap_or(i64::MAX);
    kind.spec().feeds.map(|next| (next, backlog))
}

/// Fills the windows of all queues on nudges, until stopped. Any number of processes may run it.
pub async fn run(ctx: Context, stop: CancellationToken) {
    let queues = Kind::ALL.map(|kind| serve(&ctx, kind, &stop));
    futures_util::future::join_all(queues).await;
}

async fn serve(ctx: &Context, kind: Kind, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = ctx.queue().nudged(kind.as_str()) => {}
        }
        match fill(ctx, kind).await {
            // No pause, so that the next job is dispatched immediately.
            Ok(0) => {}
            Ok(_) => tokio::time::sleep(GATHER).await,
            Err(error) => {
                tracing::warn!(queue = %kind, error = %crate::error::Chain(&error), "dispatch failed; the next sweep retries");
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }
}
