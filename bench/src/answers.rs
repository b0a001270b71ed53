//! Quality of the built-in answers on external question sets, as measured by `parlance eval`.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use parlance_core::platform::config::SETTINGS;
use serde_json::Value;
use tokio::process::Command;

use crate::report::Row;
use crate::server::{KEPT_SETTINGS, program};

/// Goals of recall@1 and recall@5 by hybrid search, by set.
const SEARCH_GOALS: [(&str, f64, f64); 4] =
    [("xquad-en", 0.95, 0.99), ("xquad-es", 0.95, 0.99), ("xquad-de", 0.93, 0.99), ("squad-it", 0.84, 0.97)];

/// Share of answerable questions whose answer states the gold fact: overall, and in the worst language.
const GOLD: (f64, f64) = (0.85, 0.75);

/// The same for English documents with questions in another language.
const GOLD_CROSS_LANGUAGE: f64 = 0.65;

/// Maximum share of answerable questions with the outcome `unknown`.
const UNKNOWN: f64 = 0.08;

/// Maximum share of off-topic questions that are answered.
const OFF_TOPIC: f64 = 0.05;

/// Maximum share of near-misses with a confident answer.
const NEAR_MISS: f64 = 0.25;

/// Sentences per confident answer, and the share of them that is relevant.
const SENTENCES: (f64, f64) = (1.5, 0.85);

/// Evaluates the sets of a folder: one bot per page for the answers, one bot per set for the search.
pub(crate) async fn measure(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let pages = evaluate(folder, &["--answers"]).await?;
    let names: Vec<&str> = SEARCH_GOALS.iter().map(|(name, _, _)| *name).collect();
    let has = |name: &str| folder.join(format!("{name}.questions.jsonl")).is_file();
    let available: Vec<&str> = names.into_iter().filter(|name| has(name)).collect();
    let mut rows = answer_rows(&pages)?;
    if !available.is_empty() {
        let whole =
            evaluate(folder, &["--pages", "all", "--limit", "200", "--sets", &available.join(",")]).await?;
        rows.extend(search_rows(&whole)?);
    }
    Ok(rows)
}

async fn evaluate(folder: &Path, options: &[&str]) -> anyhow::Result<Value> {
    let mut command = Command::new(program()?);
    command.arg("eval").arg(folder).arg("--json").args(options);
    for setting in SETTINGS.iter().filter(|setting| !KEPT_SETTINGS.contains(&setting.name)) {
        command.env_remove(setting.name);
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = command.output().await.context("cannot start parlance eval")?;
    if !output.status.success() {
        bail!("parlance eval failed: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("parlance eval printed no JSON")
}

fn answer_rows(report: &Value) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let all = &report["answers"];
    let answerable = &all["classes"]["answerable"];
    let count = count(answerable);
    let value = |value: &Value, name: &str| {
        value.as_f64().with_context(|| format!("no {name} in the output of eval"))
    };
    rows.push(Row::at_least(
        GOLD.0,
        "answers: stating the gold fact",
        value(&answerable["gold"], "gold")?,
        "",
        count,
    ));
    let worst = &report["worst_language"];
    let name = format!("answers: gold, worst language ({})", worst["language"].as_str().unwrap_or("?"));
    rows.push(Row::at_least(GOLD.1, name, value(&worst["gold"], "worst language")?, "", count));
    let unknown = value(&answerable["unknown"], "unknown")?;
    rows.push(Row::at_most(UNKNOWN, "answers: answerable, but unknown", unknown, "", count));
    for (class, outcomes) in all["classes"].as_object().into_iter().flatten() {
        let questions = self::count(outcomes);
        let share = |outcome: &str| value(&outcomes[outcome], outcome);
        match class.as_str() {
            "cross_language" => {
                let gold = value(&outcomes["gold"], "gold")?;
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
    rows.push(Row::at_most(SENTENCES.0, "answers: sentences per confident answer", sentences, "", count));
    let belonging = value(belonging, "belonging")?;
    rows.push(Row::at_least(SENTENCES.1, "answers: relevant sentences", belonging, "", count));
    for (language, summary) in report["languages"].as_object().into_iter().flatten() {
        if let Some(gold) = summary["answers"]["gold"].as_f64() {
            let questions = self::count_of(summary, "answerable");
            rows.push(Row::plain(format!("answers: gold, {language}"), gold, "", questions));
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
        for (measure, label, goal) in [("recall_1", "recall@1", first), ("recall_5", "recall@5", fifth)] {
            if let Some(value) = set["modes"]["hybrid"][measure].as_f64() {
                let name = format!("search, {name}: hybrid {label}");
                rows.push(Row::at_least(goal, name, value, "", count_of(set, "answerable")));
            }
        }
    }
    if rows.is_empty() {
        bail!("no set with a goal in the output of eval");
    }
    Ok(rows)
}

fn count(class: &Value) -> usize {
    count_of(class, "questions")
}

fn count_of(counts: &Value, name: &str) -> usize {
    counts[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
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
    fn each_class_is_compared_with_its_own_goal() {
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
        assert_eq!(ok("answers: stating the gold fact"), true);
        assert_eq!(ok("answers: gold, worst language (de)"), false);
        assert_eq!(ok("answers: answerable, but unknown"), false);
        assert_eq!(ok("answers: hard, but confident"), true);
        assert_eq!(ok("answers: off_topic, but answered"), false);
    }
}
