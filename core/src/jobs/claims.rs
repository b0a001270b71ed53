//! The claims of one worker process, several in one statement.
//!
//! While a statement is on its way, those that come wait, and the next statement takes for all of them: the
//! busier a worker, the less a claim costs, and an idle one waits for nobody.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as FairMutex, oneshot};

use super::kind::PerKind;
use super::{Claim, Kind, claim, store};
use crate::context::Context;
use crate::error::Result;
use crate::ids::{JobId, WorkerId};

/// How often a worker looks for the next job before it takes its hint for spent. While it looked, others may
/// have taken what it saw, for hints to jobs that were dispatched since: those are now its own.
const LOOKS: u32 = 4;

/// Takes jobs for one worker.
#[derive(Debug)]
pub struct Claims {
    worker: WorkerId,
    lines: PerKind<Line>,
}

/// Those that wait for a job of one queue.
#[derive(Debug, Default)]
struct Line {
    waiting: Mutex<Vec<oneshot::Sender<Claim>>>,
    turn: FairMutex<()>,
}

impl Claims {
    /// Claims that carry the worker's id.
    #[must_use]
    pub fn of(worker: WorkerId) -> Self {
        Self { worker, lines: PerKind::default() }
    }

    /// Takes the job whose turn it is, for a hint to any of its queue: of those that are dispatched, one of
    /// the tenant that has the fewest running. So a tenant whose hints fill Redis delays another's job by no
    /// more than what runs already. `None` when nothing waits: the hint is spent.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn next(&self, ctx: &Context, kind: Kind, hinted: JobId) -> Result<Option<Claim>> {
        let line = self.lines.of(kind);
        for _ in 0..LOOKS {
            let next = line.wait(async |most| self.take(ctx, kind, most).await).await?;
            if next.is_some() {
                return Ok(next);
            }
        }
        // Others hold what is dispatched; the hinted one is waited for, or its hint would be lost.
        claim(ctx, hinted, self.worker).await
    }

    async fn take(&self, ctx: &Context, kind: Kind, most: usize) -> Result<Vec<Claim>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let lease = ctx.config().jobs.lease;
        Ok(store::claim_next(ctx.db().platform(), kind, self.worker, lease, most).await?)
    }
}

impl Line {
    /// Waits for a claim that somebody before took, or takes for all that wait.
    async fn wait(&self, take: impl AsyncFnOnce(usize) -> Result<Vec<Claim>>) -> Result<Option<Claim>> {
        let (give, mut given) = oneshot::channel();
        self.waiting().push(give);
        let _turn = self.turn.lock().await;
        match given.try_recv() {
            Ok(claim) => return Ok(Some(claim)),
            // There were fewer jobs than waited.
            Err(oneshot::error::TryRecvError::Closed) => return Ok(None),
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let waiting = std::mem::take(&mut *self.waiting());
        let claims = take(waiting.len()).await?;
        for (place, claim) in waiting.into_iter().zip(claims) {
            // Who left was dropped with its process; the sweeper finds the job.
            let _gone = place.send(claim);
        }
        Ok(given.try_recv().ok())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Claim>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
