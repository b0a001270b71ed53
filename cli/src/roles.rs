//! The roles of a fleet: `api` and `worker`, each a process that scales by itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use parlance_api::ShutdownTimes;
use parlance_core::jobs::dispatch;
use parlance_core::jobs::fleet::Queues;
use parlance_core::platform::config::Config;
use parlance_core::platform::db;
use parlance_core::{Context, Providers};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::Worker;
use crate::models;

/// How long an API that was told to stop serves on, and says so: longer than a balancer's two looks at `/readyz`.
const LEAVE: Duration = Duration::from_secs(5);

/// How long requests may take to end after that.
pub(crate) const DRAIN: Duration = Duration::from_secs(25);

pub(crate) async fn api(config: Config) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let listener = listen(config.http.bind).await?;
    let ctx = wire(config).await?;
    tracing::info!(address = %listener.local_addr()?, "the API listens");
    let accepted = CancellationToken::new();
    let dispatcher = tokio::spawn(dispatch::run(ctx.clone(), accepted.clone()));
    parlance_api::serve(ctx.clone(), listener, stop, ShutdownTimes { announce: LEAVE, drain: DRAIN }).await?;
    // What came until now is dispatched.
    accepted.cancel();
    dispatcher.await?;
    ctx.close().await;
    Ok(())
}

pub(crate) async fn worker(config: Config, args: &Worker) -> anyhow::Result<()> {
    stay_unread()?;
    let stop = stop_on_signal()?;
    let ctx = wire(config).await?;
    let queues = queues(&ctx, args);
    let told = match ctx.config().http.worker_bind {
        Some(address) => {
            let listener = listen(address).await?;
            Some(tokio::spawn(parlance_api::serve_operator(ctx.clone(), listener, stop.clone())))
        }
        None => None,
    };
    parlance_workers::run(ctx.clone(), queues, stop).await;
    if let Some(told) = told {
        told.await??;
    }
    ctx.close().await;
    Ok(())
}

/// Shuts the children that read strangers' files out of the memory of their parent, which holds every secret: they run
/// as the same user, and a parser that is taken over needs no descriptor to read another process.
///
/// Builds for development stay open to debuggers. To see into a release, a debugger and `perf record -p` need root;
/// `perf record` that starts it does not, and without root the bench samples the peak of memory that it would measure.
pub(crate) fn stay_unread() -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        return Ok(());
    }
    parlance_extract::limits::make_undumpable()
        .context("this process cannot be shut off from others of its user")
}

/// Connects to what the configuration names; the schema must be there.
async fn wire(mut config: Config) -> anyhow::Result<Context> {
    config.database.require()?;
    config.redis.require()?;
    config.storage.require()?;
    models::resolve(&mut config).await?;
    let providers = Providers::from_config(&config).await?;
    let ctx = Context::new(config, providers)?;
    db::check(ctx.db())
        .await
        .context("the database is not ready; is DATABASE_URL right, and was `parlance migrate` run?")?;
    Ok(ctx)
}

fn queues(ctx: &Context, args: &Worker) -> Queues {
    let mut queues = parlance_workers::all_queues(ctx);
    if !args.queues.is_empty() {
        queues.retain(|kind, _| args.queues.contains(kind));
    }
    if let Some(concurrency) = args.concurrency {
        queues.values_mut().for_each(|places| *places = usize::from(concurrency));
    }
    queues
}

pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} is taken: stop what listens there, or choose another with --port, BIND or WORKER_BIND",
            address.port()
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

/// A token that Ctrl-C or SIGTERM cancels; a second one ends the process at once.
pub(crate) fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
        };
        next().await;
        tracing::info!("stopping: requests and jobs come to their end; once more to stop at once");
        told.cancel();
        next().await;
        std::process::exit(130);
    });
    Ok(stop)
}
