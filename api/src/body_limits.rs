//! Largest request bodies, in bytes.

use parlance_core::knowledge::MAX_FILE_BYTES;

/// Largest JSON body, in bytes; the longest documented text is far below it.
pub(crate) const JSON_BYTES: u64 = 1024 * 1024;

/// Largest JSON body of a source, in bytes: a text of the largest size, with escaped line ends.
pub(crate) const SOURCE_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// Largest form, in bytes: a file, plus boundaries, headers and a few short fields.
pub(crate) const FORM_BYTES: u64 = MAX_FILE_BYTES + 64 * 1024;
