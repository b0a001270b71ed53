//! The data folder of `up`, and how other commands find a running `up` through it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use parlance_core::ids::TenantId;
use parlance_core::platform::config::Config;
use parlance_core::{Context, Providers};
use serde::{Deserialize, Serialize};

/// `up.json`: connection details of a running `up`. Removed at shutdown.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpFile {
    /// URL of the API.
    pub(crate) url: String,
    /// The owner's API key.
    pub(crate) api_key: String,
    /// The owner's tenant.
    pub(crate) tenant_id: TenantId,
    /// `postgres://…`.
    pub(crate) database_url: String,
    /// `redis://…`.
    pub(crate) redis_url: String,
    /// Process id of `up`.
    pub(crate) pid: u32,
}

impl UpFile {
    fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("up.json")
    }

    /// The file of a running `up`. A killed `up` leaves its file behind, so its address is probed.
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(Self::path(data_dir)).ok()?;
        let file: Self = serde_json::from_str(&text).ok()?;
        file.is_alive().then_some(file)
    }

    fn is_alive(&self) -> bool {
        let Some(address) = self.url.split_once("://").and_then(|(_, rest)| rest.parse().ok()) else {
            // A public address behind a proxy does not identify this process.
            return true;
        };
        TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
    }

    pub(crate) fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        write_private(&Self::path(data_dir), &serde_json::to_string_pretty(self)?)
    }

    pub(crate) fn remove(data_dir: &Path) {
        let path = Self::path(data_dir);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "could not remove the file of `up`; other commands may use it until the next start");
        }
    }
}

/// Creates the data folder and its `files` folder. The first is traversable (0711), because the servers run as another
/// user when started by root; the second is private (0700).
pub(crate) fn create(data_dir: &Path) -> anyhow::Result<PathBuf> {
    for (folder, mode) in [(data_dir.to_owned(), 0o711), (data_dir.join("files"), 0o700)] {
        let created = DirBuilder::new().recursive(true).mode(mode).create(&folder);
        created.with_context(|| format!("cannot create {}", folder.display()))?;
    }
    data_dir.canonicalize().with_context(|| format!("cannot find {}", data_dir.display()))
}

/// Writes a file atomically, readable only by its owner.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Adds the servers of a running `up` where the configuration has none.
pub(crate) fn with_running_up(mut config: Config, data_dir: &Path) -> Config {
    if let Some(up) = UpFile::read(data_dir) {
        config.database.url.get_or_insert_with(|| up.database_url.into());
        config.redis.url.get_or_insert_with(|| up.redis_url.into());
    }
    config
}

/// Context of an operator command: database only, no providers.
pub(crate) fn operator_context(config: Config, data_dir: &Path) -> anyhow::Result<Context> {
    let mut config = with_running_up(config, data_dir);
    config.database.require()?;
    // Most operator commands do not use Redis; a default URL is enough to build the context.
    config.redis.url.get_or_insert_with(|| "redis://127.0.0.1:6379".to_owned().into());
    Ok(Context::new(config, Providers::absent())?)
}
