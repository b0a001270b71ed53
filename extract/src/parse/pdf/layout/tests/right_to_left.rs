//! Right-to-left lines. The sheet takes text in visual order, from left to right.

use super::Sheet;

fn seen(line: &str) -> String {
    Sheet::new().at(60.0, 100.0, line).text()
}

#[test]
fn a_full_stop_follows_the_number_it_ends() {
    // In visual order, the stop is at the left end of the line.
    assert_eq!(seen(".18:00 דע חותפ"), "פתוח עד 18:00.");
    assert_eq!(seen(".09:30 ןמ 12.5.2026 םוימ"), "מיום 12.5.2026 מן 09:30.");
}

#[test]
fn a_bracket_closes_behind_a_number() {
    assert_eq!(seen("עובשל (17% ללוכ)"), "(כולל 17%) לשבוע");
}

#[test]
fn the_number_of_an_item_comes_first() {
    let text = Sheet::new().at(60.0, 100.0, "רעשה תא וחתפ .1").at(60.0, 114.0, "רעשה תא ורגס .2").text();
    assert_eq!(text, "1. פתחו את השער\n2. סגרו את השער");
}

#[test]
fn latin_names_keep_their_brackets() {
    assert_eq!(seen("הנגע Otter (2026) הניפסה"), "הספינה Otter (2026) עגנה");
    assert_eq!(seen("הנגע (Otter 300 הניפס)"), "(ספינה Otter 300) עגנה");
    assert_eq!(seen(".Otter 300 הניפסה"), "הספינה Otter 300.");
}

#[test]
fn a_latin_word_that_touches_the_next_one_is_divided() {
    let sheet = Sheet::new().at(60.0, 100.0, "נם").at(70.0, 100.0, "Python").at(105.0, 100.0, "ו הפש");
    assert_eq!(sheet.text(), "שפה וPython םנ");
}
