//! Lines that begin with a series of numbers, and numbers that are no text.

use super::Sheet;

fn lines(lines: &[&str]) -> String {
    Sheet::new().lines(60.0, 100.0, 13.0, lines).text()
}

#[test]
fn lines_of_one_series_stay_lines() {
    for [first, second] in [
        ["A. Opening of the meeting", "B. Report of the treasurer"],
        ["I. Opening of the meeting", "II. Report of the treasurer"],
        ["① Open the valve of the tank", "② Close the hatch of the ship"],
        ["Q1: Who pays the fee here?", "Q2: When is the payment due?"],
        ["Step 1: Open the valve here.", "Step 2: Close the hatch now."],
        ["9 And the ship went to sea.", "10 Then the wind came up hard"],
        ["第一条本规则适用于东部港口。", "第二条作业人员应携带灯具。"],
    ] {
        assert_eq!(lines(&[first, second]), format!("{first}\n\n{second}"));
    }
}

#[test]
fn an_item_of_a_series_goes_on_in_the_next_line() {
    let text = lines(&[
        "Clause 1: The board sets the fees each year and tells",
        "the masters of all boats.",
        "Clause 2: The master collects the fees on board.",
    ]);
    assert!(text.contains("tells the masters of all boats.\n\nClause 2"), "{text}");
}

#[test]
fn initials_in_running_text_start_no_series() {
    let text = lines(&[
        "The paper was read on Monday in the hall of the office by",
        "A. Smith and B. Jones in the presence of the whole board.",
    ]);
    assert!(text.contains("office by A. Smith and B. Jones"), "{text}");
}

#[test]
fn ticks_stay_in_the_text_of_their_item() {
    let text = lines(&["✔ Breakfast is included", "✘ Dinner is not included"]);
    assert_eq!(text, "- ✔ Breakfast is included\n- ✘ Dinner is not included");
}

#[test]
fn small_numbers_in_the_margin_count_the_lines() {
    let mut sheet = Sheet::new();
    let text = [
        "A boat that stays longer than one night must pay",
        "the fee for each night that follows, unless the",
        "master is ill.",
        "The fee is set by the board once a year.",
    ];
    for (at, line) in text.iter().enumerate() {
        let y = 100.0 + at as f32 * 20.0;
        sheet = sheet.size(8.0).at(70.0, y, &(at + 1).to_string()).size(12.0).at(110.0, y, line);
    }
    let text = sheet.text();
    assert!(text.contains("must pay the fee for each night that follows, unless the master"), "{text}");
}

#[test]
fn amounts_at_the_start_of_lines_are_no_line_numbers() {
    let text = lines(&["1 egg", "2 cups of the finest flour", "3 spoons of the best sugar", "4 pears"]);
    assert!(text.contains("2 cups of") && text.contains("3 spoons of"), "{text}");
}

#[test]
fn a_title_above_three_columns_comes_first() {
    let mut sheet = Sheet::new().size(16.0).at(220.0, 60.0, "News of the harbour").size(9.0);
    for (at, mark) in ["aa", "bb", "cc"].iter().enumerate() {
        let lines: Vec<String> =
            (10..22).map(|line| format!("{mark}{line} the board has read your")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        sheet = sheet.lines(50.0 + at as f32 * 170.0, 100.0, 11.0, &lines);
    }
    super::holds_in_order(
        &sheet.text(),
        &["News of the harbour", "aa10", "aa21", "bb10", "bb21", "cc10", "cc21"],
    );
}

#[test]
fn digits_side_by_side_stand_in_a_vertical_column() {
    let mut sheet = Sheet::new().size(12.0);
    let column = |mut sheet: Sheet, x: f32, top: f32, text: &str| {
        for (at, character) in text.chars().enumerate() {
            sheet = sheet.size(12.0).at(x, top + at as f32 * 14.0, &character.to_string());
        }
        sheet
    };
    sheet = column(sheet, 500.0, 60.0, "この規則は平成");
    sheet = sheet.size(8.0).at(502.0, 60.0 + 7.0 * 14.0 - 1.0, "29");
    sheet = column(sheet, 500.0, 60.0 + 8.0 * 14.0, "年から施行する");
    let text = column(sheet, 476.0, 60.0, "夜間作業をする者は港長に届").text();
    assert!(text.contains("この規則は平成29年から施行する"), "{text}");
}

#[test]
fn a_title_above_vertical_columns_is_read_across() {
    let mut sheet = Sheet::new().size(18.0).at(250.0, 40.0, "港湾夜間規則");
    for (x, text) in [(500.0, "港長は毎月末に記録を提出する。"), (476.0, "提出先は港湾局とする。")]
    {
        for (at, character) in text.chars().enumerate() {
            sheet = sheet.size(12.0).at(x, 80.0 + at as f32 * 14.0, &character.to_string());
        }
    }
    let text = sheet.text();
    assert!(text.contains("港湾夜間規則") && text.contains("記録を提出する。"), "{text}");
}

#[test]
fn an_initial_belongs_to_the_first_word() {
    let text = Sheet::new()
        .size(40.0)
        .at(60.0, 124.0, "T")
        .size(10.0)
        .at(84.0, 100.0, "he harbour opens at nine in the morning and it then")
        .at(84.0, 112.0, "closes at six in the evening of each day of the week")
        .at(84.0, 124.0, "but for the days on which the ice is in the way of it")
        .at(60.0, 136.0, "all.")
        .text();
    assert!(text.starts_with("The harbour opens at nine in the morning and it then closes"), "{text}");
}

#[test]
fn a_star_behind_a_blank_refers_to_a_note() {
    let text = Sheet::new()
        .at(60.0, 100.0, "A report by Hugh Egan *")
        .at(60.0, 700.0, "* The board thanks Ida Brock for her help.")
        .text();
    assert!(!text.contains("- The board"), "{text}");
}
