//! The roles `parlance api` and `parlance worker`, each a process that scales on its own.

use std::time::Duration;

use anyhow::Context as _;
use parlance_api::ShutdownTimes;
use parlance_core::jobs::dispatch;
use parlance_core::jobs::fleet::Queues;
use parlance_core::platform::config::Config;
use parlance_core::platform::db;
use parlance_core::{Context, Providers};
use tokio_util::sync::CancellationToken;

use crate::args::Worker;
use crate::models;
use crate::process::{self, DRAIN};

/// How long an API keeps serving after SIGTERM while `/readyz` reports not ready: longer than two health checks of a
/// load balancer.
const UNREADY: Duration = Duration::from_secs(5);

pub(crate) async fn api(config: Config) -> anyhow::Result<()> {
    let stop = process::stop_on_signal()?;
    let listener = process::listen(config.http.bind).await?;
    let ctx = connect(config).await?;
    tracing::info!(address = %listener.local_addr()?, "API listening");
    let stop_dispatcher = CancellationToken::new();
    let dispatcher = tokio::spawn(dispatch::run(ctx.clone(), stop_dispatcher.clone()));
    parlance_api::serve(ctx.clone(), listener, stop, ShutdownTimes { announce: UNREADY, drain: DRAIN })
        .await?;
    // After the API has stopped, so that every accepted job is dispatched.
    stop_dispatcher.cancel();
    dispatcher.await?;
    ctx.close().await;
    Ok(())
}

pub(crate) async fn worker(config: Config, args: &Worker) -> anyhow::Result<()> {
    process::deny_memory_access()?;
    let stop = process::stop_on_signal()?;
    let ctx = connect(config).await?;
    let queues = queues(&ctx, args);
    let operator_api = match ctx.config().http.worker_bind {
        Some(address) => {
            let listener = process::listen(address).await?;
            Some(tokio::spawn(parlance_api::serve_operator(ctx.clone(), listener, stop.clone())))
        }
        None => None,
    };
    parlance_workers::run(ctx.clone(), queues, stop).await;
    if let Some(operator_api) = operator_api {
        operator_api.await??;
    }
    ctx.close().await;
    Ok(())
}

/// Connects to the configured servers. Fails unless the schema is up to date.
async fn connect(mut config: Config) -> anyhow::Result<Context> {
    config.database.require()?;
    config.redis.require()?;
    config.storage.require()?;
    models::resolve(&mut config).await?;
    let providers = Providers::from_config(&config).await?;
    let ctx = Context::new(config, providers)?;
    db::check(ctx.db())
        .await
        .context("the database is not ready: check DATABASE_URL and run `parlance migrate`")?;
    db::require_sessions(ctx.db()).await?;
    Ok(ctx)
}

fn queues(ctx: &Context, args: &Worker) -> Queues {
    let mut queues = parlance_workers::all_queues(ctx);
    if !args.queues.is_empty() {
        queues.retain(|kind, _| args.queues.contains(kind));
    }
    if let Some(concurrency) = args.concurrency {
        // Kinds that mostly wait have a separate setting.
        let working = queues.iter_mut().filter(|(kind, _)| !kind.spec().waits);
        working.for_each(|(_, slots)| *slots = usize::from(concurrency));
    }
    queues
}
