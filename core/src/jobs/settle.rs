//! Settling: how an attempt ends, in a transaction guarded by the job's lease.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgTransaction;

use super::{About, Claim, State, dispatch, store};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::JobId;
use crate::platform::bus::JobEvent;

/// Outcome of an attempt that did not succeed. Decided in one place: the runner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Retry after this pause.
    Retry(Duration, Failure),
    /// Fail for good: a dead letter.
    Abandon(Failure),
    /// End as cancelled.
    Cancelled,
    /// Requeue at once without counting the attempt: the worker shuts down.
    Release,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable slug, for programs.
    pub code: String,
    /// Sentence, for people.
    pub message: String,
}

impl Failure {
    /// A failure with its slug and its sentence.
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
    /// Why.
    pub failure: Failure,
}

/// A slice's reaction to jobs that end without success.
///
/// Every hook is called for every such job and picks its own by [`Ended::about`].
#[async_trait]
pub trait EndHook: Send + Sync {
    /// Runs in the transaction that ends the job.
    async fn ended(&self, tx: &mut PgTransaction<'_>, ended: &Ended) -> Result<()>;
}

/// Marks the job succeeded. The first statement of the transaction that holds its results.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job: the caller must write nothing.
pub async fn succeed(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<()> {
    store::succeed(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)
}

/// Locks the claim until the transaction ends, for a job that writes results in several transactions.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job: the caller must write nothing.
pub async fn hold_claim(tx: &mut PgTransaction<'_>, claim: &Claim) -> Result<()> {
    store::hold_claim(&mut **tx, claim.id, claim.lease).await?.ok_or(Error::LeaseLost)
}

/// Settles an attempt that did not succeed. If the job ends with it, the hooks run in the same transaction.
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

/// Writes the outcome. Returns the job if it ended with it.
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
