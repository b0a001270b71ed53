//! Superscript and subscript text.
//!
//! A raised number never joins the number before it: 19 with a raised 99 is 19⁹⁹, not 1999.

const SUPERSCRIPTS: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ";
const SUBSCRIPTS: &str = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢ";
const PLAIN: &str = "0123456789+-=()ni";

/// Vertical position of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parse) enum Script {
    Super,
    Sub,
}

/// Writes raised or lowered text that follows `before`.
pub(in crate::parse) fn write(script: Script, text: &str, before: Option<char>) -> String {
    let shifted = text.trim().replace(['−', '–'], "-");
    let number = shifted.chars().any(|character| character.is_ascii_digit());
    let convertible = !shifted.is_empty() && shifted.chars().all(|character| PLAIN.contains(character));
    // H2O stays as written, so that a search finds it.
    let joins = before.is_some_and(|before| before.is_numeric());
    let convert = number && convertible && (script == Script::Super || joins);
    if convert {
        let characters = if script == Script::Super { SUPERSCRIPTS } else { SUBSCRIPTS };
        let converted = shifted.chars().filter_map(|character| {
            let index = PLAIN.chars().position(|plain| plain == character)?;
            characters.chars().nth(index)
        });
        return text.replacen(text.trim(), &converted.collect::<String>(), 1);
    }
    if number && joins && shifted.starts_with(|first: char| first.is_ascii_digit()) {
        let sign = if script == Script::Super { '^' } else { '_' };
        return format!("{sign}{text}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_digits_never_join_a_number() {
        for (script, text, before, expected) in [
            (Script::Super, "99", Some('9'), "⁹⁹"),
            (Script::Super, "3", Some('m'), "³"),
            (Script::Super, "-1", Some('s'), "⁻¹"),
            (Script::Super, "st", Some('1'), "st"),
            (Script::Super, "2x", Some('3'), "^2x"),
            (Script::Sub, "2", Some('H'), "2"),
            (Script::Sub, "10", Some('7'), "₁₀"),
            (Script::Sub, "max", Some('v'), "max"),
        ] {
            assert_eq!(write(script, text, before), expected);
        }
    }
}
