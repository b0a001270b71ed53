//! What an evaluation found, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use parlance_core::knowledge::search::{Mode, Ranking};
use serde::Serialize;

use super::score::{self, Score};

/// What became of a question.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) language: String,
    /// Whether the knowledge has an answer.
    pub(crate) answerable: bool,
    /// The measures of each mode's ranking.
    pub(crate) scores: BTreeMap<&'static str, Score>,
    /// What hybrid search found, best first.
    pub(crate) candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Answered>,
}

/// A passage that was found.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Candidate {
    relevant: bool,
    vector_score: Option<f32>,
    vector_rank: Option<i64>,
    text_score: Option<f32>,
    text_rank: Option<i64>,
}

impl From<(bool, Ranking)> for Candidate {
    fn from((relevant, ranking): (bool, Ranking)) -> Self {
        Self {
            relevant,
            vector_score: ranking.cosine,
            vector_rank: ranking.dense_rank,
            text_score: ranking.text_score,
            text_rank: ranking.text_rank,
        }
    }
}

/// What was answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answered {
    pub(crate) answered: bool,
    /// Whether it cites a passage that was expected.
    pub(crate) cites_expected: bool,
    /// The best score of its citations.
    pub(crate) score: Option<f32>,
    pub(crate) text: String,
}

/// The means over all questions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    questions: usize,
    answerable: usize,
    modes: BTreeMap<&'static str, Score>,
    /// The same of hybrid search alone, by kind and by language.
    kinds: BTreeMap<String, (usize, Score)>,
    languages: BTreeMap<String, (usize, Score)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Answers>,
}

/// How often answers were given where there is none, and not given where there is one.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Answers {
    /// Of the questions without an answer, the share that was given one.
    false_answers: f64,
    /// Of the questions with an answer, the share that was given none.
    false_refusals: f64,
    /// Of the answers to questions that have one, the share that cites an expected passage.
    cite_expected: f64,
}

impl Report {
    pub(crate) fn of(outcomes: &[Outcome]) -> Self {
        let answerable: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.answerable).collect();
        let of = |mode: Mode, outcomes: &[&Outcome]| {
            score::mean(outcomes.iter().filter_map(|outcome| outcome.scores.get(mode.as_str())))
        };
        let grouped = |name: fn(&Outcome) -> &String| {
            let mut groups: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
            for outcome in &answerable {
                groups.entry(name(outcome).clone()).or_default().push(outcome);
            }
            let score = |group: Vec<&Outcome>| (group.len(), of(Mode::Hybrid, &group));
            groups.into_iter().map(|(name, group)| (name, score(group))).collect()
        };
        Self {
            questions: outcomes.len(),
            answerable: answerable.len(),
            modes: Mode::ALL.into_iter().map(|mode| (mode.as_str(), of(mode, &answerable))).collect(),
            kinds: grouped(|outcome| &outcome.kind),
            languages: grouped(|outcome| &outcome.language),
            answers: Answers::of(outcomes),
        }
    }
}

impl Answers {
    fn of(outcomes: &[Outcome]) -> Option<Self> {
        let told: Vec<(bool, &Answered)> = outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.answerable, outcome.answer.as_ref()?)))
            .collect();
        if told.is_empty() {
            return None;
        }
        let share = |of: &dyn Fn(bool, &Answered) -> bool, which: &dyn Fn(bool, &Answered) -> bool| {
            let all = told.iter().filter(|(answerable, answer)| of(*answerable, answer));
            let (some, all) = all.fold((0.0, 0.0), |(some, all), (answerable, answer)| {
                (some + f64::from(u8::from(which(*answerable, answer))), all + 1.0)
            });
            if all > 0.0 { some / all } else { 0.0 }
        };
        Some(Self {
            false_answers: share(&|answerable, _| !answerable, &|_, answer| answer.answered),
            false_refusals: share(&|answerable, _| answerable, &|_, answer| !answer.answered),
            cite_expected: share(&|answerable, answer| answerable && answer.answered, &|_, answer| {
                answer.cites_expected
            }),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} questions, {} of them with an answer in the knowledge\n",
            self.questions, self.answerable
        )?;
        writeln!(f, "{:24}questions  recall@1  recall@5  recall@10    MRR  nDCG@10", "")?;
        for (mode, score) in &self.modes {
            line(f, mode, self.answerable, score)?;
        }
        for (title, groups) in [("hybrid, by kind", &self.kinds), ("hybrid, by language", &self.languages)] {
            if groups.len() > 1 {
                writeln!(f, "\n{title}")?;
                for (name, (count, score)) in groups {
                    line(f, &format!("  {name}"), *count, score)?;
                }
            }
        }
        if let Some(answers) = &self.answers {
            writeln!(f, "\nanswers given where there is none:     {:.3}", answers.false_answers)?;
            writeln!(f, "answers not given where there is one:  {:.3}", answers.false_refusals)?;
            write!(f, "answers that cite what was expected:   {:.3}", answers.cite_expected)?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, count: usize, score: &Score) -> fmt::Result {
    writeln!(
        f,
        "{name:<24}{count:>9}{:>10.3}{:>10.3}{:>11.3}{:>7.3}{:>9.3}",
        score.recall_1, score.recall_5, score.recall_10, score.mrr, score.ndcg_10
    )
}

/// Writes a line of JSON a question.
pub(crate) fn write_details(path: &Path, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        for outcome in outcomes {
            serde_json::to_writer(&mut file, outcome)?;
            file.write_all(b"\n")?;
        }
        Ok(file.flush()?)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
