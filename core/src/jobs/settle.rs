//! Settling: ends an attempt, in a transaction guarded by the job's lease.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgTransaction;

use super::gather::Gather;
use super::heartbeat::statement_limit;
use super::{About, Claim, State, dispatch, store};
use crate::context::Context;
use crate::error::{Error, Part, Result};
use crate::ids::{JobId, LeaseToken};
use crate::platform::bus::JobEvent;

/// Outcome of a failed attempt. Only the runner decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Retry after this pause.
    Retry(Duration, Failure),
    /// Fail permanently: a dead letter.
    Abandon(Failure),
    /// End as cancelled.
    Cancelled,
    /// Requeue immediately without counting the attempt: the worker is shutting down.
    Release,
}

/// Cause of a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable machine-readable slug.
    pub code: String,
    /// Human-readable sentence.
    pub message: String,
}

impl Failure {
    /// Creates a failure from a slug and a sentence.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The failure of a cancelled job.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new("cancelled", "The job was cancelled.")
    }
}

/// A job that has just ended without success.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The job.
    pub id: JobId,
    /// Owner and subject.
    pub about: About,
    /// `failed` or `cancelled`.
    pub state: State,
    /// The cause.
    pub failure: Failure,
}

/// A slice's reaction to jobs that end without success.
///
/// Every hook runs for every such job and filters by [`Ended::about`].
#[async_trait]
pub trait EndHook: Send + Sync {
    /// Runs in the transaction that ends the job.
    async fn ended(&self, tx: &mut PgTransaction<'_>, ended: &Ended) -> Result<()>;
}

/// Marks the job as succeeded. Must be the first statement of the transaction that writes its results.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job: the caller must write nothing.
pub async fn succeed(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<()> {
    store::succeed(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)
}

/// Marks a job without results as succeeded. Jobs that end at the same time share a statement and its commit.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job.
pub async fn succeed_without_results(ctx: &Context, claim: &Claim) -> Result<()> {
    let successes = ctx.state::<Successes>();
    let settle = async |held: Vec<(JobId, LeaseToken)>| {
        let settled = store::succeed_all(ctx.db().platform(), &held).await?;
        Ok(held.iter().map(|(job, _)| settled.contains(job)).collect())
    };
    let within = statement_limit(ctx.config().jobs.lease);
    let answer = successes.0.call((claim.id, claim.lease), within, settle).await?;
    // Every request has an answer.
    let settled = answer.ok_or_else(|| Error::unavailable(Part::Postgres, "a statement left a job out"))?;
    if settled {
        return Ok(());
    }
    // Another transaction has locked the job, or its lease is lost. A tenant's connection waits for it, since few
    // connections serve all tenants.
    let mut tx = ctx.db().begin(claim.about.tenant).await?;
    succeed(&mut tx, claim).await?;
    Ok(tx.commit().await?)
}

/// Successes of this process that are queued for the next statement.
#[derive(Default)]
struct Successes(Gather<(JobId, LeaseToken), bool>);

/// Locks the claim until the transaction ends, for a job that writes results in several transactions.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job: the caller must write nothing.
pub async fn hold_claim(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<()> {
    store::hold_claim(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)
}

/// Settles a failed attempt. If the job ends with it, the hooks run in the same transaction.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job.
pub async fn settle_failed(
    ctx: &Context,
    hooks: &[&dyn EndHook],
    claim: &Claim,
    outcome: &Outcome,
) -> Result<()> {
    let mut tx = ctx.db().begin(claim.about.tenant).await?;
    let ended = settle(&mut tx, claim, outcome).await?;
    if let Some(ended) = &ended {
        run_hooks(hooks, &mut tx, ended).await?;
    }
    tx.commit().await?;
    announce(ctx, claim, ended.map_or(State::Queued, |ended| ended.state));
    dispatch::nudge(ctx, claim.kind);
    Ok(())
}

/// Writes the outcome. Returns the job if it has ended.
async fn settle(tx: &mut PgTransaction<'_>, claim: &Claim, outcome: &Outcome) -> Result<Option<Ended>> {
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

pub(super) async fn run_hooks(
    hooks: &[&dyn EndHook],
    tx: &mut PgTransaction<'_>,
    ended: &Ended,
) -> Result<()> {
    for hook in hooks {
        hook.ended(tx, ended).await?;
    }
    Ok(())
}

/// Publishes a job's new state on the bus. Call it after the commit.
pub fn announce(ctx: &Context, claim: &Claim, state: State) {
    ctx.bus().publish(&JobEvent {
        tenant: claim.about.tenant,
        job: claim.id,
        source: claim.about.source.map(|(source, _)| source),
        state: state.as_str().into(),
    });
}
