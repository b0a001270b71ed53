//! Quality of text extraction from web pages, against hand-marked content.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use super::words::{bag, mean, share, words};
use super::{Tools, extract};
use crate::report::Row;

/// Goals of F1, by type of page.
const F1_GOALS: [(&str, f64); 5] =
    [("all", 0.88), ("article", 0.95), ("product", 0.70), ("forum", 0.76), ("listing", 0.75)];

/// Goal of recall over all pages.
const RECALL: f64 = 0.93;

/// Minimum recall: a page below it counts as lost.
const LOST: f64 = 0.05;

/// Goal: the maximum share of lost pages, 5 of 1,842.
const MAX_LOST: f64 = 5.0 / 1842.0;

/// The type of pages that scripts make in the browser: the right result is the verdict `empty`.
const SCRIPTED: &str = "spa";

/// A page of `gold.json`: with its text, or with snippets that must and must not be in it.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    page: PathBuf,
    gold: Option<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
}

/// Precision, recall and F1.
type Scores = [f64; 3];

pub(super) fn measure(folder: &Path, tools: &Tools) -> anyhow::Result<Vec<Row>> {
    let gold = std::fs::read(folder.join("gold.json"))?;
    let pages: Vec<Page> = serde_json::from_slice(&gold).context("gold.json")?;
    let (scripted, pages): (Vec<Page>, Vec<Page>) = pages.into_iter().partition(|page| page.kind == SCRIPTED);
    let mut told = 0_usize;
    for page in &scripted {
        told += usize::from(read(folder, page)?.1.as_deref() == Some("empty"));
    }
    let mut texts = Vec::with_capacity(pages.len());
    for page in &pages {
        texts.push(read(folder, page)?.0);
    }
    let ours = pages.iter().zip(&texts).map(|(page, text)| (page, score(page, text)));
    let mut rows = rows("", &ours.collect::<Vec<_>>());
    if !scripted.is_empty() {
        rows.push(Row::plain(
            "extract pages made by scripts: told as empty",
            told as f64,
            "",
            scripted.len(),
        ));
    }
    let paths: Vec<PathBuf> = pages.iter().map(|page| folder.join(&page.page)).collect();
    for tool in ["trafilatura", "readability"] {
        if let Some(texts) = tools.texts(tool, &paths)? {
            let scores = pages
                .iter()
                .zip(&paths)
                .map(|(page, path)| (page, score(page, texts.get(path).map_or("", String::as_str))));
            rows.extend(self::rows(&format!(" by {tool}"), &scores.collect::<Vec<_>>()));
        }
    }
    Ok(rows)
}

fn read(folder: &Path, page: &Page) -> anyhow::Result<(String, Option<String>)> {
    let compressed = std::fs::File::open(folder.join(&page.page))?;
    let mut html = Vec::new();
    flate2::read::GzDecoder::new(compressed).read_to_end(&mut html)?;
    let url = page.url.as_deref().unwrap_or("https://page.example/");
    let extracted = extract(None, Some(url), &html)?;
    Ok((extracted.text, extracted.verdict))
}

fn score(page: &Page, text: &str) -> Scores {
    let ours = words(text);
    let (precision, recall) = match &page.gold {
        Some(gold) => {
            let (ours, gold) = (bag(&ours), bag(&words(gold)));
            (share(&ours, &gold), share(&gold, &ours))
        }
        None => {
            let text = ours.join(" ");
            let count = |snippets: &[String]| {
                snippets.iter().filter(|snippet| text.contains(&words(snippet).join(" "))).count()
            };
            let (right, wrong) = (count(&page.with), count(&page.without));
            (right as f64 / (right + wrong).max(1) as f64, right as f64 / page.with.len().max(1) as f64)
        }
    };
    let sum = precision + recall;
    [precision, recall, if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 }]
}

/// One row per type of the pages with gold text, and one for all of them. Pages with snippets have their own
/// type.
fn rows(tool: &str, scores: &[(&Page, Scores)]) -> Vec<Row> {
    let mut kinds: BTreeMap<String, Vec<Scores>> = BTreeMap::new();
    for (page, scores) in scores {
        if page.gold.is_some() {
            kinds.entry("all".to_owned()).or_default().push(*scores);
            kinds.entry(page.kind.clone()).or_default().push(*scores);
        } else {
            kinds.entry(format!("{} (snippets)", page.kind)).or_default().push(*scores);
        }
    }
    let mut rows = Vec::new();
    for (kind, scores) in &kinds {
        let [precision, recall, f1] =
            [0, 1, 2].map(|index| mean(scores.iter().filter_map(|scores| scores.get(index).copied())));
        let count = scores.len();
        let label = |what: &str| format!("extract pages, {kind}{tool}: {what}");
        let goal = F1_GOALS.iter().find(|(name, _)| name == kind && tool.is_empty());
        rows.push(match goal {
            Some((_, goal)) => Row::at_least(*goal, label("F1"), f1, "", count),
            None => Row::plain(label("F1"), f1, "", count),
        });
        if kind == "all" {
            let lost = scores.iter().filter(|[_, recall, _]| *recall < LOST).count() as f64 / count as f64;
            rows.push(Row::plain(label("precision"), precision, "", count));
            if tool.is_empty() {
                rows.push(Row::at_least(RECALL, label("recall"), recall, "", count));
                rows.push(Row::at_most(
                    MAX_LOST,
                    label("share of pages with recall below 0.05"),
                    lost,
                    "",
                    count,
                ));
            } else {
                rows.push(Row::plain(label("recall"), recall, "", count));
                rows.push(Row::plain(label("share of pages with recall below 0.05"), lost, "", count));
            }
        }
    }
    rows
}
