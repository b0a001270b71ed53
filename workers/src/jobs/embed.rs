//! Job `embed`: embeds a batch of chunks.

use std::sync::Arc;

use parlance_core::Result;
use parlance_core::knowledge::ingest::{self, EmbedBatch};

use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: EmbedBatch) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let chunks = ingest::unembedded(ctx, claim, &job).await?;
    run.set_total(chunks.len(), "chunks");
    let (ids, texts): (Vec<_>, Vec<_>) = chunks.into_iter().map(|chunk| (chunk.id, chunk.text)).unzip();
    let vectors =
        ctx.embedder().embed_passages(texts, Arc::new(run.progress_reporter()), run.stop().clone()).await?;
    let embedded: Vec<_> = ids.into_iter().zip(vectors).collect();
    ingest::settle_embedded(ctx, claim, &job, &embedded).await
}
