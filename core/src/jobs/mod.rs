//! The job ledger: jobs, their leases and their outcomes.
//!
//! Owns the table `job` and its states. Postgres is the source of truth; Redis holds only hints.
//! Invariants, each held by a test in `workers/tests/it`:
//!
//! * A job is inserted in the transaction that makes it necessary, and pushed only after the commit.
//! * A job takes effect once: only the holder of its lease token may settle it. Its results, its final state and
//!   its follow-up jobs are one transaction.
//! * Every job ends: an expired lease requeues it; after the last attempt or past the deadline it fails.
//!
//! Must never: run a job, or depend on its contents.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::{BotId, JobId, LeaseToken, SourceId, TenantId, WorkerId};
use crate::platform::propagation;
use served::Served;

pub mod backoff;
mod cancel;
mod claims;
pub mod dispatch;
mod ended;
pub mod fleet;
mod gather;
mod heartbeat;
mod kind;
mod reports;
mod served;
mod settle;
mod store;
mod sweep;

pub use cancel::{Held, Subject, cancel, cancel_others, hold, hold_free};
pub use claims::Claims;
pub use ended::{forget_old, hold_ended, revive};
pub use heartbeat::{Beat, Progress, Renewal, interval as heartbeat_interval, renew};
pub use kind::{Kind, Spec, State};
pub use reports::{
    Filter, Moment, Outlook, Report, children, count_by_state, find, get, history, list, list_all,
    oldest_waiting, outlook,
};
pub use settle::{
    EndHook, Ended, Failure, Outcome, announce, hold_claim, settle_failed, succeed, succeed_without_results,
};
pub use sweep::{Swept, sweep};

/// Payload of a job. It holds ids only; the job reads other data when it runs.
pub trait Job: Serialize + DeserializeOwned + Send + Sync {
    /// Kind of the job. Its queue, deadline and attempts are in [`Kind::spec`].
    const KIND: Kind;
}

/// Owner and subject of a job.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The owner.
    pub tenant: TenantId,
    /// The bot, if any.
    pub bot: Option<BotId>,
    /// The source and its version, if any.
    pub source: Option<(SourceId, i32)>,
    /// The job that enqueued this one.
    pub parent: Option<JobId>,
}

/// A job claimed by a worker.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: Kind,
    /// Owner and subject.
    pub about: About,
    /// Arguments, as enqueued.
    pub payload: serde_json::Value,
    /// Number of this attempt, from 1.
    pub attempt: i32,
    /// Maximum number of attempts.
    pub max_attempts: i32,
    /// Deadline: the job fails if unfinished by then.
    pub deadline_at: DateTime<Utc>,
    /// Fencing token: the right to settle the job.
    pub lease: LeaseToken,
    /// Trace context of the request that enqueued the job.
    pub trace_context: Option<String>,
}

/// Inserts a job, in the caller's transaction. Call [`dispatch::nudge`] after the commit.
///
/// # Errors
/// When the statement fails.
pub async fn enqueue<J: Job>(
    ctx: &Context,
    tx: &mut PgTransaction<'_>,
    about: About,
    job: &J,
) -> Result<JobId> {
    let id = JobId::fresh();
    let payload =
        serde_json::to_value(job).map_err(|error| Error::internal("a payload is not JSON", error))?;
    store::insert(
        &mut **tx,
        &store::NewJob {
            id,
            about,
            kind: J::KIND,
            payload,
            max_attempts: J::KIND.spec().max_attempts,
            deadline_at: Utc::now() + J::KIND.deadline(&ctx.config().jobs),
            trace_context: propagation::traceparent(),
        },
    )
    .await?;
    Ok(id)
}

/// Claims a waiting job. `None`: another worker holds it, it has ended, or it is not due yet. The hint is used up in
/// any case.
///
/// # Errors
/// When the statement fails.
pub async fn claim(ctx: &Context, job: JobId, worker: WorkerId) -> Result<Option<Claim>> {
    let lease = LeaseToken::fresh();
    let claim = store::claim(ctx.db().platform(), job, worker, lease, ctx.config().jobs.lease).await?;
    ctx.state::<Served>().record(claim.iter().map(|claim| claim.about.tenant));
    Ok(claim)
}

/// Whether another job of the same kind and source version is unfinished.
///
/// # Errors
/// When the statement fails.
pub async fn has_sibling(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<bool> {
    Ok(store::has_sibling(&mut **tx, claim).await?)
}
