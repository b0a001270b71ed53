//! The runner: claims a job, holds its lease while it runs, and sees to it that it ends in a word.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use parlance_core::error::Chain;
use parlance_core::ids::{JobId, WorkerId};
use parlance_core::jobs::{self, Claim, Claims, Job, Kind, Outcome, Progress, Renewal, dispatch};
use parlance_core::maintenance::END_HOOKS;
use parlance_core::platform::meters::Ending;
use parlance_core::platform::propagation;
use parlance_core::{Context, Error, Result};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::outcome::{self, StopCause};

/// The longest pause between two heartbeats: how soon progress shows and a cancel takes effect.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Runs jobs for one worker process.
pub struct Runner {
    ctx: Context,
    worker: WorkerId,
    claims: Claims,
    running: TaskTracker,
    /// The running jobs are to come to an end.
    shutdown: CancellationToken,
    /// The process is gone, as far as the jobs can tell: they are dropped where they stand.
    dead: CancellationToken,
}

/// A job while it runs: its claim, and the ways to report and to stop.
pub struct Run {
    ctx: Context,
    claim: Claim,
    progress: Arc<Gauge>,
    stop: CancellationToken,
}

/// What the heartbeat reads while the job works.
#[derive(Default)]
struct Gauge {
    done: AtomicI64,
    total: AtomicI64,
    unit: OnceLock<&'static str>,
}

impl Run {
    /// The wiring.
    #[must_use]
    pub fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// The claim.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The job's arguments.
    ///
    /// # Errors
    /// When they are not of this kind of job.
    pub fn payload<J: Job>(&self) -> Result<J> {
        serde_json::from_value(self.claim.payload.clone())
            .map_err(|error| Error::internal("a payload is not of its kind", error))
    }

    /// Cancelled when the job must stop: asked for, lease lost, or the process ends.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Says how much there is to do; [`Run::step`] says how much is done.
    pub fn expect(&self, total: usize, unit: &'static str) {
        self.progress.total.store(i64::try_from(total).unwrap_or(i64::MAX), Ordering::Relaxed);
        // A unit stays what it was first.
        let _first = self.progress.unit.set(unit);
    }

    /// A reporter of how much is done, to hand to whoever works.
    pub fn step(&self) -> impl Fn(usize) + Send + Sync + 'static {
        let progress = Arc::clone(&self.progress);
        move |done| progress.done.store(i64::try_from(done).unwrap_or(i64::MAX), Ordering::Relaxed)
    }
}

impl Gauge {
    fn read(&self) -> Progress {
        let unit = self.unit.get().copied();
        Progress {
            done: self.done.load(Ordering::Relaxed),
            total: unit.map(|_| self.total.load(Ordering::Relaxed)),
            unit,
        }
    }
}

impl Runner {
    /// A runner whose claims carry the worker's id.
    #[must_use]
    pub fn new(ctx: Context, worker: WorkerId) -> Self {
        Self {
            ctx,
            worker,
            claims: Claims::of(worker),
            running: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            dead: CancellationToken::new(),
        }
    }

    pub(crate) fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// Runs the job of a queue whose turn it is, for a hint to one. Gives whether there was one.
    pub(crate) async fn take(&self, kind: Kind, hinted: JobId) -> bool {
        self.run_if(self.claims.next(&self.ctx, kind, hinted)).await
    }

    /// Runs a job if it still waits. Gives whether it was this call that ran it.
    pub async fn run(&self, job: JobId) -> bool {
        self.run_if(jobs::claim(&self.ctx, job, self.worker)).await
    }

    async fn run_if(&self, claim: impl Future<Output = Result<Option<Claim>>>) -> bool {
        let run = self.running.track_future(self.claim_and_run(claim));
        self.dead.run_until_cancelled(run).await.unwrap_or(false)
    }

    /// The running jobs die with the guard, as they would with the process.
    pub(crate) fn lifeline(&self) -> DropGuard {
        self.dead.clone().drop_guard()
    }

    /// Waits until the running jobs have ended; after `patience` they are told to stop, and give
    /// themselves back.
    pub async fn drain(&self, patience: Duration) {
        self.running.close();
        if tokio::time::timeout(patience, self.running.wait()).await.is_err() {
            self.shutdown.cancel();
            self.running.wait().await;
        }
    }

    async fn claim_and_run(&self, claim: impl Future<Output = Result<Option<Claim>>>) -> bool {
        let claim = match claim.await {
            Ok(Some(claim)) => claim,
            // Somebody else has it, or it is over: the hint is spent.
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "no claim; the hint will be given again");
                return false;
            }
        };
        // The window has room for another.
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
        self.run_claimed(claim).instrument(span).await;
        true
    }

    async fn run_claimed(&self, claim: Claim) {
        let begun = Instant::now();
        let run =
            Run { ctx: self.ctx.clone(), progress: Arc::default(), stop: CancellationToken::new(), claim };
        let ended = CancellationToken::new();
        let work = async {
            let done = AssertUnwindSafe(crate::perform(&run)).catch_unwind().await;
            ended.cancel();
            done.unwrap_or_else(|panic| Err(Error::internal("a job panicked", said(&*panic))))
        };
        let (done, cause) = tokio::join!(work, self.hold_lease(&run, &ended));
        let ending = match done {
            Ok(()) => {
                tracing::info!(ms = begun.elapsed().as_millis(), "job done");
                Ending::Succeeded
            }
            Err(error) => self.settle(&run.claim, &error, cause).await,
        };
        tracing::Span::current().record("job.ending", ending.as_str());
        self.ctx.meters().ran(run.claim.kind.as_str(), ending, begun.elapsed());
    }

    /// Keeps the lease alive until the job ended, and stops the job when it must. Gives why.
    async fn hold_lease(&self, run: &Run, ended: &CancellationToken) -> Option<StopCause> {
        let lease = self.ctx.config().jobs.lease;
        let pause = HEARTBEAT.min(lease / 3);
        let mut renewed = Instant::now();
        let cause = loop {
            tokio::select! {
                () = ended.cancelled() => return None,
                () = self.shutdown.cancelled() => break StopCause::Shutdown,
                () = tokio::time::sleep(pause) => {}
            }
            match jobs::renew(&self.ctx, &run.claim, run.progress.read()).await {
                Ok(Renewal::Held) => renewed = Instant::now(),
                Ok(Renewal::CancelRequested) => break StopCause::Requested,
                Ok(Renewal::Lost) => break StopCause::LeaseLost,
                Err(error) => tracing::warn!(error = %Chain(&error), "a heartbeat failed"),
            }
            if renewed.elapsed() >= lease {
                break StopCause::LeaseLost;
            }
        };
        run.stop.cancel();
        // While it stops, nobody else may take it.
        while !ended.is_cancelled() {
            tokio::select! {
                () = ended.cancelled() => {}
                () = tokio::time::sleep(pause) => {
                    if cause != StopCause::LeaseLost
                        && let Err(error) = jobs::renew(&self.ctx, &run.claim, run.progress.read()).await
                    {
                        tracing::warn!(error = %Chain(&error), "a heartbeat failed");
                    }
                }
            }
        }
        Some(cause)
    }

    async fn settle(&self, claim: &Claim, error: &Error, cause: Option<StopCause>) -> Ending {
        let Some(outcome) = outcome::of(error, cause, claim, &self.ctx.config().jobs, rand::random()) else {
            tracing::warn!("the lease was lost; nothing was written");
            return Ending::LeaseLost;
        };
        tracing::warn!(?outcome, error = %Chain(error), "job not done");
        match jobs::settle_failed(&self.ctx, END_HOOKS, claim, &outcome).await {
            Ok(()) => match outcome {
                Outcome::Retry(..) => Ending::Retried,
                Outcome::Abandon(_) => Ending::Failed,
                Outcome::Cancelled => Ending::Cancelled,
                Outcome::Release => Ending::Released,
            },
            Err(Error::LeaseLost) => {
                tracing::warn!("the lease was lost; nothing was written");
                Ending::LeaseLost
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), "not settled; the lease will run out and the job be run again");
                Ending::LeaseLost
            }
        }
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "something that is no text".to_owned())
}
