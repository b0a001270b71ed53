//! Parlance's workers: the job table, the runner and the sweeper.
//!
//! A worker process takes hints from its queues and runs the jobs they point to; what a job means is
//! in `parlance-core`, what is done step by step is in [`jobs`](self). Must never: speak HTTP to
//! clients, hold SQL, or decide anything about a job outside the [`runner`].

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
pub mod runner;
mod sweep;

use runner::{Run, Runner};

/// How long a consumer that broke waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(1);

/// The job table: what runs for each kind.
async fn perform(run: &Run) -> Result<()> {
    match run.claim().kind {
        Kind::Upload => jobs::upload::run(run).await,
        Kind::Scrape => jobs::scrape::run(run).await,
        Kind::Chunk => jobs::chunk::run(run).await,
        Kind::Embed => jobs::embed::run(run).await,
        Kind::Reindex => jobs::reindex::run(run).await,
        Kind::Reembed => jobs::reembed::run(run).await,
        Kind::Index => jobs::index::run(run).await,
        Kind::Purge => jobs::purge::run(run).await,
    }
}

/// Every queue, each with the configured concurrency.
#[must_use]
pub fn all_queues(ctx: &Context) -> Queues {
    Kind::ALL.into_iter().map(|kind| (kind, ctx.config().jobs.concurrency)).collect()
}

/// Runs a worker process until told to stop, then lets its jobs end. Jobs that take longer than the
/// drain are given back, and do not lose a try.
pub async fn run(ctx: Context, queues: Queues, stop: CancellationToken) {
    let id = WorkerId::fresh();
    let name = format!("{}/{id}", std::process::id());
    tracing::info!(worker.id = %id, queues = ?queues, "worker started");
    let runner = Arc::new(Runner::new(ctx.clone(), id));
    let _lifeline = runner.lifeline();
    let mut tasks = JoinSet::new();
    tasks.spawn(dispatch::run(ctx.clone(), stop.clone()));
    tasks.spawn(sweep::keep_up(ctx.clone(), stop.clone()));
    tasks.spawn(sweep::run(ctx.clone(), id, name, queues.clone(), stop.clone()));
    for (&kind, &concurrency) in &queues {
        tasks.spawn(consume(Arc::clone(&runner), kind, concurrency, stop.clone()));
    }
    stop.cancelled().await;
    runner.drain(ctx.config().jobs.drain).await;
    while tasks.join_next().await.is_some() {}
    if let Err(error) = fleet::retire(&ctx, id).await {
        tracing::warn!(error = %Chain(&error), "the worker could not sign off; it will be forgotten in a minute");
    }
    tracing::info!(worker.id = %id, "worker stopped");
}

/// Takes hints of one queue. A consumer that breaks (Redis went away, or forgot it) is replaced.
async fn consume(runner: Arc<Runner>, kind: Kind, concurrency: usize, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let ctx = runner.ctx();
        // A Redis that this consumer finds for the first time, or again, may know no hint of before.
        if let Err(error) = dispatch::recall(ctx, kind).await {
            tracing::warn!(queue = %kind, error = %Chain(&error), "hints were not recalled; they time out");
        }
        if let Err(error) = consume_until_it_breaks(&runner, kind, concurrency, &stop).await
            && !stop.is_cancelled()
        {
            tracing::warn!(queue = %kind, %error, "the consumer broke and starts again");
            tokio::select! {
                () = tokio::time::sleep(RECONNECT) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn consume_until_it_breaks(
    runner: &Arc<Runner>,
    kind: Kind,
    concurrency: usize,
    stop: &CancellationToken,
) -> Result<(), BoxDynError> {
    let ctx = runner.ctx();
    // A name is used once: apalis takes the tasks of a name that comes back for orphans.
    let name = format!("{kind}-{}", WorkerId::fresh());
    ctx.queue().expect_consumer(kind.as_str(), &name).await?;
    let consumer = WorkerBuilder::new(name)
        .backend(ctx.queue().consumer(kind.as_str(), ctx.config().jobs.poll_interval))
        .data((kind, Arc::clone(runner)))
        .concurrency(concurrency)
        .build(take);
    let stopped = stop.clone();
    let stopping = async move {
        stopped.cancelled().await;
        Ok::<(), std::io::Error>(())
    };
    Ok(consumer.run_until(stopping).await?)
}

/// Takes one hint: that something waits in the queue, most likely this job. Always a success to apalis: what becomes of the job stands in the ledger.
async fn take(hint: Hint, queue: Data<(Kind, Arc<Runner>)>) -> Result<(), Infallible> {
    let (kind, runner) = (*queue).clone();
    // A task of its own, so that the heartbeats of apalis go on beside it.
    if let Err(error) = tokio::spawn(async move { runner.take(kind, hint.job).await }).await {
        tracing::error!(%error, "the runner ended unexpectedly; the sweeper will find its job");
    }
    Ok(())
}
