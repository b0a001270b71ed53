//! Job `reindex`: recomputes the search terms of a bot's chunks for its language, in batches.

use parlance_core::Result;
use parlance_core::knowledge::reindex::{self, Reindex};

use super::in_steps;
use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: Reindex) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    in_steps(run, || reindex::step(ctx, claim.about.tenant, &job)).await?;
    reindex::settle(ctx, claim, &job).await
}
