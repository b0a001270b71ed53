//! The binary under test, as a user starts it: `parlance up` with a data folder of its own.

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

/// What a user may have set without becoming another user: the rest of the environment is not seen.
pub(crate) const KEPT: [&str; 2] = ["PARLANCE_CACHE_DIR", "EMBEDDING_THREADS"];

const START_PATIENCE: Duration = Duration::from_secs(180);
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// How often it is asked whether the server answers.
const PROBE: Duration = Duration::from_millis(5);

/// Whether the first start makes the demo bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    With,
    Without,
}

/// A data folder that nobody has used; removed with this.
#[derive(Debug)]
pub(crate) struct DataFolder(TempDir);

impl DataFolder {
    /// Passable, so that servers which must not be root's can live in it.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let passable = Permissions::from_mode(0o711);
        Ok(Self(tempfile::Builder::new().prefix("parlance-bench-").permissions(passable).tempdir()?))
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("parlance.log")
    }
}

/// A running `parlance up`; stopped with this at the latest.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    child: Child,
    folder: &'a DataFolder,
    pub(crate) client: Client,
}

/// What `up` leaves in its data folder.
#[derive(Debug, Deserialize)]
pub(crate) struct UpFile {
    pub(crate) url: String,
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    api_key: String,
    pid: u32,
}

impl UpFile {
    /// What a process of the platform has, but for its models.
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
    /// Starts it and waits until `GET /healthz` answers; gives how long that took.
    pub(crate) async fn start(folder: &'a DataFolder, demo: Demo) -> anyhow::Result<(Self, Duration)> {
        Self::start_with(folder, demo, &[]).await
    }

    /// The same, with settings.
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
        for setting in SETTINGS.iter().filter(|setting| !KEPT.contains(&setting.name)) {
            command.env_remove(setting.name);
        }
        // The bench asks faster than a key may.
        command.env("RATE_LIMIT_PER_SECOND", "0");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("{} does not start", program.display()))?;
        let mut starting = Self { child, folder, client: Client::nowhere() };
        loop {
            if let Some(client) = starting.reachable().await {
                let took = begun.elapsed();
                starting.client = client;
                return Ok((starting, took));
            }
            if let Some(status) = starting.child.try_wait()? {
                bail!("parlance ended with {status}:\n{}", starting.last_words());
            }
            if begun.elapsed() > START_PATIENCE {
                bail!("parlance did not answer in {START_PATIENCE:?}:\n{}", starting.last_words());
            }
            tokio::time::sleep(PROBE).await;
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it by SIGTERM and waits until it is gone.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    /// What it left in its data folder.
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

    fn end(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = self.pid().to_string();
        Command::new("/bin/sh").args(["-c", "kill -s TERM \"$1\"", "bench", &pid]).status()?;
        let begun = Instant::now();
        while begun.elapsed() < STOP_PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(PROBE);
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("parlance did not stop in {STOP_PATIENCE:?}:\n{}", self.last_words())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            crate::say(&format!("bench: {error:#}"));
        }
    }
}

/// The `parlance` that was built beside this program.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?;
    let program = beside.parent().unwrap_or(Path::new(".")).join("parlance");
    if !program.is_file() {
        bail!("there is no {}; build it first: cargo build --release -p parlance", program.display());
    }
    Ok(program)
}
