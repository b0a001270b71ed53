//! The report: figures as a readable table and as a machine-readable file.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{SecondsFormat, Utc};
use serde::Serialize;

use crate::parts::Parts;
use crate::proc;

/// The reference of a figure.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Against {
    /// None: the figure explains another.
    Nothing,
    /// A goal as an upper limit.
    AtMost(f64),
    /// A goal as a lower limit.
    AtLeast(f64),
    /// A result of a reference in the same run; the ratio to it must reach `least`.
    Reference { name: &'static str, value: f64, ratio: f64, least: f64 },
    /// A time of something else in the same run; the ratio to it must not exceed `most`.
    Baseline { name: String, value: f64, ratio: f64, most: f64 },
}

/// A figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    /// Number of measurements.
    samples: usize,
    against: Against,
    ratio: Option<f64>,
    ok: Option<bool>,
}

impl Row {
    /// A figure without a goal.
    pub(crate) fn plain(name: impl Into<String>, value: f64, unit: &'static str, samples: usize) -> Self {
        Self::new(name.into(), value, unit, samples, Against::Nothing)
    }

    /// A figure with an upper limit.
    pub(crate) fn at_most(
        goal: f64,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        samples: usize,
    ) -> Self {
        Self::new(name.into(), value, unit, samples, Against::AtMost(goal))
    }

    /// A figure with a lower limit.
    pub(crate) fn at_least(
        goal: f64,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        samples: usize,
    ) -> Self {
        Self::new(name.into(), value, unit, samples, Against::AtLeast(goal))
    }

    pub(crate) fn new(
        name: String,
        value: f64,
        unit: &'static str,
        samples: usize,
        against: Against,
    ) -> Self {
        let (ratio, ok) = match &against {
            Against::Nothing => (None, None),
            Against::AtMost(goal) => (Some(value / goal), Some(value <= *goal)),
            Against::AtLeast(goal) => (Some(value / goal), Some(value >= *goal)),
            Against::Reference { ratio, least, .. } => (Some(*ratio), Some(ratio >= least)),
            Against::Baseline { ratio, most, .. } => (Some(*ratio), Some(ratio <= most)),
        };
        Self { name, value, unit, samples, against, ratio, ok }
    }

    fn cells(&self) -> [String; 5] {
        let against = match &self.against {
            Against::Nothing => "-".to_owned(),
            Against::AtMost(goal) => format!("goal <= {} {}", number(*goal), self.unit),
            Against::AtLeast(goal) => format!("goal >= {} {}", number(*goal), self.unit),
            Against::Reference { name, value, least, .. } => {
                format!("{name} {} {}, goal >= {least} x", number(*value), self.unit)
            }
            Against::Baseline { name, value, most, .. } => {
                format!("{name} {} {}, goal <= {most} x", number(*value), self.unit)
            }
        };
        let ratio = self.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let ok = self.ok.map_or("-", |ok| if ok { "yes" } else { "NO" });
        [self.name.clone(), format!("{} {}", number(self.value), self.unit), against, ratio, ok.to_owned()]
    }
}

/// Formats with three significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size > 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[derive(Debug, Serialize)]
struct Machine {
    cpu: String,
    cores: usize,
    memory_mb: f64,
    system: &'static str,
    architecture: &'static str,
    embedding_threads: usize,
    /// Load average at the start: a busy machine gives worse figures.
    load: f64,
}

/// All results of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    date: String,
    machine: Machine,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(parts: &Parts) -> Self {
        let machine = Machine {
            cpu: proc::cpu_name(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: proc::machine_memory().round(),
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            embedding_threads: parts.threads,
            load: proc::load(),
        };
        Self { date: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true), machine, rows: Vec::new() }
    }

    pub(crate) fn table(&self) -> String {
        let head = ["figure", "value", "goal or reference", "ratio", "ok?"].map(str::to_owned);
        let lines: Vec<[String; 5]> = std::iter::once(head).chain(self.rows.iter().map(Row::cells)).collect();
        let widths: [usize; 5] = std::array::from_fn(|column| {
            lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default()
        });
        let mut table = String::new();
        for (line, cells) in lines.iter().enumerate() {
            let padded: Vec<String> =
                cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            // Writing to a string cannot fail.
            let _infallible = writeln!(table, "| {} |", padded.join(" | "));
            if line == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
                let _infallible = writeln!(table, "|{}|", rules.join("|"));
            }
        }
        table
    }

    /// Writes `bench.json` into the target folder.
    pub(crate) fn write(&self) -> anyhow::Result<PathBuf> {
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).context("the bench is not in a target folder")?;
        let path = target.join("bench.json");
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_include_their_own_value() {
        assert_eq!(Row::at_most(8.0, "up", 8.0, "s", 3).ok, Some(true));
        let missed = Row::at_most(50.0, "chat", 75.0, "ms", 3);
        assert_eq!((missed.ok, missed.ratio), (Some(false), Some(1.5)));
        let reached = Row::at_least(1500.0, "ledger", 1500.0, "jobs/s", 3);
        assert_eq!(
            (reached.ok, Row::at_least(1500.0, "ledger", 750.0, "jobs/s", 3).ok),
            (Some(true), Some(false))
        );
        assert_eq!(Row::plain("split", 1.0, "ms", 1).ok, None);
    }

    #[test]
    fn a_reference_row_compares_the_ratio() {
        let against = Against::Reference { name: "ort", value: 10.0, ratio: 0.92, least: 0.9 };
        let row = Row::new("embedding".into(), 9.1, "chunks/CPU-s", 4, against);
        assert_eq!((row.ok, row.ratio), (Some(true), Some(0.92)));
        assert_eq!(row.cells()[2], "ort 10.0 chunks/CPU-s, goal >= 0.9 x");
    }

    #[test]
    fn a_baseline_row_compares_the_ratio() {
        let against = |ratio| Against::Baseline { name: "at 5,000".into(), value: 2.0, ratio, most: 3.0 };
        let row = |ratio| Row::new("page 1".into(), 5.0, "ms", 9, against(ratio));
        assert_eq!((row(2.5).ok, row(3.5).ok), (Some(true), Some(false)));
        assert_eq!(row(2.5).cells()[2], "at 5,000 2.00 ms, goal <= 3 x");
    }

    #[test]
    fn numbers_have_three_significant_digits() {
        assert_eq!([number(1234.5), number(12.34), number(1.234)], ["1234", "12.3", "1.23"]);
    }
}
