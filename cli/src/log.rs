//! The log: on standard error, for people or for machines.

use anyhow::Context as _;
use parlance_core::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

pub(crate) fn init(config: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).context("RUST_LOG is not a list of directives")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match config.format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    begun.map_err(|error| anyhow::anyhow!("the log could not be set up: {error}"))
}
