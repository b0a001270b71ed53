//! Pure: finds proper names in a sentence.

use crate::conversations::phrases::{content_words, fold, words};

/// Folded names: capitalised words that do not start the sentence. In German, where nouns are capitalised,
/// only acronyms, pairs and words after a form of address count.
pub(super) fn names(text: &str, is_german: bool) -> Vec<String> {
    let raw: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '(' | ')' | '’' | '\'')).collect();
    let mut names = Vec::new();
    let mut begins = true;
    let mut before: Option<&str> = None;
    for part in raw {
        let word = part.trim_matches(|c: char| !c.is_alphanumeric());
        if word.is_empty() {
            continue;
        }
        let is_capital = is_capitalised(word);
        let follows_capital = before.is_some_and(is_capitalised);
        let is_title = before.is_some_and(|word| matches!(word, "Herr" | "Herrn" | "Frau" | "Dr" | "Firma"));
        let is_acronym = word.chars().count() > 1 && word.chars().all(|c| c.is_uppercase());
        let is_name = match is_german {
            true => {
                is_title || is_acronym || (follows_capital && !begins && is_capital && is_pair(before, word))
            }
            false => !begins && is_capital,
        };
        if is_name && !word.chars().any(|c| c.is_ascii_digit()) && word.chars().count() > 1 {
            let folded = fold(word);
            if !content_words(&folded).is_empty() || is_acronym {
                names.extend(words(word));
                // The first word of a sentence can be part of a name.
                if let Some(first) =
                    before.filter(|first| follows_capital && !content_words(first).is_empty())
                {
                    names.extend(words(first));
                }
            }
        }
        begins = part.ends_with([':', '.', '!', '?', '"', '“', '„', '«', '–']);
        before = (!part.ends_with([',', ';', ':', '.'])).then_some(word);
    }
    names.retain(|name| name.chars().count() > 1 && !MEASURES.contains(&name.as_str()) && !is_calendar(name));
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether two capitalised German words in a row can be a name, judged by their noun endings.
fn is_pair(before: Option<&str>, word: &str) -> bool {
    let ends_as_noun = |word: &str| {
        ["ung", "heit", "keit", "schaft", "tion", "tage", "tagen", "uhr", "euro", "prozent", "jahr"]
            .iter()
            .any(|ending| word.to_lowercase().ends_with(ending))
    };
    before.is_some_and(|before| !ends_as_noun(before) && content_words(before).len() == 1)
        && !ends_as_noun(word)
}

/// Units and abbreviations that are no names.
const MEASURES: &[&str] =
    &["eur", "usd", "gbp", "chf", "brl", "kg", "km", "cm", "mb", "gb", "tb", "ok", "uhr", "pdf", "faq"];

fn is_calendar(word: &str) -> bool {
    const STARTS: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    STARTS.iter().any(|name| name == &word)
}

fn is_capitalised(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}
