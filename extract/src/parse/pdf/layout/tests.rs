//! The layout of pages built from words at given places.

use super::super::page::{Area, Field, FieldKind, FreeText, Glyph, Link, Page, Rect, Rule};
use super::render;

/// Builder of a page of 600 by 800 points. Letters are half an em wide.
#[derive(Default)]
struct Sheet {
    page: Page,
    size: f32,
    bold: bool,
    mono: bool,
}

impl Sheet {
    fn new() -> Self {
        let page = Page { number: 1, width: 600.0, height: 800.0, ..Page::default() };
        Self { page, size: 10.0, ..Self::default() }
    }

    fn size(mut self, size: f32) -> Self {
        self.size = size;
        self
    }

    fn bold(mut self, bold: bool) -> Self {
        self.bold = bold;
        self
    }

    fn mono(mut self, mono: bool) -> Self {
        self.mono = mono;
        self
    }

    /// Writes a line whose baseline is at `y`. Blanks are gaps, not glyphs, as TeX sets them.
    fn at(mut self, x: f32, y: f32, text: &str) -> Self {
        let wide = |c: char| if c >= '\u{2e80}' && c < '\u{fb00}' { 1.0 } else { 0.5 };
        let mut left = x;
        let run = self.page.glyphs.len() as u32;
        for character in text.chars() {
            let right = left + wide(character) * self.size;
            if character != ' ' {
                self.glyph(character, [left, y - 0.8 * self.size, right, y + 0.2 * self.size], y, 0, run);
            }
            left = right;
        }
        self
    }

    fn glyph(&mut self, character: char, [x0, y0, x1, y1]: [f32; 4], baseline: f32, angle: u16, run: u32) {
        let order = self.page.glyphs.len() as u32;
        let (size, bold, mono) = (self.size, self.bold, self.mono);
        let text = character.to_string();
        self.page.glyphs.push(Glyph {
            text,
            x0,
            y0,
            x1,
            y1,
            baseline,
            size,
            angle,
            bold,
            mono,
            order,
            run,
            ..Glyph::default()
        });
    }

    /// Writes lines one below the other, `leading` points apart.
    fn lines(mut self, x: f32, y: f32, leading: f32, lines: &[&str]) -> Self {
        for (at, line) in lines.iter().enumerate() {
            self = self.at(x, y + at as f32 * leading, line);
        }
        self
    }

    fn rule(mut self, x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        self.page.rules.push(Rule { x0, y0, x1, y1, width: 0.5 });
        self
    }

    fn text(self) -> String {
        render(&[self.page]).concat()
    }
}

/// Eight lines of running text, 50 letters wide, that begin with the mark.
fn prose(mark: &str) -> Vec<String> {
    (0..8).map(|line| format!("{mark}{line} the harbour board has read the letter of")).collect()
}

fn strs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

fn holds_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not in order in {text}"));
        rest = &rest[at + part.len()..];
    }
}

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
fn numbers_of_table_rows_stay() {
    let mut sheet = Sheet::new().at(40.0, 100.0, "No").at(80.0, 100.0, "Quay").at(200.0, 100.0, "Berths");
    for row in 1..=6_u8 {
        let y = 100.0 + 14.0 * f32::from(row);
        sheet = sheet.at(40.0, y, &row.to_string()).at(80.0, y, "North").at(220.0, y, "12");
    }
    let text = sheet.text();
    assert!(text.starts_with("| No | Quay | Berths |\n| --- | --- | --- |\n| 1 | North | 12 |"), "{text}");
    assert!(text.contains("| 6 | North | 12 |"), "{text}");
}

#[test]
fn ruled_cells_make_a_table() {
    let mut sheet = Sheet::new();
    for x in [40.0, 160.0, 280.0, 400.0] {
        sheet = sheet.rule(x, 100.0, x, 180.0);
    }
    for y in [100.0, 120.0, 140.0, 180.0] {
        sheet = sheet.rule(40.0, y, 400.0, y);
    }
    let text = sheet
        .at(45.0, 114.0, "Service")
        .at(165.0, 114.0, "Note")
        .at(285.0, 114.0, "Price")
        .at(45.0, 134.0, "Crane")
        .at(165.0, 134.0, "Lift in | out")
        .at(285.0, 134.0, "85.50")
        .at(45.0, 154.0, "Winter")
        .at(165.0, 154.0, "October to")
        .at(165.0, 166.0, "March")
        .at(285.0, 154.0, "1,040.00")
        .text();
    let table = "| Service | Note | Price |\n| --- | --- | --- |\n| Crane | Lift in \\| out | 85.50 |\n\
                 | Winter | October to March | 1,040.00 |";
    assert_eq!(text, table);
}

#[test]
fn merged_cells_fill_each_of_their_rows() {
    let mut sheet = Sheet::new();
    for x in [40.0, 160.0, 280.0] {
        sheet = sheet.rule(x, 100.0, x, 180.0);
    }
    for y in [100.0, 120.0, 180.0] {
        sheet = sheet.rule(40.0, y, 280.0, y);
    }
    // The first column is one cell over two rows.
    let text = sheet
        .rule(160.0, 150.0, 280.0, 150.0)
        .at(45.0, 114.0, "Pier")
        .at(165.0, 114.0, "Boat")
        .at(45.0, 150.0, "North")
        .at(165.0, 138.0, "Otter")
        .at(165.0, 168.0, "Heron")
        .text();
    assert_eq!(text, "| Pier | Boat |\n| --- | --- |\n| North | Otter |\n| North | Heron |");
}

#[test]
fn rows_inside_one_ruled_box_stay_rows() {
    let mut sheet = Sheet::new();
    for x in [40.0, 200.0, 300.0] {
        sheet = sheet.rule(x, 100.0, x, 180.0);
    }
    for y in [100.0, 120.0, 180.0] {
        sheet = sheet.rule(40.0, y, 300.0, y);
    }
    let text = sheet
        .at(45.0, 114.0, "Item")
        .at(205.0, 114.0, "Cost")
        .at(45.0, 134.0, "Parts")
        .at(205.0, 134.0, "2,100")
        .at(45.0, 148.0, "Body labour")
        .at(205.0, 148.0, "300")
        .at(45.0, 162.0, "Sundries")
        .at(205.0, 162.0, "60")
        .text();
    assert!(text.ends_with("| Parts | 2,100 |\n| Body labour | 300 |\n| Sundries | 60 |"), "{text}");
}

#[test]
fn turned_tables_are_read_upright() {
    for angle in [90_u16, 270] {
        let mut sheet = Sheet::new();
        let rows = [
            ["NAME", "ROLE", "PAID"],
            ["ADA", "PILOT", "4,120.55"],
            ["BERT", "CLERK", "1,870.10"],
            ["CLARE", "DIVER", "2,015.00"],
        ];
        for (row, cells) in rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let across = 200.0 + 16.0 * row as f32;
                for (at, character) in cell.chars().enumerate() {
                    let along = 100.0 + 120.0 * column as f32 + 5.0 * at as f32;
                    // At 90 degrees text runs down and the next row is on the left.
                    let (x, y) =
                        if angle == 90 { (600.0 - across, along) } else { (across, 800.0 - along - 5.0) };
                    let (x0, x1) = if angle == 90 { (x - 2.0, x + 8.0) } else { (x - 8.0, x + 2.0) };
                    let run = row as u32 * 3 + column as u32;
                    sheet.glyph(character, [x0, y, x1, y + 5.0], x, angle, run);
                }
            }
        }
        let text = sheet.text();
        assert!(text.starts_with("| NAME | ROLE | PAID |"), "{angle}: {text}");
        assert!(text.contains("| ADA | PILOT | 4,120.55 |\n| BERT | CLERK | 1,870.10 |"), "{angle}: {text}");
    }
}

#[test]
fn headings_over_two_lines_are_joined() {
    let text = Sheet::new()
        .size(18.0)
        .at(60.0, 60.0, "Worries about the supply of")
        .at(60.0, 82.0, "rope are overblown")
        .size(10.0)
        .lines(60.0, 120.0, 12.0, &strs(&prose("line")))
        .text();
    assert!(text.starts_with("# Worries about the supply of rope are overblown\n\nline0"), "{text}");
}

#[test]
fn bold_words_that_open_a_paragraph_are_no_heading() {
    let text = Sheet::new()
        .bold(true)
        .at(60.0, 100.0, "Deposits.")
        .bold(false)
        .at(110.0, 100.0, "A deposit of forty crowns is due on the day on which")
        .at(60.0, 112.0, "the key is handed over to the owner of the boat or to his")
        .at(60.0, 124.0, "crew.")
        .text();
    assert!(text.starts_with("**Deposits.** A deposit of forty"), "{text}");
}

#[test]
fn bullets_and_numbers_start_items() {
    let text = Sheet::new()
        .at(60.0, 100.0, "•")
        .at(75.0, 100.0, "Stricter rules on supply chains keep local")
        .at(75.0, 112.0, "shortages alive")
        .at(80.0, 124.0, "–")
        .at(95.0, 124.0, "a smaller one")
        .at(60.0, 136.0, "•")
        .at(75.0, 136.0, "Makers in the north gain")
        .at(60.0, 160.0, "1. Review the rope.")
        .at(60.0, 172.0, "2. Count the winches.")
        .text();
    let list = "- Stricter rules on supply chains keep local shortages alive\n  - a smaller one\n\
                - Makers in the north gain\n1. Review the rope.\n2. Count the winches.";
    assert_eq!(text, list);
}

#[test]
fn a_number_within_a_paragraph_starts_no_item() {
    let text = Sheet::new()
        .lines(
            60.0,
            100.0,
            12.0,
            &[
                "The pier was built by the town in the spring of the year",
                "86. It was closed for repairs in the summer of the year",
                "91. It has been open ever since.",
            ],
        )
        .text();
    assert!(text.contains("of the year 86. It was"), "{text}");
}

#[test]
fn numbered_sections_are_lines_of_their_own() {
    let text = Sheet::new()
        .lines(
            60.0,
            100.0,
            12.0,
            &["§ 12 Application for a berth.", "§ 13 Berths that are not let.", "§ 14 Appeal."],
        )
        .text();
    assert!(!text.lines().any(|line| line.contains("§ 12") && line.contains("§ 13")), "{text}");
}

#[test]
fn a_starred_note_is_no_bullet() {
    let text = Sheet::new()
        .at(60.0, 100.0, "Speech by Hugh Irvine*")
        .at(60.0, 130.0, "On the second of May the northern line stopped for a week.")
        .size(8.0)
        .at(60.0, 700.0, "* I would like to thank Dora Egan.")
        .text();
    assert!(text.ends_with("\\* I would like to thank Dora Egan."), "{text}");
}

#[test]
fn raised_digits_never_join_a_number() {
    let raised = |text: &str, mark: &str| {
        let end = 60.0 + 5.0 * text.chars().count() as f32;
        Sheet::new().at(60.0, 100.0, text).size(6.0).at(end, 95.5, mark).text()
    };
    assert_eq!(raised("Rope costs €19", "99"), "Rope costs €19.99");
    assert_eq!(raised("About 10", "6"), "About 10^6");
    assert_eq!(raised("Some 340 m", "2"), "Some 340 m^2");
    assert_eq!(raised("on deck", "1"), "on deck[1]");
    assert_eq!(raised("the 4", "th"), "the 4th");
    let water = Sheet::new()
        .at(60.0, 100.0, "H")
        .size(6.0)
        .at(65.0, 101.5, "2")
        .size(10.0)
        .at(68.2, 100.0, "O")
        .text();
    assert_eq!(water, "H2O");
}

#[test]
fn fractions_become_one_line() {
    let text = Sheet::new()
        .at(60.0, 100.0, "The load is")
        .at(122.0, 94.0, "a + b")
        .rule(120.0, 97.0, 150.0, 97.0)
        .at(130.0, 107.0, "2c")
        .at(155.0, 100.0, "in winter.")
        .text();
    assert_eq!(text, "The load is (a + b)/2c in winter.");
}

#[test]
fn codes_and_words_broken_at_line_ends_are_joined() {
    for (first, second, joined) in [
        ("asked for request 2023-", "0379 today", "request 2023-0379 today"),
        ("and for docket FAA–2020–", "0686 today", "FAA–2020–0686"),
        ("that the next navi-", "gation is free", "navigation is free"),
        ("that it is self-", "evident to all", "self-evident"),
        ("that the pre-", "and post-war law", "pre- and post-war"),
        ("write to office@harbour-", "lindow.example", "office@harbour-lindow.example"),
        ("see https://www.example.org/", "berths now", "https://www.example.org/berths now"),
        ("from Jean-", "Paul and others", "Jean-Paul"),
        ("東部港口提供夜間", "装卸服務客戸", "東部港口提供夜間装卸服務客戸"),
    ] {
        let text = Sheet::new().at(60.0, 100.0, first).at(60.0, 112.0, second).text();
        assert!(text.replace('\n', " ").contains(joined), "{text}");
    }
}

#[test]
fn words_are_told_apart_by_their_distance() {
    let text = Sheet::new().at(60.0, 100.0, "from").at(82.0, 100.0, "Theorem").at(119.0, 100.0, "4.2").text();
    assert_eq!(text, "from Theorem 4.2");
    let spaced = "TIDETABLES".chars().enumerate().fold(Sheet::new(), |sheet, (at, character)| {
        let gap = if at >= 4 { 5.0 } else { 0.0 };
        sheet.at(60.0 + 8.0 * at as f32 + gap, 100.0, &character.to_string())
    });
    assert_eq!(spaced.text(), "TIDE TABLES");
}

#[test]
fn right_to_left_lines_are_in_logical_order() {
    // As seen: the first word is on the right, numbers and Latin words run to the right.
    let text = Sheet::new().at(60.0, 100.0, "(יטרפ) Sea Otter 18:00 הריס").text();
    assert_eq!(text, "סירה Sea Otter 18:00 (פרטי)");
    // Two numbers stand in the order of the line, each with its digits in their own.
    assert_eq!(Sheet::new().at(60.0, 100.0, "20 10 הריס").text(), "סירה 10 20");
}

#[test]
fn arabic_presentation_forms_become_letters() {
    assert_eq!(Sheet::new().at(60.0, 100.0, "\u{fedf}\u{fe8e}").text(), "ال");
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
fn code_keeps_its_lines_and_indentation() {
    let text = Sheet::new()
        .lines(60.0, 60.0, 12.0, &strs(&prose("line")))
        .mono(true)
        .at(60.0, 180.0, "if open:")
        .at(80.0, 192.0, "close(a - b)")
        .text();
    assert!(text.ends_with("```\nif open:\n    close(a - b)\n```"), "{text}");
}

#[test]
fn leader_dots_become_an_ellipsis() {
    let text =
        Sheet::new().at(60.0, 100.0, "Fares ............ 5").at(60.0, 112.0, "Berths .......... 12").text();
    assert_eq!(text, "Fares … 5\nBerths … 12");
}

#[test]
fn links_cover_their_words() {
    let mut sheet = Sheet::new().at(60.0, 100.0, "see the appendix here");
    let rect = Rect { x0: 99.0, y0: 90.0, x1: 141.0, y1: 104.0 };
    sheet.page.links.push(Link { rect, url: "https://example.org/a b".to_owned() });
    assert_eq!(sheet.text(), "see the [appendix](https://example.org/a%20b) here");
}

#[test]
fn field_values_follow_their_labels() {
    let mut sheet = Sheet::new().at(60.0, 100.0, "Boat name:").at(60.0, 130.0, "Insured");
    let rect = |x0, y0, x1, y1| Rect { x0, y0, x1, y1 };
    let value = |text: &str| text.to_owned();
    sheet.page.fields = vec![
        Field {
            rect: rect(120.0, 88.0, 300.0, 104.0),
            value: value("Sea Otter"),
            size: 10.0,
            ..Field::default()
        },
        Field {
            rect: rect(44.0, 120.0, 56.0, 132.0),
            value: value("[x]"),
            kind: FieldKind::CheckBox,
            size: 10.0,
            ..Field::default()
        },
    ];
    let text = sheet.text();
    assert!(text.contains("Boat name: Sea Otter"), "{text}");
    assert!(text.contains("[x] Insured"), "{text}");
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
