//! Pure: resolves a follow-up question by searching with the question before it.
//!
//! "And for Spain?" names no topic; the question before it does. A model could rewrite it, but that would
//! double the time to the first word, and no model may be configured.

use crate::providers::chat::{Speaker, Turn};

/// Openers of follow-up questions in the six languages.
const OPENERS: [&str; 24] = [
    "and",
    "also",
    "but",
    "so",
    "then",
    "what about",
    "how about",
    "y",
    "pero",
    "entonces",
    "qué tal",
    "et",
    "mais",
    "alors",
    "und",
    "aber",
    "auch",
    "wie wäre es",
    "was ist mit",
    "e",
    "ed",
    "ma",
    "mas",
    "então",
];

/// A question with fewer words is a follow-up.
const MIN_WORDS: usize = 4;

/// Search query: the question, preceded by the previous one if it is a follow-up.
#[must_use]
pub fn query(history: &[Turn], question: &str) -> String {
    let previous = history.iter().rev().find(|turn| turn.speaker == Speaker::User);
    match previous {
        Some(previous) if !stands_alone(question) => format!("{}\n{question}", previous.text),
        _ => question.to_owned(),
    }
}

/// Whether the question is no follow-up, so that the query does not depend on the history.
#[must_use]
pub fn stands_alone(question: &str) -> bool {
    let words: Vec<String> = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let begins_with = |opener: &str| {
        let opener: Vec<&str> = opener.split(' ').collect();
        words.len() > opener.len() && words.iter().zip(&opener).all(|(word, opener)| word == opener)
    };
    words.len() >= MIN_WORDS && !OPENERS.into_iter().any(begins_with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history_of(turns: &[(Speaker, &str)]) -> Vec<Turn> {
        turns.iter().map(|(speaker, text)| Turn { speaker: *speaker, text: (*text).to_owned() }).collect()
    }

    #[test]
    fn a_follow_up_is_searched_with_the_question_before_it() {
        let history = history_of(&[
            (Speaker::User, "How long is delivery to France?"),
            (Speaker::Bot, "Three days. [1]"),
        ]);
        for follow_up in [
            "And for Spain?",
            "and what does it cost to send it there",
            "Spain?",
            "¿Y para España?",
            "Und nach Spanien, bitte?",
        ] {
            assert_eq!(query(&history, follow_up), format!("How long is delivery to France?\n{follow_up}"));
        }
        for complete in ["How long is delivery to Spain?", "Android phones are repaired by whom?"] {
            assert_eq!(query(&history, complete), complete);
        }
        assert_eq!(query(&[], "And for Spain?"), "And for Spain?");
    }
}
