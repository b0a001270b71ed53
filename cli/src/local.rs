//! What `up` leaves in its data folder, for its owner and for other commands.

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

/// `up.json`: how to reach a running `up`. Removed when it ends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UpFile {
    /// Where the API is.
    pub(crate) url: String,
    /// The owner's key.
    pub(crate) api_key: String,
    /// The owner's tenant.
    pub(crate) tenant_id: TenantId,
    /// The database.
    pub(crate) database_url: String,
    /// The queue.
    pub(crate) redis_url: String,
    /// The process.
    pub(crate) pid: u32,
}

impl UpFile {
    fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("up.json")
    }

    /// That of an `up` that runs: one that was killed leaves its file, and nothing at its address.
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(Self::path(data_dir)).ok()?;
        let file: Self = serde_json::from_str(&text).ok()?;
        file.answers().then_some(file)
    }

    fn answers(&self) -> bool {
        let Some(address) = self.url.split_once("://").and_then(|(_, rest)| rest.parse().ok()) else {
            // Behind a proxy: its public address says nothing about this process.
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
            tracing::warn!(path = %path.display(), %error, "not removed");
        }
    }
}

/// Makes the data folder and the one for files. Others may pass the first, for as root the servers run
/// as somebody else; nobody else sees a file.
pub(crate) fn make_folders(data_dir: &Path) -> anyhow::Result<PathBuf> {
    for (folder, mode) in [(data_dir.to_owned(), 0o711), (data_dir.join("files"), 0o700)] {
        let made = DirBuilder::new().recursive(true).mode(mode).create(&folder);
        made.with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    data_dir.canonicalize().with_context(|| format!("{} cannot be found", data_dir.display()))
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// The configuration, with the servers of a running `up` where none are named.
pub(crate) fn with_running_up(mut config: Config, data_dir: &Path) -> Config {
    if let Some(up) = UpFile::read(data_dir) {
        config.database.url.get_or_insert_with(|| up.database_url.into());
        config.redis.url.get_or_insert_with(|| up.redis_url.into());
    }
    config
}

/// The wiring of an operator's command: the database and nothing else.
pub(crate) fn operator_context(config: Config, data_dir: &Path) -> anyhow::Result<Context> {
    let mut config = with_running_up(config, data_dir);
    config.database.require()?;
    // Nothing is sent there by these commands.
    config.redis.url.get_or_insert_with(|| "redis://127.0.0.1:6379".to_owned().into());
    Ok(Context::new(config, Providers::absent())?)
}
