//! Pure: checks whether a text states a gold fact.
//!
//! Comparison ignores case, punctuation and repeated spaces; accents count. A fact longer than [`MAX_FACT_CHARS`] is a
//! whole paragraph, as in FAQs, which a short answer cannot contain.

/// Most characters of a fact that an answer can be expected to contain.
const MAX_FACT_CHARS: usize = 150;

/// Whether a text contains any of the facts as whole words.
pub(crate) fn states_any(text: &str, facts: &[String]) -> bool {
    let text = normalised(text);
    facts.iter().map(|fact| normalised(fact)).any(|fact| fact.len() > 2 && text.contains(&fact))
}

/// Whether a text contains any of the parts, including within words.
pub(crate) fn contains_any(text: &str, parts: &[String]) -> bool {
    let text = normalised(text);
    parts.iter().map(|part| normalised(part)).any(|part| part.len() > 2 && text.contains(part.trim()))
}

/// Whether at least one fact is short enough to be contained in an answer.
pub(crate) fn is_containable(facts: &[String]) -> bool {
    facts.iter().any(|fact| fact.chars().count() <= MAX_FACT_CHARS && normalised(fact).len() > 2)
}

/// Lower-case words, each between spaces. Punctuation within a number stays: `1,5` is not `15`. Citation markers are
/// removed.
fn normalised(text: &str) -> String {
    let text = without_markers(text).to_lowercase();
    let mut words = String::from(" ");
    for word in text.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        for (at, character) in characters.iter().enumerate() {
            let is_digit = |at: Option<usize>| {
                at.and_then(|at| characters.get(at)).is_some_and(|near| near.is_ascii_digit())
            };
            let in_number = matches!(character, '.' | ',' | ':')
                && is_digit(at.checked_sub(1))
                && is_digit(at.checked_add(1));
            if character.is_alphanumeric() || in_number || matches!(character, '%' | '€' | '$' | '£' | '°')
            {
                words.push(*character);
            } else if !words.ends_with(' ') {
                words.push(' ');
            }
        }
        if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words
}

/// Removes citation markers such as `[1]`.
fn without_markers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        kept.push_str(before);
        match after.split_once(']') {
            Some((number, remainder)) if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) => {
                rest = remainder;
            }
            _ => {
                kept.push('[');
                rest = after;
            }
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(text: &str, fact: &str) -> bool {
        states_any(text, &[fact.to_owned()])
    }

    #[test]
    fn case_spaces_and_punctuation_are_ignored() {
        assert!(states("It opens at the  «Café Central», daily. [1]", "café central"));
        assert!(states("Within 30 days [1]. Keep it [2].", "30 days keep it"));
        assert!(states("The co-president", "co president"));
    }

    #[test]
    fn accents_digits_and_word_boundaries_count() {
        assert!(!states("El papa vive aquí.", "papá"));
        assert!(!states("It costs 1,5 euros.", "15 euros"));
        assert!(!states("It takes 130 days.", "30 days"));
        assert!(!states("Anything.", " . "));
        assert!(contains_any("It takes 130 days.", &["30 DAY".to_owned()]));
        assert!(!contains_any("It takes 130 days.", &["-".to_owned()]));
    }

    #[test]
    fn a_paragraph_is_too_long_to_be_a_containable_fact() {
        assert!(is_containable(&["thirty days".to_owned()]));
        assert!(!is_containable(&["word ".repeat(60)]));
        assert!(!is_containable(&[]));
    }
}
