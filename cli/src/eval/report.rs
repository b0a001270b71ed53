//! Report of an evaluation, as text tables or JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::outcome::Outcome;
use super::reliability::Reliability;
use super::score::Score;
use super::summary::{Answers, Summary};

/// Summaries of all questions and by set, language and kind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    all: Summary,
    sets: BTreeMap<String, Summary>,
    /// Cross-language questions have their own groups: `es-to-en`.
    languages: BTreeMap<String, Summary>,
    kinds: BTreeMap<String, Summary>,
    /// Language with the lowest gold share, without cross-language questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_language: Option<WorstLanguage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reliability: Option<Reliability>,
}

#[derive(Clone, Debug, Serialize)]
struct WorstLanguage {
    language: String,
    gold: f64,
}

impl Report {
    pub(crate) fn from_outcomes(outcomes: &[Outcome]) -> Self {
        let grouped = |name: fn(&Outcome) -> &str| {
            let mut groups: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
            for outcome in outcomes {
                groups.entry(name(outcome)).or_default().push(outcome);
            }
            let summaries =
                groups.into_iter().map(|(name, group)| (name.to_owned(), Summary::from_outcomes(&group)));
            summaries.collect::<BTreeMap<String, Summary>>()
        };
        let languages = grouped(|outcome| &outcome.language);
        let known = languages.iter().filter(|(language, _)| !language.contains("-to-"));
        let golds = known.filter_map(|(language, summary)| {
            Some(WorstLanguage { language: language.clone(), gold: summary.answers.as_ref()?.gold? })
        });
        Self {
            all: Summary::from_outcomes(&outcomes.iter().collect::<Vec<_>>()),
            sets: grouped(|outcome| &outcome.set),
            worst_language: golds.min_by(|a, b| a.gold.total_cmp(&b.gold)),
            languages,
            kinds: grouped(|outcome| &outcome.kind),
            reliability: Reliability::from_outcomes(outcomes),
        }
    }

    /// Groupings with more than one group, with their titles.
    fn groups(&self) -> impl Iterator<Item = (&'static str, &BTreeMap<String, Summary>)> {
        let groups = [("set", &self.sets), ("language", &self.languages), ("kind", &self.kinds)];
        groups.into_iter().filter(|(_, group)| group.len() > 1)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { questions, answerable, .. } = self.all;
        writeln!(f, "{questions} questions, {answerable} of them answerable\n")?;
        writeln!(f, "{:28}questions  recall@1  recall@5  recall@10    MRR  nDCG@10", "search")?;
        for (mode, score) in &self.all.modes {
            search_line(f, mode, answerable, score)?;
        }
        for (title, group) in self.groups() {
            writeln!(f, "\nhybrid search, by {title}")?;
            for (name, summary) in group.iter().filter(|(_, summary)| summary.answerable > 0) {
                if let Some(score) = summary.modes.get("hybrid") {
                    search_line(f, &format!("  {name}"), summary.answerable, score)?;
                }
            }
        }
        if let Some(answers) = &self.all.answers {
            self.write_answers(f, answers)?;
        }
        if let Some(reliability) = &self.reliability {
            write_reliability(f, reliability)?;
        }
        Ok(())
    }
}

impl Report {
    fn write_answers(&self, f: &mut fmt::Formatter<'_>, all: &Answers) -> fmt::Result {
        writeln!(f, "\n{:44}questions  confident  tentative  unknown   gold", "answers, by class")?;
        write_classes(f, "all", all)?;
        for (_, group) in self.groups().filter(|(title, _)| *title != "kind") {
            for (name, summary) in group {
                if let Some(answers) = &summary.answers {
                    write_classes(f, name, answers)?;
                }
            }
        }
        writeln!(
            f,
            "\n{:28}   gold  gold of given  unknown  sentences  belonging  cites expected",
            "answerable questions"
        )?;
        write_quality(f, "all", all)?;
        for (title, group) in self.groups() {
            writeln!(f, "by {title}")?;
            for (name, summary) in group.iter().filter(|(_, summary)| summary.answerable > 0) {
                if let Some(answers) = &summary.answers {
                    write_quality(f, &format!("  {name}"), answers)?;
                }
            }
        }
        if let Some(worst) = &self.worst_language {
            writeln!(f, "worst language: {}, {:.3}", worst.language, worst.gold)?;
        }
        writeln!(f, "\nunanswerable questions answered: {}", share(all.false_answers))?;
        writeln!(f, "unanswerable questions answered confidently: {}", share(all.false_confident))?;
        let ms = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"));
        writeln!(f, "answer latency in milliseconds: median {}, p95 {}", ms(all.ms_p50), ms(all.ms_p95))
    }
}

fn search_line(f: &mut fmt::Formatter<'_>, name: &str, count: usize, score: &Score) -> fmt::Result {
    writeln!(
        f,
        "{name:<28}{count:>9}{:>10.3}{:>10.3}{:>11.3}{:>7.3}{:>9.3}",
        score.recall_1, score.recall_5, score.recall_10, score.mrr, score.ndcg_10
    )
}

fn write_classes(f: &mut fmt::Formatter<'_>, name: &str, answers: &Answers) -> fmt::Result {
    for (class, endings) in &answers.classes {
        let gold = if class.has_answer() { share(endings.gold) } else { "-".to_owned() };
        writeln!(
            f,
            "{name:<28}{:<16}{:>9}{:>11.3}{:>11.3}{:>9.3}{gold:>7}",
            class.as_str(),
            endings.questions,
            endings.confident,
            endings.tentative,
            endings.unknown
        )?;
    }
    Ok(())
}

fn write_quality(f: &mut fmt::Formatter<'_>, name: &str, answers: &Answers) -> fmt::Result {
    writeln!(
        f,
        "{name:<28}{:>7}{:>15}{:>9}{:>11}{:>11}{:>16}",
        share(answers.gold),
        share(answers.gold_of_given),
        share(answers.false_refusals),
        share(answers.sentences),
        share(answers.belonging),
        share(answers.cite_expected)
    )
}

fn write_reliability(f: &mut fmt::Formatter<'_>, reliability: &Reliability) -> fmt::Result {
    writeln!(f, "\nconfidence score  questions  mean score  answerable   given   right")?;
    for bin in &reliability.bins {
        writeln!(
            f,
            "from {:.1}         {:>9}{:>12}{:>12}{:>8}{:>8}",
            bin.from,
            bin.questions,
            share(bin.mean_score),
            share(bin.answerable),
            bin.given,
            share(bin.right)
        )?;
    }
    write!(
        f,
        "expected calibration error: {:.3} for \"the question is answerable\", {:.3} for \"the answer is right\"",
        reliability.error_answerable, reliability.error_right
    )
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"))
}
