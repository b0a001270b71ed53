//! Detection of ZIP archives and OLE compound files by the names in their directories.
//!
//! Only names are used: the sizes that a directory declares are untrusted.

use std::io::{Cursor, Read};

use office_oxide::cfb::CfbReader;
use zip::ZipArchive;

use super::Content;
use crate::file_types::{FILE_TYPES, FileType, Signature};
use crate::protocol::{Rejection, Verdict};

const SAVE_AS_DOCX: &str = "Save it as DOCX or PDF and upload that.";
const SAVE_AS_PDF: &str = "Save it as PDF and upload that.";
const SAVE_AS_XLSX: &str = "Save it as XLSX and upload that.";

/// All remedies, for the check against the table of types.
#[cfg(test)]
pub(super) const ADVICE: [&str; 3] = [SAVE_AS_DOCX, SAVE_AS_PDF, SAVE_AS_XLSX];

/// Detects the content of a ZIP archive.
pub(super) fn zip(bytes: &[u8]) -> Content {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return Content::Rejected(Rejection::new(
            Verdict::Corrupt,
            "The file is damaged: its end is missing. Upload it again, or save it again from the program \
             that made it.",
        ));
    };
    let mut media_type = [0; 128];
    let read = archive.by_name("mimetype").ok().and_then(|mut entry| entry.read(&mut media_type).ok());
    let media_type = media_type.get(..read.unwrap_or_default()).unwrap_or_default();
    let holds = |start: &str, end: &str| {
        archive.file_names().filter_map(Result::ok).any(|name| name.starts_with(start) && name.ends_with(end))
    };
    let supported = find(|signature| match signature {
        Signature::ZipEntry(start, end) => holds(start, end),
        Signature::ZipType(name) => media_type.starts_with(name.as_bytes()),
        _ => false,
    });
    if let Some(file_type) = supported {
        return Content::Supported(file_type);
    }
    if holds("xl/workbook", "") {
        return Content::Foreign("a binary Excel workbook (XLSB)", SAVE_AS_XLSX);
    }
    if holds("Index/", ".iwa") || holds("index.apxl", "") || holds("Index.zip", "") {
        return Content::Foreign("an Apple iWork document", SAVE_AS_DOCX);
    }
    if holds("META-INF/MANIFEST.MF", "") && holds("", ".class") {
        return Content::Foreign("a Java archive", "");
    }
    if holds("visio/", "") {
        return Content::Foreign("a Visio drawing", SAVE_AS_PDF);
    }
    if media_type.starts_with(b"application/vnd.oasis.opendocument") {
        return Content::Foreign("an OpenDocument file", SAVE_AS_PDF);
    }
    Content::Foreign("a ZIP archive", "Unpack it and upload the files in it.")
}

/// Detects the content of an OLE compound file: Office 97 to 2003, or an encrypted newer document.
pub(super) fn ole(bytes: &[u8]) -> Content {
    let damaged = || {
        Content::Rejected(Rejection::new(
            Verdict::Corrupt,
            "The file is damaged. Upload it again, or save it again from the program that made it.",
        ))
    };
    let Ok(reader) = CfbReader::new(Cursor::new(bytes)) else { return damaged() };
    let holds = |name: &str| reader.has_root_entry(name);
    if holds("EncryptedPackage") {
        return Content::Rejected(Rejection::new(
            Verdict::Encrypted,
            "The file is locked with a password. Remove the password and upload it again.",
        ));
    }
    let stream = |is_present: &dyn Fn(&str) -> bool| {
        find(|signature| matches!(signature, Signature::OleStream(name) if is_present(name)))
    };
    if let Some(file_type) = stream(&holds) {
        Content::Supported(file_type)
    } else if holds("Book") {
        Content::Foreign("a workbook of Excel 95", SAVE_AS_XLSX)
    } else if holds("__properties_version1.0") {
        Content::Foreign("an Outlook message", SAVE_AS_PDF)
    } else if let Some(file_type) = stream(&|name| reader.entries().iter().any(|entry| entry.name == name)) {
        // A damaged directory no longer identifies the streams at the root.
        Content::Supported(file_type)
    } else if reader.entries().len() < 2 {
        damaged()
    } else {
        Content::Foreign("an OLE file of another program", "")
    }
}

/// The first type in the table whose signature matches.
fn find(matches: impl Fn(Signature) -> bool) -> Option<&'static FileType> {
    FILE_TYPES.iter().find(|file_type| matches(file_type.signature))
}
