//! Batched claims of one worker process.

use super::gather::Gather;
use super::heartbeat::statement_limit;
use super::kind::PerKind;
use super::served::Served;
use super::{Claim, Kind, claim, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::{JobId, WorkerId};

/// Claim attempts per hint. Between a worker's read and its lock, workers with hints to later jobs may claim the jobs it
/// read; the later jobs remain for this worker.
const TRIES: u32 = 4;

/// Claims jobs for one worker.
#[derive(Debug)]
pub struct Claims {
    worker: WorkerId,
    queues: PerKind<Gather<(), Claim>>,
}

impl Claims {
    /// Creates the claims of a worker.
    #[must_use]
    pub fn new(worker: WorkerId) -> Self {
        Self { worker, queues: PerKind::default() }
    }

    /// Claims the next job of a queue, whichever job the hint names: a dispatched job of the tenant with the fewest
    /// running jobs of any kind, and among equals of the tenant with the least recent claim in this process. A tenant
    /// whose hints fill Redis therefore delays another tenant's job by at most one of its own. `None`: no job is
    /// waiting, and the hint is consumed.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn next(&self, ctx: &Context, kind: Kind, hinted: JobId) -> Result<Option<Claim>> {
        for _ in 0..TRIES {
            let next = self.another(ctx, kind).await?;
            if next.is_some() {
                return Ok(next);
            }
        }
        // Other workers hold the locks of all dispatched jobs. Wait for the hinted job, or its hint would be lost.
        claim(ctx, hinted, self.worker).await
    }

    /// As [`Claims::next`], without a hint: for a place that has just become free. `None`: no job is waiting, or other
    /// workers are claiming the waiting jobs.
    ///
    /// # Errors
    /// When the statement fails, for all claims that it serves.
    pub async fn another(&self, ctx: &Context, kind: Kind) -> Result<Option<Claim>> {
        let within = statement_limit(ctx.config().jobs.lease);
        self.queues.of(kind).call((), within, async |calls| self.take(ctx, kind, calls.len()).await).await
    }

    async fn take(&self, ctx: &Context, kind: Kind, limit: usize) -> Result<Vec<Claim>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let served = ctx.state::<Served>();
        let order = served.order();
        let lease = ctx.config().jobs.lease;
        let claims = store::claim_next(ctx.db().platform(), kind, self.worker, lease, &order, limit).await?;
        served.record(claims.iter().map(|claim| claim.about.tenant));
        Ok(claims)
    }
}
