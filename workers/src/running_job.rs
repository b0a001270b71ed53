//! A running job, as its handler sees it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlance_core::jobs::{Beat, Claim, Job, Progress};
use parlance_core::{Context, Error, Result};
use tokio_util::sync::CancellationToken;

/// A running job: its claim, progress counter and stop tokens.
pub(crate) struct Run {
    ctx: Context,
    claim: Claim,
    progress: Arc<ProgressCounter>,
    stop: CancellationToken,
    leaving: CancellationToken,
    has_yielded: AtomicBool,
}

/// Progress of a job, read by the heartbeat.
#[derive(Default)]
struct ProgressCounter {
    done: AtomicI64,
    total: AtomicI64,
    unit: Mutex<Option<&'static str>>,
}

impl ProgressCounter {
    fn unit(&self) -> MutexGuard<'_, Option<&'static str>> {
        self.unit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// `leaving`: cancelled when the process begins to shut down.
    pub(crate) fn new(ctx: Context, claim: Claim, leaving: CancellationToken) -> Self {
        Self {
            ctx,
            claim,
            progress: Arc::default(),
            stop: CancellationToken::new(),
            leaving,
            has_yielded: AtomicBool::new(false),
        }
    }

    /// The application context.
    pub(crate) fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// The job's claim.
    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Deserialises the job's payload.
    ///
    /// # Errors
    /// When the payload does not match the job type.
    pub(crate) fn payload<J: Job>(&self) -> Result<J> {
        debug_assert_eq!(J::KIND, self.claim.kind, "the handler of another kind");
        serde_json::from_value(self.claim.payload.clone())
            .map_err(|error| Error::internal("the payload does not match its job kind", error))
    }

    /// Token that is cancelled when the job must stop: on request, on a lost lease, or on shutdown.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Token that is cancelled when the process begins to shut down. Short jobs ignore it: they may finish.
    pub(crate) fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    /// Ends the attempt if the process is shutting down. Call it where another worker can continue the job without
    /// repeating work.
    ///
    /// # Errors
    /// [`Error::Cancelled`] during shutdown. Then the job is released, and the attempt does not count.
    pub(crate) fn yield_to_shutdown(&self) -> Result<()> {
        if self.leaving.is_cancelled() {
            self.has_yielded.store(true, Ordering::Relaxed);
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Whether the attempt ended by [`Run::yield_to_shutdown`].
    pub(crate) fn has_yielded(&self) -> bool {
        self.has_yielded.load(Ordering::Relaxed)
    }

    /// Sets the total amount of work; [`Run::progress_reporter`] reports the amount done.
    pub(crate) fn set_total(&self, total: usize, unit: &'static str) {
        self.progress.total.store(i64::try_from(total).unwrap_or(i64::MAX), Ordering::Relaxed);
        *self.progress.unit() = Some(unit);
    }

    /// Returns a callback that reports the amount of work done.
    pub(crate) fn progress_reporter(&self) -> impl Fn(usize) + Send + Sync + 'static {
        let progress = Arc::clone(&self.progress);
        move |done| progress.done.store(i64::try_from(done).unwrap_or(i64::MAX), Ordering::Relaxed)
    }

    /// Content of a heartbeat: the lease and the progress so far.
    pub(crate) fn beat(&self) -> Beat {
        let unit = *self.progress.unit();
        let progress = Progress {
            done: self.progress.done.load(Ordering::Relaxed),
            total: unit.map(|_| self.progress.total.load(Ordering::Relaxed)),
            unit,
        };
        Beat { job: self.claim.id, lease: self.claim.lease, progress }
    }
}
