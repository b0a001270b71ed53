//! The table of file types: name, extensions, media types, signature and parser of each.
//!
//! Upload validation, error messages, the API description and format detection are all derived from this
//! table, and a test checks the user guide against it. To add a type, add a [`Format`] variant, a table
//! entry and a parser module (`src/parse/`), then a row in `docs/guide.md`, and regenerate `openapi.json`.

use serde::{Deserialize, Serialize};

#[cfg(feature = "parsers")]
use crate::parse::Parser;

mod table;

pub use table::FILE_TYPES;

/// Format of a file's content, independent of its name.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
    /// Comma-separated values, or values with another delimiter.
    Csv,
    /// PDF.
    Pdf,
    /// Word 2007 and later.
    Docx,
    /// Word 97 to 2003.
    Doc,
    /// A web page.
    Html,
    /// Excel 2007 and later.
    Xlsx,
    /// Excel 97 to 2003.
    Xls,
    /// PowerPoint 2007 and later.
    Pptx,
    /// PowerPoint 97 to 2003.
    Ppt,
    /// OpenDocument text.
    Odt,
    /// OpenDocument spreadsheet.
    Ods,
    /// OpenDocument presentation.
    Odp,
    /// Rich Text Format.
    Rtf,
    /// An e-book.
    Epub,
    /// JSON, or JSON Lines.
    Json,
}

/// A row of the table.
#[derive(Debug)]
pub struct FileType {
    /// The format.
    pub format: Format,
    /// Stored and transmitted name, identical to the serde name of `format`.
    pub name: &'static str,
    /// Name in a list: "PDF".
    pub label: &'static str,
    /// Name in a sentence, with its article: "a PDF document".
    pub phrase: &'static str,
    /// Extensions accepted for uploads, in lower case; messages show the first. Empty: no uploads.
    pub extensions: &'static [&'static str],
    /// Further extensions that identify the type when a name is compared with the content. Uploads with these
    /// names are refused.
    pub other_extensions: &'static [&'static str],
    /// Media types, in lower case; the first is canonical.
    pub media_types: &'static [&'static str],
    /// Media types that the crawler reads.
    pub crawled_media_types: &'static [&'static str],
    /// How the content is recognised.
    #[cfg(feature = "parsers")]
    pub(crate) signature: Signature,
    /// Parser of the content.
    #[cfg(feature = "parsers")]
    pub(crate) parse: Parser,
}

/// How the content of a type is recognised.
#[cfg(feature = "parsers")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signature {
    /// Text without a signature. The name or media type decides; the default is plain text.
    Text,
    /// Text that starts with one of these tags, after white space, comments and an XML declaration.
    Markup(&'static [&'static str]),
    /// Bytes at the start of a line within the first KiB.
    Line(&'static [u8]),
    /// Bytes at the start of the file.
    Start(&'static [u8]),
    /// A ZIP archive with an entry of this prefix and suffix.
    ZipEntry(&'static str, &'static str),
    /// A ZIP archive whose entry `mimetype` starts with this.
    ZipType(&'static str),
    /// An OLE compound file with this stream.
    OleStream(&'static str),
}

impl Format {
    /// The table entry of this format.
    #[must_use]
    pub fn file_type(self) -> &'static FileType {
        &FILE_TYPES[self as usize]
    }

    /// The stored and transmitted name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.file_type().name
    }

    /// The canonical media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.file_type().media_types[0]
    }
}

/// The type under which a file of this name may be uploaded.
#[must_use]
pub fn upload_type(file_name: &str) -> Option<&'static FileType> {
    let extension = extension(file_name)?;
    FILE_TYPES.iter().find(|file_type| file_type.extensions.contains(&extension.as_str()))
}

/// The type of a file name, whether or not it may be uploaded.
#[must_use]
pub fn by_file_name(file_name: &str) -> Option<&'static FileType> {
    let extension = extension(file_name)?;
    let extension = extension.trim();
    FILE_TYPES.iter().find(|file_type| {
        file_type.extensions.contains(&extension) || file_type.other_extensions.contains(&extension)
    })
}

/// The file type of a media type. The media type must be in lower case and without parameters.
#[must_use]
pub fn by_media_type(media_type: &str) -> Option<&'static FileType> {
    FILE_TYPES.iter().find(|file_type| file_type.media_types.contains(&media_type))
}

/// Whether the crawler reads this media type. It must be in lower case and without parameters.
#[must_use]
pub fn is_crawled(media_type: &str) -> bool {
    FILE_TYPES.iter().any(|file_type| file_type.crawled_media_types.contains(&media_type))
}

/// One extension of each type that may be uploaded: "txt", "md", ….
pub fn upload_extensions() -> impl Iterator<Item = &'static str> {
    FILE_TYPES.iter().filter_map(|file_type| file_type.extensions.first().copied())
}

/// The labels of the types that may be uploaded, as a list: "plain text, …, EPUB or JSON".
#[must_use]
pub fn upload_labels() -> String {
    let uploadable = FILE_TYPES.iter().filter(|file_type| !file_type.extensions.is_empty());
    list(uploadable.map(|file_type| file_type.label), "or")
}

/// The labels of the types that the crawler reads, as a list: "plain text, …, RTF and EPUB".
#[must_use]
pub fn crawled_labels() -> String {
    let crawled = FILE_TYPES.iter().filter(|file_type| !file_type.crawled_media_types.is_empty());
    list(crawled.map(|file_type| file_type.label), "and")
}

/// Joins items by commas, the last one by `conjunction`.
#[must_use]
pub fn list(items: impl Iterator<Item = impl Into<String>>, conjunction: &str) -> String {
    let mut items: Vec<String> = items.map(Into::into).collect();
    match items.pop() {
        Some(last) if !items.is_empty() => format!("{} {conjunction} {last}", items.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// The extension of a file name, in lower case.
fn extension(file_name: &str) -> Option<String> {
    file_name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const GUIDE: &str = include_str!("../../docs/guide.md");

    #[test]
    fn rows_follow_the_order_of_the_formats() {
        for (index, row) in FILE_TYPES.iter().enumerate() {
            assert_eq!((row.format as usize, row.format.as_str()), (index, row.name));
            assert_eq!(serde_json::to_value(row.format).unwrap(), row.name);
        }
    }

    #[test]
    fn extensions_and_media_types_belong_to_one_type_each() {
        let mut seen = HashSet::new();
        for row in &FILE_TYPES {
            for key in row.extensions.iter().chain(row.other_extensions).chain(row.media_types) {
                assert!(seen.insert(*key), "{key} occurs twice");
                assert_eq!(*key, key.to_ascii_lowercase());
            }
            for crawled in row.crawled_media_types {
                assert!(row.media_types.contains(crawled), "{crawled}");
            }
        }
    }

    #[test]
    fn messages_list_the_uploadable_types() {
        assert_eq!(
            upload_labels(),
            "plain text, Markdown, CSV, PDF, DOCX, DOC, web pages, XLSX, XLS, PPTX, PPT, ODT, ODS, ODP, RTF, EPUB or JSON"
        );
        assert_eq!(
            crawled_labels(),
            "plain text, Markdown, CSV, PDF, DOCX, DOC, web pages, XLSX, XLS, PPTX, PPT, ODT, ODS, ODP, RTF and EPUB"
        );
        assert_eq!(
            upload_extensions().collect::<Vec<_>>(),
            [
                "txt", "md", "csv", "pdf", "docx", "doc", "html", "xlsx", "xls", "pptx", "ppt", "odt", "ods",
                "odp", "rtf", "epub", "json"
            ]
        );
        assert_eq!(upload_type("a.TXT").unwrap().format, Format::Text);
        for refused in ["a.xml", "a.xltx", "a.docm", "a", "a.exe"] {
            assert!(upload_type(refused).is_none(), "{refused}");
        }
        assert_eq!(upload_type("a.tsv").unwrap().format, Format::Csv);
        assert_eq!(by_file_name("a.docm").unwrap().format, Format::Docx);
    }

    #[test]
    fn the_user_guide_lists_the_uploadable_types() {
        let (_, section) = GUIDE.split_once("### File types and limits").unwrap();
        let section = section.split("\n#").next().unwrap();
        let documented: Vec<&str> = section
            .lines()
            .filter_map(|line| {
                line.strip_prefix('|')?.split('|').nth(1)?.trim().strip_prefix("`.")?.strip_suffix('`')
            })
            .collect();
        assert_eq!(documented, upload_extensions().collect::<Vec<_>>());
        let sentence = upload_labels().replace(" or ", " and ");
        assert!(section.contains(&sentence), "the guide does not say {sentence:?}");
    }
}
