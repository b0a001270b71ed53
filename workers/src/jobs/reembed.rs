//! Job `reembed`: embeds a bot's chunks with a new model in batches, then switches its search to it.

use std::sync::Arc;

use parlance_core::Result;
use parlance_core::knowledge::index::Watch;
use parlance_core::knowledge::reembed::{self, Reembed};
use parlance_core::platform::fair_queue::Caller;

use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: Reembed) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    run.set_total(reembed::begin(ctx, claim.about.tenant, &job).await?, "chunks");
    let (caller, report) = (Caller::background(claim.about.tenant), run.progress_reporter());
    let mut done = 0;
    loop {
        let mut after = None;
        loop {
            let batch = reembed::batch(ctx, claim.about.tenant, &job, after).await?;
            let Some(last) = batch.last() else { break };
            after = Some(last.id);
            let (ids, texts): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|chunk| (chunk.id, chunk.text)).unzip();
            let ignore_progress = Arc::new(|_: usize| {});
            let stop = run.stop().clone();
            let vectors = ctx.embedder().embed_passages(caller, texts, ignore_progress, stop).await?;
            reembed::keep(ctx, claim, &job, &ids, &vectors).await?;
            done += ids.len();
            report(done);
        }
        let watch = Watch { progress: &|_, _| {}, stop: run.stop() };
        if reembed::settle(ctx, claim, &job, watch).await? {
            return Ok(());
        }
    }
}
