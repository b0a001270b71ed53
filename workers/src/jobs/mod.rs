//! Implementation of each job kind.

pub(crate) mod chunk;
pub(crate) mod embed;
pub(crate) mod index;
pub(crate) mod purge;
pub(crate) mod reembed;
pub(crate) mod reindex;
pub(crate) mod scrape;
pub(crate) mod upload;

use parlance_core::{Error, Result};

use crate::runner::Run;

/// Repeats a step until it finds nothing to do. Progress is the number of rows processed. The job can be
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
