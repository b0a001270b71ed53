//! Sweep: repairs jobs with a lost worker or hint. Any number of processes may run it concurrently.

use chrono::{DateTime, Utc};

use super::settle::{EndHook, Ended, run_hooks};
use super::{Kind, dispatch, store};
use crate::context::Context;
use crate::error::Result;

/// Result of one sweep.
#[derive(Debug, Default)]
pub struct Swept {
    /// Requeued jobs whose hint was lost.
    pub lost_hints: u64,
    /// Requeued jobs whose lease expired.
    pub expired_leases: u64,
    /// Jobs ended because the lease of the last attempt expired or the deadline passed.
    pub ended: Vec<Ended>,
}

/// Sweeps the ledger, runs the hooks of the jobs that ended, and nudges every queue.
///
/// `as_of`: database time at which a lease must have been expired. A process that reads it before renewing its own
/// leases never takes a job from itself, even on a slow machine.
///
/// # Errors
/// When a statement fails.
pub async fn sweep(ctx: &Context, hooks: &[&dyn EndHook], as_of: DateTime<Utc>) -> Result<Swept> {
    let mut tx = ctx.db().platform().begin().await?;
    let lost_hints = store::requeue_lost_hints(&mut *tx, ctx.config().jobs.hint_timeout).await?;
    let mut ended = store::end_expired(&mut *tx, as_of).await?;
    let expired_leases = store::requeue_expired_leases(&mut *tx, as_of).await?;
    // Hooks lock sources: the same order in all sweepers prevents deadlocks.
    ended.sort_unstable_by_key(|ended| ended.about.source);
    for ended in &ended {
        run_hooks(hooks, &mut tx, ended).await?;
    }
    tx.commit().await?;
    ctx.meters().swept(lost_hints, expired_leases);
    for kind in Kind::ALL {
        dispatch::nudge(ctx, kind);
    }
    Ok(Swept { lost_hints, expired_leases, ended })
}
