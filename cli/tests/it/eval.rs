//! Lower bounds on search and answer quality, so that regressions fail.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{output, parlance, stdout};

/// Search on `eval/`: mode, metric and minimum. Each minimum is slightly below the measured value.
const SEARCH: [(&str, &str, f64); 5] = [
    ("hybrid", "recall_5", 0.89),
    ("hybrid", "recall_1", 0.76),
    ("hybrid", "recall_10", 0.92),
    ("text", "recall_5", 0.81),
    ("vector", "recall_5", 0.86),
];

/// By language: minimum recall@5 of hybrid search, and minimum share of answerable questions whose answer states the
/// gold fact.
const LANGUAGES: [(&str, f64, f64); 6] = [
    ("en", 0.85, 0.74),
    ("es", 0.85, 0.74),
    ("de", 0.85, 0.74),
    ("fr", 0.85, 0.74),
    ("it", 0.85, 0.74),
    ("pt", 0.85, 0.74),
];

/// By class of answerable questions: maximum share without an answer, minimum share that states the gold fact.
const ANSWERABLE: [(&str, f64, f64); 2] = [("answerable", 0.10, 0.79), ("cross_language", 0.10, 0.68)];

/// By class of unanswerable questions: maximum share of confident answers, maximum share of answers.
const WITHOUT_ANSWER: [(&str, f64, f64); 2] = [("unanswerable", 0.20, 0.92), ("off_topic", 0.05, 0.20)];

/// Minimum share of given answers that cite an expected passage.
const CITE_EXPECTED: f64 = 0.85;

/// Maximum mean sentences per confident answer, and minimum share of them that belong.
const SENTENCES: (f64, f64) = (1.2, 0.88);

/// Maximum expected calibration error of the confidence score.
const CALIBRATION_ERROR: f64 = 0.20;

/// Minimum right answers of the demo bot, and minimum number of questions.
const DEMO: (u64, u64) = (27, 30);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../eval").join(name)
}

/// All violated bounds, so that one run reports every regression.
#[derive(Default)]
struct Bounds(Vec<String>);

impl Bounds {
    fn at_least(&mut self, what: &str, value: &Value, least: f64) {
        if value.as_f64().is_none_or(|value| value < least) {
            self.0.push(format!("{what}: {value}, at least {least}"));
        }
    }

    fn at_most(&mut self, what: &str, value: &Value, most: f64) {
        if value.as_f64().is_none_or(|value| value > most) {
            self.0.push(format!("{what}: {value}, at most {most}"));
        }
    }
}

#[test]
fn search_and_answer_quality_do_not_regress() {
    let questions = file("questions.jsonl");
    let report = stdout(parlance().arg("eval").arg(questions).args(["--answers", "--json"]));
    let report: Value = serde_json::from_str(&report).unwrap();
    let mut bounds = Bounds::default();
    for (mode, measure, least) in SEARCH {
        bounds.at_least(&format!("{mode} {measure}"), &report["modes"][mode][measure], least);
    }
    for (language, recall, gold) in LANGUAGES {
        let of = &report["languages"][language];
        bounds.at_least(&format!("{language} recall@5"), &of["modes"]["hybrid"]["recall_5"], recall);
        bounds.at_least(&format!("{language} gold"), &of["answers"]["gold"], gold);
    }
    let answers = &report["answers"];
    for (class, unknown, gold) in ANSWERABLE {
        bounds.at_most(&format!("{class} unknown"), &answers["classes"][class]["unknown"], unknown);
        bounds.at_least(&format!("{class} gold"), &answers["classes"][class]["gold"], gold);
    }
    for (class, confident, answered) in WITHOUT_ANSWER {
        let of = &answers["classes"][class];
        bounds.at_most(&format!("{class} confident"), &of["confident"], confident);
        // Answered is the complement of unknown.
        bounds.at_least(&format!("{class} unknown"), &of["unknown"], 1.0 - answered);
    }
    bounds.at_least("cite expected", &answers["cite_expected"], CITE_EXPECTED);
    bounds.at_most("sentences", &answers["sentences"], SENTENCES.0);
    bounds.at_least("belonging", &answers["belonging"], SENTENCES.1);
    bounds.at_most("calibration error", &report["reliability"]["error_answerable"], CALIBRATION_ERROR);
    assert!(bounds.0.is_empty(), "{:#?}", bounds.0);
}

#[test]
fn demo_bot_answers_newcomers_questions() {
    let report = stdout(parlance().args(["eval", "--json", "--demo"]).arg(file("demo.jsonl")));
    let report: Value = serde_json::from_str(&report).unwrap();
    let wrong: Vec<String> = report["questions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| answer["right"] == false)
        .map(|answer| format!("{} -> {}", answer["question"], answer["answer"]))
        .collect();
    let (right, least) = DEMO;
    let (of, was_right) = (report["of"].as_u64().unwrap(), report["right"].as_u64().unwrap());
    assert!(of >= least && was_right * least >= right * of, "{was_right} of {of} right; wrong: {wrong:#?}");
}

#[test]
fn squad_file_becomes_bots_and_questions() {
    let folder = tempfile::tempdir().unwrap();
    let squad = folder.path().join("house-en.json");
    let paragraphs: Vec<String> = ["door", "roof", "wall", "floor", "stove"]
        .into_iter()
        .enumerate()
        .map(|(number, thing)| {
            format!(
                r#"{{"context": "The {thing} of the old house was painted in the year 18{number}7 by a friend.",
                "qas": [{{"id": "q{number}", "question": "When was the {thing} of the old house painted?",
                "answers": [{{"text": "18{number}7"}}]}}]}}"#
            )
        })
        .collect();
    let text = format!(r#"{{"data": [{{"title": "House", "paragraphs": [{}]}}]}}"#, paragraphs.join(","));
    std::fs::write(&squad, text).unwrap();
    let details = folder.path().join("details.jsonl");
    let mut command = parlance();
    command.arg("eval").arg(&squad).args(["--answers", "--json", "--details"]).arg(&details);
    let report: Value = serde_json::from_str(&stdout(&mut command)).unwrap();
    let classes = &report["sets"]["house-en"]["answers"]["classes"];
    assert_eq!(
        (&classes["answerable"]["questions"], &classes["heldout"]["questions"]),
        (&4.into(), &1.into())
    );
    assert_eq!(report["modes"]["hybrid"]["recall_5"], 1.0);
    let details = std::fs::read_to_string(details).unwrap();
    let first: Value = serde_json::from_str(details.lines().next().unwrap()).unwrap();
    assert_eq!((details.lines().count(), &first["set"]), (5, &"house-en".into()));
    assert!(first["candidates"][0]["cosine"].is_f64() && first["answer"]["ending"].is_string(), "{first}");
}

#[test]
fn missing_expected_quote_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("corpus/shop")).unwrap();
    std::fs::write(folder.path().join("corpus/shop/a.md"), "Within thirty days.").unwrap();
    let questions = folder.path().join("questions.jsonl");
    let question = r#"{"id": "q1", "bot": "shop", "question": "When?", "expected": [{"source": "a.md", "quote": "sixty"}]}"#;
    std::fs::write(&questions, question).unwrap();
    let output = output(parlance().arg("eval").arg(&questions));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("q1") && error.contains("sixty"), "{error}");
}
