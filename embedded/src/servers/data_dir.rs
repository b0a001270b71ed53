//! The data folder: exclusive ownership, and the location of the servers' own folders.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
};

use crate::{Error, Result, account::Account};

/// Location of root's servers when their account cannot enter the data folder.
const SYSTEM_HOME: &str = "/var/lib/parlance";

/// A larger log is rotated at the next start.
const LOG_LIMIT: u64 = 16 << 20;

/// A locked data folder; unlocked on drop.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    home: PathBuf,
    account: Option<Account>,
    /// The system releases it when the process ends.
    _lock: File,
}

impl DataDir {
    /// Creates the folder if necessary and locks it.
    pub(super) fn claim(path: &Path, account: Option<Account>) -> Result<Self> {
        make_private(path, account.is_some())?;
        let path = path.canonicalize().map_err(Error::io("find", path))?;
        let lock = lock(&path)?;
        let logs = path.join("logs");
        make_private(&logs, false)?;
        let home = home(&path, account.as_ref())?;
        Ok(Self { path, home, account, _lock: lock })
    }

    /// The folders with our data.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        [self.path.as_path(), self.home.as_path()].into_iter().take(if self.home == self.path {
            1
        } else {
            2
        })
    }

    pub(super) const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// The folder of a server; it may not exist yet.
    pub(super) fn server_folder(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Creates an empty folder owned by the servers' account; removes an old one.
    pub(super) fn make_server_folder(&self, path: &Path) -> Result<()> {
        if path.exists() {
            fs::remove_dir_all(path).map_err(Error::io("remove", path))?;
        }
        DirBuilder::new().mode(0o700).create(path).map_err(Error::io("create", path))?;
        self.account.as_ref().map_or(Ok(()), |account| account.chown(path))
    }

    /// The log of a server; rotates a large one.
    pub(super) fn log(&self, server: &str) -> Result<Log> {
        let path = self.path.join("logs").join(format!("{server}.log"));
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
            let rotated = path.with_extension("log.1");
            fs::rename(&path, &rotated).map_err(Error::io("rename", &path))?;
        }
        Ok(Log { path })
    }

    /// The stored password of a server, created on first use; true if it is new.
    pub(super) fn password(&self, name: &str) -> Result<(String, bool)> {
        let path = self.path.join(format!("{name}.password"));
        match fs::read_to_string(&path) {
            Ok(password) if password.len() >= 32 => Ok((password, false)),
            _ => {
                let password = new_password();
                write_private(&path, &password)?;
                Ok((password, true))
            }
        }
    }
}

/// 256 random bits in hex, which needs no escaping in a URL or an SQL literal.
pub(super) fn new_password() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// Writes a file with mode 0600, atomically.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    let partial = path.with_added_extension("partial");
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&partial, path)
    };
    write().map_err(Error::io("write", path))
}

fn make_private(path: &Path, traversable: bool) -> Result<()> {
    let mode = if traversable { 0o711 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(Error::io("create", path))
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = open.map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)
                .and_then(|()| write!(file, "{}", process::id()))
                .map_err(Error::io("write", &path))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            Err(Error::InUse { data_dir: folder.to_owned(), pid })
        }
        Err(TryLockError::Error(source)) => Err(Error::io("lock", &path)(source)),
    }
}

/// The parent of the servers' folders: the data folder itself, or a system folder in its place. The choice is
/// recorded, so that a later start by any user finds the data.
fn home(data: &Path, account: Option<&Account>) -> Result<PathBuf> {
    let record = data.join("servers.location");
    if let Ok(recorded) = fs::read_to_string(&record) {
        return Ok(PathBuf::from(recorded.trim_end()));
    }
    let Some(account) = account.filter(|account| !account.can_reach(data)) else {
        return Ok(data.to_owned());
    };
    // A random name, not one derived from the data folder: removing the data folder must give a fresh start.
    let home = Path::new(SYSTEM_HOME).join(hex::encode(rand::random::<[u8; 8]>()));
    DirBuilder::new().recursive(true).mode(0o755).create(&home).map_err(Error::io("create", &home))?;
    if !account.can_reach(&home) {
        return Err(Error::OutOfReach { account: account.name.clone(), path: home });
    }
    write_private(&record, &home.display().to_string())?;
    tracing::warn!(
        "the user {} cannot enter {}: the servers keep their data in {}",
        account.name,
        data.display(),
        home.display()
    );
    Ok(home)
}

/// The log file of a server.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) path: PathBuf,
}

impl Log {
    /// Opens the log for appending. Returns its current length too.
    pub(super) fn open(&self) -> Result<(File, u64)> {
        let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path);
        let file = open.map_err(Error::io("open", &self.path))?;
        let length = file.metadata().map_err(Error::io("read", &self.path))?.len();
        Ok((file, length))
    }

    /// The last lines, at most 20, written after the first `length` bytes.
    pub(super) fn lines_since(&self, length: u64) -> String {
        let read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(length))?;
            let mut bytes = Vec::new();
            file.take(1 << 20).read_to_end(&mut bytes)?;
            std::io::Result::Ok(bytes)
        };
        let text = String::from_utf8_lossy(&read().unwrap_or_default()).into_owned();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
