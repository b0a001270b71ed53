//! Job `purge`: removes deleted data in batches.

use parlance_core::Result;
use parlance_core::purge::{self, Purge};

use super::in_steps;
use crate::runner::Run;

pub(crate) async fn run(run: &Run) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let what: Purge = run.payload()?;
    in_steps(run, || purge::step(ctx, claim.about.tenant, what)).await?;
    purge::settle(ctx, claim, what).await
}
