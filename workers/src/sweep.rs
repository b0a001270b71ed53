//! The sweeper of a worker process: says that the process lives, puts right what workers and Redis
//! dropped, keeps Redis small, and does what is due from time to time.

use parlance_core::error::Chain;
use parlance_core::ids::WorkerId;
use parlance_core::jobs::Kind;
use parlance_core::jobs::fleet::{self, Queues};
use parlance_core::knowledge::ingest;
use parlance_core::{Context, Result, analytics, conversations, idempotency};
use tokio_util::sync::CancellationToken;

/// Sweeps between two vacuums of Redis.
const SWEEPS_PER_VACUUM: u32 = 15;

pub(crate) async fn run(
    ctx: Context,
    worker: WorkerId,
    name: String,
    queues: Queues,
    stop: CancellationToken,
) {
    let mut until_vacuum = 0;
    loop {
        if let Err(error) = sweep(&ctx, worker, &name, &queues).await {
            tracing::warn!(error = %Chain(&error), "a sweep failed; the next one tries again");
        }
        if let Err(error) = fold(&ctx).await {
            tracing::warn!(error = %Chain(&error), "rollups were not folded; the next sweep tries again");
        }
        if until_vacuum == 0 {
            vacuum(&ctx).await;
            if let Err(error) = tidy(&ctx).await {
                tracing::warn!(error = %Chain(&error), "what is due was not done; it is tried again");
            }
            until_vacuum = SWEEPS_PER_VACUUM;
        }
        until_vacuum -= 1;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ctx.config().jobs.sweep_interval) => {}
        }
    }
}

async fn sweep(ctx: &Context, worker: WorkerId, name: &str, queues: &Queues) -> Result<()> {
    fleet::announce(ctx, worker, name, queues).await?;
    let swept = ingest::sweep(ctx).await?;
    if swept.lost_hints > 0 || swept.expired_leases > 0 || !swept.ended.is_empty() {
        tracing::warn!(
            lost_hints = swept.lost_hints,
            expired_leases = swept.expired_leases,
            ended = swept.ended.len(),
            "the sweeper put jobs right"
        );
    }
    Ok(())
}

async fn fold(ctx: &Context) -> Result<()> {
    while analytics::fold(ctx).await? > 0 {}
    Ok(())
}

/// What is due from time to time.
async fn tidy(ctx: &Context) -> Result<()> {
    while conversations::abandon_idle(ctx).await? > 0 {}
    while idempotency::forget_old(ctx).await? > 0 {}
    Ok(())
}

async fn vacuum(ctx: &Context) {
    for kind in Kind::ALL {
        if let Err(error) = ctx.queue().vacuum(kind).await {
            tracing::debug!(queue = %kind, error = %Chain(&error), "redis was not vacuumed");
        }
    }
}
