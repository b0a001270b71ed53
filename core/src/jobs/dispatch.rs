//! Dispatch: ledger rows become hints in Redis, never more than a small window per queue.
//!
//! The window keeps order in our hands: by priority, then round-robin over tenants, then by age. A
//! tenant that uploads ten thousand files has a window's worth of them in Redis, and the next free
//! place goes to whoever waits with fewer.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Kind, fleet, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::JobId;

/// How long the dispatcher waits when a push failed; the sweeper nudges it anyway.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// How long nudges are gathered after the window was filled: what it costs is the same for one free place as
/// for many.
const GATHER: Duration = Duration::from_millis(20);

/// Says that the queue may have work or room. Returns at once; call it after commit.
pub fn nudge(ctx: &Context, kind: Kind) {
    ctx.queue().nudge(kind.as_str());
}

/// Fills the window of one queue. Gives the number of hints pushed.
///
/// # Errors
/// When Postgres does not answer, or Redis does not take the hints; the jobs are queued again then.
pub async fn fill(ctx: &Context, kind: Kind) -> Result<usize> {
    let window = fleet::window(ctx, kind).await?;
    let picked = pick(ctx, kind, window).await?;
    if picked.is_empty() {
        return Ok(0);
    }
    if let Err(error) = ctx.queue().push(kind.as_str(), &picked).await {
        store::return_to_queue(ctx.db().platform(), &picked).await?;
        return Err(error);
    }
    Ok(picked.len())
}

/// Takes back what was dispatched to one queue, because Redis may have forgotten it. A hint that is
/// still there finds its job all the same; a double finds it taken.
///
/// # Errors
/// When Postgres does not answer.
pub async fn recall(ctx: &Context, kind: Kind) -> Result<u64> {
    let recalled = store::requeue_dispatched(ctx.db().platform(), kind).await?;
    nudge(ctx, kind);
    Ok(recalled)
}

/// Marks the next jobs as dispatched. One dispatcher of a queue at a time, or two would each fill
/// the room that both see.
async fn pick(ctx: &Context, kind: Kind, window: i64) -> Result<Vec<JobId>> {
    let mut tx = ctx.db().platform().begin().await?;
    store::lock_dispatch(&mut *tx, kind).await?;
    let picked = store::pick(&mut *tx, kind, window, following(ctx, kind)).await?;
    tx.commit().await?;
    Ok(picked)
}

/// Backpressure: what a job of this kind makes waits in another queue, and where too much of a tenant's
/// waits there, no more is made for it.
fn following(ctx: &Context, kind: Kind) -> Option<(Kind, i64)> {
    let most = i64::try_from(ctx.config().jobs.embed_backlog).unwrap_or(i64::MAX);
    (kind == Kind::Chunk).then_some((Kind::Embed, most))
}

/// Answers nudges until told to stop. Any number of processes may run it.
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
            // Nothing waits: whoever brings something is not made to wait.
            Ok(0) => {}
            Ok(_) => tokio::time::sleep(GATHER).await,
            Err(error) => {
                tracing::warn!(queue = %kind, error = %crate::error::Chain(&error), "dispatch failed; the sweeper tries again");
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
    }
}
