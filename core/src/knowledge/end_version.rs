//! End of a source version whose job failed or was cancelled.

use async_trait::async_trait;
use sqlx::PgTransaction;

use super::store;
use crate::error::Result;
use crate::jobs::{self, EndHook, Ended, Subject};

/// Ends the source version of a job that ended without success.
pub(crate) struct EndVersion;

#[async_trait]
impl EndHook for EndVersion {
    async fn ended(&self, tx: &mut PgTransaction<'_>, ended: &Ended) -> Result<()> {
        end_version(tx, ended).await
    }
}

/// Ends the version that a job was about, and cancels the version's other jobs. No-op for a job about no source.
pub(super) async fn end_version(tx: &mut PgTransaction<'_>, ended: &Ended) -> Result<()> {
    let Some((source, version)) = ended.about.source else { return Ok(()) };
    let tenant = ended.about.tenant;
    let others = jobs::hold_free(tx, tenant, Subject::Version(source, version)).await?;
    jobs::cancel(tx, tenant, &others).await?;
    Ok(store::end_version(&mut **tx, tenant, source, version, ended.state, &ended.failure).await?)
}
