//! Heartbeats of a process: one pair of statements for all of its running jobs.
//!
//! They run in a separate task, so that a job that computes without yielding delays no heartbeat.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlance_core::error::Chain;
use parlance_core::ids::{JobId, LeaseToken};
use parlance_core::jobs::{self, Beat, Renewal};
use parlance_core::{Context, Result};
use tokio::sync::{Mutex as FairMutex, Notify, oneshot};

use crate::outcome::StopCause;
use crate::running_job::Run;

/// Renews the leases of the running jobs.
pub(crate) struct Heartbeat {
    ctx: Context,
    jobs: Mutex<HashMap<JobId, Entry>>,
    /// Notified when a job is added.
    added: Notify,
    /// Ensures one heartbeat at a time.
    beating: FairMutex<()>,
}

/// A running job.
struct Entry {
    run: Arc<Run>,
    /// Receives the reason to stop.
    stop: Option<oneshot::Sender<StopCause>>,
}

/// A job registered for heartbeats; dropping it ends its renewals.
pub(crate) struct Beating<'a> {
    heartbeat: &'a Heartbeat,
    job: JobId,
    lease: LeaseToken,
    stop: oneshot::Receiver<StopCause>,
}

impl Beating<'_> {
    /// Waits for a reason to stop the job: its lease is lost or cancellation was requested.
    pub(crate) async fn stopped(&mut self) -> StopCause {
        // The sender is dropped only after sending, or by the job's next attempt in this process.
        (&mut self.stop).await.unwrap_or(StopCause::LeaseLost)
    }
}

impl Drop for Beating<'_> {
    fn drop(&mut self) {
        let mut jobs = self.heartbeat.jobs();
        // The job's next attempt may have begun in this process.
        if jobs.get(&self.job).is_some_and(|entry| entry.is_held_by(self.lease)) {
            jobs.remove(&self.job);
        }
    }
}

impl Heartbeat {
    pub(crate) fn new(ctx: Context) -> Self {
        Self { ctx, jobs: Mutex::default(), added: Notify::new(), beating: FairMutex::default() }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, Entry>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job that has just been claimed.
    pub(crate) fn add(&self, run: &Arc<Run>) -> Beating<'_> {
        let (sender, stop) = oneshot::channel();
        let (job, lease) = (run.claim().id, run.claim().lease);
        let entry = Entry { run: Arc::clone(run), stop: Some(sender) };
        self.jobs().insert(job, entry);
        self.added.notify_one();
        Beating { heartbeat: self, job, lease, stop }
    }

    /// Sends heartbeats while jobs run, until dropped.
    pub(crate) async fn run(&self) {
        let interval = jobs::heartbeat_interval(self.ctx.config().jobs.lease);
        loop {
            if self.jobs().is_empty() {
                self.added.notified().await;
            }
            tokio::time::sleep(interval).await;
            if let Err(error) = self.beat().await {
                tracing::warn!(error = %Chain(&error), "heartbeat failed; retrying");
            }
        }
    }

    /// Renews the leases of all running jobs once. While Postgres does not answer, jobs continue: no worker can take a
    /// job then, and a job that another worker takes afterwards cannot be settled twice.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn beat(&self) -> Result<()> {
        let _one = self.beating.lock().await;
        let beats: Vec<Beat> = self.jobs().values().map(|entry| entry.run.beat()).collect();
        if beats.is_empty() {
            return Ok(());
        }
        let renewals = jobs::renew(&self.ctx, &beats).await?;
        let mut jobs = self.jobs();
        for (beat, renewal) in beats.iter().zip(renewals) {
            if let Some(entry) = jobs.get_mut(&beat.job).filter(|entry| entry.is_held_by(beat.lease)) {
                entry.settle(renewal);
            }
        }
        Ok(())
    }
}

impl Entry {
    fn is_held_by(&self, lease: LeaseToken) -> bool {
        self.run.claim().lease == lease
    }

    fn settle(&mut self, renewal: Renewal) {
        let cause = match renewal {
            Renewal::Held => return,
            Renewal::CancelRequested => StopCause::Requested,
            Renewal::Lost => StopCause::LeaseLost,
        };
        if let Some(stop) = self.stop.take() {
            let _ended = stop.send(cause);
        }
    }
}
