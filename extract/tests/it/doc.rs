//! DOC documents: lists, notes, tables and hidden content.

use parlance_extract::corpus::{RichDoc, rich_doc};
use parlance_extract::protocol::Request;

use crate::child::extract;

fn read(doc: &RichDoc<'_>) -> String {
    extract(&Request::default(), &rich_doc(doc)).reply.unwrap().text
}

/// Properties of a paragraph in list `list` at a level.
fn item(list: u8, level: u8) -> Vec<u8> {
    vec![0x0b, 0x46, list, 0, 0x0a, 0x26, level]
}

/// A level of a list: the code of its format and its text, with the characters 0 to 8 for the numbers.
fn level(code: u8, text: &str, legal: bool) -> Vec<u8> {
    let mut level = 1_u32.to_le_bytes().to_vec();
    level.extend([code, u8::from(legal) << 2]);
    level.resize(28, 0);
    level.extend((text.len() as u16).to_le_bytes());
    level.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    level
}

/// Definitions of a list of nine levels and of a simple one, and three lists that use them: the third
/// starts the simple one anew at 6.
fn lists(levels: &[Vec<u8>; 2], simple: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut definitions = 2_u16.to_le_bytes().to_vec();
    for (id, is_simple) in [(11_u32, 0), (22, 1)] {
        definitions.extend(id.to_le_bytes());
        definitions.resize(definitions.len() + 22, 0xff);
        definitions.extend([is_simple, 0]);
    }
    for level in levels.iter().chain(std::iter::repeat_n(&levels[1], 7)) {
        definitions.extend(level);
    }
    definitions.extend(simple);
    let mut overrides = 3_u32.to_le_bytes().to_vec();
    for (id, changes) in [(11_u32, 0), (22, 0), (22, 1)] {
        overrides.extend(id.to_le_bytes());
        overrides.extend([0; 8]);
        overrides.extend([changes, 0, 0, 0]);
    }
    overrides.extend([0xff; 12]);
    overrides.extend(6_u32.to_le_bytes());
    overrides.extend(0x10_u32.to_le_bytes());
    (definitions, overrides)
}

#[test]
fn items_of_doc_carry_their_numbers_and_bullets() {
    let levels = [level(1, "\0)", false), level(0, "\0.\u{1}", true)];
    let (definitions, overrides) = lists(&levels, &level(23, "\u{f0b7}", false));
    let (numbered, inner, bullet) = (item(1, 0), item(1, 1), item(2, 0));
    let doc = RichDoc {
        paragraphs: &[
            ("Deposit\r", &numbered),
            ("In advance\r", &inner),
            ("Between\r", &[]),
            ("Repairs\r", &numbered),
            ("Small\r", &inner),
            ("Rope\r", &bullet),
        ],
        stories: [47, 0, 0, 0, 0, 0],
        parts: &[(73, &definitions), (74, &overrides)],
        ..RichDoc::default()
    };
    assert_eq!(read(&doc), "I) Deposit\n  1.1 In advance\n\nBetween\n\nII) Repairs\n  2.1 Small\n- Rope");
}

#[test]
fn a_list_of_doc_starts_anew_where_told() {
    let levels = [level(0, "\0.", false), level(0, "\u{1}.", false)];
    let (definitions, overrides) = lists(&levels, &level(0, "\0.", false));
    let (simple, anew) = (item(2, 0), item(3, 0));
    let doc = RichDoc {
        paragraphs: &[("One\r", &simple), ("Two\r", &simple), ("Six\r", &anew), ("Seven\r", &anew)],
        stories: [18, 0, 0, 0, 0, 0],
        parts: &[(73, &definitions), (74, &overrides)],
        ..RichDoc::default()
    };
    assert_eq!(read(&doc), "1. One\n2. Two\n6. Six\n7. Seven");
}

#[test]
fn an_ordinary_line_of_doc_is_no_heading() {
    let heading = [0x40, 0x26, 1];
    let doc = RichDoc {
        paragraphs: &[("The light is on\r", &[]), ("OPENING TIMES\r", &[]), ("Prices\r", &heading)],
        stories: [37, 0, 0, 0, 0, 0],
        ..RichDoc::default()
    };
    assert_eq!(read(&doc), "The light is on\n\nOPENING TIMES\n\n## Prices");
}

#[test]
fn notes_of_doc_are_marked_and_hidden_text_is_not_shown() {
    let special: &[u8] = &[0x55, 0x08, 1];
    let texts = [0_u32, 12, 13].map(u32::to_le_bytes).concat();
    let references = [&[4_u32, 23].map(u32::to_le_bytes).concat()[..], &[1, 0]].concat();
    let doc = RichDoc {
        paragraphs: &[("Free\u{2} on weekdays secret\r", &[]), ("\u{2} Above 90.\r", &[]), ("x\r", &[])],
        runs: &[
            (4, &[]),
            (5, special),
            (17, &[]),
            (24, &[0x3c, 0x08, 1]),
            (25, &[]),
            (26, special),
            (37, &[]),
        ],
        stories: [25, 13, 0, 0, 0, 0],
        parts: &[(2, &references), (3, &texts)],
    };
    assert_eq!(read(&doc), "Free[^1] on weekdays\n\n[^1]: Above 90.");
}

#[test]
fn merged_cells_of_doc_are_repeated() {
    let in_table: &[u8] = &[0x16, 0x24, 1];
    // The end of a row, with the edges of its cells. `merge` states whether the first cell continues the one
    // above.
    let row = |edges: &[i16], merge: u16| {
        let mut layout = vec![(edges.len() - 1) as u8];
        layout.extend(edges.iter().flat_map(|edge| edge.to_le_bytes()));
        for cell in 1..edges.len() {
            let flags = if cell == 1 { merge } else { 0 };
            layout.extend(flags.to_le_bytes());
            layout.extend([0; 18]);
        }
        let mut properties = vec![0x16, 0x24, 1, 0x17, 0x24, 1, 0x08, 0xd6];
        properties.extend((layout.len() as u16 + 1).to_le_bytes());
        properties.extend(layout);
        properties
    };
    let three = row(&[0, 1000, 2000, 3000], 0x60);
    let two = row(&[0, 1000, 3000], 0x20);
    let cells = [
        "Region\u{7}",
        "Shop\u{7}",
        "Opens\u{7}",
        "North\u{7}",
        "Alder\rLane\u{7}",
        "8\u{7}",
        "\u{7}",
        "closed\u{7}",
    ];
    let mut paragraphs: Vec<(&str, &[u8])> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        for part in cell.split_inclusive('\r') {
            paragraphs.push((part, in_table));
        }
        match index {
            2 => paragraphs.push(("\u{7}", &three)),
            5 => paragraphs.push(("\u{7}", &three)),
            7 => paragraphs.push(("\u{7}", &two)),
            _ => {}
        }
    }
    paragraphs.push(("End.\r", &[]));
    let length = paragraphs.iter().map(|(text, _)| text.len() as u32).sum();
    let doc = RichDoc { paragraphs: &paragraphs, stories: [length, 0, 0, 0, 0, 0], ..RichDoc::default() };
    assert_eq!(
        read(&doc),
        "| Region | Shop | Opens |\n| --- | --- | --- |\n| North | Alder<br>Lane | 8 |\n| North | closed | closed |\n\nEnd."
    );
}

#[test]
fn links_of_doc_keep_their_anchors_and_fields_their_results() {
    let text = "Fill in \u{13} HYPERLINK \"https://a.example/form\" \\l \"step\" \u{14}a form\u{15} on \u{13}PAGEREF _Toc1\u{14}14\u{15}.\r";
    let length = text.encode_utf16().count() as u32;
    let doc = RichDoc { paragraphs: &[(text, &[])], stories: [length, 0, 0, 0, 0, 0], ..RichDoc::default() };
    assert_eq!(read(&doc), "Fill in [a form](https://a.example/form#step) on 14.");
}

#[test]
fn drop_caps_and_numbered_cells_of_doc_are_shown() {
    let levels = [level(0, "\0.", false), level(0, "\u{1}.", false)];
    let (definitions, overrides) = lists(&levels, &level(0, "\0.", false));
    let cap: &[u8] = &[0x2c, 0x44, 0x19, 0];
    let cell: &[u8] = &[0x16, 0x24, 1];
    let numbered = [cell, &item(1, 0)].concat();
    let end = [cell, &[0x17, 0x24, 1]].concat();
    let doc = RichDoc {
        paragraphs: &[
            ("O\r", cap),
            ("nce.\r", &[]),
            ("\u{7}", &numbered),
            ("Pay\u{7}", cell),
            ("\u{7}", &end),
            ("\u{7}", &numbered),
            ("Board\u{7}", cell),
            ("\u{7}", &end),
        ],
        stories: [21, 0, 0, 0, 0, 0],
        parts: &[(73, &definitions), (74, &overrides)],
        ..RichDoc::default()
    };
    assert_eq!(read(&doc), "Once.\n\n| 1. | Pay |\n| --- | --- |\n| 2. | Board |");
}
