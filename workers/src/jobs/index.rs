//! Job `index`: builds or drops a bot's indexes according to its size.

use parlance_core::Result;
use parlance_core::knowledge::index::{self, Index, Watch};

use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: Index) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let report = run.progress_reporter();
    let progress = |done: usize, total: usize| {
        run.set_total(total, "chunks");
        report(done);
    };
    index::fit(ctx, claim.about.tenant, &job, Watch { progress: &progress, stop: run.stop() }).await?;
    index::settle(ctx, claim).await
}
