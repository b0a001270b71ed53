//! Largest request bodies, in bytes.

use parlance_core::knowledge::MAX_FILE_BYTES;

/// Largest JSON body, in bytes; the longest documented text is far below it.
pub(crate) const JSON_BYTES: u64 = 1024 * 1024;

/// Largest JSON body of a source, in bytes: a text of the largest size, with escaped line ends.
pub(crate) const SOURCE_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// Peak memory of a JSON body, as a multiple of its length: the body, a decoded copy of its largest string, the buffer
/// in which escapes are decoded, and that buffer's growth.
pub(crate) const JSON_COST: u64 = 4;

/// Peak memory of a form, as a multiple of its length: the file, its buffer's growth, and the whole body if an
/// idempotency key requires a fingerprint.
pub(crate) const FORM_COST: u64 = 3;

/// Largest form, in bytes: a file, plus boundaries, headers and a few short fields.
pub(crate) const FORM_BYTES: u64 = MAX_FILE_BYTES + 64 * 1024;
