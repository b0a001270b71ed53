//! Metrics of this process, for `/metrics`. Figures of the whole installation come from the ledger.
//!
//! No label has a value chosen by a tenant. Must never: import the ledger or a slice; labels are passed in.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::text_enum;

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Counters and histograms of a process.
pub struct Meters {
    answers: Family<AnswerLabels, Counter>,
    answer_seconds: Histograms<PartLabel>,
    jobs: Family<JobLabels, Counter>,
    job_seconds: Histograms<KindLabel>,
    chunks_embedded: Counter,
    tokens_embedded: Counter,
    lost_hints: Counter,
    expired_leases: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AnswerLabels {
    outcome: &'static str,
    degraded: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PartLabel {
    part: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Chunks that received a vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Embedded {
    pub(crate) chunks: i64,
    pub(crate) tokens: i64,
}

text_enum! {
    /// Result of a job attempt.
    pub enum Ending {
        /// Results are committed.
        Succeeded = "succeeded",
        /// Failed; will be retried.
        Retried = "retried",
        /// Failed permanently: a dead letter.
        Failed = "failed",
        /// Cancelled on request.
        Cancelled = "cancelled",
        /// Released by a worker during shutdown.
        Released = "released",
        /// Taken over by another worker; nothing was written.
        LeaseLost = "lease_lost",
    }
}

/// Histogram with buckets from a millisecond to half a minute.
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
    /// Registers every metric.
    pub fn register(&self, registry: &mut Registry) {
        let answers = "Answers, by outcome (answered, tentative, unanswered, partial) and by fallback from the language model";
        registry.register("answers", answers, self.answers.clone());
        let parts = "Duration of the parts of an answer: embed, search, rerank, first_token, total";
        registry.register("answer_seconds", parts, self.answer_seconds.clone());
        registry.register("job_runs", "Job attempts that ended in this process", self.jobs.clone());
        registry.register("job_run_seconds", "Duration of job attempts", self.job_seconds.clone());
        let chunks = "Chunks embedded, re-embedding included";
        registry.register("chunks_embedded", chunks, self.chunks_embedded.clone());
        registry.register("tokens_embedded", "Tokens of embedded chunks", self.tokens_embedded.clone());
        let hints = "Dispatched jobs whose hint in Redis was lost";
        registry.register("hints_lost", hints, self.lost_hints.clone());
        let leases = "Jobs requeued because the worker's lease expired";
        registry.register("leases_expired", leases, self.expired_leases.clone());
    }

    /// Counts an answer and observes the seconds of its parts. A part with zero seconds did not run.
    pub(crate) fn answered(&self, outcome: &'static str, degraded: bool, parts: &[(&'static str, f64)]) {
        let degraded = if degraded { "true" } else { "false" };
        self.answers.get_or_create(&AnswerLabels { outcome, degraded }).inc();
        for (part, seconds) in parts.iter().copied().filter(|(_, seconds)| *seconds > 0.0) {
            self.answer_seconds.get_or_create(&PartLabel { part }).observe(seconds);
        }
    }

    /// Counts an attempt of a job.
    pub fn ran(&self, kind: &'static str, ending: Ending, duration: Duration) {
        self.jobs.get_or_create(&JobLabels { kind, outcome: ending.as_str() }).inc();
        self.job_seconds.get_or_create(&KindLabel { kind }).observe(duration.as_secs_f64());
    }

    /// Counts embedded chunks.
    pub(crate) fn embedded(&self, embedded: Embedded) {
        self.chunks_embedded.inc_by(embedded.chunks.unsigned_abs());
        self.tokens_embedded.inc_by(embedded.tokens.unsigned_abs());
    }

    /// Counts the jobs requeued by a sweep of the ledger.
    pub(crate) fn swept(&self, lost_hints: u64, expired_leases: u64) {
        self.lost_hints.inc_by(lost_hints);
        self.expired_leases.inc_by(expired_leases);
    }
}
