//! The project's own format of questions: one JSON object a line, beside a folder of documents for each bot.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use serde::Deserialize;

use super::exam::{self, Class, Document, Lesson};

/// A half of the questions: thresholds are tuned on one and checked on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Split {
    /// The half that thresholds are tuned on.
    Tune,
    /// The half that they are checked on.
    Check,
}

/// A question.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Question {
    /// Its name in reports; its line when it has none.
    #[serde(default)]
    id: String,
    /// The folder of the documents that answer it; unused when a bot is named.
    #[serde(default)]
    bot: String,
    /// The language of the question.
    #[serde(default = "english")]
    language: String,
    /// Its row in the tables.
    #[serde(default)]
    kind: String,
    /// What is asked.
    question: String,
    /// The passages that answer it; empty: none does.
    #[serde(default)]
    expected: Vec<Expected>,
    /// A short gold fact, or several ways to state it: a right answer contains one.
    #[serde(default)]
    answer: Gold,
    /// The half that it belongs to; both when it has none.
    #[serde(default)]
    split: Option<Split>,
}

/// A passage that answers a question.
#[derive(Clone, Debug, Deserialize)]
struct Expected {
    /// The source's name.
    source: String,
    /// Words of the passage, as they stand in the source's text; without them any passage of it will do.
    #[serde(default)]
    quote: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
enum Gold {
    One(String),
    Any(Vec<String>),
    #[default]
    None,
}

impl Gold {
    fn into_facts(self) -> Vec<String> {
        match self {
            Gold::One(fact) => vec![fact],
            Gold::Any(facts) => facts,
            Gold::None => Vec::new(),
        }
    }
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

/// The questions of one half, ready to be asked; those without a half belong to both.
pub(crate) fn to_ask(questions: Vec<Question>, split: Option<Split>) -> Vec<exam::Question> {
    let languages = bot_languages(&questions);
    let wanted =
        |question: &Question| split.is_none_or(|split| question.split.is_none_or(|half| half == split));
    questions
        .into_iter()
        .filter(wanted)
        .map(|question| {
            let bot_language = languages.get(&question.bot).map_or(&*question.language, |language| language);
            let language = exam::language_label(&question.language, bot_language);
            let class = class_of(&question);
            exam::Question {
                language,
                class,
                set: question.bot.clone(),
                id: question.id,
                bot: question.bot,
                kind: question.kind,
                question: question.question,
                gold: question.answer.into_facts(),
                expected: question
                    .expected
                    .into_iter()
                    .map(|expected| exam::Expected {
                        source: expected.source,
                        quote: expected.quote,
                        ..exam::Expected::default()
                    })
                    .collect(),
            }
        })
        .collect()
}

/// The documents of each bot that a question names, from a folder with a folder for each.
pub(crate) fn lessons(questions: &[Question], corpus: &Path) -> anyhow::Result<Vec<Lesson>> {
    bot_languages(questions)
        .into_iter()
        .map(|(name, language)| {
            let folder = corpus.join(&name);
            let entries = std::fs::read_dir(&folder)
                .with_context(|| format!("{} has no documents to read", folder.display()))?;
            let mut documents = Vec::new();
            for entry in entries {
                let path = entry?.path();
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
                let bytes = Bytes::from(std::fs::read(&path)?);
                documents.push(Document { name: name.to_owned(), bytes });
            }
            Ok(Lesson { name, language, documents })
        })
        .collect()
}

/// The language of each bot: the most frequent one of the questions that are not marked as cross-language.
fn bot_languages(questions: &[Question]) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for question in questions {
        let weight = if question.kind == Class::CrossLanguage.as_str() { 0 } else { 1 };
        *counts.entry(&question.bot).or_default().entry(&question.language).or_default() += weight;
    }
    counts
        .into_iter()
        .filter_map(|(bot, languages)| {
            let (language, _) = languages.into_iter().max_by_key(|(_, count)| *count)?;
            Some((bot.to_owned(), language.to_owned()))
        })
        .collect()
}

fn class_of(question: &Question) -> Class {
    match question.kind.as_str() {
        "cross_language" if !question.expected.is_empty() => Class::CrossLanguage,
        _ if !question.expected.is_empty() => Class::Answerable,
        "off_topic" => Class::OffTopic,
        _ => Class::Unanswerable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_needs_nothing_but_its_words() {
        let questions = parse("\n{\"question\": \"Why?\"}\n").unwrap();
        assert_eq!((questions[0].id.as_str(), questions[0].language.as_str()), ("line 2", "en"));
        let asked = to_ask(questions, Some(Split::Tune));
        assert_eq!((asked.len(), asked[0].class), (1, Class::Unanswerable));
    }

    #[test]
    fn a_line_that_is_no_question_is_named() {
        let error = parse("{\"question\": \"Why?\"}\n{\"query\": \"Why?\"}").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error:#}");
    }

    #[test]
    fn a_split_leaves_out_the_other_half() {
        let lines = r#"{"question": "a?", "split": "tune"}
            {"question": "b?", "split": "check"}"#;
        let asked = to_ask(parse(lines).unwrap(), Some(Split::Check));
        assert_eq!(asked.iter().map(|asked| asked.question.as_str()).collect::<Vec<_>>(), ["b?"]);
    }

    #[test]
    fn a_cross_language_question_does_not_name_the_bot_language() {
        let lines = r#"{"bot": "shop", "language": "es", "kind": "cross_language", "question": "¿a?",
            "expected": [{"source": "a.md"}], "answer": "30 days"}"#
            .replace('\n', " ")
            + "\n{\"bot\": \"shop\", \"question\": \"a?\", \"answer\": [\"30 days\", \"thirty\"]}";
        let asked = to_ask(parse(&lines).unwrap(), None);
        assert_eq!((asked[0].language.as_str(), asked[0].class), ("es-to-en", Class::CrossLanguage));
        assert_eq!((asked[0].gold.len(), asked[1].gold.len()), (1, 2));
    }
}
