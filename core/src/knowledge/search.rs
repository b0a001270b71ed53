//! Search: the passages of a bot that answer a question.
//!
//! Hybrid: the nearest by meaning and the best by words, fused by score, and reranked where a model is configured
//! for it. Either ranking alone is a mode.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use pgvector::HalfVector;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::chunk::Chunk;
use super::store;
use crate::bots::{self, Bot, Language};
use crate::context::Context;
use crate::error::{Chain, Error, Result};
use crate::ids::{BotId, ChunkId, SourceId, TenantId};
use crate::input::{Collect, required_id, required_text};
use crate::providers::embed::Embedder;
use crate::providers::rerank::Reranker;
use crate::words;

/// How far down each ranking is read before the two are fused.
const CANDIDATES: i32 = 50;

/// Weight of the cosine in the fused score, a convex combination of min-max normalised cosine and BM25 relative to
/// the best (Bruch, Gai and Ingber, TOIS 2023); words have the rest. Chosen on `eval/` and public questions, see
/// eval/README.md.
const DENSE_WEIGHT: f32 = 0.6;

/// The same for a question in another language than the bot's: names and numbers are what it shares with passages.
const CROSS_LANGUAGE_DENSE_WEIGHT: f32 = 0.9;

/// How many of the fused are reranked, when a model is there to do it: as many as a trace shows. Each is a run of the
/// model.
const RERANKED: usize = 20;

/// The longest question, in characters.
pub const QUERY_LENGTH: usize = 8_000;

/// Passages that one search may ask for.
pub const MOST: i64 = 50;

/// Passages that a search gives when it does not say how many.
const USUAL: i64 = 10;

/// What a passage is ranked by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By both, fused.
    #[default]
    Hybrid,
    /// By meaning: the cosine of its vector and the question's.
    Vector,
    /// By the words that it shares with the question.
    Text,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 3] = [Mode::Hybrid, Mode::Vector, Mode::Text];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Hybrid => "hybrid",
            Mode::Vector => "vector",
            Mode::Text => "text",
        }
    }

    fn ranks_by_meaning(self) -> bool {
        self != Mode::Text
    }

    fn ranks_by_words(self) -> bool {
        self != Mode::Vector
    }
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        Mode::ALL.into_iter().find(|mode| mode.as_str() == raw).ok_or_else(|| {
            let known = Mode::ALL.map(Mode::as_str).join(", ");
            Error::invalid("mode", format!("The 'mode' field must be one of: {known}"))
        })
    }
}

/// A search, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct RawSearch {
    /// A bot's id.
    pub bot_id: Option<String>,
    /// 1 to 8,000 characters.
    pub query: Option<String>,
    /// 1 to 50.
    pub top_k: Option<i64>,
    /// A [`Mode`].
    pub mode: Option<String>,
    /// Ids of sources; the others are not searched.
    pub source_ids: Option<Vec<String>>,
}

/// A search, with everything checked.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// The bot whose knowledge is searched.
    pub bot: BotId,
    /// The question.
    pub query: String,
    /// Passages at most.
    pub top_k: usize,
    /// What they are ranked by.
    pub mode: Mode,
    /// The sources that are searched; `None`: all of the bot's.
    pub sources: Option<Vec<SourceId>>,
}

impl SearchRequest {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields.
    pub fn parse(raw: RawSearch) -> Result<Self> {
        let mut problems = Vec::new();
        let bot = problems.take(required_id("bot_id", "a bot", raw.bot_id.as_deref()));
        let query = problems.take(required_text("query", raw.query, QUERY_LENGTH));
        let top_k = problems.take(parse_top_k(raw.top_k));
        let mode = problems.take(raw.mode.as_deref().map_or(Ok(Mode::default()), str::parse));
        let sources = problems.take(raw.source_ids.map(parse_sources).transpose());
        match (bot, query, top_k, mode, sources) {
            (Some(bot), Some(query), Some(top_k), Some(mode), Some(sources)) if problems.is_empty() => {
                Ok(Self { bot, query, top_k, mode, sources })
            }
            _ => Err(Error::Invalid(problems)),
        }
    }
}

fn parse_top_k(raw: Option<i64>) -> Result<usize> {
    let top_k = raw.unwrap_or(USUAL);
    usize::try_from(top_k).ok().filter(|_| (1..=MOST).contains(&top_k)).ok_or_else(|| {
        Error::invalid("top_k", format!("The 'top_k' field must be an integer between 1 and {MOST}"))
    })
}

fn parse_sources(raw: Vec<String>) -> Result<Vec<SourceId>> {
    let ids: Option<Vec<SourceId>> = raw.iter().map(|id| id.trim().parse().ok()).collect();
    ids.filter(|ids| !ids.is_empty()).ok_or_else(|| {
        Error::invalid("source_ids", "The 'source_ids' field must be a list of knowledge sources' ids")
    })
}

/// A passage that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its source.
    pub source: SourceId,
    /// That source's name.
    pub source_name: String,
    /// That source's address, when it has one.
    pub url: Option<String>,
    /// Its place in the source, from 0.
    pub ordinal: i32,
    /// Its page, when the source has pages.
    pub page: Option<i32>,
    /// The headings above it.
    pub heading: Option<String>,
    /// Its text.
    pub content: String,
    /// Where its text begins in the source's, in characters.
    pub start: i32,
    /// Where it ends, excluded.
    pub end: i32,
    /// Where it stands.
    pub ranking: Ranking,
}

/// How a passage was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// The cosine of its vector and the question's, when it was compared.
    pub cosine: Option<f32>,
    /// Its place by meaning, from 1, when it is among the nearest.
    pub dense_rank: Option<i64>,
    /// How well its words match; only the order within one search means something.
    pub text_score: Option<f32>,
    /// Its place by words, from 1, when it is among the best.
    pub text_rank: Option<i64>,
    /// How well it answers the question, from 0 to 1, when a model read them together.
    #[serde(default)]
    pub rerank_score: Option<f32>,
    /// The fused score, from 0 to 1; comparable within one search only.
    pub score: f32,
}

/// What was found, by which vector, and how long it took, in milliseconds.
#[derive(Clone, Debug)]
pub struct Found {
    /// The passages, best first.
    pub hits: Vec<Hit>,
    /// The question's vector, when something was ranked by meaning.
    pub vector: Option<Vec<f32>>,
    /// To embed the question.
    pub embed_ms: f64,
    /// To search, beside that: what is ranked by words does not wait for the vector.
    pub search_ms: f64,
    /// To rerank what was found.
    pub rerank_ms: f64,
}

/// What is searched for in a bot's live knowledge.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The question.
    pub question: &'a str,
    /// What passages are ranked by.
    pub mode: Mode,
    /// The sources that are searched; `None`: all of the bot's.
    pub sources: Option<&'a [SourceId]>,
    /// Passages at most.
    pub top_k: usize,
}

/// Searches a bot's knowledge, as a tenant asks for it: no language model is called.
///
/// # Errors
/// [`Error::NotFound`] without such a bot; when the embedding model or the database does not answer.
pub async fn search(ctx: &Context, tenant: TenantId, request: &SearchRequest) -> Result<Found> {
    let bot = bots::get(ctx, tenant, request.bot).await?;
    let embedder = embedder_of(ctx, tenant, bot.id).await?;
    let search = Search {
        question: &request.query,
        mode: request.mode,
        sources: request.sources.as_deref(),
        top_k: request.top_k,
    };
    find(ctx, &*embedder, tenant, &bot, &search).await
}

/// The model whose vectors are searched in a bot: the configured one, or the one before it, while the bot has not
/// changed over and that one is loaded still.
///
/// # Errors
/// When the statement fails.
pub async fn embedder_of(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<Arc<dyn Embedder>> {
    if let Some(before) = ctx.embedder_before() {
        let model = store::find_model(&mut *ctx.db().of(tenant).await?, tenant, bot).await?;
        if model.as_deref() == Some(before.id()) {
            return Ok(Arc::clone(before));
        }
    }
    Ok(Arc::clone(ctx.embedder()))
}

/// The best passages of a bot's live knowledge, best first: among those that have a vector of the embedder's.
///
/// # Errors
/// When the embedding model or the database does not answer.
pub async fn find(
    ctx: &Context,
    embedder: &dyn Embedder,
    tenant: TenantId,
    bot: &Bot,
    search: &Search<'_>,
) -> Result<Found> {
    let begun = Instant::now();
    let reranker = ctx.reranker().filter(|_| search.mode == Mode::Hybrid);
    let most = reranker.map_or(search.top_k, |_| search.top_k.max(RERANKED));
    let candidates = CANDIDATES.max(i32::try_from(search.top_k).unwrap_or(CANDIDATES));
    let embed = async {
        if !search.mode.ranks_by_meaning() {
            return Ok((None, 0.0));
        }
        let vector = embedder.embed_query(search.question.to_owned()).await?;
        Ok::<_, Error>((Some(vector), crate::milliseconds(begun)))
    };
    let embed = embed.instrument(tracing::info_span!("embed", embedding.model = embedder.id()));
    let rank_by_words = async {
        if !search.mode.ranks_by_words() {
            return Ok(store::Worded::default());
        }
        let (text_search, question) = (bot.language.text_search(), search.question);
        let mut db = ctx.db().of(tenant).await?;
        Ok(store::rank_by_words(&mut *db, bot.id, text_search, question, search.sources, candidates).await?)
    };
    let rank_by_words = rank_by_words.instrument(tracing::info_span!("rank_by_words"));
    let ((vector, embed_ms), worded) = tokio::try_join!(embed, rank_by_words)?;
    let query = store::Query {
        tenant,
        bot: bot.id,
        model: embedder.id(),
        vector: vector.as_deref().map(HalfVector::from_f32_slice),
        worded: &worded,
        sources: search.sources,
        candidates,
        dense_weight: dense_weight(search.mode, bot.language, search.question),
        most: i64::try_from(most).unwrap_or(MOST),
    };
    let retrieve = async { Ok::<_, Error>(store::search(&mut *ctx.db().of(tenant).await?, &query).await?) };
    let hits = in_order(retrieve.instrument(tracing::info_span!("retrieve")).await?);
    let search_ms = crate::milliseconds(begun) - embed_ms;
    let reranking = Instant::now();
    let hits = match reranker {
        None => hits,
        Some(reranker) => {
            let span = tracing::info_span!("rerank");
            rerank(&**reranker, search.question, hits, search.top_k).instrument(span).await
        }
    };
    Ok(Found { hits, vector, embed_ms, search_ms, rerank_ms: crate::milliseconds(reranking) })
}

/// The best as a model that reads them with the question ranks them. When it does not answer, they stay as they are:
/// the search has an answer without it.
async fn rerank(reranker: &dyn Reranker, question: &str, mut hits: Vec<Hit>, top_k: usize) -> Vec<Hit> {
    let texts = hits.iter().map(|hit| Chunk::embedded_text(hit.heading.as_deref(), &hit.content)).collect();
    match reranker.rerank(question.to_owned(), texts).await {
        Ok(scores) => {
            for (hit, score) in hits.iter_mut().zip(scores) {
                hit.ranking.rerank_score = Some(score);
            }
            // Stable: equals stay as they were.
            let score = |hit: &Hit| hit.ranking.rerank_score.unwrap_or(0.0);
            hits.sort_by(|a, b| score(b).total_cmp(&score(a)));
        }
        Err(error) => tracing::warn!(error = %Chain(&error), "what was found is not reranked"),
    }
    hits.truncate(top_k);
    hits
}

/// Weight of the cosine in the fused score of a search.
fn dense_weight(mode: Mode, language: Language, question: &str) -> f32 {
    match mode {
        Mode::Vector => 1.0,
        Mode::Text => 0.0,
        Mode::Hybrid if words::language(question).is_some_and(|asked| asked != language) => {
            CROSS_LANGUAGE_DENSE_WEIGHT
        }
        Mode::Hybrid => DENSE_WEIGHT,
    }
}

/// Hits in the order of their fused score.
fn in_order(mut hits: Vec<Hit>) -> Vec<Hit> {
    let cosine = |hit: &Hit| hit.ranking.cosine.unwrap_or(0.0);
    hits.sort_by(|a, b| {
        (b.ranking.score.total_cmp(&a.ranking.score))
            .then(cosine(b).total_cmp(&cosine(a)))
            .then(a.chunk.cmp(&b.chunk))
    });
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_weigh_less_across_languages() {
        let weight = |question| dense_weight(Mode::Hybrid, Language::English, question);
        assert_eq!(weight("How do I return a pair of boots?"), DENSE_WEIGHT);
        assert_eq!(weight("¿Cómo puedo devolver unas botas?"), CROSS_LANGUAGE_DENSE_WEIGHT);
        // Too short to tell.
        assert_eq!(weight("XR-200"), DENSE_WEIGHT);
    }

    #[test]
    fn everything_wrong_with_a_search_is_told_at_once() {
        let raw = RawSearch {
            bot_id: Some("nonsense".into()),
            query: Some("  ".into()),
            top_k: Some(51),
            mode: Some("magic".into()),
            source_ids: Some(vec!["x".into()]),
        };
        let Err(Error::Invalid(problems)) = SearchRequest::parse(raw) else { panic!() };
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["bot_id", "query", "top_k", "mode", "source_ids"]);
    }
}
