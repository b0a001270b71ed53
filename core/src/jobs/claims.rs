//! Batched claims of one worker process.
//!
//! While a claim statement runs, further claims wait, and the next statement claims for all of them. The busier the
//! worker, the cheaper a claim; an idle worker waits for nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as FairMutex, oneshot};

use super::kind::PerKind;
use super::{Claim, Kind, claim, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::{JobId, WorkerId};

/// Claim attempts per hint. Between a worker's look and its lock, other workers may have taken those jobs with hints to
/// jobs dispatched since; the remaining ones are now this worker's.
const TRIES: u32 = 4;

/// Claims jobs for one worker.
#[derive(Debug)]
pub struct Claims {
    worker: WorkerId,
    batches: PerKind<Batch>,
}

/// Pending claims of one queue.
#[derive(Debug, Default)]
struct Batch {
    waiting: Mutex<Vec<oneshot::Sender<Claim>>>,
    turn: FairMutex<()>,
}

impl Claims {
    /// Claims in the worker's name.
    #[must_use]
    pub fn new(worker: WorkerId) -> Self {
        Self { worker, batches: PerKind::default() }
    }

    /// Claims the next job of a queue, for a hint to any of its jobs: of the dispatched jobs, one of the tenant with
    /// the fewest running. So a tenant whose hints fill Redis delays another's job by no more than the jobs that run
    /// already. `None` when nothing waits: the hint is used up.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn next(&self, ctx: &Context, kind: Kind, hinted: JobId) -> Result<Option<Claim>> {
        let batch = self.batches.of(kind);
        for _ in 0..TRIES {
            let next = batch.wait(async |most| self.take(ctx, kind, most).await).await?;
            if next.is_some() {
                return Ok(next);
            }
        }
        // Others hold what is dispatched. Wait for the hinted job, or its hint would be lost.
        claim(ctx, hinted, self.worker).await
    }

    async fn take(&self, ctx: &Context, kind: Kind, most: usize) -> Result<Vec<Claim>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let lease = ctx.config().jobs.lease;
        Ok(store::claim_next(ctx.db().platform(), kind, self.worker, lease, most).await?)
    }
}

impl Batch {
    /// Waits for a claim made by an earlier caller, or claims for all that wait.
    async fn wait(&self, take: impl AsyncFnOnce(usize) -> Result<Vec<Claim>>) -> Result<Option<Claim>> {
        let (sender, mut receiver) = oneshot::channel();
        self.waiting().push(sender);
        let _turn = self.turn.lock().await;
        match receiver.try_recv() {
            Ok(claim) => return Ok(Some(claim)),
            // There were fewer jobs than callers.
            Err(oneshot::error::TryRecvError::Closed) => return Ok(None),
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let waiting = std::mem::take(&mut *self.waiting());
        let claims = take(waiting.len()).await?;
        for (sender, claim) in waiting.into_iter().zip(claims) {
            // A receiver is dropped only with its worker; the sweep requeues the job.
            let _dropped = sender.send(claim);
        }
        Ok(receiver.try_recv().ok())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Claim>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
