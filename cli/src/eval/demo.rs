//! Evaluation of the demo bot with newcomers' questions about Parlance.

use std::path::Path;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use parlance_core::bots::Bot;
use parlance_core::conversations;
use serde::{Deserialize, Serialize};

use super::gold;
use super::outcome::Ending;
use super::sandbox::Sandbox;
use super::suite::{BotSpec, Document};
use crate::demo::DOCUMENTS;

/// A question with its accepted answers.
#[derive(Debug, Deserialize)]
struct DemoQuestion {
    question: String,
    /// The answer must contain one of these. Empty: a confident answer is wrong.
    answer: Vec<String>,
    #[serde(default)]
    note: Option<String>,
}

/// Results of all questions.
#[derive(Debug, Serialize)]
pub(crate) struct DemoReport {
    right: usize,
    of: usize,
    questions: Vec<DemoAnswer>,
}

#[derive(Debug, Serialize)]
struct DemoAnswer {
    question: String,
    right: bool,
    ending: Ending,
    confidence_score: f32,
    answer: String,
    expected: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Asks a fresh demo bot every question of a file.
pub(crate) async fn run(sandbox: &Sandbox, path: &Path) -> anyhow::Result<DemoReport> {
    let questions = read(path)?;
    let documents = DOCUMENTS
        .map(|(name, text)| Document { name: name.to_owned(), bytes: Bytes::from_static(text.as_bytes()) });
    let demo = BotSpec { name: "demo".to_owned(), language: "en".to_owned(), documents: documents.into() };
    let bots = sandbox.create_bots(vec![demo]).await?;
    let bot = bots.get("demo").context("the demo bot was not created")?;
    let mut answers = Vec::new();
    for question in questions {
        answers.push(ask(sandbox, bot, question).await?);
    }
    let right = answers.iter().filter(|answer| answer.right).count();
    Ok(DemoReport { right, of: answers.len(), questions: answers })
}

fn read(path: &Path) -> anyhow::Result<Vec<DemoQuestion>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let questions = lines.map(|(index, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}: invalid question in line {}", path.display(), index + 1))
    });
    let questions: Vec<DemoQuestion> = questions.collect::<anyhow::Result<_>>()?;
    ensure!(!questions.is_empty(), "no questions in {}", path.display());
    Ok(questions)
}

async fn ask(sandbox: &Sandbox, bot: &Bot, question: DemoQuestion) -> anyhow::Result<DemoAnswer> {
    let (answer, _) = conversations::preview(&sandbox.ctx, sandbox.tenant, bot, &question.question).await?;
    let ending = Ending::classify(answer.answered, answer.confidence);
    let right = match question.answer.is_empty() {
        true => ending != Ending::Confident,
        false => ending != Ending::Unknown && gold::contains_any(&answer.text, &question.answer),
    };
    Ok(DemoAnswer {
        question: question.question,
        right,
        ending,
        confidence_score: answer.confidence_score,
        answer: answer.text,
        expected: question.answer,
        note: question.note,
    })
}

impl std::fmt::Display for DemoReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for answer in &self.questions {
            let verdict = if answer.right { "right" } else { "WRONG" };
            writeln!(
                f,
                "{verdict}  {:?} {:.2}  {}",
                answer.ending, answer.confidence_score, answer.question
            )?;
            writeln!(f, "       {}", answer.answer.replace('\n', "\n       "))?;
            if !answer.right {
                writeln!(f, "       expected: {}", answer.expected.join(" | "))?;
            }
        }
        write!(f, "\n{} of {} right", self.right, self.of)
    }
}
