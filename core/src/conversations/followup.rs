//! Pure: a question that cannot stand alone is searched for with the one before it.
//!
//! "And for Spain?" says nothing of what is asked; the question before it does. No model is asked to rewrite it:
//! that would double the time to the first word, and there may be none.

use crate::providers::chat::{Speaker, Turn};

/// Words with which questions go on, in the six languages; what begins with one leans on what was said.
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

/// A question of fewer words leans on what was said.
const FEW: usize = 4;

/// The text to search for: the question, after the one before it when it cannot stand alone.
#[must_use]
pub fn query(history: &[Turn], question: &str) -> String {
    let before = history.iter().rev().find(|turn| turn.speaker == Speaker::User);
    match before {
        Some(before) if !stands_alone(question) => format!("{}\n{question}", before.text),
        _ => question.to_owned(),
    }
}

/// Whether the text to search for is the question, whatever was said before it.
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
    words.len() >= FEW && !OPENERS.into_iter().any(begins_with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(turns: &[(Speaker, &str)]) -> Vec<Turn> {
        turns.iter().map(|(speaker, text)| Turn { speaker: *speaker, text: (*text).to_owned() }).collect()
    }

    #[test]
    fn what_cannot_stand_alone_is_searched_with_the_question_before_it() {
        let history =
            said(&[(Speaker::User, "How long is delivery to France?"), (Speaker::Bot, "Three days. [1]")]);
        for leaning in [
            "And for Spain?",
            "and what does it cost to send it there",
            "Spain?",
            "¿Y para España?",
            "Und nach Spanien, bitte?",
        ] {
            assert_eq!(query(&history, leaning), format!("How long is delivery to France?\n{leaning}"));
        }
        for standing in ["How long is delivery to Spain?", "Android phones are repaired by whom?"] {
            assert_eq!(query(&history, standing), standing);
        }
        assert_eq!(query(&[], "And for Spain?"), "And for Spain?");
    }
}
