//! How an answer came about, kept beside it for whoever wants to know why it says what it says.

use serde::{Deserialize, Serialize};

use super::confidence::Features;
use super::{Answer, Confidence, SessionId, Support, Timings, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{ChunkId, MessageId, SourceId, TenantId};
use crate::knowledge::search::{Hit, Ranking};

/// What was searched for, and what was found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trace {
    /// The question as it was searched for: with the one before it, when it could not stand alone.
    pub query: String,
    /// What was found, best first.
    pub candidates: Vec<TraceCandidate>,
    /// Figures from which the confidence of a built-in answer was reckoned.
    #[serde(default)]
    pub features: Option<Features>,
}

/// A passage that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TraceCandidate {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its source.
    pub source: SourceId,
    /// That source's name.
    pub source_name: String,
    /// Its place in the source, from 0.
    pub ordinal: i32,
    /// The headings above it.
    pub heading: Option<String>,
    /// Where it stands.
    pub ranking: Ranking,
    /// Its number among the passages from which the answer was made.
    pub passage: Option<usize>,
}

/// A trace with what is known of its answer.
#[derive(Clone, Debug)]
pub struct TracedAnswer {
    /// The answer.
    pub message: MessageId,
    /// How it came about.
    pub trace: Trace,
    /// Whether the knowledge had an answer.
    pub answered: bool,
    /// How sure the bot was; `None` when it did not know, and for answers of older versions.
    pub confidence: Option<Confidence>,
    /// Probability that the knowledge answers the question, from 0 to 1; `None` for answers of older versions.
    pub confidence_score: Option<f32>,
    /// Support of each sentence that states something.
    pub support: Vec<Support>,
    /// Whether a passage supports every sentence; `None` for answers of older versions.
    pub grounded: Option<bool>,
    /// Whether the model was down.
    pub degraded: bool,
    /// What wrote it.
    pub model: String,
    /// Tokens the model read, when it says so.
    pub input_tokens: Option<i32>,
    /// Tokens the model wrote, when it says so.
    pub output_tokens: Option<i32>,
    /// How long it took.
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

/// How an answer came about.
///
/// # Errors
/// [`Error::NotFound`] without such a conversation, or such an answer in it.
pub async fn trace(
    ctx: &Context,
    tenant: TenantId,
    session: &SessionId,
    message: MessageId,
) -> Result<TracedAnswer> {
    let mut db = ctx.db().of(tenant).await?;
    let found = store::find(&mut *db, tenant, session).await?;
    let conversation = found.ok_or(Error::NotFound(Thing::Conversation))?.id;
    let traced = store::find_trace(&mut *db, tenant, conversation, message).await?;
    traced.ok_or(Error::NotFound(Thing::Message))
}
