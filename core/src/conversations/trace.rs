//! Traces: how an answer was produced, stored beside it for diagnosis.

use serde::{Deserialize, Serialize};

use super::confidence::Features;
use super::{Answer, Confidence, SessionId, Support, Timings, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{ChunkId, MessageId, SourceId, TenantId};
use crate::knowledge::search::{Hit, Ranking};

/// Search query and results behind an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trace {
    /// Search query: the question, after the previous one for a follow-up.
    pub query: String,
    /// Search results, best first.
    pub candidates: Vec<TraceCandidate>,
    /// Features behind the confidence of an extractive answer.
    #[serde(default)]
    pub features: Option<Features>,
}

/// Search result in a trace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TraceCandidate {
    /// Chunk id.
    pub chunk: ChunkId,
    /// Source id.
    pub source: SourceId,
    /// Source name.
    pub source_name: String,
    /// Ordinal of the chunk within the source, from 0.
    pub ordinal: i32,
    /// Headings above the chunk.
    pub heading: Option<String>,
    /// Scores and ranks.
    pub ranking: Ranking,
    /// Marker number, if the passage was used for the answer.
    pub passage: Option<usize>,
}

/// Trace with the stored attributes of its answer.
#[derive(Clone, Debug)]
pub struct TracedAnswer {
    /// Message id of the answer.
    pub message: MessageId,
    /// Trace.
    pub trace: Trace,
    /// Whether the knowledge base had an answer.
    pub answered: bool,
    /// Confidence; `None` for "unknown" answers and those stored by older versions.
    pub confidence: Option<Confidence>,
    /// Probability that the knowledge base answers the question, from 0 to 1; `None` for answers stored by
    /// older versions.
    pub confidence_score: Option<f32>,
    /// Support of each factual sentence.
    pub support: Vec<Support>,
    /// Whether a passage supports every factual sentence; `None` for answers stored by older versions.
    pub grounded: Option<bool>,
    /// Whether the model was unavailable.
    pub degraded: bool,
    /// Model that wrote the answer.
    pub model: String,
    /// Prompt tokens, if the model reports them.
    pub input_tokens: Option<i32>,
    /// Completion tokens, if the model reports them.
    pub output_tokens: Option<i32>,
    /// Durations.
    pub timings: Timings,
}

impl Trace {
    pub(super) fn new(query: String, hits: Vec<Hit>, answer: &Answer, features: Option<Features>) -> Self {
        let number = |chunk| answer.passages.iter().position(|passage| *passage == chunk).map(|at| at + 1);
        let candidates = hits
            .into_iter()
            .map(|hit| TraceCandidate {
                passage: number(hit.chunk),
                chunk: hit.chunk,
                source: hit.source,
                source_name: hit.source_name,
                ordinal: hit.ordinal,
                heading: hit.heading,
                ranking: hit.ranking,
            })
            .collect();
        Self { query, candidates, features }
    }
}

/// Returns the trace of an answer.
///
/// # Errors
/// [`Error::NotFound`] when the conversation does not exist, or has no such answer.
pub async fn trace(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: MessageId,
) -> Result<TracedAnswer> {
    let db = ctx.db().reading(tenant);
    let found = store::find(db, tenant, session).await?;
    let conversation = found.ok_or(Error::NotFound(Thing::Conversation))?.id;
    let traced = store::find_trace(db, tenant, conversation, message).await?;
    traced.ok_or(Error::NotFound(Thing::Message))
}
