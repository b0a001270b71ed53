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
    let language = ingest::language(ctx, claim).await?.iso_639_2();
    let progress = run.progress_reporter();
    let report = |done, pages| {
        run.set_total(pages, "pages");
        progress(done);
    };
    let (extractor, tenant) = (ctx.extractor(), claim.about.tenant);
    let document =
        extractor.extract_with_scans(tenant, &file.declared, bytes, language, &report, run.stop()).await?;
    ingest::settle_extracted(ctx, claim, &job, &document).await
}
