//! `parlance doctor`: checks each part, and says what is wrong and how to mend it.

use std::path::Path;
use std::process::ExitCode;

use parlance_core::platform::config::Config;
use parlance_embedded::default_cache_dir;
use parlance_embedded::parts::Parts;

use crate::local::with_running_up;
use crate::out;

mod machine;
mod models;
mod servers;
mod work;

/// What a check found.
enum Finding {
    Good(String),
    /// Not wrong, but worth knowing.
    Note(String),
    /// What is wrong, and how to mend it.
    Bad(String, &'static str),
}

pub(crate) async fn run(config: &Config, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let parts = Parts::new(&config.cache_dir.clone().unwrap_or_else(default_cache_dir));
    let running = with_running_up(config.clone(), data_dir);
    let mut findings = vec![
        ("up", machine::up(data_dir)),
        ("pip", machine::pip(&parts, config)),
        ("disk", machine::disk(config, data_dir)),
        ("files", machine::files()),
        ("port", machine::port(config, data_dir).await),
    ];
    findings.extend(servers::postgres(&running, &parts).await);
    findings.extend([
        ("redis", servers::redis(&running, &parts).await),
        ("storage", servers::storage(config).await),
        ("traces", servers::traces(config).await),
        ("model", models::embedding(config, &running, &parts).await),
        ("reranker", models::reranker(config).await),
        ("llm", models::language(config).await),
        ("reader", work::reader().await),
    ]);
    findings.extend(work::ledger(&running).await);
    let mut well = true;
    for (name, finding) in findings {
        match finding {
            Finding::Good(what) => out(&format!("ok    {name:<11} {what}")),
            Finding::Note(what) => out(&format!("note  {name:<11} {what}")),
            Finding::Bad(what, cure) => {
                well = false;
                out(&format!("BAD   {name:<11} {what}\n                  → {cure}"));
            }
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
