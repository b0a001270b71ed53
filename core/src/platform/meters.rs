//! What a process counts of its own work, for `/metrics`. Of everybody's work the ledger tells, and is asked.
//!
//! No label has a value that a tenant chooses.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::conversations::{Answer, Confidence};
use crate::jobs::{Kind, Swept};
use crate::text_enum;

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counts of a process.
pub struct Meters {
    answers: Family<OfAnswer, Counter>,
    answer_seconds: Histograms<Part>,
    jobs: Family<OfJob, Counter>,
    job_seconds: Histograms<OfKind>,
    chunks_embedded: Counter,
    tokens_embedded: Counter,
    lost_hints: Counter,
    expired_leases: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfAnswer {
    outcome: &'static str,
    degraded: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Part {
    part: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfJob {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

/// Chunks that got their vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Embedded {
    pub(crate) chunks: i64,
    pub(crate) tokens: i64,
}

text_enum! {
    /// How a run of a job ended.
    pub enum Ending {
        /// Its results are written.
        Succeeded = "succeeded",
        /// It will be tried again.
        Retried = "retried",
        /// It will not: a dead letter.
        Failed = "failed",
        /// Somebody asked for it.
        Cancelled = "cancelled",
        /// The worker ended, and gave it back.
        Released = "released",
        /// Another worker has it; nothing was written.
        LeaseLost = "lease_lost",
    }
}

/// Buckets for what takes from a millisecond to half a minute.
#[must_use]
pub fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            answers: Family::default(),
            answer_seconds: Family::new_with_constructor(seconds),
            jobs: Family::default(),
            job_seconds: Family::new_with_constructor(seconds),
            chunks_embedded: Counter::default(),
            tokens_embedded: Counter::default(),
            lost_hints: Counter::default(),
            expired_leases: Counter::default(),
        }
    }
}

impl Meters {
    /// Names the counts.
    pub fn register(&self, registry: &mut Registry) {
        let answers = "Answers given, by outcome (answered, tentative, unanswered, partial), and whether the model was down";
        registry.register("answers", answers, self.answers.clone());
        let parts = "How long the parts of answers took: embed, search, rerank, first_token, total";
        registry.register("answer_seconds", parts, self.answer_seconds.clone());
        registry.register("job_runs", "Runs of jobs that ended in this process", self.jobs.clone());
        registry.register("job_run_seconds", "How long they took", self.job_seconds.clone());
        let chunks = "Chunks that got a vector, of a new model too";
        registry.register("chunks_embedded", chunks, self.chunks_embedded.clone());
        registry.register("tokens_embedded", "The tokens of those", self.tokens_embedded.clone());
        registry.register("hints_lost", "Dispatched jobs whose hint Redis lost", self.lost_hints.clone());
        registry.register(
            "leases_expired",
            "Jobs taken back from workers that went silent",
            self.expired_leases.clone(),
        );
    }

    /// An answer was given.
    pub(crate) fn answered(&self, answer: &Answer) {
        let outcome = match answer {
            Answer { is_partial: true, .. } => "partial",
            Answer { confidence: Some(Confidence::Low), .. } => "tentative",
            Answer { answered: true, .. } => "answered",
            Answer { .. } => "unanswered",
        };
        let degraded = if answer.degraded { "true" } else { "false" };
        self.answers.get_or_create(&OfAnswer { outcome, degraded }).inc();
        let timings = &answer.timings;
        for (part, milliseconds) in [
            ("embed", timings.embed),
            ("search", timings.search),
            ("rerank", timings.rerank),
            ("first_token", timings.first_token),
            ("total", timings.total),
        ] {
            // What did not run took no time.
            if milliseconds > 0.0 {
                self.answer_seconds.get_or_create(&Part { part }).observe(milliseconds / 1_000.0);
            }
        }
    }

    /// A run of a job ended.
    pub fn ran(&self, kind: Kind, ending: Ending, took: Duration) {
        let kind = kind.as_str();
        self.jobs.get_or_create(&OfJob { kind, outcome: ending.as_str() }).inc();
        self.job_seconds.get_or_create(&OfKind { kind }).observe(took.as_secs_f64());
    }

    /// Chunks have got their vectors.
    pub(crate) fn embedded(&self, embedded: Embedded) {
        self.chunks_embedded.inc_by(embedded.chunks.unsigned_abs());
        self.tokens_embedded.inc_by(embedded.tokens.unsigned_abs());
    }

    /// The ledger was swept.
    pub(crate) fn swept(&self, swept: &Swept) {
        self.lost_hints.inc_by(swept.lost_hints);
        self.expired_leases.inc_by(swept.expired_leases);
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::conversations::Timings;

    fn answer(confidence: Option<Confidence>) -> Answer {
        Answer {
            text: String::new(),
            sources: Vec::new(),
            passages: Vec::new(),
            answered: confidence.is_some(),
            confidence,
            confidence_score: 0.5,
            support: Vec::new(),
            grounded: true,
            degraded: false,
            is_partial: false,
            model: String::new(),
            input_tokens: None,
            output_tokens: None,
            timings: Timings::default(),
        }
    }

    #[test]
    fn answers_are_counted_by_their_outcome() {
        let meters = Meters::default();
        let mut registry = Registry::default();
        meters.register(&mut registry);
        meters.answered(&answer(Some(Confidence::High)));
        meters.answered(&answer(Some(Confidence::Low)));
        meters.answered(&answer(Some(Confidence::Low)));
        meters.answered(&answer(None));
        meters.answered(&Answer { is_partial: true, ..answer(Some(Confidence::Low)) });
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for (outcome, count) in [("answered", 1), ("tentative", 2), ("unanswered", 1), ("partial", 1)] {
            let line = format!("answers_total{{outcome=\"{outcome}\",degraded=\"false\"}} {count}");
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }
}
