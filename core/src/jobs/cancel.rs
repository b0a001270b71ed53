//! Cancellation. Locks jobs first, in a fixed order, so that settling and cancelling never deadlock.

use sqlx::PgTransaction;
use uuid::Uuid;

use super::{Claim, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::{BotId, JobId, SourceId, TenantId};

/// Subject of jobs.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// A bot, including its sources.
    Bot(BotId),
    /// All versions of a source.
    Source(SourceId),
    /// One version of a source.
    Version(SourceId, i32),
}

impl Subject {
    /// Values of the columns bot, source and version.
    pub(super) fn parts(self) -> (Option<Uuid>, Option<Uuid>, Option<i32>) {
        match self {
            Subject::Bot(bot) => (Some(bot.uuid()), None, None),
            Subject::Source(source) => (None, Some(source.uuid()), None),
            Subject::Version(source, version) => (None, Some(source.uuid()), Some(version)),
        }
    }
}

/// Unfinished jobs, locked until the transaction ends.
#[must_use]
pub struct Held(Vec<JobId>);

impl Held {
    /// Whether a job is among them, that is, unfinished.
    #[must_use]
    pub fn has(&self, job: JobId) -> bool {
        self.0.contains(&job)
    }
}

/// Locks the unfinished jobs of a subject.
///
/// Lock order: jobs, then their source. Settling a job follows it. A change of a source must call this first, or the
/// two deadlock. Jobs enqueued later are not locked. Do not wait for them: they end when they find their subject
/// gone.
///
/// # Errors
/// When the statement fails.
pub async fn hold(tx: &mut PgTransaction<'_>, tenant: TenantId, subject: Subject) -> Result<Held> {
    Ok(Held(store::hold(&mut **tx, tenant, subject, true).await?))
}

/// Like [`hold`], but skips jobs locked by other transactions: for callers that already hold a job or must not wait for
/// one to settle.
///
/// # Errors
/// When the statement fails.
pub async fn hold_free(tx: &mut PgTransaction<'_>, tenant: TenantId, subject: Subject) -> Result<Held> {
    Ok(Held(store::hold(&mut **tx, tenant, subject, false).await?))
}

/// Cancels the unfinished jobs of a deleted subject, except the caller's own. The deletion skipped jobs that were
/// locked: a heartbeat locks a job for a moment, a settle for as long as it writes.
///
/// # Errors
/// When a statement fails.
pub async fn cancel_others(ctx: &Context, claim: &Claim, subject: Subject) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    let mut others = hold_free(&mut tx, tenant, subject).await?;
    others.0.retain(|job| *job != claim.id);
    cancel(&mut tx, tenant, &others).await?;
    Ok(tx.commit().await?)
}

/// Cancels locked jobs: waiting ones end immediately, running ones at their next heartbeat.
///
/// # Errors
/// When the statement fails.
pub async fn cancel(tx: &mut PgTransaction<'_>, tenant: TenantId, held: &Held) -> Result<()> {
    if held.0.is_empty() {
        return Ok(());
    }
    Ok(store::cancel(&mut **tx, tenant, &held.0).await?)
}
