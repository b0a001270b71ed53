//! Word documents with decompression bombs, deep nesting and false metadata.

use crate::corpus::word::{archive, of_body, of_document, of_parts, paragraph};
use crate::corpus::{Block, Sample, doc, docx, half, noise, ole};
use crate::protocol::Verdict::{Corrupt, Empty, Encrypted, Timeout, TooComplex, TooLarge};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = packages();
    samples.extend(multipliers());
    samples.extend(compounds());
    samples
}

fn packages() -> Vec<Sample> {
    let nested = |open: &str, close: &str, depth: usize| {
        let inner = paragraph("", "Words in the middle");
        of_body(&format!("{}{inner}{}", open.repeat(depth), close.repeat(depth)))
    };
    let spaces = " ".repeat(200 << 20);
    let bomb = of_body(&paragraph("", &spaces));
    let letters = of_body(&paragraph("", &"words ".repeat(10 << 20)));
    let laughs: String = (1..12)
        .map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10)))
        .collect();
    let entity = |declarations: &str, used: &str| {
        of_document(&format!(
            "<?xml version=\"1.0\"?><!DOCTYPE d [{declarations}]><w:document \
             xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r>\
             <w:t>Words {used}</w:t></w:r></w:p></w:body></w:document>"
        ))
    };
    let names: Vec<String> = (0..40_000).map(|number| format!("word/{number}.xml")).collect();
    let mut entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    entries.push(("word/document.xml", b"<x/>"));
    let cells = vec!["x"; 200_000];
    let whole = docx(&[Block::Paragraph("Some words"), Block::Heading(1, "And a heading")]);
    vec![
        Sample::rejected("zip-bomb.docx", bomb, &[TooLarge, TooComplex, Timeout]),
        Sample::rejected("letters-bomb.docx", letters, &[TooLarge, TooComplex, Timeout]),
        Sample::any("deep-paragraphs.docx", nested("<w:p>", "</w:p>", 100_000)),
        Sample::any("deep-tables.docx", nested("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>", 100_000)),
        Sample::any("deep-unknown.docx", nested("<w:sdt><w:sdtContent>", "</w:sdtContent></w:sdt>", 200_000)),
        Sample::any("unclosed.docx", of_body(&"<w:tbl>".repeat(500_000))),
        Sample::any("laughs.docx", entity(&format!("<!ENTITY l0 \"ha\">{laughs}"), "&l11;")),
        Sample::any("file-entity.docx", entity("<!ENTITY f SYSTEM \"file:///etc/passwd\">", "&f;")),
        Sample::any("entries.docx", archive(&entries)),
        Sample::any("cells.docx", docx(&[Block::Table(&[&cells])])),
        Sample::any(
            "attributes.docx",
            of_body(&format!("<w:p {}/>", (0..100_000).map(|n| format!("a{n}=\"\" ")).collect::<String>())),
        ),
        Sample::rejected("no-words.docx", docx(&[]), &[Empty]),
        Sample::rejected("no-parts.docx", archive(&[("word/document.xml", b"not xml")]), &[Corrupt, Empty]),
        Sample::rejected("truncated.docx", half(whole.clone()), &[Corrupt]),
        Sample::rejected(
            "noise-after-mark.docx",
            [b"PK\x03\x04".as_slice(), &noise(1 << 16)].concat(),
            &[Corrupt],
        ),
        Sample::any("noise-inside.docx", damaged(whole)),
    ]
}

/// Small files with a large text: merged cells, notes that refer to themselves, computed numbers.
fn multipliers() -> Vec<Sample> {
    let wide = |text: &str| {
        format!(
            "<w:tr><w:tc><w:tcPr><w:gridSpan w:val=\"9999\"/></w:tcPr>{}</w:tc></w:tr>",
            paragraph("", text)
        )
    };
    let tall = |merge: &str, text: &str| {
        format!("<w:tr><w:tc><w:tcPr><w:vMerge{merge}/></w:tcPr>{}</w:tc></w:tr>", paragraph("", text))
    };
    let note = "<w:footnoteReference w:id=\"1\"/>".repeat(40);
    let item = paragraph("<w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr>", "x");
    let level = format!(
        "<w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\"><w:start w:val=\"32767\"/>\
         <w:numFmt w:val=\"upperRoman\"/><w:lvlText w:val=\"{}\"/></w:lvl></w:abstractNum>\
         <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num>",
        "%1".repeat(100_000)
    );
    let fraction =
        format!("{}<m:t>x</m:t>{}", "<m:f><m:num>".repeat(50_000), "</m:num></m:f>".repeat(50_000));
    vec![
        Sample::any("wide-cells.docx", of_body(&format!("<w:tbl>{}</w:tbl>", wide("x").repeat(50_000)))),
        Sample::any(
            "tall-cell.docx",
            of_body(&format!(
                "<w:tbl>{}{}</w:tbl>",
                tall(" w:val=\"restart\"", &"word ".repeat(100_000)),
                tall("", "").repeat(50_000)
            )),
        ),
        Sample::text(
            "note-in-itself.docx",
            of_parts(
                &format!("<w:p><w:r><w:t>Words</w:t>{note}</w:r></w:p>"),
                &[(
                    "footnotes",
                    &format!(
                        "<w:footnote w:id=\"1\"><w:p><w:r>{note}<w:t>Inside</w:t></w:r></w:p></w:footnote>"
                    ),
                )],
                &[],
            ),
            &["Words[^1]", "Inside"],
        ),
        Sample::any("long-numbers.docx", of_parts(&item.repeat(50_000), &[("numbering", &level)], &[])),
        Sample::any("deep-equation.docx", of_body(&format!("<w:p><m:oMath>{fraction}</m:oMath></w:p>"))),
    ]
}

fn compounds() -> Vec<Sample> {
    let whole = doc(&["Some words", "and others"]);
    let (locked, table) = ole::word(&["Secret words"], 0x0100, None);
    let (liar, pieces) = ole::word(&["Some words"], 0, Some(0x7fff_ffff));
    let mut chain_loop = whole.clone();
    // Every sector except the table's is its own successor.
    for sector in 1_u32..128 {
        let at = 512 + sector as usize * 4;
        if let Some(entry) = chain_loop.get_mut(at..at + 4) {
            entry.copy_from_slice(&sector.to_le_bytes());
        }
    }
    let mut tree_loop = whole.clone();
    // The siblings and the child of every entry point to the previous entry.
    for entry in 0_u32..4 {
        let at = 1024 + entry as usize * 128 + 68;
        for place in [at, at + 4, at + 8] {
            if let Some(field) = tree_loop.get_mut(place..place + 4) {
                field.copy_from_slice(&entry.saturating_sub(1).to_le_bytes());
            }
        }
    }
    let package = ole::compound(&[("EncryptedPackage", &noise(5000)), ("EncryptionInfo", &noise(500))]);
    vec![
        Sample::rejected("locked.docx", package, &[Encrypted]),
        Sample::rejected(
            "locked.doc",
            ole::compound(&[("1Table", &table), ("WordDocument", &locked)]),
            &[Encrypted],
        ),
        Sample::any("length.doc", ole::compound(&[("1Table", &pieces), ("WordDocument", &liar)])),
        Sample::rejected(
            "noise.doc",
            ole::compound(&[("1Table", &noise(9000)), ("WordDocument", &noise(9000))]),
            &[Corrupt],
        ),
        Sample::rejected("no-table.doc", ole::compound(&[("WordDocument", &liar)]), &[Corrupt, Empty]),
        Sample::any("chain-loop.doc", chain_loop),
        Sample::any("tree-loop.doc", tree_loop),
        Sample::rejected("truncated.doc", half(whole.clone()), &[Corrupt, Empty]),
        Sample::rejected("head.doc", whole.get(..512).unwrap_or_default(), &[Corrupt]),
        Sample::rejected(
            "noise-after-mark.doc",
            [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &noise(1 << 16)].concat(),
            &[Corrupt],
        ),
    ]
}

/// Overwrites 64 bytes in the middle of a file with noise.
fn damaged(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    if let Some(hole) = bytes.get_mut(middle..middle + 64) {
        hole.copy_from_slice(&noise(64));
    }
    bytes
}
