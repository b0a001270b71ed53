//! Limits, errors and notes about losses, common to all Office formats.

use std::io::Cursor;

use office_oxide::doc::DocError;
use office_oxide::options::{DamageKind, OnIncomplete, ParseOptions};
use office_oxide::{Document as Office, DocumentFormat, OfficeError};

use crate::protocol::{Rejection, Verdict};

/// Opens an Office file.
pub(super) fn open(format: DocumentFormat, bytes: &[u8]) -> Result<Office, Rejection> {
    Office::from_reader_with(Cursor::new(bytes.to_vec()), format, &options())
        .map_err(|error| rejection(&error))
}

/// Warnings about text that could not be read.
pub(super) fn losses(office: &Office) -> Vec<String> {
    let losses: Vec<_> = office.damage().into_iter().filter(|damage| damage.is_loss()).collect();
    if losses.iter().any(|loss| loss.kind == DamageKind::Truncated) {
        vec!["The text of the file is incomplete: its end could not be read.".to_owned()]
    } else if losses.is_empty() {
        Vec::new()
    } else {
        vec!["A part of the file could not be read; its text is missing.".to_owned()]
    }
}

/// Strict limits. A damaged file gives its partial text.
///
/// A valid LibreOffice file exceeds the strict compression ratio, so the default ratio applies. The memory
/// limit of the child is the effective bound.
fn options() -> ParseOptions {
    let defaults = ParseOptions::default();
    let mut options = ParseOptions::strict();
    options.limits.inflate_ratio = defaults.limits.inflate_ratio;
    options.on_incomplete = OnIncomplete::Report;
    options
}

/// Maps an error of `office_oxide` to a rejection for the owner of the file.
fn rejection(error: &OfficeError) -> Rejection {
    use office_oxide::core::Error as Core;

    let core = match error {
        OfficeError::Core(core) => Some(core),
        OfficeError::Docx(office_oxide::docx::DocxError::Core(core)) => Some(core),
        OfficeError::Xlsx(office_oxide::xlsx::XlsxError::Core(core)) => Some(core),
        OfficeError::Pptx(office_oxide::pptx::PptxError::Core(core)) => Some(core),
        _ => None,
    };
    match (error, core) {
        (OfficeError::Doc(DocError::Encrypted), _) => encrypted(),
        (OfficeError::Doc(DocError::UnsupportedVersion(_)), _) => Rejection::new(
            Verdict::UnsupportedType,
            "The file is of a version of Word older than 6. Save it as DOCX and upload that.",
        ),
        (OfficeError::UnsupportedFormat(why), _) if why.contains("password") => encrypted(),
        (
            _,
            Some(core @ (Core::DecompressionLimit { .. } | Core::PackageLimit(_) | Core::MalformedXml(_))),
        ) => core_rejection(core),
        _ if error.to_string().to_ascii_lowercase().contains("encrypt") => encrypted(),
        _ => damaged(),
    }
}

/// Maps an error of the package to a rejection for the owner of the file.
pub(super) fn core_rejection(error: &office_oxide::core::Error) -> Rejection {
    use office_oxide::core::Error as Core;

    match error {
        Core::DecompressionLimit { .. } | Core::PackageLimit(_) => Rejection::new(
            Verdict::TooLarge,
            "The file unpacks to more than a document may hold. Split it into smaller files.",
        ),
        Core::MalformedXml(why) if why.contains("nest") || why.contains("depth") => too_complex(),
        _ => damaged(),
    }
}

pub(super) fn too_complex() -> Rejection {
    Rejection::new(
        Verdict::TooComplex,
        "The file nests deeper than can be read. Save it again from the program that made it.",
    )
}

pub(super) fn encrypted() -> Rejection {
    Rejection::new(
        Verdict::Encrypted,
        "The file is locked with a password. Remove the password and upload it again.",
    )
}

pub(super) fn damaged() -> Rejection {
    Rejection::new(
        Verdict::Corrupt,
        "The file is damaged. Upload it again, or save it again from the program that made it.",
    )
}
