//! `parlance doctor`: checks every part of an installation and suggests fixes.

use std::path::Path;
use std::process::ExitCode;

use parlance_core::platform::config::Config;
use parlance_embedded::default_cache_dir;
use parlance_embedded::parts::Parts;

use crate::data_dir::with_running_up;
use crate::output::out;

mod jobs;
mod machine;
mod models;
mod servers;

/// Result of one check.
enum Finding {
    Good(String),
    /// Not a problem, but worth knowing.
    Note(String),
    /// Problem and fix.
    Bad(String, &'static str),
}

pub(crate) async fn run(config: &Config, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let parts = Parts::new(&config.cache_dir.clone().unwrap_or_else(default_cache_dir));
    let running = with_running_up(config.clone(), data_dir);
    let mut findings = vec![
        ("up", machine::up(data_dir)),
        ("pip", machine::pip(&parts, config)),
        ("disk", machine::disk(config, data_dir)),
        ("files", machine::open_files()),
        ("port", machine::port(config, data_dir).await),
    ];
    findings.extend(servers::postgres(&running, &parts).await);
    findings.extend([
        ("redis", servers::redis(&running, &parts).await),
        ("storage", servers::storage(config).await),
        ("traces", servers::traces(config).await),
        ("model", models::embedding(config, &running, &parts).await),
        ("reranker", models::reranker(config).await),
        ("llm", models::chat_model(config).await),
        ("reader", jobs::extraction().await),
        ("browser", jobs::browser(config).await),
    ]);
    findings.extend(jobs::ledger(&running).await);
    let mut healthy = true;
    for (name, finding) in findings {
        match finding {
            Finding::Good(what) => out(&format!("ok    {name:<11} {what}")),
            Finding::Note(what) => out(&format!("note  {name:<11} {what}")),
            Finding::Bad(what, fix) => {
                healthy = false;
                out(&format!("BAD   {name:<11} {what}\n                  → {fix}"));
            }
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
