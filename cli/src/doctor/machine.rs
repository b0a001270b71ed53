//! Checks of this machine: running `up`, pip, disk, open files, port.

use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use parlance_core::platform::config::Config;
use parlance_embedded::parts::{Model, Part, Parts};

use super::Finding;
use crate::data_dir::UpFile;
use crate::{models, process};

/// Least free disk space in bytes: a few hundred uploads.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// Least open-file limit. A lower one is exhausted by a few thousand connections.
const MIN_OPEN_FILES: u64 = 4_096;

pub(super) fn up(data_dir: &Path) -> Finding {
    match UpFile::read(data_dir) {
        Some(up) => Finding::Good(format!("running at {} as process {}", up.url, up.pid)),
        None => Finding::Note(format!("not running on {}", data_dir.display())),
    }
}

pub(super) fn pip(parts: &Parts, config: &Config) -> Finding {
    let missing = missing_packages(parts, config);
    match parts.pip() {
        Some(command) => Finding::Good(command),
        None if missing.is_empty() => {
            Finding::Note("not found, but nothing needs to be downloaded".to_owned())
        }
        None => Finding::Bad(
            format!("not found, but these packages must be downloaded: {}", missing.join(", ")),
            "install Python 3 with pip, or configure your own servers and model (docs/configuration.md)",
        ),
    }
}

/// Packages that `up` would download.
fn missing_packages(parts: &Parts, config: &Config) -> Vec<&'static str> {
    let wanted = [
        config.database.url.is_none().then_some(Part::Postgres),
        config.redis.url.is_none().then_some(Part::Redis),
        config.embedding.ort_dylib.is_none().then_some(Part::OnnxRuntime),
        models::embedded(&config.embedding).map(Model::part),
    ];
    let missing = wanted.into_iter().flatten().filter(|part| !parts.has(*part));
    missing.map(Part::package).collect()
}

/// Free disk space of the file storage.
pub(super) fn disk(config: &Config, data_dir: &Path) -> Finding {
    let Some(folder) = storage_folder(config, data_dir) else {
        return Finding::Good("files are stored in a bucket".to_owned());
    };
    let Some(existing) = folder.ancestors().find(|folder| folder.exists()) else {
        return Finding::Note(format!("{} does not exist yet", folder.display()));
    };
    match statvfs(existing) {
        Ok(disk) => {
            #[allow(clippy::useless_conversion, reason = "the integer width depends on the platform")]
            let free = u64::from(disk.blocks_available()) * u64::from(disk.fragment_size());
            let what = format!("{:.1} GB free for {}", free as f64 / 1e9, folder.display());
            if free < MIN_FREE_BYTES {
                Finding::Bad(what, "free disk space, or choose another location with STORAGE_URL")
            } else {
                Finding::Good(what)
            }
        }
        Err(error) => Finding::Note(format!("cannot read the free space of {}: {error}", existing.display())),
    }
}

fn storage_folder(config: &Config, data_dir: &Path) -> Option<PathBuf> {
    match &config.storage.url {
        Some(url) => url.to_file_path().ok(),
        None => Some(std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned())),
    }
}

pub(super) fn open_files() -> Finding {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((most, _)) if most < MIN_OPEN_FILES => Finding::Note(format!(
            "at most {most} open files, about {} connections: raise `ulimit -n` for more",
            most.saturating_sub(100)
        )),
        Ok((most, _)) => Finding::Good(format!("at most {most} open files and connections")),
        Err(error) => Finding::Note(format!("cannot read the open-file limit: {error}")),
    }
}

pub(super) async fn port(config: &Config, data_dir: &Path) -> Finding {
    if UpFile::read(data_dir).is_some() {
        return Finding::Good("in use by this `up`".to_owned());
    }
    match process::listen(config.http.bind).await {
        Ok(_) => Finding::Good(format!("{} is free", config.http.bind)),
        Err(error) => Finding::Bad(error.to_string(), "choose another address with BIND or `up --port`"),
    }
}
