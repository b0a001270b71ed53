//! Largest request bodies, in bytes.

use parlance_core::knowledge::MAX_FILE_BYTES;

/// Largest JSON body, in bytes; the longest documented text is far below it.
pub(crate) const JSON_BYTES: u64 = 1024 * 1024;

/// Largest JSON body of a source, in bytes: a text of the largest size, with escaped line ends.
pub(crate) const SOURCE_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// Memory that a JSON body may take at its peak, as a multiple of its length: itself, a decoded copy of its largest string,
/// the buffer in which escapes are decoded, and room for that buffer's growth.
pub(crate) const JSON_COST: u64 = 4;

/// Memory that a form may take at its peak, as a multiple of its length: its file and that buffer's growth, and itself if
/// an idempotency key needs its fingerprint.
pub(crate) const FORM_COST: u64 = 3;

/// Largest form, in bytes: a file, plus boundaries, headers and a few short fields.
pub(crate) const FORM_BYTES: u64 = MAX_FILE_BYTES + 64 * 1024;
