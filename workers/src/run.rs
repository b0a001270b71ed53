//! A running job, as its handler sees it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use parlance_core::jobs::{Claim, Job, Progress};
use parlance_core::{Context, Error, Result};
use tokio_util::sync::CancellationToken;

/// A running job: its claim, its progress and its stop signal.
pub(crate) struct Run {
    ctx: Context,
    claim: Claim,
    progress: Arc<SharedProgress>,
    stop: CancellationToken,
}

/// Progress of the running job, read by the heartbeat.
#[derive(Default)]
struct SharedProgress {
    done: AtomicI64,
    total: AtomicI64,
    unit: OnceLock<&'static str>,
}

impl Run {
    pub(crate) fn new(ctx: Context, claim: Claim) -> Self {
        Self { ctx, claim, progress: Arc::default(), stop: CancellationToken::new() }
    }

    /// The process's context.
    pub(crate) fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// The job's claim.
    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The job's arguments.
    ///
    /// # Errors
    /// When they are not those of this kind.
    pub(crate) fn payload<J: Job>(&self) -> Result<J> {
        debug_assert_eq!(J::KIND, self.claim.kind, "the handler of another kind");
        serde_json::from_value(self.claim.payload.clone())
            .map_err(|error| Error::internal("the payload does not match the job's kind", error))
    }

    /// Cancelled when the job must stop: on request, after losing the lease, or at shutdown.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Sets the amount of work; [`Run::step`] reports how much is done.
    pub(crate) fn expect(&self, total: usize, unit: &'static str) {
        self.progress.total.store(i64::try_from(total).unwrap_or(i64::MAX), Ordering::Relaxed);
        // The first unit stays.
        let _already_set = self.progress.unit.set(unit);
    }

    /// A callback that reports how much is done.
    pub(crate) fn step(&self) -> impl Fn(usize) + Send + Sync + 'static {
        let progress = Arc::clone(&self.progress);
        move |done| progress.done.store(i64::try_from(done).unwrap_or(i64::MAX), Ordering::Relaxed)
    }

    /// The progress so far.
    pub(crate) fn progress(&self) -> Progress {
        let unit = self.progress.unit.get().copied();
        Progress {
            done: self.progress.done.load(Ordering::Relaxed),
            total: unit.map(|_| self.progress.total.load(Ordering::Relaxed)),
            unit,
        }
    }
}
