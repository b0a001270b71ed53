//! Background workers: job handlers, runner and maintenance.
//!
//! A worker process takes hints from its queues and runs the jobs they point to. Job semantics are in
//! `parlance-core`; the steps of each kind are in [`jobs`](self). This crate must never serve HTTP, contain
//! SQL, or change a job's state outside the [`runner`].

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{BoxDynError, Data, WorkerBuilder, WorkerBuilderExt};
use parlance_core::error::Chain;
use parlance_core::ids::WorkerId;
use parlance_core::jobs::fleet::{self, Queues};
use parlance_core::jobs::{Kind, dispatch};
use parlance_core::platform::queue::Hint;
use parlance_core::{Context, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod heartbeat;
mod jobs;
pub mod outcome;
pub mod runner;
mod running_job;
mod sweep;

use runner::Runner;

/// Pause before a broken consumer reconnects.
const RECONNECT: Duration = Duration::from_secs(1);

/// All queues with their default concurrency.
#[must_use]
pub fn all_queues(ctx: &Context) -> Queues {
    Kind::ALL.into_iter().map(|kind| (kind, kind.concurrency(&ctx.config().jobs))).collect()
}

/// Runs a worker process until `stop`, then drains its jobs. Jobs that outlast the drain timeout are released
/// without using up an attempt.
pub async fn run(ctx: Context, queues: Queues, stop: CancellationToken) {
    let id = WorkerId::fresh();
    let name = format!("{}/{id}", std::process::id());
    tracing::info!(worker.id = %id, queues = ?queues, "worker started");
    let runner = Arc::new(Runner::new(ctx.clone(), id));
    let _abort_on_drop = runner.abort_on_drop();
    let mut tasks = JoinSet::new();
    tasks.spawn(dispatch::run(ctx.clone(), stop.clone()));
    tasks.spawn(sweep::maintain(ctx.clone(), stop.clone()));
    tasks.spawn(sweep::run(Arc::clone(&runner), id, name, queues.clone(), stop.clone()));
    for (&kind, &concurrency) in &queues {
        tasks.spawn(consume(Arc::clone(&runner), kind, concurrency, stop.clone()));
    }
    stop.cancelled().await;
    runner.drain(ctx.config().jobs.drain).await;
    while tasks.join_next().await.is_some() {}
    if let Err(error) = fleet::retire(&ctx, id).await {
        tracing::warn!(error = %Chain(&error), "worker not deregistered; its registration expires in a minute");
    }
    tracing::info!(worker.id = %id, "worker stopped");
}

/// Consumes the hints of one queue. Replaces a consumer that breaks because Redis was restarted or flushed.
async fn consume(runner: Arc<Runner>, kind: Kind, concurrency: usize, stop: CancellationToken) {
    // All consumers share the places: the jobs of a broken one run on.
    let places = Arc::new(Semaphore::new(concurrency));
    while !stop.is_cancelled() {
        let ctx = runner.ctx();
        // Redis may have lost the hints that were pushed before this consumer connected.
        if let Err(error) = dispatch::recall(ctx, kind).await {
            tracing::warn!(queue = %kind, error = %Chain(&error), "hints not recalled; they will time out");
        }
        if let Err(error) = consume_once(&runner, kind, concurrency, &places, &stop).await
            && !stop.is_cancelled()
        {
            tracing::warn!(queue = %kind, %error, "consumer failed; restarting");
            tokio::select! {
                () = tokio::time::sleep(RECONNECT) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn consume_once(
    runner: &Arc<Runner>,
    kind: Kind,
    concurrency: usize,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Result<(), BoxDynError> {
    let ctx = runner.ctx();
    // Each consumer gets a fresh name: apalis treats the tasks of a reused name as orphans.
    let name = format!("{kind}-{}", WorkerId::fresh());
    ctx.queue().expect_consumer(kind.as_str(), &name).await?;
    let consumer = WorkerBuilder::new(name)
        .backend(ctx.queue().consumer(kind.as_str(), ctx.config().jobs.poll_interval))
        .data((kind, Arc::clone(runner), Arc::clone(places)))
        .concurrency(concurrency)
        .build(take);
    let stopped = stop.clone();
    let shutdown = async move {
        stopped.cancelled().await;
        Ok::<(), std::io::Error>(())
    };
    Ok(consumer.run_until(shutdown).await?)
}

/// Handles one hint: the queue has work, probably this job. Always succeeds from apalis's
/// point of view: the job table records the job's outcome.
async fn take(hint: Hint, queue: Data<(Kind, Arc<Runner>, Arc<Semaphore>)>) -> Result<(), Infallible> {
    let (kind, runner, places) = (*queue).clone();
    // Nothing closes the semaphore.
    let Ok(place) = places.acquire_owned().await else { return Ok(()) };
    // Run in a separate task, so that apalis's heartbeats continue. It outlives a broken consumer, with its place.
    let running = tokio::spawn(async move {
        runner.run_all(kind, hint.job).await;
        drop(place);
    });
    if let Err(error) = running.await {
        tracing::error!(%error, "runner task failed; the sweeper will recover its job");
    }
    Ok(())
}
