//! Batched claims of one worker process.
//!
//! While a claim statement runs, further claims wait, and the next statement serves all of them. The busier the worker,
//! the cheaper a claim; an idle worker does not wait.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as FairMutex, oneshot};

use super::kind::PerKind;
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
    batches: PerKind<Batch>,
}

/// Pending claims of one queue.
#[derive(Debug, Default)]
struct Batch {
    waiting: Mutex<Vec<oneshot::Sender<Claim>>>,
    turn: FairMutex<()>,
}

impl Claims {
    /// Creates the claims of a worker.
    #[must_use]
    pub fn new(worker: WorkerId) -> Self {
        Self { worker, batches: PerKind::default() }
    }

    /// Claims the next job of a queue, whichever job the hint names: a dispatched job of the tenant with the fewest
    /// running jobs. A tenant whose hints fill Redis therefore delays another tenant's job only by the jobs already
    /// running. `None` when no job is waiting: the hint is used up.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn next(&self, ctx: &Context, kind: Kind, hinted: JobId) -> Result<Option<Claim>> {
        let batch = self.batches.of(kind);
        for _ in 0..TRIES {
            let next = batch.wait(async |limit| self.take(ctx, kind, limit).await).await?;
            if next.is_some() {
                return Ok(next);
            }
        }
        // Other workers hold the locks of all dispatched jobs. Wait for the hinted job, or its hint would be lost.
        claim(ctx, hinted, self.worker).await
    }

    async fn take(&self, ctx: &Context, kind: Kind, limit: usize) -> Result<Vec<Claim>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let lease = ctx.config().jobs.lease;
        Ok(store::claim_next(ctx.db().platform(), kind, self.worker, lease, limit).await?)
    }
}

impl Batch {
    /// Waits for a claim made by an earlier caller, or claims for all waiting callers.
    async fn wait(&self, take: impl AsyncFnOnce(usize) -> Result<Vec<Claim>>) -> Result<Option<Claim>> {
        let (sender, mut receiver) = oneshot::channel();
        self.waiting().push(sender);
        let _turn = self.turn.lock().await;
        match receiver.try_recv() {
            Ok(claim) => return Ok(Some(claim)),
            // Fewer jobs than callers.
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
