//! The table of file types.

#[cfg(feature = "parsers")]
use super::Signature;
use super::{FileType, Format};
#[cfg(feature = "parsers")]
use crate::{
    parse::{csv, epub, html, json, odf, pdf, rtf, slides, text, word, workbook},
    protocol::Markup,
};

/// All types, in the order of [`Format`]. Lists in messages keep this order.
pub static FILE_TYPES: [FileType; 17] = [
    FileType {
        format: Format::Text,
        name: "text",
        label: "plain text",
        phrase: "plain text",
        extensions: &["txt", "text"],
        other_extensions: &[],
        media_types: &["text/plain"],
        crawled_media_types: &["text/plain"],
        #[cfg(feature = "parsers")]
        signature: Signature::Text,
        #[cfg(feature = "parsers")]
        parse: |_, bytes| text::document(bytes, Format::Text, Markup::Plain),
    },
    FileType {
        format: Format::Markdown,
        name: "markdown",
        label: "Markdown",
        phrase: "Markdown",
        extensions: &["md", "markdown"],
        other_extensions: &[],
        media_types: &["text/markdown", "text/x-markdown"],
        crawled_media_types: &["text/markdown", "text/x-markdown"],
        #[cfg(feature = "parsers")]
        signature: Signature::Text,
        #[cfg(feature = "parsers")]
        parse: |_, bytes| text::document(bytes, Format::Markdown, Markup::Markdown),
    },
    FileType {
        format: Format::Csv,
        name: "csv",
        label: "CSV",
        phrase: "comma-separated values",
        extensions: &["csv", "tsv", "tab"],
        other_extensions: &[],
        media_types: &["text/csv", "application/csv", "text/tab-separated-values"],
        crawled_media_types: &["text/csv", "application/csv", "text/tab-separated-values"],
        #[cfg(feature = "parsers")]
        signature: Signature::Text,
        #[cfg(feature = "parsers")]
        parse: |_, bytes| csv::read(bytes),
    },
    FileType {
        format: Format::Pdf,
        name: "pdf",
        label: "PDF",
        phrase: "a PDF document",
        extensions: &["pdf"],
        other_extensions: &[],
        media_types: &["application/pdf", "application/x-pdf"],
        crawled_media_types: &["application/pdf", "application/x-pdf"],
        #[cfg(feature = "parsers")]
        signature: Signature::Line(b"%PDF-"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| pdf::read(bytes),
    },
    FileType {
        format: Format::Docx,
        name: "docx",
        label: "DOCX",
        phrase: "a Word document (DOCX)",
        extensions: &["docx"],
        other_extensions: &["docm", "dotx"],
        media_types: &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
        crawled_media_types: &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipEntry("word/document", ".xml"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| word::read(Format::Docx, bytes),
    },
    FileType {
        format: Format::Doc,
        name: "doc",
        label: "DOC",
        phrase: "a Word 97 document (DOC)",
        extensions: &["doc"],
        other_extensions: &["dot"],
        media_types: &["application/msword"],
        crawled_media_types: &["application/msword"],
        #[cfg(feature = "parsers")]
        signature: Signature::OleStream("WordDocument"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| word::read(Format::Doc, bytes),
    },
    FileType {
        format: Format::Html,
        name: "html",
        label: "web pages",
        phrase: "a web page",
        extensions: &["html", "htm", "xhtml"],
        other_extensions: &[],
        media_types: &["text/html", "application/xhtml+xml"],
        crawled_media_types: &["text/html", "application/xhtml+xml"],
        #[cfg(feature = "parsers")]
        signature: Signature::Markup(&["<!doctype html", "<html", "<head", "<body", "<title", "<meta "]),
        #[cfg(feature = "parsers")]
        parse: html::read,
    },
    FileType {
        format: Format::Xlsx,
        name: "xlsx",
        label: "XLSX",
        phrase: "an Excel workbook (XLSX)",
        extensions: &["xlsx", "xlsm"],
        other_extensions: &["xltx", "xltm"],
        media_types: &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
        crawled_media_types: &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipEntry("xl/workbook", ".xml"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| workbook::read(Format::Xlsx, bytes),
    },
    FileType {
        format: Format::Xls,
        name: "xls",
        label: "XLS",
        phrase: "an Excel 97 workbook (XLS)",
        extensions: &["xls"],
        other_extensions: &["xlt"],
        media_types: &["application/vnd.ms-excel"],
        crawled_media_types: &["application/vnd.ms-excel"],
        #[cfg(feature = "parsers")]
        signature: Signature::OleStream("Workbook"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| workbook::read(Format::Xls, bytes),
    },
    FileType {
        format: Format::Pptx,
        name: "pptx",
        label: "PPTX",
        phrase: "a PowerPoint presentation (PPTX)",
        extensions: &["pptx"],
        other_extensions: &["pptm", "potx", "ppsx"],
        media_types: &["application/vnd.openxmlformats-officedocument.presentationml.presentation"],
        crawled_media_types: &["application/vnd.openxmlformats-officedocument.presentationml.presentation"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipEntry("ppt/presentation", ".xml"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| slides::read(Format::Pptx, bytes),
    },
    FileType {
        format: Format::Ppt,
        name: "ppt",
        label: "PPT",
        phrase: "a PowerPoint 97 presentation (PPT)",
        extensions: &["ppt"],
        other_extensions: &["pot", "pps"],
        media_types: &["application/vnd.ms-powerpoint"],
        crawled_media_types: &["application/vnd.ms-powerpoint"],
        #[cfg(feature = "parsers")]
        signature: Signature::OleStream("PowerPoint Document"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| slides::read(Format::Ppt, bytes),
    },
    FileType {
        format: Format::Odt,
        name: "odt",
        label: "ODT",
        phrase: "an OpenDocument text (ODT)",
        extensions: &["odt"],
        other_extensions: &["ott"],
        media_types: &["application/vnd.oasis.opendocument.text"],
        crawled_media_types: &["application/vnd.oasis.opendocument.text"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipType("application/vnd.oasis.opendocument.text"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| odf::read(Format::Odt, bytes),
    },
    FileType {
        format: Format::Ods,
        name: "ods",
        label: "ODS",
        phrase: "an OpenDocument spreadsheet (ODS)",
        extensions: &["ods"],
        other_extensions: &["ots"],
        media_types: &["application/vnd.oasis.opendocument.spreadsheet"],
        crawled_media_types: &["application/vnd.oasis.opendocument.spreadsheet"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipType("application/vnd.oasis.opendocument.spreadsheet"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| odf::read(Format::Ods, bytes),
    },
    FileType {
        format: Format::Odp,
        name: "odp",
        label: "ODP",
        phrase: "an OpenDocument presentation (ODP)",
        extensions: &["odp"],
        other_extensions: &["otp"],
        media_types: &["application/vnd.oasis.opendocument.presentation"],
        crawled_media_types: &["application/vnd.oasis.opendocument.presentation"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipType("application/vnd.oasis.opendocument.presentation"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| odf::read(Format::Odp, bytes),
    },
    FileType {
        format: Format::Rtf,
        name: "rtf",
        label: "RTF",
        phrase: "an RTF document",
        extensions: &["rtf"],
        other_extensions: &[],
        media_types: &["application/rtf", "text/rtf", "text/richtext"],
        crawled_media_types: &["application/rtf", "text/rtf", "text/richtext"],
        #[cfg(feature = "parsers")]
        signature: Signature::Start(b"{\\rtf"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| rtf::read(bytes),
    },
    FileType {
        format: Format::Epub,
        name: "epub",
        label: "EPUB",
        phrase: "an e-book (EPUB)",
        extensions: &["epub"],
        other_extensions: &[],
        media_types: &["application/epub+zip"],
        crawled_media_types: &["application/epub+zip"],
        #[cfg(feature = "parsers")]
        signature: Signature::ZipType("application/epub+zip"),
        #[cfg(feature = "parsers")]
        parse: |_, bytes| epub::read(bytes),
    },
    FileType {
        format: Format::Json,
        name: "json",
        label: "JSON",
        phrase: "JSON",
        extensions: &["json", "jsonl", "ndjson"],
        other_extensions: &["geojson"],
        media_types: &[
            "application/json",
            "text/json",
            "application/x-ndjson",
            "application/jsonl",
            "application/geo+json",
        ],
        crawled_media_types: &[],
        #[cfg(feature = "parsers")]
        signature: Signature::Text,
        #[cfg(feature = "parsers")]
        parse: |_, bytes| json::read(bytes),
    },
];
