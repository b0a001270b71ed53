//! Job `embed`: embeds a batch of chunks.

use std::sync::Arc;

use parlance_core::Result;
use parlance_core::knowledge::ingest::{self, EmbedBatch};
use parlance_core::platform::fair_queue::Caller;

use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: EmbedBatch) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let chunks = ingest::unembedded(ctx, claim, &job).await?;
    run.set_total(chunks.len(), "chunks");
    let (ids, texts): (Vec<_>, Vec<_>) = chunks.into_iter().map(|chunk| (chunk.id, chunk.text)).unzip();
    let (caller, report) = (Caller::background(claim.about.tenant), Arc::new(run.progress_reporter()));
    let vectors = ctx.embedder().embed_passages(caller, texts, report, run.stop().clone()).await?;
    let embedded: Vec<_> = ids.into_iter().zip(vectors).collect();
    ingest::settle_embedded(ctx, claim, &job, &embedded).await
}
