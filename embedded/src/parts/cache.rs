//! Folders built once and atomically, also when several processes request them.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use super::unpack;
use crate::{Error, Result};

/// Marker with the stamp of the content, written last: a folder that has it is complete.
const COMPLETE: &str = ".complete";

/// Fills a temporary folder and renames it to `target`, unless `target` is complete. Runs once across
/// processes, and again after an interruption.
pub(super) fn build_once(
    target: &Path,
    stamp: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
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
        // Frees the space, for a full disk. The next attempt retries a failed removal.
        let _best_effort = fs::remove_dir_all(&partial);
    })?;
    let complete = partial.join(COMPLETE);
    fs::write(&complete, stamp).map_err(Error::io("write", &complete))?;
    fs::rename(&partial, target).map_err(Error::io("rename", &partial))?;
    Ok(target.to_owned())
}

/// Whether the folder is complete and has this stamp.
pub(super) fn is_complete(folder: &Path, stamp: &str) -> bool {
    fs::read_to_string(folder.join(COMPLETE)).is_ok_and(|found| found == stamp)
}

/// Waits for the lock of a folder. The system releases it when the file is closed, also after a kill.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).map_err(Error::io("create", path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            tracing::info!("waiting for another process to prepare {}", path.display())
        }
        Err(TryLockError::Error(source)) => return Err(Error::io("lock", path)(source)),
    }
    file.lock().map_err(Error::io("lock", path))?;
    Ok(file)
}
