//! `index`: builds or drops a bot's own indexes, to fit its size.

use parlance_core::Result;
use parlance_core::knowledge::index::{self, Index, Watch};

use crate::run::Run;

pub(super) async fn run(run: &Run, job: Index) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let step = run.step();
    let progress = |done: usize, total: usize| {
        run.expect(total, "chunks");
        step(done);
    };
    index::fit(ctx, claim.about.tenant, &job, Watch { progress: &progress, stop: run.stop() }).await?;
    index::settle(ctx, claim).await
}
