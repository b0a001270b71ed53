//! Heartbeats: they renew the leases of all running jobs of a process at once.

use std::collections::HashMap;
use std::time::Duration;

use super::store;
use crate::context::Context;
use crate::error::{Error, Part, Result};
use crate::ids::{JobId, LeaseToken};

/// A lease is renewed once a fifth of it has passed, so that few heartbeats write to the job's row.
const DUE: f64 = 0.8;

/// Maximum interval between two heartbeats. Bounds the delay of progress reports and cancellation.
const INTERVAL: Duration = Duration::from_secs(1);

/// Progress of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: i64,
    /// Total number of units, if known.
    pub total: Option<i64>,
    /// Unit (`chunks`, `bytes`, …).
    pub unit: Option<&'static str>,
}

/// A running job and its progress.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    /// The job.
    pub job: JobId,
    /// Its lease.
    pub lease: LeaseToken,
    /// Its progress.
    pub progress: Progress,
}

/// Result of a heartbeat for one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Renewal {
    /// The lease is held.
    Held,
    /// The lease is held, and cancellation was requested.
    CancelRequested,
    /// Another worker holds the job, or it has ended.
    Lost,
}

/// A held lease as stored in the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    pub(super) lease: LeaseToken,
    pub(super) cancel_requested: bool,
    /// Whether the lease ends soon.
    pub(super) is_due: bool,
    pub(super) done: i64,
    pub(super) total: Option<i64>,
}

/// Interval between two heartbeats of leases of this duration.
#[must_use]
pub fn interval(lease: Duration) -> Duration {
    INTERVAL.min(lease / 3)
}

/// A claim that is committed and answered later than its limit costs its job an attempt, so that a short lease must not
/// shorten the limit on a busy machine.
const LEAST_STATEMENT_LIMIT: Duration = Duration::from_secs(5);

/// Maximum time of a statement on behalf of many jobs of a process: a connection that hangs then stops them for so long
/// only, and their leases outlast it.
pub(super) fn statement_limit(lease: Duration) -> Duration {
    (lease / 3).max(LEAST_STATEMENT_LIMIT)
}

/// Renews the leases that end soon and records progress that changed. Progress never decreases. An expired lease counts
/// as held until another worker claims the job. Returns the renewal of each job, in the order of `beats`.
///
/// # Errors
/// When a statement fails, or they take too long.
pub async fn renew(ctx: &Context, beats: &[Beat]) -> Result<Vec<Renewal>> {
    let within = statement_limit(ctx.config().jobs.lease);
    let renewals = tokio::time::timeout(within, renew_now(ctx, beats)).await;
    renewals.map_err(|late| Error::unavailable(Part::Postgres, late))?
}

async fn renew_now(ctx: &Context, beats: &[Beat]) -> Result<Vec<Renewal>> {
    let (db, lease) = (ctx.db().platform(), ctx.config().jobs.lease);
    let pulses = store::find_held(db, beats, lease.mul_f64(DUE)).await?;
    let pulses: HashMap<LeaseToken, Pulse> = pulses.into_iter().map(|pulse| (pulse.lease, pulse)).collect();
    let due: Vec<&Beat> = beats
        .iter()
        .filter(|beat| pulses.get(&beat.lease).is_some_and(|pulse| is_due(pulse, &beat.progress)))
        .collect();
    if !due.is_empty() {
        store::renew_all(db, &due, lease).await?;
    }
    Ok(beats
        .iter()
        .map(|beat| match pulses.get(&beat.lease) {
            None => Renewal::Lost,
            Some(pulse) if pulse.cancel_requested => Renewal::CancelRequested,
            Some(_) => Renewal::Held,
        })
        .collect())
}

fn is_due(pulse: &Pulse, progress: &Progress) -> bool {
    pulse.is_due || progress.done > pulse.done || (progress.total.is_some() && progress.total != pulse.total)
}
