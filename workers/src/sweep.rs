//! Maintenance of a worker process.
//!
//! The sweeper announces the process as alive, recovers jobs that workers and Redis lost, and vacuums Redis.
//! Periodic upkeep runs beside it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parlance_core::error::Chain;
use parlance_core::ids::WorkerId;
use parlance_core::jobs::Kind;
use parlance_core::jobs::fleet::{self, Queues};
use parlance_core::knowledge::{failed_files, index, orphans, reembed, uncounted};
use parlance_core::maintenance::END_HOOKS;
use parlance_core::{Context, Result, analytics, conversations, idempotency, jobs};
use tokio_util::sync::CancellationToken;

use crate::runner::Runner;

/// Sweeps between two Redis vacuums.
const SWEEPS_PER_VACUUM: u32 = 15;

pub(crate) async fn run(
    runner: Arc<Runner>,
    worker: WorkerId,
    name: String,
    queues: Queues,
    stop: CancellationToken,
) {
    let ctx = runner.ctx();
    let (mut until_vacuum, mut last) = (0, None);
    while !stop.is_cancelled() {
        if let Err(error) = sweep(&runner, worker, &name, &queues, &mut last, &stop).await {
            tracing::warn!(error = %Chain(&error), "sweep failed; retrying");
        }
        if until_vacuum == 0 {
            vacuum(ctx).await;
            until_vacuum = SWEEPS_PER_VACUUM;
        }
        until_vacuum -= 1;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ctx.config().jobs.sweep_interval) => {}
        }
    }
}

/// Sweeps once. `last`: time of the previous sweep.
///
/// After a pause of the machine or an outage of Postgres, leases may be expired although their workers are alive. The
/// process renews its own leases first, and waits one heartbeat interval for the other workers.
async fn sweep(
    runner: &Runner,
    worker: WorkerId,
    name: &str,
    queues: &Queues,
    last: &mut Option<DateTime<Utc>>,
    stop: &CancellationToken,
) -> Result<()> {
    let ctx = runner.ctx();
    let now = fleet::heartbeat(ctx, worker, name, queues).await?;
    let lease = ctx.config().jobs.lease;
    if was_away(last.replace(now), now, lease) {
        let others = tokio::time::sleep(jobs::heartbeat_interval(lease));
        if stop.run_until_cancelled(others).await.is_none() {
            return Ok(());
        }
    }
    runner.heartbeat().beat().await?;
    let swept = jobs::sweep(ctx, END_HOOKS, now).await?;
    if swept.lost_hints > 0 || swept.expired_leases > 0 || !swept.ended.is_empty() {
        tracing::warn!(
            lost_hints = swept.lost_hints,
            expired_leases = swept.expired_leases,
            ended = swept.ended.len(),
            "sweeper recovered jobs"
        );
    }
    Ok(())
}

/// Whether live workers' leases may have expired since the last sweep: more than a third of a lease has passed by the
/// database's clock. Leases are renewed after a fifth.
fn was_away(last: Option<DateTime<Utc>>, now: DateTime<Utc>, lease: Duration) -> bool {
    last.is_none_or(|last| (now - last).to_std().is_ok_and(|gap| gap > lease / 3))
}

/// Runs periodic upkeep. Separate from the sweeper, which must never wait for a long upkeep run.
pub(crate) async fn maintain(ctx: Context, stop: CancellationToken) {
    let mut until_maintenance = 0;
    let mut is_counted = false;
    while !stop.is_cancelled() {
        if let Err(error) = drain(&stop, || analytics::fold(&ctx)).await {
            tracing::warn!(error = %Chain(&error), "folding rollups failed; retrying");
        }
        if until_maintenance == 0 {
            if let Err(error) = maintenance(&ctx, &stop, &mut is_counted).await {
                tracing::warn!(error = %Chain(&error), "maintenance failed; retrying");
            }
            until_maintenance = SWEEPS_PER_VACUUM;
        }
        until_maintenance -= 1;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ctx.config().jobs.sweep_interval) => {}
        }
    }
}

/// One run of maintenance. `is_counted`: whether the bytes of all sources are counted, those from before the quotas
/// included.
async fn maintenance(ctx: &Context, stop: &CancellationToken, is_counted: &mut bool) -> Result<()> {
    if !*is_counted {
        drain(stop, || uncounted::count(ctx)).await?;
        *is_counted = !stop.is_cancelled();
    }
    drain(stop, || conversations::abandon_idle(ctx)).await?;
    drain(stop, || idempotency::forget_old(ctx)).await?;
    drain(stop, || jobs::forget_old(ctx)).await?;
    reembed::look_for_old_models(ctx).await?;
    index::look_for_sizes(ctx).await?;
    // After the tasks that need only the database: this one needs the file storage too.
    drain(stop, || failed_files::remove(ctx)).await?;
    let orphans = orphans::look_for_orphans(ctx).await?;
    if orphans > 0 {
        tracing::error!(chunks = orphans, "orphaned chunks found; removing them");
    }
    Ok(())
}

/// Repeats a step until no work is left.
async fn drain<F: Future<Output = Result<u64>>>(
    stop: &CancellationToken,
    step: impl Fn() -> F,
) -> Result<()> {
    while !stop.is_cancelled() && step().await? > 0 {}
    Ok(())
}

async fn vacuum(ctx: &Context) {
    for kind in Kind::ALL {
        if let Err(error) = ctx.queue().vacuum(kind.as_str()).await {
            tracing::debug!(queue = %kind, error = %Chain(&error), "redis vacuum failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweeper_after_a_pause_waits_before_it_takes_jobs() {
        let (start, lease) = (Utc::now(), Duration::from_secs(15));
        for (gap, away) in [(0, false), (2, false), (5, false), (6, true), (3_600, true), (-60, false)] {
            let now = start + chrono::Duration::seconds(gap);
            assert_eq!(was_away(Some(start), now, lease), away, "{gap} s");
        }
        assert!(was_away(None, start, lease), "it has just started");
    }
}
