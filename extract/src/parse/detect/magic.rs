//! Detection by the first bytes of a file.
//!
//! The crate `infer` (0.22) was considered for the unsupported types and rejected. Several of its signatures
//! are two bytes of valid text: "BM" is a bitmap, "BC" LLVM bitcode, "MZ" a program, and "яы" in Windows-1251
//! an MP3. It does not report the length of a signature, so a list of trusted types would be as long as the
//! list below. It recognises Office files by local ZIP headers rather than the central directory, and returns
//! neither a name for messages nor a remedy.

use super::{Content, containers};
use crate::file_types::{FILE_TYPES, FileType, Signature};

/// Bytes searched for a [`Signature::Line`]. PDF readers search the first KiB.
const LINE_HEAD: usize = 1024;

const SAVE_AS_DOCX: &str = "Save it as DOCX or PDF and upload that.";
const SAVE_AS_PDF: &str = "Save it as PDF and upload that.";
const UNPACK: &str = "Unpack it and upload the files in it.";

/// All remedies, for the check against the table of types.
#[cfg(test)]
pub(super) const ADVICE: [&str; 3] = [SAVE_AS_DOCX, SAVE_AS_PDF, UNPACK];

/// Signatures of unsupported types at the start of a file: bytes, name with an article, remedy.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"BM\x00", "a bitmap image", ""),
    (b"II*\0", "a TIFF image", ""),
    (b"MM\0*", "a TIFF image", ""),
    (b"\x00\x00\x01\x00", "an icon", ""),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"(\xb5/\xfd", "a zstd archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"\x7fELF", "a program", ""),
    (b"\xcf\xfa\xed\xfe", "a program", ""),
    (b"\xca\xfe\xba\xbe", "a program", ""),
    (b"SQLite format 3\0", "a SQLite database", ""),
    (b"OggS", "an Ogg recording", ""),
    (b"ID3", "an MP3 recording", ""),
    (b"fLaC", "a FLAC recording", ""),
    (b"%!PS", "a PostScript document", SAVE_AS_PDF),
    (b"\xff\x57\x50\x43", "a WordPerfect document", SAVE_AS_DOCX),
    (b"\xdb\xa5\x2d\0", "a document of Word 2", SAVE_AS_DOCX),
    (b"MIME-Version:", "a web archive (MHTML)", SAVE_AS_DOCX),
];

/// Detects a type by the first bytes of a file and the directory of a container.
pub(super) fn content(bytes: &[u8]) -> Content {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return containers::zip(bytes);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return containers::ole(bytes);
    }
    if let Some((_, what, advice)) = FOREIGN.iter().find(|(mark, ..)| bytes.starts_with(mark)) {
        return Content::Foreign(what, advice);
    }
    if let Some(content) = foreign_at_an_offset(bytes) {
        return content;
    }
    let head = bytes.get(..LINE_HEAD).unwrap_or(bytes);
    let supported = FILE_TYPES.iter().find(|file_type| match file_type.signature {
        Signature::Line(mark) => starts_a_line(head, mark),
        Signature::Start(mark) => bytes.trim_ascii_start().starts_with(mark),
        _ => false,
    });
    supported.map_or(Content::Unmarked, Content::Supported)
}

/// Whether `mark` occurs at the start or after a byte that is no visible ASCII character. A text may
/// mention it within a line.
fn starts_a_line(head: &[u8], mark: &[u8]) -> bool {
    head.windows(mark.len()).enumerate().any(|(at, window)| {
        window == mark && (at == 0 || !head.get(at - 1).is_some_and(u8::is_ascii_graphic))
    })
}

fn foreign_at_an_offset(bytes: &[u8]) -> Option<Content> {
    let at = |offset: usize, mark: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let what = if at(0, b"RIFF") && at(8, b"WEBP") {
        "a WebP image"
    } else if at(0, b"RIFF") && at(8, b"WAVE") {
        "a WAV recording"
    } else if at(0, b"RIFF") && at(8, b"AVI ") {
        "an AVI video"
    } else if at(4, b"ftyp") {
        "a video, a recording or a photo"
    } else if at(257, b"ustar") {
        return Some(Content::Foreign("a tar archive", UNPACK));
    } else if at(0, b"MZ") && bytes.iter().take(256).filter(|byte| **byte == 0).count() > 16 {
        // The two letters alone may start a text.
        "a program"
    } else {
        return None;
    };
    Some(Content::Foreign(what, ""))
}

/// The type whose tags start the text, after white space, comments and an XML declaration.
pub(super) fn markup(head: &str) -> Option<&'static FileType> {
    let mut rest = head.trim_start();
    loop {
        let skipped = if rest.starts_with("<!--") {
            rest.split_once("-->").map(|(_, rest)| rest)
        } else if rest.starts_with("<?xml") {
            rest.split_once("?>").map(|(_, rest)| rest)
        } else {
            None
        };
        match skipped {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    let starts = |mark: &str| rest.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
    FILE_TYPES
        .iter()
        .find(|file_type| matches!(file_type.signature, Signature::Markup(tags) if tags.iter().any(|tag| starts(tag))))
}
