//! The job runner: claims a job, renews its lease while it runs, and settles its outcome.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use parlance_core::error::Chain;
use parlance_core::ids::{JobId, WorkerId};
use parlance_core::jobs::{self, Claim, Claims, Kind, Outcome, dispatch};
use parlance_core::maintenance::END_HOOKS;
use parlance_core::platform::meters::Ending;
use parlance_core::platform::propagation;
use parlance_core::{Context, Error, Result};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::heartbeat::Heartbeat;
use crate::outcome::{self, StopCause};
use crate::running_job::Run;

/// Pause of a place after a failed claim. Dispatched jobs may have no hint to wake the place.
const RETRY_CLAIM: Duration = Duration::from_secs(1);

/// Result of one iteration of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It ran a job.
    Ran,
    /// No job was waiting, or the worker is stopping.
    Idle,
    /// The ledger did not answer.
    Failed,
}

/// Runs jobs for one worker process.
pub struct Runner {
    ctx: Context,
    worker: WorkerId,
    claims: Claims,
    heartbeat: Arc<Heartbeat>,
    /// Ends the heartbeat's task.
    _heartbeat_ends: DropGuard,
    running: TaskTracker,
    /// Cancelled when the shutdown begins: long jobs yield where they can be continued.
    leaving: CancellationToken,
    /// Cancelled to stop the running jobs.
    shutdown: CancellationToken,
    /// Cancelled to drop the running jobs immediately, as in a crash of the process.
    killed: CancellationToken,
}

impl Runner {
    /// Creates a runner whose claims carry the worker's ID. Spawns the task of its heartbeat.
    #[must_use]
    pub fn new(ctx: Context, worker: WorkerId) -> Self {
        let heartbeat = Arc::new(Heartbeat::new(ctx.clone()));
        let (beating, ended) = (Arc::clone(&heartbeat), CancellationToken::new());
        let heartbeat_ends = ended.clone().drop_guard();
        tokio::spawn(async move { ended.run_until_cancelled(beating.run()).await });
        Self {
            ctx,
            worker,
            claims: Claims::new(worker),
            heartbeat,
            _heartbeat_ends: heartbeat_ends,
            running: TaskTracker::new(),
            leaving: CancellationToken::new(),
            shutdown: CancellationToken::new(),
            killed: CancellationToken::new(),
        }
    }

    pub(crate) fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// The heartbeat of its running jobs.
    pub(crate) fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// Runs jobs of a queue after a hint, until none is dispatched. A busy place therefore needs no hints; hints wake
    /// idle places.
    pub(crate) async fn run_all(&self, kind: Kind, hinted: JobId) {
        let mut place = self.track(self.claims.next(&self.ctx, kind, hinted)).await;
        while place != Place::Idle {
            if place == Place::Failed {
                tokio::time::sleep(RETRY_CLAIM).await;
            }
            place = self.track(self.claims.another(&self.ctx, kind)).await;
        }
    }

    /// Runs a job if it is still waiting. Returns whether this call ran it.
    pub async fn run(&self, job: JobId) -> bool {
        self.track(jobs::claim(&self.ctx, job, self.worker)).await == Place::Ran
    }

    async fn track(&self, claim: impl Future<Output = Result<Option<Claim>>>) -> Place {
        let run = self.running.track_future(self.claim_and_run(claim));
        // Checked while tracked: no claim begins after the drain has ended.
        if self.running.is_closed() {
            return Place::Idle;
        }
        self.killed.run_until_cancelled(run).await.unwrap_or(Place::Idle)
    }

    /// Returns a guard that drops the running jobs when it is dropped, as a crash of the process would.
    pub(crate) fn abort_on_drop(&self) -> DropGuard {
        self.killed.clone().drop_guard()
    }

    /// Waits for the running jobs to end; crawls end after their current page and are released. After `timeout` it stops
    /// the rest, which is released too.
    pub async fn drain(&self, timeout: Duration) {
        self.leaving.cancel();
        self.running.close();
        if tokio::time::timeout(timeout, self.running.wait()).await.is_err() {
            self.shutdown.cancel();
            self.running.wait().await;
        }
    }

    async fn claim_and_run(&self, claim: impl Future<Output = Result<Option<Claim>>>) -> Place {
        let claim = match claim.await {
            Ok(Some(claim)) => claim,
            // Another worker has the job, or it has ended: the hint is used up.
            Ok(None) => return Place::Idle,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "claim failed; retrying");
                return Place::Failed;
            }
        };
        // The dispatch window has room for another hint.
        dispatch::nudge(&self.ctx, claim.kind);
        let span = tracing::info_span!(
            "job",
            job.id = %claim.id,
            job.kind = %claim.kind,
            job.attempt = claim.attempt,
            job.ending = tracing::field::Empty,
            tenant.id = %claim.about.tenant,
            trace.id = tracing::field::Empty,
        );
        propagation::follow(&span, claim.trace_context.as_deref());
        let kind = claim.kind;
        self.run_claimed(claim).instrument(span).await;
        if kind.per_tenant(&self.ctx.config().jobs).is_some() {
            // The tenant may have another job of this kind dispatched.
            dispatch::nudge(&self.ctx, kind);
        }
        Place::Ran
    }

    async fn run_claimed(&self, claim: Claim) {
        let started = Instant::now();
        let run = Arc::new(Run::new(self.ctx.clone(), claim, self.leaving.clone()));
        let ended = CancellationToken::new();
        let work = async {
            let result = AssertUnwindSafe(crate::jobs::handle(&run)).catch_unwind().await;
            ended.cancel();
            result.unwrap_or_else(|panic| Err(Error::internal("a job panicked", panic_message(&*panic))))
        };
        let (result, cause) = tokio::join!(work, self.hold_lease(&run, &ended));
        let ending = match result {
            Ok(()) => {
                tracing::info!(ms = started.elapsed().as_millis(), "job done");
                Ending::Succeeded
            }
            Err(error) => {
                let cause = cause.or_else(|| run.has_yielded().then_some(StopCause::Shutdown));
                self.settle(run.claim(), &error, cause).await
            }
        };
        tracing::Span::current().record("job.ending", ending.as_str());
        self.ctx.meters().ran(run.claim().kind.as_str(), ending, started.elapsed());
    }

    /// Holds the lease until the job ends, and stops the job when necessary. Returns the reason for stopping.
    async fn hold_lease(&self, run: &Arc<Run>, ended: &CancellationToken) -> Option<StopCause> {
        let mut beating = self.heartbeat.add(run);
        let cause = tokio::select! {
            () = ended.cancelled() => return None,
            () = self.shutdown.cancelled() => StopCause::Shutdown,
            cause = beating.stopped() => cause,
        };
        run.stop().cancel();
        // The heartbeat continues while the job stops, so that no other worker takes it.
        ended.cancelled().await;
        Some(cause)
    }

    async fn settle(&self, claim: &Claim, error: &Error, cause: Option<StopCause>) -> Ending {
        let Some(outcome) = outcome::decide(error, cause, claim, &self.ctx.config().jobs, rand::random())
        else {
            tracing::warn!("lease lost; outcome not written");
            return Ending::LeaseLost;
        };
        tracing::warn!(?outcome, error = %Chain(error), "job attempt failed");
        match jobs::settle_failed(&self.ctx, END_HOOKS, claim, &outcome).await {
            Ok(()) => match outcome {
                Outcome::Retry(..) => Ending::Retried,
                Outcome::Abandon(_) => Ending::Failed,
                Outcome::Cancelled => Ending::Cancelled,
                Outcome::Release => Ending::Released,
            },
            Err(Error::LeaseLost) => {
                tracing::warn!("lease lost; outcome not written");
                Ending::LeaseLost
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), "outcome not written; the job runs again after its lease expires");
                Ending::LeaseLost
            }
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "non-string panic payload".to_owned())
}
