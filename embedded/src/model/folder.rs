//! Atomic creation of a model folder.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::{ModelError, ONNX_FILE, TOKENIZER_FILES};

/// Whether a converted model is here. [`publish`] is atomic: if every file exists, every file is complete.
pub(super) fn is_complete(folder: &Path) -> bool {
    TOKENIZER_FILES.iter().chain([&ONNX_FILE]).all(|name| folder.join(name).is_file())
}

/// Fills a temporary folder beside the target, syncs it to disk and renames it. Of several processes only
/// one succeeds in renaming; the others accept its result.
pub(super) fn publish(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let target = std::path::absolute(target).map_err(failed(target))?;
    let parent = target.parent().unwrap_or(&target);
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let partial = partial_in(parent).map_err(failed(parent))?;
    fill(partial.path())?;
    sync(partial.path())?;
    match fs::rename(partial.path(), &target) {
        Ok(()) => {
            // The temporary name no longer exists: nothing to remove.
            let _ = partial.keep();
            sync(parent)
        }
        Err(_) if is_complete(&target) => Ok(()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory => ModelError::Occupied { path: target },
            _ => failed(&target)(error),
        }),
    }
}

/// Writes a file and syncs it to disk.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), ModelError> {
    let mut file = File::create(path).map_err(failed(path))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed(path))
}

/// A temporary folder, removed on drop. It is world-readable: another user may run the process that loads
/// the model.
fn partial_in(parent: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partial-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o755));
    }
    builder.tempdir_in(parent)
}

/// A rename is durable once its parent folder is synced.
#[cfg(unix)]
fn sync(folder: &Path) -> Result<(), ModelError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(failed(folder))
}

/// Folders cannot be opened as files on other systems.
#[cfg(not(unix))]
fn sync(_: &Path) -> Result<(), ModelError> {
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ModelError {
    move |source| ModelError::Write { path: path.to_owned(), source }
}
