//! Retrieval and the built-in answers do not get worse unnoticed.

use std::path::Path;

use serde_json::Value;

use crate::process::{output, parlance, said};

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../eval/questions.jsonl")
}

#[test]
fn questions_find_their_passages_and_answers_as_well_as_they_did() {
    let report: Value =
        serde_json::from_str(&said(parlance().arg("eval").arg(corpus()).args(["--answers", "--json"])))
            .unwrap();
    let of = |mode: &str, measure: &str| report["modes"][mode][measure].as_f64().unwrap();
    // Each a little below what was measured: 0.884, 0.677, 0.914; 0.828; 0.682.
    for (mode, measure, least) in [
        ("hybrid", "recall_5", 0.865),
        ("hybrid", "recall_1", 0.65),
        ("hybrid", "recall_10", 0.89),
        ("text", "recall_5", 0.81),
        ("vector", "recall_5", 0.66),
    ] {
        assert!(of(mode, measure) >= least, "{mode} {measure}: {}", of(mode, measure));
    }
    // As are these: 0.589, 0.197, 0.792.
    let answers = |rate: &str| report["answers"][rate].as_f64().unwrap();
    assert!(answers("false_answers") <= 0.63, "{}", answers("false_answers"));
    assert!(answers("false_refusals") <= 0.22, "{}", answers("false_refusals"));
    assert!(answers("cite_expected") >= 0.77, "{}", answers("cite_expected"));
    assert!(of("hybrid", "recall_5") > of("text", "recall_5").max(of("vector", "recall_5")));
}

#[test]
fn a_question_about_what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("corpus/shop")).unwrap();
    std::fs::write(folder.path().join("corpus/shop/a.md"), "Within thirty days.").unwrap();
    let questions = folder.path().join("questions.jsonl");
    let question = r#"{"id": "q1", "bot": "shop", "question": "When?", "expected": [{"source": "a.md", "quote": "sixty"}]}"#;
    std::fs::write(&questions, question).unwrap();
    let ended = output(parlance().arg("eval").arg(&questions));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && told.contains("q1") && told.contains("sixty"), "{told}");
}
