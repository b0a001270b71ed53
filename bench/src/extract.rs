//! Quality of text extraction on external files and web pages with reference texts.
//!
//! Files: the words that all reference tools read must be in our text (recall), and each of our words must be
//! in the text of some reference tool (precision). Pages: precision, recall and F1 against the gold text.
//! Other extractors run on the same inputs where they are installed: see `bench/peers/README.md`.

mod files;
mod pages;
mod words;

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::report::Row;
use crate::server::program;

/// Exit status of `extract_text.py` if the tool is not installed.
const NOT_INSTALLED: i32 = 3;

/// Whether a folder holds inputs of this measurement.
pub(crate) fn has_inputs(folder: &Path) -> bool {
    folder.join("files/manifest.json").is_file() || folder.join("web/gold.json").is_file()
}

/// Measures the files and the pages of a folder.
pub(crate) fn measure(folder: &Path, python: &Path) -> anyhow::Result<Vec<Row>> {
    let tools = Tools { python: python.to_owned() };
    let mut rows = Vec::new();
    if folder.join("files/manifest.json").is_file() {
        rows.extend(files::measure(&folder.join("files"), &tools)?);
    }
    if folder.join("web/gold.json").is_file() {
        rows.extend(pages::measure(&folder.join("web"), &tools)?);
    }
    anyhow::ensure!(!rows.is_empty(), "{} has no files/manifest.json and no web/gold.json", folder.display());
    Ok(rows)
}

/// Our result for an input.
struct Extracted {
    text: String,
    /// The verdict, if there is no text.
    verdict: Option<String>,
    seconds: f64,
}

/// Measured parts of the child's reply.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Document { text: String },
    Rejected { verdict: String },
}

/// Extracts an input in a child process, as a worker does.
fn extract(name: Option<&str>, url: Option<&str>, bytes: &[u8]) -> anyhow::Result<Extracted> {
    let media_type = url.map(|_| "text/html");
    let mut input = serde_json::to_vec(&json!({ "name": name, "media_type": media_type, "url": url }))?;
    input.push(b'\n');
    input.extend_from_slice(bytes);
    let started = Instant::now();
    let output = run(Command::new(program()?).arg("extract").env_clear(), input)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(match serde_json::from_slice(&output.stdout) {
        Ok(Reply::Document { text }) => Extracted { text, verdict: None, seconds },
        Ok(Reply::Rejected { verdict }) => Extracted { text: String::new(), verdict: Some(verdict), seconds },
        Err(_) => Extracted { text: String::new(), verdict: Some(output.status.to_string()), seconds },
    })
}

/// Runs a command with this input. A command may stop reading early.
fn run(command: &mut Command, input: Vec<u8>) -> anyhow::Result<std::process::Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let stdin = child.stdin.take();
    let writer = std::thread::spawn(move || {
        let _closed_early = stdin.map(|mut stdin| stdin.write_all(&input));
    });
    let output = child.wait_with_output()?;
    let _ = writer.join();
    Ok(output)
}

/// Other extractors, run by a Python environment.
struct Tools {
    python: PathBuf,
}

impl Tools {
    /// The texts that a tool extracts, by path; `None` if it is not installed.
    fn texts(&self, tool: &str, paths: &[PathBuf]) -> anyhow::Result<Option<HashMap<PathBuf, String>>> {
        if !self.python.is_file() {
            crate::progress(&format!("skipping {tool}: no {}", self.python.display()));
            return Ok(None);
        }
        let mut input = String::new();
        for path in paths {
            input.push_str(&path.to_string_lossy());
            input.push('\n');
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/extract_text.py");
        let output = run(Command::new(&self.python).arg(script).arg(tool), input.into_bytes())?;
        if output.status.code() == Some(NOT_INSTALLED) {
            crate::progress(&format!("skipping {tool}: not installed"));
            return Ok(None);
        }
        anyhow::ensure!(output.status.success(), "{tool} failed: {}", output.status);
        let mut texts = HashMap::new();
        for line in output.stdout.lines() {
            let line: Value = serde_json::from_str(&line?)?;
            let path = line["path"].as_str().context("a line without a path")?;
            texts.insert(PathBuf::from(path), line["text"].as_str().unwrap_or_default().to_owned());
        }
        Ok(Some(texts))
    }
}
