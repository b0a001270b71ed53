//! Questions with what ought to be found: a line of JSON each.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// A question.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Question {
    /// Its name in what is told; its line when it has none.
    #[serde(default)]
    pub(crate) id: String,
    /// The folder whose documents answer it; of no use when a bot is named.
    #[serde(default)]
    pub(crate) bot: String,
    /// The bot's language.
    #[serde(default = "english")]
    pub(crate) language: String,
    /// What is told apart in the tables.
    #[serde(default)]
    pub(crate) kind: String,
    /// What is asked.
    pub(crate) question: String,
    /// The passages that answer it; none: nothing does.
    #[serde(default)]
    pub(crate) expected: Vec<Expected>,
}

/// A passage that answers a question.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Expected {
    /// The source's name.
    pub(crate) source: String,
    /// Words of the passage, as they stand in the source's text; without them any passage of it will do.
    #[serde(default)]
    pub(crate) quote: Option<String>,
}

fn english() -> String {
    "en".to_owned()
}

/// Reads a file of questions; an error names the line.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Question>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let questions = parse(&text).with_context(|| path.display().to_string())?;
    ensure!(!questions.is_empty(), "{} has no questions", path.display());
    Ok(questions)
}

fn parse(text: &str) -> anyhow::Result<Vec<Question>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let number = index + 1;
            let mut question: Question =
                serde_json::from_str(line).with_context(|| format!("line {number} is not a question"))?;
            if question.id.is_empty() {
                question.id = format!("line {number}");
            }
            Ok(question)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_needs_nothing_but_its_words() {
        let questions = parse("\n{\"question\": \"Why?\"}\n").unwrap();
        assert_eq!((questions[0].id.as_str(), questions[0].language.as_str()), ("line 2", "en"));
        assert!(questions[0].expected.is_empty());
    }

    #[test]
    fn what_is_no_question_is_named_by_its_line() {
        let error = parse("{\"question\": \"Why?\"}\n{\"query\": \"Why?\"}").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error:#}");
    }
}
