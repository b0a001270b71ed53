//! Job `chunk`: splits the text of a source version into chunks.

use std::sync::Arc;

use parlance_core::Result;
use parlance_core::knowledge::chunk::{self, Sizing};
use parlance_core::knowledge::ingest::{self, ChunkText};

use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: ChunkText) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let text = ingest::version_text(ctx, claim.about.tenant, &job).await?;
    let size = ctx.config().chunking;
    let size = Sizing { tokens: size.tokens, overlap: size.overlap };
    let (embedder, stop) = (Arc::clone(ctx.embedder()), run.stop().clone());
    let chunks = parlance_core::blocking(move || {
        let tokenize = |text: &str| embedder.token_starts(text);
        chunk::split(&text, size, &tokenize, &|| stop.is_cancelled())
    })
    .await??;
    ingest::settle_chunked(ctx, claim, &job, chunks).await
}
