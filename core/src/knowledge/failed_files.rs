//! Removal of the files and texts of versions that failed or were cancelled.
//!
//! They are kept for a time, so that the job can be retried, and count towards the plan's storage meanwhile. Live
//! versions are kept. Sources that failed because of the limit on embedded tokens keep their files: a retry next month
//! succeeds.

use super::store;
use crate::context::Context;
use crate::error::{Error, Limit, Result};

/// Maximum number of versions per step.
const STEP: i64 = 100;

/// Note of a version whose file and text were removed.
const NOTE: &str = "The file and the text of this version were removed some time after it failed.";

/// Removes the files and texts of one batch of failed versions. Returns the number of versions; 0 when done.
///
/// # Errors
/// When the database or the file storage does not answer.
pub async fn remove(ctx: &Context) -> Result<u64> {
    let Some(kept) = ctx.config().storage.failed_kept else { return Ok(0) };
    let except = Limit::EmbeddedTokens.code();
    let failed = store::list_failed_versions(ctx.db().platform(), kept, except, STEP).await?;
    for version in &failed {
        let mut tx = ctx.db().begin(version.tenant).await?;
        // Locks the source: a retry waits, and then finds the file removed.
        if !store::clear_version(&mut **tx, version, NOTE).await? {
            continue;
        }
        // Before the commit: a file without a row would stay forever.
        if let Some(key) = &version.blob_key {
            ctx.blob().delete(key).await?;
        }
        tx.commit().await?;
    }
    Ok(u64::try_from(failed.len()).unwrap_or(u64::MAX))
}

/// Error for a retry of a version whose file and text were removed.
pub(super) fn removed() -> Error {
    Error::Conflict {
        code: "file_removed",
        message:
            "What the job needs was removed some time after it failed: upload the file again, or refresh the \
                  web site"
                .to_owned(),
    }
}
