//! The ledger of jobs: what is to be done, who does it, and how it ended.
//!
//! Owns the table `job` and its states. Postgres is the truth; what lies in Redis are hints that a
//! worker should look here. Invariants, each of which a test in `workers/tests/it` holds:
//!
//! * A job is written in the transaction that makes it necessary, and pushed only after the commit.
//! * A job runs to effect once: only the holder of its lease token may settle it, and its results,
//!   its final state and the jobs that follow are one transaction.
//! * Every job ends: an expired lease goes back to the queue, the last attempt and the deadline fail.
//!
//! Must never: run a job, or know what one does.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgTransaction;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::{BotId, JobId, LeaseToken, SourceId, TenantId, WorkerId};
use crate::platform::propagation;

pub mod backoff;
mod cancel;
mod claims;
pub mod dispatch;
pub mod fleet;
mod kind;
mod reports;
mod steer;
mod store;

pub use cancel::{Held, Subject, cancel, hold, hold_free};
pub use claims::Claims;
pub use kind::{Kind, State};
pub use reports::{
    Filter, Moment, Outlook, Report, children, count_by_state, find, get, history, list, list_all,
    oldest_waiting, outlook,
};
pub use steer::{forget_old, hold_ended, revive};

/// A kind of job, as its payload. A payload is ids; everything else is read when the job runs.
pub trait Job: Serialize + DeserializeOwned + Send + Sync {
    /// Its kind, and so its queue.
    const KIND: Kind;
    /// How often it is tried before it counts as failed: with the pauses between tries, an outage of a quarter
    /// of an hour is survived.
    const MAX_ATTEMPTS: i32 = 10;
}

/// What a job is about, and who it is for.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Whose it is.
    pub tenant: TenantId,
    /// The bot, when there is one.
    pub bot: Option<BotId>,
    /// The source and its version, when there is one.
    pub source: Option<(SourceId, i32)>,
    /// The job from which it follows.
    pub parent: Option<JobId>,
}

/// A job in a worker's hands.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The job.
    pub id: JobId,
    /// What it does.
    pub kind: Kind,
    /// Whose it is and what it is about.
    pub about: About,
    /// Its arguments, as they were enqueued.
    pub payload: serde_json::Value,
    /// Which try this is, from 1.
    pub attempt: i32,
    /// How many tries there are.
    pub max_attempts: i32,
    /// When it fails whatever happens.
    pub deadline_at: DateTime<Utc>,
    /// The right to settle it.
    pub lease: LeaseToken,
    /// The place in a trace from which it was enqueued.
    pub trace_context: Option<String>,
}

/// What a heartbeat learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Renewal {
    /// The lease holds on.
    Held,
    /// Somebody wants the job stopped.
    CancelRequested,
    /// The job is another's now, or over.
    Lost,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: i64,
    /// Units in all, when known.
    pub total: Option<i64>,
    /// What is counted (`chunks`, `bytes`, …).
    pub unit: Option<&'static str>,
}

/// How a job ends when it does not end well: a word, decided in one place (the runner).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Again, after this long.
    Retry(Duration, Failure),
    /// Never again by itself.
    Abandon(Failure),
    /// Stopped on request.
    Cancelled,
    /// The worker ends; somebody else may have it at once, and the try does not count.
    Release,
}

/// Why a try failed, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable slug.
    pub code: String,
    /// Sentence.
    pub message: String,
}

/// A job that has just ended without success, for whoever must tell its subject.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The job.
    pub id: JobId,
    /// Whose it is and what it was about.
    pub about: About,
    /// `failed` or `cancelled`.
    pub state: State,
    /// Why.
    pub failure: Failure,
}

/// Writes a job into the ledger, in the caller's transaction. Call [`dispatch::nudge`] after commit.
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
            max_attempts: J::MAX_ATTEMPTS,
            deadline_at: Utc::now() + ctx.config().jobs.deadline,
            trace_context: propagation::traceparent(),
        },
    )
    .await?;
    Ok(id)
}

/// Takes a job that waits. `None`: somebody else has it, it is over, or it is not yet time — the
/// hint is spent, and that is success.
///
/// # Errors
/// When the statement fails.
pub async fn claim(ctx: &Context, job: JobId, worker: WorkerId) -> Result<Option<Claim>> {
    let lease = LeaseToken::fresh();
    Ok(store::claim(ctx.db().platform(), job, worker, lease, ctx.config().jobs.lease).await?)
}

/// Renews a lease and records progress, which only rises.
///
/// # Errors
/// When the statement fails.
pub async fn renew(ctx: &Context, claim: &Claim, progress: Progress) -> Result<Renewal> {
    let renewed =
        store::renew(ctx.db().platform(), claim.id, claim.lease, ctx.config().jobs.lease, progress).await?;
    Ok(match renewed {
        None => Renewal::Lost,
        Some(true) => Renewal::CancelRequested,
        Some(false) => Renewal::Held,
    })
}

/// Marks the job succeeded, as the first statement of the transaction that holds its results.
///
/// # Errors
/// [`Error::LeaseLost`] when the claim has passed to another: the caller must write nothing.
pub async fn succeed(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<()> {
    store::succeed(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)
}

/// Holds the claim until the transaction ends, for a job that writes more than its results: a step of many.
///
/// # Errors
/// [`Error::LeaseLost`] when the claim has passed to another: the caller must write nothing.
pub async fn hold_claim(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<()> {
    store::hold_claim(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)
}

/// Whether another job of the same kind, about the same version of a source, has not ended.
///
/// # Errors
/// When the statement fails.
pub async fn has_sibling(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<bool> {
    Ok(store::has_sibling(&mut **tx, claim).await?)
}

/// Ends a try that did not succeed. Gives the job back when that was its end.
///
/// # Errors
/// [`Error::LeaseLost`] when the claim has passed to another.
pub async fn settle(tx: &mut PgTransaction<'_>, claim: &Claim, outcome: &Outcome) -> Result<Option<Ended>> {
    let (state, failure) = match outcome {
        Outcome::Retry(after, failure) => {
            store::retry(&mut **tx, claim.id, claim.lease, *after, failure).await?.ok_or(Error::LeaseLost)?;
            return Ok(None);
        }
        Outcome::Release => {
            store::release(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)?;
            return Ok(None);
        }
        Outcome::Abandon(failure) => (State::Failed, failure.clone()),
        Outcome::Cancelled => (State::Cancelled, Failure::cancelled()),
    };
    store::end(&mut **tx, claim.id, claim.lease, state, &failure).await?.ok_or(Error::LeaseLost)?;
    Ok(Some(Ended { id: claim.id, about: claim.about, state, failure }))
}

/// What one sweep of the ledger found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Dispatched jobs whose hint was lost: queued again.
    pub lost_hints: u64,
    /// Jobs whose worker went silent: queued again.
    pub expired_leases: u64,
    /// Jobs that ended: out of attempts with a silent worker, or past their deadline.
    pub ended: Vec<Ended>,
}

/// Puts right what workers and Redis dropped. Safe to run in any number of processes at once.
///
/// # Errors
/// When a statement fails.
pub async fn sweep(ctx: &Context, tx: &mut PgTransaction<'_>) -> Result<Swept> {
    let lost_hints = store::requeue_lost_hints(&mut **tx, ctx.config().jobs.hint_timeout).await?;
    let ended = store::end_hopeless(&mut **tx).await?;
    let expired_leases = store::requeue_expired_leases(&mut **tx).await?;
    Ok(Swept { lost_hints, expired_leases, ended })
}

impl Failure {
    /// A failure with its slug and sentence.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// Somebody stopped it.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new("cancelled", "The job was cancelled.")
    }
}
