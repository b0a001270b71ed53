//! Job `upload`: extracts the text of a stored file.

use parlance_core::knowledge::ingest::{self, ExtractFile};
use parlance_core::{Error, Result};

use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: ExtractFile) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let file = ingest::stored_file(ctx, claim.about.tenant, &job).await?;
    let bytes = ctx
        .blob()
        .get(&file.blob_key)
        .await?
        .ok_or_else(|| Error::rejected("file_missing", "The stored file is gone; upload it again."))?;
    run.set_total(bytes.len(), "bytes");
    let document = ctx.extractor().extract(&file.declared, bytes, run.stop()).await?;
    ingest::settle_extracted(ctx, claim, &job, &document).await
}
