//! A folder that appears whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::{ModelError, ONNX_FILE, TOKENIZER_FILES};

/// Whether a converted model stands here. Because of [`publish`] a folder that has every file has
/// every file whole.
pub(super) fn is_complete(folder: &Path) -> bool {
    TOKENIZER_FILES.iter().chain([&ONNX_FILE]).all(|name| folder.join(name).is_file())
}

/// Fills a folder beside the target, makes sure that it is on the disk, and renames it: the last
/// step, which only one of several processes can do.
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
            // There is nothing left under the old name for it to remove.
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

/// Writes a file and makes sure that it is on the disk.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), ModelError> {
    let mut file = File::create(path).map_err(failed(path))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed(path))
}

/// A new folder, removed again unless it is kept. It is nobody's secret: another user may run what
/// loads the model.
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

/// A rename is on the disk when the folder it happened in is.
#[cfg(unix)]
fn sync(folder: &Path) -> Result<(), ModelError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(failed(folder))
}

/// Other systems do not open folders.
#[cfg(not(unix))]
fn sync(_: &Path) -> Result<(), ModelError> {
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ModelError {
    move |source| ModelError::Write { path: path.to_owned(), source }
}
