//! The binary under test, started as a user starts it: `parlance up` with its own data folder.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use parlance_core::platform::config::{Config, SETTINGS};
use parlance_core::{Context, Providers};
use serde::Deserialize;
use tempfile::TempDir;

use crate::client::Client;

/// Settings passed on from the environment; all others are removed.
pub(crate) const KEPT_SETTINGS: [&str; 2] = ["PARLANCE_CACHE_DIR", "EMBEDDING_THREADS"];

const START_TIMEOUT: Duration = Duration::from_secs(180);
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// Interval of polling the server.
const POLL: Duration = Duration::from_millis(5);

/// Whether the first start creates the demo bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    With,
    Without,
}

/// An unused data folder; removed on drop.
#[derive(Debug)]
pub(crate) struct DataFolder(TempDir);

impl DataFolder {
    /// Traversable by all users, since the servers may not run as root.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mode = Permissions::from_mode(0o711);
        Ok(Self(tempfile::Builder::new().prefix("parlance-bench-").permissions(mode).tempdir()?))
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("parlance.log")
    }
}

/// A running `parlance up`; stopped on drop.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    child: Child,
    folder: &'a DataFolder,
    pub(crate) client: Client,
}

/// The `up.json` of a data folder.
#[derive(Debug, Deserialize)]
pub(crate) struct UpFile {
    pub(crate) url: String,
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    api_key: String,
    pid: u32,
}

impl UpFile {
    /// A context on the servers of `up`, without models.
    pub(crate) fn context(&self) -> anyhow::Result<Context> {
        let config = Config::read(|name| match name {
            "DATABASE_URL" => Some(self.database_url.clone()),
            "REDIS_URL" => Some(self.redis_url.clone()),
            _ => None,
        })?;
        Ok(Context::new(config, Providers::absent())?)
    }
}

impl<'a> Server<'a> {
    /// Starts the server and waits until `GET /healthz` succeeds. Returns the time that took.
    pub(crate) async fn start(folder: &'a DataFolder, demo: Demo) -> anyhow::Result<(Self, Duration)> {
        Self::start_with(folder, demo, &[]).await
    }

    /// As [`Self::start`], with settings.
    pub(crate) async fn start_with(
        folder: &'a DataFolder,
        demo: Demo,
        settings: &[(&str, String)],
    ) -> anyhow::Result<(Self, Duration)> {
        let program = program()?;
        let log = File::options().create(true).append(true).open(folder.log())?;
        let mut command = Command::new(&program);
        command.args(["up", "--port", "0", "--data-dir"]).arg(folder.data());
        command.args((demo == Demo::Without).then_some("--no-demo"));
        for setting in SETTINGS.iter().filter(|setting| !KEPT_SETTINGS.contains(&setting.name)) {
            command.env_remove(setting.name);
        }
        // The bench exceeds the rate limit of a key.
        command.env("RATE_LIMIT_PER_SECOND", "0");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut starting = Self { child, folder, client: Client::disconnected() };
        loop {
            if let Some(client) = starting.reachable().await {
                let took = started.elapsed();
                starting.client = client;
                return Ok((starting, took));
            }
            if let Some(status) = starting.child.try_wait()? {
                bail!("parlance exited with {status}:\n{}", starting.last_log_lines());
            }
            if started.elapsed() > START_TIMEOUT {
                bail!("parlance did not respond within {START_TIMEOUT:?}:\n{}", starting.last_log_lines());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server with SIGTERM and waits for its exit.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.shut_down()
    }

    /// Reads `up.json`, if it exists.
    pub(crate) fn up_file(&self) -> Option<UpFile> {
        let text = fs::read_to_string(self.folder.data().join("up.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    async fn reachable(&self) -> Option<Client> {
        let up = self.up_file()?;
        if up.pid != self.pid() {
            return None;
        }
        let client = Client::new(&up.url, &up.api_key);
        client.is_alive().await.then_some(client)
    }

    fn shut_down(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = self.pid().to_string();
        Command::new("/bin/sh").args(["-c", "kill -s TERM \"$1\"", "bench", &pid]).status()?;
        let started = Instant::now();
        while started.elapsed() < STOP_TIMEOUT {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("parlance did not stop within {STOP_TIMEOUT:?}:\n{}", self.last_log_lines())
    }

    fn last_log_lines(&self) -> String {
        let log = fs::read_to_string(self.folder.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            crate::progress(&format!("bench: {error:#}"));
        }
    }
}

/// The `parlance` binary built beside this program.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let program = bench.parent().unwrap_or(Path::new(".")).join("parlance");
    if !program.is_file() {
        bail!("{} does not exist; build it first: cargo build --release -p parlance", program.display());
    }
    Ok(program)
}
