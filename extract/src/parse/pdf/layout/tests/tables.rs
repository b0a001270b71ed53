//! Tables, ruled and unruled.

use super::Sheet;

#[test]
fn the_first_column_of_a_hebrew_table_is_the_right_one() {
    let rows = [("ריחמ", "גוס"), ("90", "קאיק"), ("250", "הריס"), ("15", "תפור")];
    let sheet = rows.iter().enumerate().fold(Sheet::new(), |sheet, (row, (price, kind))| {
        let y = 100.0 + 14.0 * row as f32;
        sheet.at(100.0, y, price).at(300.0, y, kind)
    });
    assert!(sheet.text().starts_with("| סוג | מחיר |\n| --- | --- |\n| קיאק | 90 |"));
}

#[test]
fn turned_headings_stand_in_their_cells() {
    let mut sheet = Sheet::new();
    for x in [40.0, 160.0, 200.0, 240.0] {
        sheet = sheet.rule(x, 100.0, x, 220.0);
    }
    for y in [100.0, 180.0, 200.0, 220.0] {
        sheet = sheet.rule(40.0, y, 240.0, y);
    }
    for (x, heading) in [(185.0, "Weekday"), (225.0, "Sunday")] {
        for (at, character) in heading.chars().enumerate() {
            let bottom = 175.0 - 5.0 * at as f32;
            sheet.glyph(character, [x - 8.0, bottom - 5.0, x + 2.0, bottom], x, 270, x as u32);
        }
    }
    let text = sheet
        .at(45.0, 194.0, "Crane")
        .at(170.0, 194.0, "10")
        .at(210.0, 194.0, "20")
        .at(45.0, 214.0, "Pilot")
        .at(170.0, 214.0, "30")
        .at(210.0, 214.0, "40")
        .text();
    assert_eq!(
        text,
        "|  | Weekday | Sunday |\n| --- | --- | --- |\n| Crane | 10 | 20 |\n| Pilot | 30 | 40 |"
    );
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
