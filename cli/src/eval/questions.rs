//! The project's own question format: JSON lines next to one folder of documents per bot.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde::Deserialize;

use super::suite::{self, BotSpec, Class, Document};
use crate::args::Split;

/// A question as written in a file.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QuestionLine {
    /// Name in reports. Default: the line number.
    #[serde(default)]
    id: String,
    /// Folder of the documents that answer it. Unused with `--bot`.
    #[serde(default)]
    bot: String,
    /// Language of the question.
    #[serde(default = "english")]
    language: String,
    /// Group in the report.
    #[serde(default)]
    kind: String,
    question: String,
    /// Passages that answer the question. Empty: none does.
    #[serde(default)]
    expected: Vec<ExpectedLine>,
    /// Gold fact, or several ways to state it. A right answer contains one.
    #[serde(default)]
    answer: Gold,
    /// Half of the set. `None`: both.
    #[serde(default)]
    split: Option<Split>,
}

/// A passage that answers a question.
#[derive(Clone, Debug, Deserialize)]
struct ExpectedLine {
    /// Source name.
    source: String,
    /// Exact words of the passage in the source. `None`: any passage of the source.
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

/// Reads a question file. Errors name the line.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<QuestionLine>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let questions = parse(&text).with_context(|| path.display().to_string())?;
    ensure!(!questions.is_empty(), "no questions in {}", path.display());
    Ok(questions)
}

fn parse(text: &str) -> anyhow::Result<Vec<QuestionLine>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let number = index + 1;
            let mut question: QuestionLine =
                serde_json::from_str(line).with_context(|| format!("invalid question in line {number}"))?;
            if question.id.is_empty() {
                question.id = format!("line {number}");
            }
            Ok(question)
        })
        .collect()
}

/// Selects the questions of one half. Questions without a half belong to both.
pub(crate) fn select(questions: Vec<QuestionLine>, split: Option<Split>) -> Vec<suite::Question> {
    let languages = bot_languages(&questions);
    let wanted =
        |question: &QuestionLine| split.is_none_or(|split| question.split.is_none_or(|half| half == split));
    questions
        .into_iter()
        .filter(wanted)
        .map(|question| {
            let bot_language = languages.get(&question.bot).map_or(&*question.language, |language| language);
            let language = suite::language_label(&question.language, bot_language);
            let class = class_of(&question);
            suite::Question {
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
                    .map(|expected| suite::Expected {
                        source: expected.source,
                        quote: expected.quote,
                        ..suite::Expected::default()
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Reads the documents of every bot in the questions, from one subfolder per bot.
pub(crate) fn bots(questions: &[QuestionLine], corpus: &Path) -> anyhow::Result<Vec<BotSpec>> {
    bot_languages(questions)
        .into_iter()
        .map(|(name, language)| {
            let folder = corpus.join(&name);
            let entries = std::fs::read_dir(&folder)
                .with_context(|| format!("cannot read documents from {}", folder.display()))?;
            let mut documents = Vec::new();
            for entry in entries {
                let path = entry?.path();
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
                let bytes = Bytes::from(std::fs::read(&path)?);
                documents.push(Document { name: name.to_owned(), bytes });
            }
            Ok(BotSpec { name, language, documents })
        })
        .collect()
}

/// Language of each bot: the most frequent one among its questions, without cross-language questions.
fn bot_languages(questions: &[QuestionLine]) -> BTreeMap<String, String> {
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

fn class_of(question: &QuestionLine) -> Class {
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
    fn question_text_is_the_only_required_field() {
        let questions = parse("\n{\"question\": \"Why?\"}\n").unwrap();
        assert_eq!((questions[0].id.as_str(), questions[0].language.as_str()), ("line 2", "en"));
        let selected = select(questions, Some(Split::Tune));
        assert_eq!((selected.len(), selected[0].class), (1, Class::Unanswerable));
    }

    #[test]
    fn error_names_the_invalid_line() {
        let error = parse("{\"question\": \"Why?\"}\n{\"query\": \"Why?\"}").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error:#}");
    }

    #[test]
    fn split_leaves_out_the_other_half() {
        let lines = r#"{"question": "a?", "split": "tune"}
            {"question": "b?", "split": "check"}"#;
        let selected = select(parse(lines).unwrap(), Some(Split::Check));
        assert_eq!(selected.iter().map(|selected| selected.question.as_str()).collect::<Vec<_>>(), ["b?"]);
    }

    #[test]
    fn cross_language_questions_do_not_set_the_bot_language() {
        let lines = r#"{"bot": "shop", "language": "es", "kind": "cross_language", "question": "¿a?",
            "expected": [{"source": "a.md"}], "answer": "30 days"}"#
            .replace('\n', " ")
            + "\n{\"bot\": \"shop\", \"question\": \"a?\", \"answer\": [\"30 days\", \"thirty\"]}";
        let selected = select(parse(&lines).unwrap(), None);
        assert_eq!((selected[0].language.as_str(), selected[0].class), ("es-to-en", Class::CrossLanguage));
        assert_eq!((selected[0].gold.len(), selected[1].gold.len()), (1, 2));
    }
}
