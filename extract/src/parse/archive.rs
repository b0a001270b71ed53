//! Entries of ZIP packages, with limits on their number and unpacked size.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{office, too_large};
use crate::protocol::Rejection;

/// Maximum unpacked size of an entry, in bytes.
const MAX_ENTRY_BYTES: u64 = 48 << 20;

/// Maximum unpacked size of all entries read, in bytes.
const MAX_TOTAL_BYTES: u64 = 128 << 20;

/// Maximum number of entries in a package.
const MAX_ENTRIES: usize = 20_000;

/// A ZIP package.
pub(super) struct Archive<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<'a> Archive<'a> {
    /// Opens a package.
    ///
    /// # Errors
    /// `corrupt` without a directory, `too_large` with too many entries.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Rejection> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| office::damaged())?;
        if archive.len() > MAX_ENTRIES {
            return Err(too_large());
        }
        Ok(Self { archive, left: MAX_TOTAL_BYTES })
    }

    /// Reads an entry; `None` if there is none of this name.
    ///
    /// # Errors
    /// `encrypted`, `corrupt`, or `too_large` when it unpacks to more than the limit.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Rejection> {
        let limit = self.left.min(MAX_ENTRY_BYTES);
        let mut entry = match self.archive.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(why)) if why == ZipError::PASSWORD_REQUIRED => {
                return Err(office::encrypted());
            }
            Err(_) => return Err(office::damaged()),
        };
        let mut content = Vec::new();
        // The size that the directory declares is untrusted.
        entry.by_ref().take(limit + 1).read_to_end(&mut content).map_err(|_| office::damaged())?;
        if content.len() as u64 > limit {
            return Err(too_large());
        }
        self.left -= content.len() as u64;
        Ok(Some(content))
    }
}
