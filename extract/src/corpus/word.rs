//! DOCX writer: only the parts that a reader needs.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A block of a Word document.
#[derive(Clone, Copy, Debug)]
pub enum Block<'a> {
    /// A heading, of level 1 to 6.
    Heading(u8, &'a str),
    /// A paragraph.
    Paragraph(&'a str),
    /// A bulleted list item.
    Item(&'a str),
    /// A table, header row first.
    Table(&'a [&'a [&'a str]]),
}

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" \
    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";

const TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
    <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>\
    <Override PartName=\"/word/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>\
    <Override PartName=\"/word/numbering.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml\"/>\
    <Override PartName=\"/word/header1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml\"/>\
    </Types>";

const RELATIONS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/>\
    </Relationships>";

const DOCUMENT_RELATIONS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>\
    <Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering\" Target=\"numbering.xml\"/>\
    <Relationship Id=\"rId3\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/header\" Target=\"header1.xml\"/>\
    </Relationships>";

/// A DOCX document of these blocks.
pub(super) fn docx(blocks: &[Block<'_>]) -> Vec<u8> {
    let body: String = blocks.iter().map(block).collect();
    of_body(&body)
}

/// A DOCX document with this body XML.
pub(super) fn of_body(body: &str) -> Vec<u8> {
    of_document(&format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document {W}><w:body>{body}<w:sectPr>\
         <w:headerReference w:type=\"default\" r:id=\"rId3\"/></w:sectPr></w:body></w:document>"
    ))
}

/// A DOCX document with this XML as its main part.
pub(super) fn of_document(document: &str) -> Vec<u8> {
    let styles: String = (1..=6)
        .map(|level| {
            format!(
                "<w:style w:type=\"paragraph\" w:styleId=\"Heading{level}\"><w:name w:val=\"heading {level}\"/>\
                 <w:pPr><w:outlineLvl w:val=\"{}\"/></w:pPr></w:style>",
                level - 1
            )
        })
        .collect();
    archive(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", format!("<w:styles {W}>{styles}</w:styles>").as_bytes()),
        (
            "word/numbering.xml",
            format!(
                "<w:numbering {W}><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\">\
                 <w:numFmt w:val=\"bullet\"/><w:lvlText w:val=\"•\"/></w:lvl></w:abstractNum>\
                 <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>"
            )
            .as_bytes(),
        ),
        ("word/header1.xml", format!("<w:hdr {W}>{}</w:hdr>", paragraph("", "A running header")).as_bytes()),
    ])
}

/// A DOCX document with this body, the content of further parts (`styles`, `numbering`, `footnotes`,
/// `endnotes`, `comments`) and the targets of links by identifier.
pub(super) fn of_parts(body: &str, parts: &[(&str, &str)], links: &[(&str, &str)]) -> Vec<u8> {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const NAMESPACES: &str = "xmlns:m=\"http://schemas.openxmlformats.org/officeDocument/2006/math\" \
        xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" \
        xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
        xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\" \
        xmlns:v=\"urn:schemas-microsoft-com:vml\"";

    let mut relations = String::new();
    let mut entries = Vec::new();
    for (name, content) in parts {
        relations.push_str(&format!(
            "<Relationship Id=\"r-{name}\" Type=\"{OFFICE}/{name}\" Target=\"{name}.xml\"/>"
        ));
        entries
            .push((format!("word/{name}.xml"), format!("<w:{name} {W} {NAMESPACES}>{content}</w:{name}>")));
    }
    for (id, target) in links {
        relations.push_str(&format!(
            "<Relationship Id=\"{id}\" Type=\"{OFFICE}/hyperlink\" Target=\"{target}\" TargetMode=\"External\"/>"
        ));
    }
    let relations = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{relations}</Relationships>"
    );
    let document = format!("<w:document {W} {NAMESPACES}><w:body>{body}</w:body></w:document>");
    let mut files = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("word/_rels/document.xml.rels", relations.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ];
    files.extend(entries.iter().map(|(name, content)| (name.as_str(), content.as_bytes())));
    archive(&files)
}

/// A ZIP archive of these entries.
pub(super) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        // Writing to memory does not fail.
        let _ = writer.start_file(*name, SimpleFileOptions::default());
        let _ = writer.write_all(content);
    }
    writer.finish().map(Cursor::into_inner).unwrap_or_default()
}

fn block(block: &Block<'_>) -> String {
    match block {
        Block::Heading(level, text) => paragraph(&format!("<w:pStyle w:val=\"Heading{level}\"/>"), text),
        Block::Paragraph(text) => paragraph("", text),
        Block::Item(text) => {
            paragraph("<w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr>", text)
        }
        Block::Table(rows) => {
            let cell = |cell: &&str| format!("<w:tc>{}</w:tc>", paragraph("", cell));
            let row = |row: &&[&str]| format!("<w:tr>{}</w:tr>", row.iter().map(cell).collect::<String>());
            format!("<w:tbl>{}</w:tbl>", rows.iter().map(row).collect::<String>())
        }
    }
}

pub(super) fn paragraph(properties: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>")
}
