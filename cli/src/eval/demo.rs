//! The demo bot's examination: a newcomer's questions about Parlance.

use std::path::Path;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use parlance_core::bots::Bot;
use parlance_core::conversations;
use serde::{Deserialize, Serialize};

use super::exam::{Document, Lesson};
use super::gold;
use super::lab::Lab;
use super::outcome::Ending;
use crate::demo::LESSONS;

/// A question to the demo bot.
#[derive(Debug, Deserialize)]
struct DemoQuestion {
    question: String,
    /// The answer must contain one of these; empty: a confident answer is wrong.
    answer: Vec<String>,
    #[serde(default)]
    note: Option<String>,
}

/// The results of all questions.
#[derive(Debug, Serialize)]
pub(crate) struct Examination {
    right: usize,
    of: usize,
    questions: Vec<Examined>,
}

#[derive(Debug, Serialize)]
struct Examined {
    question: String,
    right: bool,
    ending: Ending,
    confidence_score: f32,
    answer: String,
    expected: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Asks a bot that has learnt the demo's lessons every question of a file.
pub(crate) async fn examine(lab: &Lab, path: &Path) -> anyhow::Result<Examination> {
    let questions = read(path)?;
    let documents = LESSONS
        .map(|(name, text)| Document { name: name.to_owned(), bytes: Bytes::from_static(text.as_bytes()) });
    let lesson = Lesson { name: "demo".to_owned(), language: "en".to_owned(), documents: documents.into() };
    let bots = lab.teach(vec![lesson]).await?;
    let bot = bots.get("demo").context("the demo bot was not made")?;
    let mut examined = Vec::new();
    for question in questions {
        examined.push(ask(lab, bot, question).await?);
    }
    let right = examined.iter().filter(|examined| examined.right).count();
    Ok(Examination { right, of: examined.len(), questions: examined })
}

fn read(path: &Path) -> anyhow::Result<Vec<DemoQuestion>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let questions = lines.map(|(index, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}: line {} is not a question", path.display(), index + 1))
    });
    let questions: Vec<DemoQuestion> = questions.collect::<anyhow::Result<_>>()?;
    ensure!(!questions.is_empty(), "{} has no questions", path.display());
    Ok(questions)
}

async fn ask(lab: &Lab, bot: &Bot, asked: DemoQuestion) -> anyhow::Result<Examined> {
    let (answer, _) = conversations::preview(&lab.ctx, lab.tenant, bot, &asked.question).await?;
    let ending = Ending::of(answer.answered, answer.confidence);
    let right = match asked.answer.is_empty() {
        true => ending != Ending::Confident,
        false => ending != Ending::Unknown && gold::contains_any(&answer.text, &asked.answer),
    };
    Ok(Examined {
        question: asked.question,
        right,
        ending,
        confidence_score: answer.confidence_score,
        answer: answer.text,
        expected: asked.answer,
        note: asked.note,
    })
}

impl std::fmt::Display for Examination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for examined in &self.questions {
            let verdict = if examined.right { "right" } else { "WRONG" };
            writeln!(
                f,
                "{verdict}  {:?} {:.2}  {}",
                examined.ending, examined.confidence_score, examined.question
            )?;
            writeln!(f, "       {}", examined.answer.replace('\n', "\n       "))?;
            if !examined.right {
                writeln!(f, "       expected: {}", examined.expected.join(" | "))?;
            }
        }
        write!(f, "\n{} of {} right", self.right, self.of)
    }
}
