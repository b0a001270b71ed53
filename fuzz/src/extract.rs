//! The parsers of `parlance extract`, run as in the child process.
//!
//! They have a stack of the same size, and a panic within a dependency is a verdict about the file. A panic
//! of our own code is a defect.
//!
//! Exceeding memory, time or recursion depth would kill the child, which is a verdict too, and ends this
//! process. `.ci/fuzz` distinguishes that from a defect by the log: it has no panic message.

use std::collections::HashSet;
use std::io::{Cursor, Write};
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use parlance_extract::corpus;
use parlance_extract::protocol::{Document, MAX_TEXT_BYTES, PARSER_STACK, Rejection, Request, Web};
use url::Url;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Maximum length of a title, with the ellipsis of a truncated one.
const MAX_TITLE_CHARS: usize = 301;

/// Any bytes; the first byte chooses the file name.
pub fn text(input: &[u8]) {
    let (name, bytes) = match input.split_first() {
        Some((b't', rest)) => (Some("a.txt"), rest),
        Some((b'm', rest)) => (Some("a.md"), rest),
        Some((b'c', rest)) => (Some("a.csv"), rest),
        _ => (None, input),
    };
    check_file(&named(name), bytes);
}

/// A PDF; other bytes become the content stream of a page.
pub fn pdf(input: &[u8]) {
    let request = named(Some("a.pdf"));
    if input.starts_with(b"%PDF-") {
        check_file(&request, input);
    } else {
        check_file(&request, &pdf_with_content(input));
    }
}

/// A Word package; other bytes become its main part, styles and numbering, separated by NULs.
pub fn docx(input: &[u8]) {
    let request = named(Some("a.docx"));
    if input.starts_with(b"PK") {
        check_file(&request, input);
    } else {
        check_file(&request, &docx_from_parts(input));
    }
}

/// A Word 97 document.
pub fn doc(input: &[u8]) {
    check_file(&named(Some("a.doc")), input);
}

/// An XLSX workbook; other bytes become the XML of its sheet.
pub fn xlsx(input: &[u8]) {
    packaged("a.xlsx", input, corpus::xlsx);
}

/// A PPTX presentation; other bytes become the XML text of its slide.
pub fn pptx(input: &[u8]) {
    packaged("a.pptx", input, |text| corpus::pptx("", text, ""));
}

/// An Excel 97 workbook or a PowerPoint 97 presentation.
pub fn ole(input: &[u8]) {
    check_file(&named(Some("a.xls")), input);
}

/// An OpenDocument file; other bytes become the body of one. The first byte chooses its kind.
pub fn open_document(input: &[u8]) {
    let (kind, body) = match input.split_first() {
        Some((b's', rest)) => ("spreadsheet", rest),
        Some((b'p', rest)) => ("presentation", rest),
        Some((b't', rest)) => ("text", rest),
        _ => ("text", input),
    };
    packaged("a.odt", body, |body| corpus::open_document(kind, body));
}

/// An e-book; other bytes become its chapter.
pub fn epub(input: &[u8]) {
    packaged("a.epub", input, corpus::epub);
}

/// An RTF file; other bytes become the text of one.
pub fn rtf(input: &[u8]) {
    if input.starts_with(b"{\\rtf") {
        check_file(&named(Some("a.rtf")), input);
    } else {
        check_file(&named(Some("a.rtf")), &[b"{\\rtf1\\ansi ", input].concat());
    }
}

/// A JSON file.
pub fn json(input: &[u8]) {
    check_file(&named(Some("a.json")), input);
}

/// A package; other bytes are written into one.
fn packaged(name: &str, input: &[u8], package: impl Fn(&str) -> Vec<u8>) {
    if input.starts_with(b"PK") {
        check_file(&named(Some(name)), input);
    } else {
        check_file(&named(Some(name)), &package(&crate::text_of(input)));
    }
}

/// A web page. The first line may be its media type.
pub fn html(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (media_type, page) = match (lines.next(), lines.next()) {
        (Some(first), Some(rest)) if first.starts_with(b"text/html") => (crate::text_of(first), rest),
        _ => ("text/html".to_owned(), input),
    };
    let url = Some("https://example.org/shop/hours?day=1".to_owned());
    check_file(&Request { name: None, media_type: Some(media_type), url }, page);
}

fn named(name: Option<&str>) -> Request {
    Request { name: name.map(str::to_owned), ..Request::default() }
}

fn check_file(request: &Request, bytes: &[u8]) {
    match parse(request, bytes) {
        Some(Ok(document)) => check(&document),
        Some(Err(rejection)) => assert!(!rejection.message.trim().is_empty(), "{rejection} has no message"),
        None => {}
    }
}

/// The result of the child; `None` if a dependency panicked.
fn parse(request: &Request, bytes: &[u8]) -> Option<Result<Document, Rejection>> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let abort = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_verdict(info) {
                abort(info)
            }
        }));
    });
    PARSING.store(true, Ordering::Relaxed);
    let parsed = thread::scope(|scope| {
        let parse = || parlance_extract::parse(request, bytes);
        match thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, parse) {
            Ok(parser) => parser.join(),
            Err(_) => std::process::abort(),
        }
    });
    PARSING.store(false, Ordering::Relaxed);
    match parsed {
        Ok(parsed) => Some(parsed),
        // Without a fuzzer the panic hook did not abort.
        Err(panic) if DEFECT.load(Ordering::Relaxed) => panic::resume_unwind(panic),
        Err(_) => None,
    }
}

/// Whether a file is being parsed, by the parser thread or by threads that it starts.
static PARSING: AtomicBool = AtomicBool::new(false);

/// Whether our own code has panicked.
static DEFECT: AtomicBool = AtomicBool::new(false);

/// Whether a panic counts as a verdict in the child. Reports each location once.
fn is_verdict(info: &PanicHookInfo<'_>) -> bool {
    static REPORTED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    // Paths of dependencies and of the standard library are absolute; ours are relative to the workspace.
    let location = info.location().filter(|location| Path::new(location.file()).is_absolute());
    let Some(location) = location.filter(|_| PARSING.load(Ordering::Relaxed)) else {
        DEFECT.store(true, Ordering::Relaxed);
        return false;
    };
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    if reported.get_or_insert_default().insert(location.to_string()) {
        eprintln!("panic in a dependency: {info}");
    }
    true
}

/// Checks the guarantees of a document.
fn check(document: &Document) {
    let Document { text, pages, title, notes, web, .. } = document;
    assert!(text.len() <= MAX_TEXT_BYTES, "{} bytes", text.len());
    assert!(!text.trim().is_empty(), "the text is blank");
    assert!(!text.contains(is_bad), "a control character in {text:?}");
    assert!(pages.is_sorted(), "{pages:?}");
    let characters = text.chars().count();
    assert!(pages.iter().all(|page| *page <= characters), "{pages:?} of {characters}");
    if let Some(title) = title {
        let length = title.chars().count();
        assert!((1..=MAX_TITLE_CHARS).contains(&length) && !title.contains('\n'), "{title:?}");
        assert!(!title.contains(is_bad), "{title:?}");
    }
    assert!(notes.iter().all(|note| !note.trim().is_empty()), "{notes:?}");
    if let Some(Web { canonical, links, frames, refresh, .. }) = web {
        canonical.iter().chain(links).chain(frames).chain(refresh).for_each(|link| check_link(link));
        assert_eq!(links.iter().collect::<HashSet<_>>().len(), links.len(), "each link once: {links:?}");
    }
}

/// Control characters, which Postgres rejects or no reader sees.
fn is_bad(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
}

fn check_link(link: &str) {
    let Ok(url) = Url::parse(link) else { panic!("{link:?} is not a URL") };
    assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{link:?} is not a web address");
    assert!(url.fragment().is_none(), "{link:?} has a fragment");
    assert_eq!(url.as_str(), link, "the URL is normalised");
}

/// A PDF of one page with this content stream.
fn pdf_with_content(content: &[u8]) -> Vec<u8> {
    let stream =
        [format!("<</Length {}>>stream\n", content.len()).as_bytes(), content, b"\nendstream"].concat();
    let objects: [&[u8]; 5] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[4 0 R]>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
        &stream,
    ];
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend(format!("{} 0 obj\n", index + 1).bytes());
        file.extend(*object);
        file.extend(b"\nendobj\n");
    }
    let tail =
        format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{}\n%%EOF\n", objects.len() + 1, file.len());
    file.extend(table.bytes());
    file.extend(tail.bytes());
    file
}

const TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
    <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>\
    <Override PartName=\"/word/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>\
    <Override PartName=\"/word/numbering.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml\"/>\
    </Types>";

const RELATIONS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/>\
    </Relationships>";

const DOCUMENT_RELATIONS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>\
    <Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering\" Target=\"numbering.xml\"/>\
    <Relationship Id=\"rId3\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink\" Target=\"https://example.org/\" TargetMode=\"External\"/>\
    </Relationships>";

/// An uncompressed package of these parts.
fn docx_from_parts(input: &[u8]) -> Vec<u8> {
    let mut parts = input.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let entries = [
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS.as_bytes()),
        ("word/document.xml", part()),
        ("word/styles.xml", part()),
        ("word/numbering.xml", part()),
    ];
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        // Writing to memory cannot fail.

        let _ = writer.start_file(name, stored);
        let _ = writer.write_all(content);
    }
    writer.finish().map(Cursor::into_inner).unwrap_or_default()
}
