//! Folders that are made once, whole or not at all, however many processes ask for them.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use super::unpack;
use crate::{Error, Result};

/// The last file to be written: a folder that has it is whole, and of what it says.
const COMPLETE: &str = ".complete";

/// Makes `target` by filling a folder beside it, unless it is there: once, however many
/// processes ask, and again if an earlier attempt was cut short.
pub(super) fn once(target: &Path, stamp: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    if is_complete(target, stamp) {
        return Ok(target.to_owned());
    }
    unpack::make_folder(target.parent().unwrap_or(target))?;
    let _lock = lock(&target.with_added_extension("lock"))?;
    if is_complete(target, stamp) {
        return Ok(target.to_owned());
    }
    let partial = target.with_added_extension("partial");
    for leftover in [target, &partial] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(Error::io("remove", leftover))?;
        }
    }
    fill(&partial).inspect_err(|_| {
        // A disk that is full needs the room; what cannot be removed now is removed next time.
        let _is_only_a_waste = fs::remove_dir_all(&partial);
    })?;
    let complete = partial.join(COMPLETE);
    fs::write(&complete, stamp).map_err(Error::io("write", &complete))?;
    fs::rename(&partial, target).map_err(Error::io("rename", &partial))?;
    Ok(target.to_owned())
}

/// Whether the folder is there, whole, and of what `stamp` says.
pub(super) fn is_complete(folder: &Path, stamp: &str) -> bool {
    fs::read_to_string(folder.join(COMPLETE)).is_ok_and(|found| found == stamp)
}

/// Waits for the lock of a part; it is free again when the file is closed, also by a kill.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).map_err(Error::io("create", path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            tracing::info!("waiting for another process that prepares {}", path.display())
        }
        Err(TryLockError::Error(source)) => return Err(Error::io("lock", path)(source)),
    }
    file.lock().map_err(Error::io("lock", path))?;
    Ok(file)
}
