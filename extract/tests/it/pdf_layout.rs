//! Reading order and structure of PDFs: columns, notes, tables, headings, lists, fields.

use std::fmt::Write as _;

use parlance_extract::corpus::drawn::Drawn;
use parlance_extract::protocol::Request;

use crate::child::extract;

/// Operators that write lines of (x, y, size, text), with the origin at the lower left of an A4 page.
fn written(lines: &[(f32, f32, u32, &str)]) -> String {
    lines.iter().fold(String::new(), |mut content, (x, y, size, text)| {
        let text = text.replace('(', "\\(").replace(')', "\\)");
        let _ = writeln!(content, "BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET");
        content
    })
}

fn text(content: &str, page: &str) -> String {
    let request = Request { name: Some("a.pdf".to_owned()), ..Request::default() };
    extract(&request, &Drawn { content, page, ..Drawn::default() }.file()).reply.unwrap().text
}

/// A column of running text whose lines begin with the mark and their number.
fn column(mark: &str, x: f32, top: f32, lines: usize) -> String {
    (0..lines).fold(String::new(), |mut content, line| {
        let y = top - 12.0 * line as f32;
        let words = format!("{mark}{line:02} vessel harbour storm merchant winter quay");
        content.push_str(&written(&[(x, y, 10, &words)]));
        content
    })
}

fn holds_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part);
        assert!(at.is_some(), "{part:?} is not in order in {text}");
        let at = at.unwrap_or_default();
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn a_left_column_is_read_to_its_end() {
    let content = [
        written(&[(190.0, 790.0, 17, "Small Harbours of the Coast"), (260.0, 760.0, 10, "4 March 2026")]),
        column("left", 60.0, 720.0, 20),
        column("right", 310.0, 714.0, 20),
        written(&[(295.0, 40.0, 10, "1")]),
    ];
    let text = text(&content.concat(), "");
    holds_in_order(&text, &["Small Harbours", "4 March", "left00", "left19", "right00", "right19", "1"]);
}

#[test]
fn a_note_beside_the_text_does_not_divide_it() {
    let note = written(&[(60.0, 700.0, 8, "Seats of one route"), (60.0, 690.0, 8, "cannot easily be moved")]);
    let text = text(&[column("line", 180.0, 720.0, 12), note].concat(), "");
    holds_in_order(
        &text,
        &["quay line01", "quay line02", "quay line11", "Seats of one route cannot easily be moved"],
    );
}

const ROWS: [[&str; 3]; 4] = [
    ["NAME", "ROLE", "PAID"],
    ["BRANNOCK, ADA", "PILOT", "4,120.55"],
    ["CULLEN, BERT", "CLERK", "1,870.10"],
    ["DUNNE, CLARE", "DIVER", "2,015.00"],
];

const TABLE: &str = "| NAME | ROLE | PAID |\n| --- | --- | --- |\n| BRANNOCK, ADA | PILOT | 4,120.55 |\n\
                     | CULLEN, BERT | CLERK | 1,870.10 |\n| DUNNE, CLARE | DIVER | 2,015.00 |";

#[test]
fn a_table_on_a_turned_page_keeps_its_rows() {
    let mut content = String::new();
    for (row, cells) in ROWS.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let (x, y) = (100 + 16 * row, 100 + 150 * column);
            let _ = writeln!(content, "BT /F1 9 Tf 0 1 -1 0 {x} {y} Tm ({cell}) Tj ET");
        }
    }
    assert_eq!(text(&content, "/Rotate 90"), TABLE);
    // The same text on an upright page.
    assert_eq!(text(&content, ""), TABLE);
}

#[test]
fn rows_without_lines_between_them_stay_rows() {
    let mut content = String::from("60 600 400 100 re S\n");
    for (row, cells) in ROWS.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            content.push_str(&written(&[(64.0 + 150.0 * column as f32, 680.0 - 14.0 * row as f32, 9, cell)]));
        }
    }
    assert_eq!(text(&content, ""), TABLE);
}

#[test]
fn the_numbers_of_lines_are_dropped() {
    let mut content = String::new();
    for line in 1..=8_u8 {
        let y = 760.0 - 18.0 * f32::from(line);
        content.push_str(&written(&[(60.0, y, 10, &line.to_string())]));
        if ![2, 5].contains(&line) {
            content.push_str(&written(&[(90.0, y, 10, "and the matter came on for oral argument")]));
        }
    }
    let text = text(&content, "");
    assert!(text.contains("oral argument") && !text.contains(|c: char| c.is_ascii_digit()), "{text}");
}

#[test]
fn headings_and_bullets_of_two_lines_are_joined() {
    let content = written(&[
        (60.0, 760.0, 18, "Our forecast for each region suggests"),
        (60.0, 738.0, 18, "that worries are overblown"),
        (60.0, 700.0, 10, "\\225"),
        (75.0, 700.0, 10, "Stricter rules on supply chains keep"),
        (75.0, 688.0, 10, "local shortages alive"),
        (60.0, 676.0, 10, "\\225"),
        (75.0, 676.0, 10, "Makers in the north gain"),
    ]);
    let expected = "# Our forecast for each region suggests that worries are overblown\n\n\
                    - Stricter rules on supply chains keep local shortages alive\n- Makers in the north gain";
    assert_eq!(text(&content, ""), expected);
}

#[test]
fn numbers_broken_at_a_hyphen_are_joined() {
    let content = written(&[
        (60.0, 700.0, 10, "The council looked at request 2023-"),
        (60.0, 688.0, 10, "0379, and telephone 0800-441-"),
        (60.0, 676.0, 10, "20 answers every question."),
    ]);
    assert!(text(&content, "").contains("request 2023-0379, and telephone 0800-441-20 answers"));
}

#[test]
fn cents_above_the_line_stay_cents() {
    let content =
        written(&[(60.0, 700.0, 12, "Rope costs $19"), (140.8, 705.0, 7, "99"), (152.0, 700.0, 12, "each")]);
    assert_eq!(text(&content, ""), "Rope costs $19.99 each");
}
