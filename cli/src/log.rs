//! What the process tells of itself: the log, on standard error, for people or for machines; and traces, to a collector.

use anyhow::Context as _;
use parlance_core::platform::config::{Config, LogFormat};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::traces::Traces;

/// Begins to tell. Traces come from a process that calls itself `service` when nobody says otherwise.
///
/// What was not sent when the result is dropped is sent then.
pub(crate) fn init(config: &Config, service: &'static str) -> anyhow::Result<Traces> {
    let filter = EnvFilter::try_new(&config.log.filter).context("RUST_LOG is not a list of directives")?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = Traces::to(&config.traces, service)?;
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.layer())
        .try_init()
        .context("the log could not be set up")?;
    Ok(traces)
}
