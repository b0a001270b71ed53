//! Stopping jobs: held first, in one order, so that whoever settles one and whoever stops it never wait for
//! each other.

use sqlx::PgTransaction;
use uuid::Uuid;

use super::store;
use crate::error::Result;
use crate::ids::{BotId, JobId, SourceId, TenantId};

/// What jobs can be about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// A bot, and everything of it.
    Bot(BotId),
    /// A source, in all its versions.
    Source(SourceId),
    /// A version of a source.
    Version(SourceId, i32),
}

impl Subject {
    /// The columns that name it: bot, source, version.
    pub(super) fn parts(self) -> (Option<Uuid>, Option<Uuid>, Option<i32>) {
        match self {
            Subject::Bot(bot) => (Some(bot.uuid()), None, None),
            Subject::Source(source) => (None, Some(source.uuid()), None),
            Subject::Version(source, version) => (None, Some(source.uuid()), Some(version)),
        }
    }
}

/// Jobs that nobody else changes until the transaction ends.
#[must_use]
pub struct Held(Vec<JobId>);

impl Held {
    /// Whether a job is among them: it has not ended.
    #[must_use]
    pub fn has(&self, job: JobId) -> bool {
        self.0.contains(&job)
    }
}

/// Holds the jobs about something that have not ended.
///
/// Whoever settles a job holds it first and its source after; so whoever changes a source holds its jobs
/// first, here, or the two would wait for each other. Jobs that are enqueued after are not among them, and
/// must not be waited for: they find out that they are not wanted.
///
/// # Errors
/// When the statement fails.
pub async fn hold(tx: &mut PgTransaction<'_>, tenant: TenantId, subject: Subject) -> Result<Held> {
    Ok(Held(store::hold(&mut **tx, tenant, subject, true).await?))
}

/// Holds those that nobody else holds: for whoever holds a job already.
///
/// # Errors
/// When the statement fails.
pub async fn hold_free(tx: &mut PgTransaction<'_>, tenant: TenantId, subject: Subject) -> Result<Held> {
    Ok(Held(store::hold(&mut **tx, tenant, subject, false).await?))
}

/// Stops held jobs: those that wait end now, those that run are told with their next heartbeat.
///
/// # Errors
/// When the statement fails.
pub async fn cancel(tx: &mut PgTransaction<'_>, tenant: TenantId, held: &Held) -> Result<()> {
    if held.0.is_empty() {
        return Ok(());
    }
    Ok(store::cancel(&mut **tx, tenant, &held.0).await?)
}
