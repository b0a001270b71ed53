//! Job `purge`: removes deleted data in batches.

use parlance_core::Result;
use parlance_core::maintenance::purge;
use parlance_core::purge_job::Purge;

use super::in_steps;
use crate::running_job::Run;

pub(super) async fn run(run: &Run, job: Purge) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    purge::begin(ctx, claim, job).await?;
    in_steps(run, || purge::step(ctx, claim.about.tenant, job)).await?;
    purge::settle(ctx, claim, job).await
}
