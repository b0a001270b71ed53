//! Job handlers: one module per kind, and the table that maps kinds to them.

mod chunk;
mod embed;
mod index;
mod purge;
mod reembed;
mod reindex;
mod scrape;
mod upload;

use parlance_core::jobs::Kind;
use parlance_core::{Error, Result};

use crate::running_job::Run;

/// Runs a claimed job.
pub(crate) async fn handle(run: &Run) -> Result<()> {
    match run.claim().kind {
        Kind::Upload => upload::run(run, run.payload()?).await,
        Kind::Scrape => scrape::run(run, run.payload()?).await,
        Kind::Chunk => chunk::run(run, run.payload()?).await,
        Kind::Embed => embed::run(run, run.payload()?).await,
        Kind::Reindex => reindex::run(run, run.payload()?).await,
        Kind::Reembed => reembed::run(run, run.payload()?).await,
        Kind::Index => index::run(run, run.payload()?).await,
        Kind::Purge => purge::run(run, run.payload()?).await,
    }
}

/// Repeats a step until no work is left. Progress is the number of rows processed. The job can be
/// stopped between two steps.
async fn in_steps<F>(run: &Run, step: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<u64>>,
{
    let report = run.progress_reporter();
    let mut done = 0;
    loop {
        if run.stop().is_cancelled() {
            return Err(Error::Cancelled);
        }
        match step().await? {
            0 => return Ok(()),
            more => done += usize::try_from(more).unwrap_or(usize::MAX),
        }
        report(done);
    }
}
