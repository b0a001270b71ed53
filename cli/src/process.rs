//! Process-level plumbing shared by the long-running commands: sockets, signals, hardening.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Time allowed for open requests to finish during graceful shutdown.
pub(crate) const DRAIN: Duration = Duration::from_secs(25);

pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} is taken: stop the process that listens there, or choose another port with --port, BIND or \
             WORKER_BIND",
            address.port()
        ),
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })
}

/// A token that Ctrl-C or SIGTERM cancels. A second signal ends the process immediately.
pub(crate) fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
        };
        next().await;
        tracing::info!("shutting down: waiting for running requests and jobs; signal again to stop at once");
        signalled.cancel();
        next().await;
        std::process::exit(130);
    });
    Ok(stop)
}

/// Denies file-reading child processes access to this process's memory, which holds every secret. The children run as
/// the same user, so a compromised parser could otherwise read its parent without any file descriptor.
///
/// Debug builds stay open to debuggers. Attaching a debugger or `perf record -p` to a release build needs root;
/// starting it under `perf record` does not. Without root the bench samples peak memory instead of measuring it.
pub(crate) fn deny_memory_access() -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        return Ok(());
    }
    parlance_extract::limits::make_undumpable()
        .context("cannot deny other processes of this user access to this process's memory")
}
