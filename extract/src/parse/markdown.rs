//! Removal of unneeded Markdown escapes, for readability and search.
//!
//! Markdown writers escape every character that might be markup, and `snake\_case` does not match a search
//! for `snake_case`.

/// Removes unneeded escapes. Characters that would start a block or separate table cells stay escaped;
/// code is unchanged.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut code = false;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            code = !code;
            plain.push_str(line);
        } else if code || !line.contains(['\\', '&']) {
            plain.push_str(line);
        } else {
            unescape_line(line, &mut plain);
        }
    }
    plain
}

fn unescape_line(line: &str, plain: &mut String) {
    let start = line.len() - line.trim_start().len();
    let mut rest = line;
    while let Some(at) = rest.find(['\\', '&', '`']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let position = line.len() - from.len();
        let begins =
            line.get(start..position).is_some_and(|head| head.bytes().all(|byte| byte.is_ascii_digit()));
        let mut characters = from.chars();
        let mark = characters.next();
        let next = characters.next();
        rest = match (mark, next) {
            (Some('`'), _) => {
                let span = code_span(from);
                plain.push_str(span);
                from.get(span.len()..).unwrap_or_default()
            }
            (Some('\\'), Some(next)) if next.is_ascii_punctuation() && !keeps(next, begins) => {
                plain.push(next);
                characters.as_str()
            }
            (Some('\\'), Some(next)) => {
                plain.extend(['\\', next]);
                characters.as_str()
            }
            (Some('&'), _) => match entity(from) {
                Some((character, after)) => {
                    plain.push(character);
                    after
                }
                None => {
                    plain.push('&');
                    from.get(1..).unwrap_or_default()
                }
            },
            _ => {
                plain.extend(mark);
                from.get(1..).unwrap_or_default()
            }
        };
    }
    plain.push_str(rest);
}

/// Whether a character stays escaped. `begins` is true where it could start a block.
fn keeps(mark: char, begins: bool) -> bool {
    matches!(mark, '|' | '`' | '\\')
        || (begins && matches!(mark, '#' | '-' | '+' | '*' | '>' | '=' | '.' | ')' | '~'))
}

/// The code span that starts here, or only its backticks if it is not closed on this line.
fn code_span(from: &str) -> &str {
    let ticks = from.len() - from.trim_start_matches('`').len();
    let (open, rest) = from.split_at(ticks);
    let end = rest.find(open).map_or(ticks, |end| ticks + end + ticks);
    from.get(..end).unwrap_or(from)
}

fn entity(from: &str) -> Option<(char, &str)> {
    [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&nbsp;", ' ')]
        .into_iter()
        .find_map(|(name, character)| Some((character, from.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unneeded_escapes_are_removed() {
        for (escaped, plain) in [
            (r"call asn1\_parser2tree \[1\]", "call asn1_parser2tree [1]"),
            (r"2 \* 3 &lt; 7 &amp; more", "2 * 3 < 7 & more"),
            (r"| a \| b | c\_d |", r"| a \| b | c_d |"),
            (r"\# no heading", r"\# no heading"),
            (r"1986\. A year", r"1986\. A year"),
            (r"it was 1986\. A year", "it was 1986. A year"),
            (r"`a\_b` and a\_b", r"`a\_b` and a_b"),
            (r"C:\\dir", r"C:\\dir"),
            (r"C:\dir", r"C:\dir"),
            ("```\na\\_b\n```\na\\_b", "```\na\\_b\n```\na_b"),
            ("an ` alone \\_", "an ` alone _"),
        ] {
            assert_eq!(unescape(escaped), plain);
        }
    }
}
