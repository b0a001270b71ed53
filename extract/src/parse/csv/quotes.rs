//! Quotation marks with blanks around them: `a, "b, c" , d`.
//!
//! In RFC 4180 such blanks are part of the cell and the mark is an ordinary character. In practice the mark
//! quotes the cell.

use std::borrow::Cow;

/// Removes blanks between a delimiter and a quotation mark.
pub(super) fn remove_blanks(table: &str, delimiter: u8, quote: u8) -> Cow<'_, str> {
    let (delimiter, quote) = (char::from(delimiter), char::from(quote));
    let blank =
        |character: char| matches!(character, ' ' | '\u{a0}') || (character == '\t' && delimiter != '\t');
    let mut marks = table.match_indices(quote);
    let apart = |(at, _): (usize, &str)| {
        let before = table.get(..at).unwrap_or_default();
        let after = table.get(at + quote.len_utf8()..).unwrap_or_default();
        before.ends_with(blank) || after.starts_with(blank)
    };
    if !marks.any(apart) {
        return Cow::Borrowed(table);
    }
    let mut plain = String::with_capacity(table.len());
    let mut rest = table;
    let mut quoted = false;
    let mut starts = true;
    while let Some(character) = rest.chars().next() {
        if starts && !quoted && blank(character) {
            let after = rest.trim_start_matches(blank);
            if after.starts_with(quote) {
                rest = after;
                continue;
            }
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        if character == quote && (quoted || starts) {
            if quoted && rest.starts_with(quote) {
                plain.extend([quote, quote]);
                rest = rest.get(quote.len_utf8()..).unwrap_or_default();
                continue;
            }
            quoted = !quoted;
            plain.push(quote);
            if !quoted {
                let after = rest.trim_start_matches(blank);
                if after.is_empty() || after.starts_with([delimiter, '\n']) {
                    rest = after;
                }
            }
            starts = false;
            continue;
        }
        plain.push(character);
        starts = !quoted && (character == delimiter || character == '\n');
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_quotation_marks_are_removed() {
        for (table, plain) in [
            ("a, \"b, c\" , d\n", "a,\"b, c\", d\n"),
            ("a,\u{a0}\"b, c\"\n", "a,\"b, c\"\n"),
            ("a,\"b , \"\" , \",c\n", "a,\"b , \"\" , \",c\n"),
            (" \"a\" ,b\n \"c\",d", "\"a\",b\n\"c\",d"),
            ("5 \" wide, x", "5 \" wide, x"),
        ] {
            assert_eq!(remove_blanks(table, b',', b'"'), plain);
        }
    }
}
