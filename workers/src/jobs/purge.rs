//! `purge`: what was deleted is removed, some at a time.

use parlance_core::purge::{self, Purge};
use parlance_core::{Error, Result};

use crate::runner::Run;

pub(crate) async fn run(run: &Run) -> Result<()> {
    let (ctx, claim) = (run.ctx(), run.claim());
    let what: Purge = run.payload()?;
    let step = run.step();
    let mut removed = 0;
    loop {
        if run.stop().is_cancelled() {
            return Err(Error::Cancelled);
        }
        let more = purge::step(ctx, claim.about.tenant, what).await?;
        if more == 0 {
            break;
        }
        removed += usize::try_from(more).unwrap_or(usize::MAX);
        step(removed);
    }
    purge::settle(ctx, claim, what).await
}
