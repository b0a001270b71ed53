//! How good the built-in answers are on question sets of others, as `parlance eval` measures them.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use parlance_core::platform::config::SETTINGS;
use serde_json::Value;
use tokio::process::Command;

use crate::report::Row;
use crate::server::{KEPT, program};

/// Goals of recall@1 and recall@5 by hybrid search, by set.
const SEARCH_GOALS: [(&str, f64, f64); 4] =
    [("xquad-en", 0.95, 0.99), ("xquad-es", 0.95, 0.99), ("xquad-de", 0.93, 0.99), ("squad-it", 0.84, 0.97)];

/// The share of answerable questions whose answer states the gold fact: all, and of the worst language.
const GOLD: (f64, f64) = (0.85, 0.75);

/// The same of English documents that are asked in another language.
const GOLD_CROSS_LANGUAGE: f64 = 0.65;

/// Answerable, but unknown.
const UNKNOWN: f64 = 0.08;

/// About something else, but answered.
const OFF_TOPIC: f64 = 0.05;

/// A near-miss, but confident.
const NEAR_MISS: f64 = 0.25;

/// Sentences of a confident answer, and the share of them that belongs.
const SENTENCES: (f64, f64) = (1.5, 0.85);

/// Asks the sets of a folder: bots of one page for the answers, bots of whole sets for the search.
pub(crate) async fn measure(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let pages = evaluate(folder, &["--answers"]).await?;
    let names: Vec<&str> = SEARCH_GOALS.iter().map(|(name, _, _)| *name).collect();
    let has = |name: &str| folder.join(format!("{name}.questions.jsonl")).is_file();
    let there: Vec<&str> = names.into_iter().filter(|name| has(name)).collect();
    let mut rows = answer_rows(&pages)?;
    if !there.is_empty() {
        let whole =
            evaluate(folder, &["--pages", "all", "--limit", "200", "--sets", &there.join(",")]).await?;
        rows.extend(search_rows(&whole)?);
    }
    Ok(rows)
}

async fn evaluate(folder: &Path, options: &[&str]) -> anyhow::Result<Value> {
    let mut command = Command::new(program()?);
    command.arg("eval").arg(folder).arg("--json").args(options);
    for setting in SETTINGS.iter().filter(|setting| !KEPT.contains(&setting.name)) {
        command.env_remove(setting.name);
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let ended = command.output().await.context("parlance eval does not start")?;
    if !ended.status.success() {
        bail!("parlance eval ended with {}", ended.status);
    }
    serde_json::from_slice(&ended.stdout).context("parlance eval printed no JSON")
}

fn answer_rows(report: &Value) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let all = &report["answers"];
    let answerable = &all["classes"]["answerable"];
    let count = count(answerable);
    let value = |value: &Value, name: &str| value.as_f64().with_context(|| format!("eval tells no {name}"));
    rows.push(Row::at_least(
        GOLD.0,
        "answers: gold fact in them",
        value(&answerable["gold"], "gold")?,
        "",
        count,
    ));
    let worst = &report["worst_language"];
    let name = format!("answers: gold, worst language ({})", worst["language"].as_str().unwrap_or("?"));
    rows.push(Row::at_least(GOLD.1, name, value(&worst["gold"], "worst language")?, "", count));
    let unknown = value(&answerable["unknown"], "unknown")?;
    rows.push(Row::at_most(UNKNOWN, "answers: answerable, but unknown", unknown, "", count));
    for (class, endings) in all["classes"].as_object().into_iter().flatten() {
        let questions = self::count(endings);
        let share = |ending: &str| value(&endings[ending], ending);
        match class.as_str() {
            "cross_language" => {
                let gold = value(&endings["gold"], "gold")?;
                rows.push(Row::at_least(
                    GOLD_CROSS_LANGUAGE,
                    "answers: gold, across languages",
                    gold,
                    "",
                    questions,
                ));
            }
            "off_topic" | "off_natural" => {
                let name = format!("answers: {class}, but answered");
                let answered = share("confident")? + share("tentative")?;
                rows.push(Row::at_most(OFF_TOPIC, name, answered, "", questions));
            }
            "hard" | "heldout" | "unanswerable" => {
                let name = format!("answers: {class}, but confident");
                rows.push(Row::at_most(NEAR_MISS, name, share("confident")?, "", questions));
            }
            _ => {}
        }
    }
    let (sentences, belonging) = (&all["sentences"], &all["belonging"]);
    let sentences = value(sentences, "sentences")?;
    rows.push(Row::at_most(SENTENCES.0, "answers: sentences of a confident one", sentences, "", count));
    let belonging = value(belonging, "belonging")?;
    rows.push(Row::at_least(SENTENCES.1, "answers: sentences that belong", belonging, "", count));
    for (language, summary) in report["languages"].as_object().into_iter().flatten() {
        if let Some(gold) = summary["answers"]["gold"].as_f64() {
            let asked = self::count_of(summary, "answerable");
            rows.push(Row::plain(format!("answers: gold, {language}"), gold, "", asked));
        }
    }
    let error = value(&report["reliability"]["error_answerable"], "calibration error")?;
    let questions = count_of(report, "questions");
    rows.push(Row::plain("answers: calibration error", error, "", questions));
    rows.push(Row::plain("answers: median", value(&all["ms_p50"], "ms_p50")?, "ms", questions));
    rows.push(Row::plain("answers: p95", value(&all["ms_p95"], "ms_p95")?, "ms", questions));
    Ok(rows)
}

fn search_rows(report: &Value) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, first, fifth) in SEARCH_GOALS {
        let set = &report["sets"][name];
        for (measure, shown, goal) in [("recall_1", "recall@1", first), ("recall_5", "recall@5", fifth)] {
            if let Some(value) = set["modes"]["hybrid"][measure].as_f64() {
                let name = format!("search, {name}: hybrid {shown}");
                rows.push(Row::at_least(goal, name, value, "", count_of(set, "answerable")));
            }
        }
    }
    if rows.is_empty() {
        bail!("eval tells of no set with a goal");
    }
    Ok(rows)
}

fn count(endings: &Value) -> usize {
    count_of(endings, "questions")
}

fn count_of(of: &Value, name: &str) -> usize {
    of[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_without_answers_is_an_error() {
        assert!(answer_rows(&json!({"questions": 3})).is_err());
        assert!(search_rows(&json!({"sets": {}})).is_err());
    }

    #[test]
    fn each_class_is_held_against_its_own_goal() {
        let report = json!({
            "questions": 9,
            "answers": {"sentences": 1.2, "belonging": 0.9, "ms_p50": 20.0, "ms_p95": 40.0, "classes": {
                "answerable": {"questions": 5, "confident": 0.8, "tentative": 0.1, "unknown": 0.1, "gold": 0.9},
                "hard": {"questions": 2, "confident": 0.2, "tentative": 0.8, "unknown": 0.0},
                "off_topic": {"questions": 2, "confident": 0.0, "tentative": 0.5, "unknown": 0.5},
            }},
            "worst_language": {"language": "de", "gold": 0.7},
            "languages": {"de": {"answerable": 5, "answers": {"gold": 0.7}}},
            "reliability": {"error_answerable": 0.1},
        });
        let rows = serde_json::to_value(answer_rows(&report).unwrap()).unwrap();
        let ok = |name: &str| {
            let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name);
            row.map(|row| row["ok"].clone()).unwrap()
        };
        assert_eq!(ok("answers: gold fact in them"), true);
        assert_eq!(ok("answers: gold, worst language (de)"), false);
        assert_eq!(ok("answers: answerable, but unknown"), false);
        assert_eq!(ok("answers: hard, but confident"), true);
        assert_eq!(ok("answers: off_topic, but answered"), false);
    }
}
