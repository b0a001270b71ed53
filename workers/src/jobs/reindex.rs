//! Job `reindex`: recomputes the search terms of a bot's chunks for its language, in batches.

use parlance_core::Result;
use parlance_core::knowledge::reindex::{self, Reindex};

use super::in_steps;
use crate::runner::Run;

pub(crate) async fn run(run: &Run) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let job: Reindex = run.payload()?;
    in_steps(run, || reindex::step(ctx, claim.about.tenant, &job)).await?;
    reindex::settle(ctx, claim, &job).await
}
