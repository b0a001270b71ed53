//! Quality of text extraction from files, against the texts of reference tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use super::words::{Bag, bag, intersection, mean, pairs, share, size, union, words};
use super::{Tools, extract};
use crate::report::Row;

/// Goals of recall, precision and kept word pairs of PDF files.
const PDF_GOALS: [f64; 3] = [0.985, 0.98, 0.97];

/// Goals of recall and precision of text files.
const TEXT_GOALS: [f64; 2] = [0.98, 0.98];

/// Texts in a reference file: of poppler and MuPDF, of the parts of a DOCX, of antiword and catdoc.
const PDF_TEXTS: [&str; 2] = ["pdftotext", "mupdf"];
const OTHER_TEXTS: [&str; 5] = ["body", "footnotes", "endnotes", "antiword", "catdoc"];

/// Minimum number of reference words: shares of fewer words are meaningless.
const MIN_WORDS: usize = 5;

/// A line of `manifest.json`.
#[derive(Deserialize)]
struct Entry {
    file: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The reference of a file.
struct Reference {
    /// Words and pairs that all tools read.
    common: (Bag, Bag),
    /// Words that any tool read.
    any: Bag,
}

/// Recall, precision and the share of kept pairs.
type Scores = [f64; 3];

pub(super) fn measure(folder: &Path, tools: &Tools) -> anyhow::Result<Vec<Row>> {
    let manifest = std::fs::read(folder.join("manifest.json"))?;
    let entries: Vec<Entry> = serde_json::from_slice(&manifest).context("manifest.json")?;
    let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in entries {
        kinds.entry(entry.kind).or_default().push(folder.join("files").join(entry.file));
    }
    let mut rows = Vec::new();
    for (kind, paths) in &kinds {
        rows.extend(measure_kind(folder, kind, paths, tools)?);
    }
    Ok(rows)
}

fn measure_kind(folder: &Path, kind: &str, paths: &[PathBuf], tools: &Tools) -> anyhow::Result<Vec<Row>> {
    let decoded =
        if kind == "txt" { tools.texts("codecs", paths)?.unwrap_or_default() } else { Default::default() };
    let mut references = BTreeMap::new();
    let (mut ours, mut seconds, mut refused) = (BTreeMap::new(), Vec::new(), 0_usize);
    for path in paths {
        let name = path.file_name().context("a file without a name")?.to_string_lossy();
        let extracted = extract(Some(&name), None, &std::fs::read(path)?)?;
        seconds.push(extracted.seconds);
        let texts = match decoded.get(path) {
            Some(text) => vec![text.clone()],
            None => reference_texts(folder, kind, &name)?,
        };
        match (extracted.verdict, reference(kind, &texts)) {
            (Some(_), _) => refused += 1,
            (None, Some(reference)) => {
                ours.insert(path.clone(), extracted.text);
                references.insert(path.clone(), reference);
            }
            (None, None) => {}
        }
    }
    let count = paths.len();
    let slowest = seconds.iter().copied().fold(0.0, f64::max);
    let mut rows = vec![
        Row::plain(format!("extract {kind}: files without text (refused)"), refused as f64, "", count),
        Row::plain(format!("extract {kind}: slowest file"), slowest, "s", count),
    ];
    if references.is_empty() {
        return Ok(rows);
    }
    let scores = |texts: &dyn Fn(&Path) -> Option<String>| -> Vec<Scores> {
        let scored =
            references.iter().map(|(path, reference)| score(&texts(path).unwrap_or_default(), reference));
        scored.collect()
    };
    rows.extend(score_rows(kind, "", &scores(&|path| ours.get(path).cloned())));
    if kind != "txt" {
        for tool in ["markitdown", "libreoffice"] {
            let read: Vec<PathBuf> = references.keys().cloned().collect();
            // LibreOffice opens a PDF as a drawing.
            if tool == "libreoffice" && kind == "pdf" {
                continue;
            }
            let texts = tools.texts(tool, &read)?;
            // A tool that reads none of them does not support the type.
            if let Some(texts) = texts.filter(|texts| texts.values().any(|text| !text.is_empty())) {
                let label = format!(" by {tool}");
                rows.extend(score_rows(kind, &label, &scores(&|path| texts.get(path).cloned())));
            }
        }
    }
    Ok(rows)
}

/// The texts of the reference tools; empty if the file has no reference.
fn reference_texts(folder: &Path, kind: &str, name: &str) -> anyhow::Result<Vec<String>> {
    let path = folder.join("reference").join(format!("{name}.json"));
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let reference: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let names: &[&str] = if kind == "pdf" { &PDF_TEXTS } else { &OTHER_TEXTS };
    let texts = names.iter().filter_map(|name| reference[*name].as_str().map(str::to_owned));
    Ok(texts.filter(|text| !text.trim().is_empty()).collect())
}

/// The reference words of a file; `None` if there are too few. The parts of a DOCX add up to its text.
fn reference(kind: &str, texts: &[String]) -> Option<Reference> {
    let parts: Vec<Vec<String>> = if kind == "docx" {
        vec![words(&texts.join("\n"))]
    } else {
        texts.iter().map(|text| words(text)).collect()
    };
    let (first, others) = parts.split_first()?;
    let mut reference = Reference { common: (bag(first), pairs(first)), any: bag(first) };
    for other in others {
        reference.common.0 = intersection(&reference.common.0, &bag(other));
        reference.common.1 = intersection(&reference.common.1, &pairs(other));
        reference.any = union(&reference.any, &bag(other));
    }
    (size(&reference.common.0) >= MIN_WORDS).then_some(reference)
}

fn score(text: &str, reference: &Reference) -> Scores {
    let ours = words(text);
    let found = bag(&ours);
    [
        share(&reference.common.0, &found),
        share(&found, &reference.any),
        share(&reference.common.1, &pairs(&ours)),
    ]
}

fn score_rows(kind: &str, tool: &str, scores: &[Scores]) -> Vec<Row> {
    let goals: &[f64] = match kind {
        "pdf" => &PDF_GOALS,
        "txt" => &TEXT_GOALS,
        _ => &[],
    };
    let names = ["recall", "precision", "word pairs kept"];
    let rows = names.iter().enumerate().map(|(index, name)| {
        let value = mean(scores.iter().filter_map(|scores| scores.get(index).copied()));
        let label = format!("extract {kind}{tool}: {name}");
        match goals.get(index).filter(|_| tool.is_empty()) {
            Some(goal) => Row::at_least(*goal, label, value, "", scores.len()),
            None => Row::plain(label, value, "", scores.len()),
        }
    });
    rows.collect()
}
