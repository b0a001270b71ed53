//! Worker processes: the job handlers, the runner and the sweeper.
//!
//! A worker takes hints from its queues and runs the jobs that they point to. The domain logic of a job is in
//! `parlance-core`; its sequence of steps is in [`jobs`](self). Must never: serve HTTP to clients, contain SQL, or
//! decide the outcome of a job outside of the [`runner`].

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
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod jobs;
pub mod outcome;
mod run;
pub mod runner;
mod sweep;

use runner::Runner;

/// Pause before a failed consumer reconnects.
const RECONNECT: Duration = Duration::from_secs(1);

/// Every queue with its default concurrency.
#[must_use]
pub fn all_queues(ctx: &Context) -> Queues {
    Kind::ALL.into_iter().map(|kind| (kind, kind.concurrency(&ctx.config().jobs))).collect()
}

/// Runs a worker until `stop` is cancelled, then drains it. Jobs that outlast the drain are requeued without losing an
/// attempt.
pub async fn run(ctx: Context, queues: Queues, stop: CancellationToken) {
    let id = WorkerId::fresh();
    let name = format!("{}/{id}", std::process::id());
    tracing::info!(worker.id = %id, queues = ?queues, "worker started");
    let runner = Arc::new(Runner::new(ctx.clone(), id));
    let _abort_on_drop = runner.abort_on_drop();
    let mut tasks = JoinSet::new();
    tasks.spawn(dispatch::run(ctx.clone(), stop.clone()));
    tasks.spawn(sweep::maintain(ctx.clone(), stop.clone()));
    tasks.spawn(sweep::run(ctx.clone(), id, name, queues.clone(), stop.clone()));
    for (&kind, &concurrency) in &queues {
        tasks.spawn(consume(Arc::clone(&runner), kind, concurrency, stop.clone()));
    }
    stop.cancelled().await;
    runner.drain(ctx.config().jobs.drain).await;
    while tasks.join_next().await.is_some() {}
    if let Err(error) = fleet::retire(&ctx, id).await {
        tracing::warn!(error = %Chain(&error), "worker not deregistered; it expires within a minute");
    }
    tracing::info!(worker.id = %id, "worker stopped");
}

/// Consumes one queue. A consumer that fails because Redis went away or forgot it is replaced.
async fn consume(runner: Arc<Runner>, kind: Kind, concurrency: usize, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let ctx = runner.ctx();
        // A Redis that restarted may have lost the hints.
        if let Err(error) = dispatch::recall(ctx, kind).await {
            tracing::warn!(queue = %kind, error = %Chain(&error), "hints not recalled; they will time out");
        }
        if let Err(error) = consume_once(&runner, kind, concurrency, &stop).await
            && !stop.is_cancelled()
        {
            tracing::warn!(queue = %kind, %error, "consumer failed; reconnecting");
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
    stop: &CancellationToken,
) -> Result<(), BoxDynError> {
    let ctx = runner.ctx();
    // A fresh name each time: apalis treats the tasks of a returning name as orphans.
    let name = format!("{kind}-{}", WorkerId::fresh());
    ctx.queue().expect_consumer(kind.as_str(), &name).await?;
    let consumer = WorkerBuilder::new(name)
        .backend(ctx.queue().consumer(kind.as_str(), ctx.config().jobs.poll_interval))
        .data((kind, Arc::clone(runner)))
        .concurrency(concurrency)
        .build(take);
    let stopped = stop.clone();
    let shutdown = async move {
        stopped.cancelled().await;
        Ok::<(), std::io::Error>(())
    };
    Ok(consumer.run_until(shutdown).await?)
}

/// Handles one hint: a job waits in the queue, most likely this one. Always a success to apalis, because the ledger
/// records what becomes of the job.
async fn take(hint: Hint, queue: Data<(Kind, Arc<Runner>)>) -> Result<(), Infallible> {
    let (kind, runner) = (*queue).clone();
    // In a task of its own, so that the heartbeats of apalis continue meanwhile.
    if let Err(error) = tokio::spawn(async move { runner.run_next(kind, hint.job).await }).await {
        tracing::error!(%error, "runner panicked; the sweep will requeue its job");
    }
    Ok(())
}
