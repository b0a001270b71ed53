//! Reading order: columns, notes, boxes, vertical writing.

use super::super::super::page::{Area, FreeText, Rect};
use super::{Sheet, holds_in_order, prose, strs};

#[test]
fn the_left_column_comes_before_the_right_one() {
    let text = Sheet::new()
        .size(14.0)
        .at(200.0, 50.0, "Small Harbours of the Coast")
        .size(10.0)
        .at(260.0, 80.0, "4 March 2026")
        .lines(40.0, 120.0, 12.0, &strs(&prose("left")))
        .lines(310.0, 121.5, 12.0, &strs(&prose("right")))
        .at(295.0, 760.0, "17")
        .text();
    holds_in_order(
        &text,
        &["# Small Harbours of the Coast", "4 March 2026", "left0", "left7", "right0", "right7", "17"],
    );
}

#[test]
fn three_columns_are_read_one_after_the_other() {
    let column =
        |mark: &str| (0..12).map(|n| format!("{mark}{n} the harbour board has read")).collect::<Vec<_>>();
    let text = Sheet::new()
        .lines(20.0, 100.0, 12.0, &strs(&column("a")))
        .lines(210.0, 104.0, 12.0, &strs(&column("b")))
        .lines(400.0, 98.0, 12.0, &strs(&column("c")))
        .text();
    holds_in_order(&text, &["a0", "a11", "b0", "b11", "c0", "c11"]);
}

#[test]
fn a_note_in_the_margin_stands_apart() {
    let text = Sheet::new()
        .lines(160.0, 100.0, 12.0, &strs(&prose("line")))
        .bold(true)
        .size(8.0)
        .lines(50.0, 117.0, 10.0, &["Seats of one route", "cannot easily be", "moved to another"])
        .text();
    holds_in_order(&text, &["of line1", "of line7", "Seats of one route cannot easily be moved to another"]);
}

#[test]
fn text_in_a_box_stands_apart() {
    let mut sheet = Sheet::new().lines(40.0, 100.0, 12.0, &strs(&prose("line"))).lines(
        330.0,
        120.0,
        14.0,
        &["Opening hours", "Monday 8 to 17", "Closed on Sunday"],
    );
    let rect = Rect { x0: 320.0, y0: 105.0, x1: 480.0, y1: 160.0 };
    sheet.page.boxes.push(Area { rect, fill: Some(0xeeeeee), stroked: false });
    holds_in_order(&sheet.text(), &["line0", "line7", "Opening hours", "Monday 8 to 17", "Closed"]);
}

#[test]
fn line_numbers_are_no_part_of_the_text() {
    let mut sheet = Sheet::new();
    for line in 1..=8_u8 {
        let y = 100.0 + 16.0 * f32::from(line);
        sheet = sheet.at(40.0, y, &line.to_string());
        if line != 3 {
            sheet = sheet.at(80.0, y, "the harbour board has read the letter of the");
        }
    }
    let text = sheet.text();
    assert!(!text.chars().any(|character| character.is_ascii_digit()), "{text}");
    let fifths = |sheet: Sheet, line: u8| {
        let y = 100.0 + 16.0 * f32::from(line);
        let sheet = sheet.at(80.0, y, "the harbour board has read the letter of the");
        if line.is_multiple_of(5) { sheet.at(40.0, y, &line.to_string()) } else { sheet }
    };
    let text = (1..=16).fold(Sheet::new(), fifths).text();
    assert!(!text.chars().any(|character| character.is_ascii_digit()), "{text}");
}

#[test]
fn vertical_columns_are_read_from_the_right() {
    let mut sheet = Sheet::new();
    for (column, text) in
        ["第一条この規則は港の", "夜間作業について定める", "第二条作業員は灯火を"].iter().enumerate()
    {
        for (at, character) in text.chars().enumerate() {
            let (x, y) = (500.0 - 20.0 * column as f32, 100.0 + 10.0 * at as f32);
            sheet.glyph(character, [x - 5.0, y, x + 5.0, y + 10.0], x, 0, column as u32);
        }
    }
    let text = sheet.text();
    holds_in_order(&text, &["第一条この規則は港の", "夜間作業について定める", "第二条作業員は灯火を"]);
}

#[test]
fn notes_written_on_a_page_stand_at_their_place() {
    let mut sheet =
        Sheet::new().at(60.0, 100.0, "Site plan of the east gate").at(60.0, 300.0, "Revision four");
    let rect = Rect { x0: 60.0, y0: 180.0, x1: 200.0, y1: 200.0 };
    sheet.page.notes.push(FreeText { rect, text: "Gate closes at 18:00".to_owned() });
    holds_in_order(&sheet.text(), &["Site plan", "Gate closes at 18:00", "Revision four"]);
}

#[test]
fn a_page_of_equal_glyphs_is_laid_out() {
    let mut sheet = Sheet::new();
    for at in 0..20_000_u32 {
        let x = f32::from((at % 300) as u16) * 2.0;
        sheet.glyph('x', [x, 90.0, x + 5.0, 100.0], 98.0 + (at % 7) as f32, 0, at);
    }
    assert!(!sheet.text().is_empty());
    let mut broken = Sheet::new();
    broken.glyph('x', [f32::NAN, 0.0, f32::INFINITY, 1.0], f32::NAN, 0, 0);
    assert_eq!(broken.text(), "");
}
