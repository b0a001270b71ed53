//! Word documents with decompression bombs, deep nesting and false metadata.

use crate::corpus::word::{archive, of_body, of_document, paragraph};
use crate::corpus::{Block, Sample, doc, docx, half, noise, ole};
use crate::protocol::Verdict::{Corrupt, Empty, Encrypted, Timeout, TooComplex, TooLarge};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = packages();
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
