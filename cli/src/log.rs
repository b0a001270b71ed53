//! Logs on standard error, as text or JSON, and traces to a collector.

use anyhow::Context as _;
use parlance_core::platform::config::{Config, LogFormat};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::traces::Traces;

/// Sets up logs and traces. `service` is the default service name in traces.
///
/// Dropping the result flushes pending traces.
pub(crate) fn init(config: &Config, service: &'static str) -> anyhow::Result<Traces> {
    let filter =
        EnvFilter::try_new(&config.log.filter).context("RUST_LOG is not a valid list of directives")?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = Traces::new(&config.traces, service)?;
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.layer())
        .try_init()
        .context("cannot set up logging")?;
    Ok(traces)
}
