//! Paragraphs, headings, lists, words and marks.

use super::super::super::page::{Field, FieldKind, Link, Rect};
use super::{Sheet, prose, strs};

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
    // In visual order: the first word is on the right, numbers and Latin words run to the right.
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
fn readings_above_characters_do_not_divide_lines() {
    let text = Sheet::new()
        .size(5.0)
        .at(62.0, 91.0, "みなと")
        .size(10.0)
        .at(60.0, 100.0, "港の規則は次のとおり")
        .at(60.0, 116.0, "定める。")
        .text();
    assert_eq!(text.replace('\n', ""), "港の規則は次のとおり定める。");
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
