//! Hybrid search of a bot's passages.
//!
//! Vector and text rankings are fused by score (weights here, formula in the statement of `store/search.rs`), then reranked if a reranking model is configured. Modes select one
//! ranking alone.

use std::sync::Arc;
use std::time::Instant;

use pgvector::HalfVector;
use tracing::Instrument;

use super::chunk::Chunk;
pub use super::hit::{Hit, Ranking};
use super::store;
use crate::bots::{self, Bot, Language};
use crate::context::Context;
use crate::error::{Chain, Error, Result};
use crate::field::{Invalid, Text};
use crate::ids::{BotId, SourceId, TenantId};
use crate::platform::fair_queue::Caller;
use crate::providers::embed::Embedder;
use crate::providers::rerank::Reranker;
use crate::{text_enum, words};

/// Candidates of each ranking before fusion.
const CANDIDATES: i32 = 50;

/// Weight of the cosine in the fused score: a convex combination of the min-max normalised cosine and BM25 relative
/// to the best score (Bruch, Gai and Ingber, TOIS 2023). Tuned on `eval/` and public questions, see eval/README.md.
const DENSE_WEIGHT: f32 = 0.6;

/// [`DENSE_WEIGHT`] for a question in another language than the bot's: it shares only names and numbers with the
/// passages.
const CROSS_LANGUAGE_DENSE_WEIGHT: f32 = 0.9;

/// Number of fused candidates to rerank, the same as shown in a trace. Each costs one model run.
const RERANKED: usize = 20;

/// Maximum number of words of a query: a model reads at most 512 tokens, and each word is at least one.
const WINDOW_WORDS: usize = 512;

/// Maximum number of parts of a query, separated by white space or punctuation, as in "a/b/c": few tokens hold two
/// parts.
const WINDOW_PARTS: usize = 2 * WINDOW_WORDS;

/// A search query.
pub type Query = Text<8_000>;

/// Number of passages to return, at most [`TopK::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopK(usize);

impl TopK {
    /// Maximum.
    pub const MAX: i64 = 50;

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for TopK {
    fn default() -> Self {
        Self(10)
    }
}

impl TryFrom<i64> for TopK {
    type Error = Invalid;

    fn try_from(raw: i64) -> Result<Self, Invalid> {
        let number = usize::try_from(raw).ok().filter(|_| (1..=Self::MAX).contains(&raw));
        let refused = || Invalid::new(format!("must be an integer between 1 and {}", Self::MAX));
        number.map(Self).ok_or_else(refused)
    }
}

text_enum! {
    /// The ranking of a search.
    #[derive(Default)]
    pub enum Mode {
        /// Both rankings, fused.
        #[default]
        Hybrid = "hybrid",
        /// By the cosine of the passage's vector and the query's.
        Vector = "vector",
        /// By the words shared with the query.
        Text = "text",
    }
}

impl Mode {
    fn ranks_by_meaning(self) -> bool {
        self != Mode::Text
    }

    fn ranks_by_words(self) -> bool {
        self != Mode::Vector
    }
}

/// A tenant's search of a bot's knowledge.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// The bot.
    pub bot: BotId,
    /// The question or keywords.
    pub query: Query,
    /// Maximum number of passages.
    pub top_k: TopK,
    /// The ranking.
    pub mode: Mode,
    /// The sources to search; `None`: all sources of the bot.
    pub sources: Option<Vec<SourceId>>,
}

/// Results of a search, with timings in milliseconds.
#[derive(Clone, Debug)]
pub struct SearchResults {
    /// The passages, best first.
    pub hits: Vec<Hit>,
    /// Vector of the query, if ranked by cosine.
    pub vector: Option<Vec<f32>>,
    /// Embedding of the query.
    pub embed_ms: f64,
    /// Searching, excluding the embedding, which the text ranking overlaps.
    pub search_ms: f64,
    /// Reranking.
    pub rerank_ms: f64,
}

/// A search of a bot's live knowledge.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The query.
    pub question: &'a str,
    /// The ranking.
    pub mode: Mode,
    /// The sources to search; `None`: all sources of the bot.
    pub sources: Option<&'a [SourceId]>,
    /// Maximum number of passages.
    pub top_k: usize,
}

/// Searches a bot's knowledge for a tenant, without a language model.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such bot; [`Error::Unavailable`] when the embedding model or the
/// database is down.
pub async fn search(ctx: &Context, tenant: TenantId, request: &SearchRequest) -> Result<SearchResults> {
    let bot = bots::get(ctx, tenant, request.bot).await?;
    let embedder = embedder_of(ctx, tenant, bot.id).await?;
    let search = Search {
        question: &request.query,
        mode: request.mode,
        sources: request.sources.as_deref(),
        top_k: request.top_k.get(),
    };
    find(ctx, &*embedder, tenant, &bot, &search).await
}

/// Embedding model of a bot's vectors: the configured model, or the previous one for a bot not yet re-embedded, if it
/// is still loaded.
///
/// # Errors
/// When the statement fails.
pub async fn embedder_of(ctx: &Context, tenant: TenantId, bot: BotId) -> Result<Arc<dyn Embedder>> {
    if let Some(before) = ctx.embedder_before() {
        let model = store::find_model(ctx.db().reading(tenant), tenant, bot).await?;
        if model.as_deref() == Some(before.id()) {
            return Ok(Arc::clone(before));
        }
    }
    Ok(Arc::clone(ctx.embedder()))
}

/// The best passages of a bot's live knowledge, best first, among those with a vector of the embedder.
///
/// # Errors
/// [`Error::Unavailable`] when the embedding model or database is down.
pub async fn find(
    ctx: &Context,
    embedder: &dyn Embedder,
    tenant: TenantId,
    bot: &Bot,
    search: &Search<'_>,
) -> Result<SearchResults> {
    let begun = Instant::now();
    let (caller, question) = (Caller::interactive(tenant), window(search.question));
    let reranker = ctx.reranker().filter(|_| search.mode == Mode::Hybrid);
    let limit = reranker.map_or(search.top_k, |_| search.top_k.max(RERANKED));
    let candidates = CANDIDATES.max(i32::try_from(search.top_k).unwrap_or(CANDIDATES));
    let embed = async {
        if !search.mode.ranks_by_meaning() {
            return Ok((None, 0.0));
        }
        let vector = embedder.embed_query(caller, question.to_owned()).await?;
        Ok::<_, Error>((Some(vector), crate::milliseconds(begun)))
    };
    let embed = embed.instrument(tracing::info_span!("embed", embedding.model = embedder.id()));
    let rank_by_words = async {
        if !search.mode.ranks_by_words() {
            return Ok(store::LexicalRanking::default());
        }
        let (text_search, db) = (bot.language.text_search(), ctx.db().reading(tenant));
        Ok(store::rank_by_words(db, bot.id, text_search, question, search.sources, candidates).await?)
    };
    let rank_by_words = rank_by_words.instrument(tracing::info_span!("rank_by_words"));
    let ((vector, embed_ms), lexical) = tokio::try_join!(embed, rank_by_words)?;
    let query = store::Query {
        tenant,
        bot: bot.id,
        model: embedder.id(),
        vector: vector.as_deref().map(HalfVector::from_f32_slice),
        lexical: &lexical,
        sources: search.sources,
        candidates,
        dense_weight: dense_weight(search.mode, bot.language, question),
        limit: i64::try_from(limit).unwrap_or(TopK::MAX),
    };
    let retrieve = async { Ok::<_, Error>(store::search(ctx.db().reading(tenant), &query).await?) };
    let hits = in_order(retrieve.instrument(tracing::info_span!("retrieve")).await?);
    let search_ms = crate::milliseconds(begun) - embed_ms;
    let reranking = Instant::now();
    let hits = match reranker {
        None => hits,
        Some(reranker) => {
            let span = tracing::info_span!("rerank");
            rerank(&**reranker, caller, question, hits, search.top_k).instrument(span).await
        }
    };
    Ok(SearchResults { hits, vector, embed_ms, search_ms, rerank_ms: crate::milliseconds(reranking) })
}

/// The beginning of a query that fits the model's window. A query within the window is unchanged.
#[must_use]
pub fn window(query: &str) -> &str {
    let (mut words, mut parts) = (0, 0);
    let (mut in_word, mut in_part) = (false, false);
    for (at, character) in query.char_indices() {
        words += usize::from(!in_word && !character.is_whitespace());
        parts += usize::from(!in_part && character.is_alphanumeric());
        if words > WINDOW_WORDS || parts > WINDOW_PARTS {
            return query.get(..at).unwrap_or(query).trim_end();
        }
        (in_word, in_part) = (!character.is_whitespace(), character.is_alphanumeric());
    }
    query
}

/// Reranks the results with the reranking model. If the model fails, the fused order stays.
async fn rerank(
    reranker: &dyn Reranker,
    caller: Caller,
    question: &str,
    mut hits: Vec<Hit>,
    top_k: usize,
) -> Vec<Hit> {
    let texts = hits.iter().map(|hit| Chunk::embedded_text(hit.heading.as_deref(), &hit.content)).collect();
    match reranker.rerank(caller, question.to_owned(), texts).await {
        Ok(scores) => {
            for (hit, score) in hits.iter_mut().zip(scores) {
                hit.ranking.rerank_score = Some(score);
            }
            // Stable sort: ties keep the fused order.
            let score = |hit: &Hit| hit.ranking.rerank_score.unwrap_or(0.0);
            hits.sort_by(|a, b| score(b).total_cmp(&score(a)));
        }
        Err(error) => tracing::warn!(error = %Chain(&error), "reranking failed; keeping the fused order"),
    }
    hits.truncate(top_k);
    hits
}

/// Weight of the cosine in the fused score.
fn dense_weight(mode: Mode, language: Language, question: &str) -> f32 {
    match mode {
        Mode::Vector => 1.0,
        Mode::Text => 0.0,
        Mode::Hybrid if words::language(question).is_some_and(|detected| detected != language) => {
            CROSS_LANGUAGE_DENSE_WEIGHT
        }
        Mode::Hybrid => DENSE_WEIGHT,
    }
}

/// Sorts hits by fused score, then cosine, then chunk.
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
    fn text_weighs_less_across_languages() {
        let weight = |question| dense_weight(Mode::Hybrid, Language::English, question);
        assert_eq!(weight("How do I return a pair of boots?"), DENSE_WEIGHT);
        assert_eq!(weight("¿Cómo puedo devolver unas botas?"), CROSS_LANGUAGE_DENSE_WEIGHT);
        // Too short for language detection.
        assert_eq!(weight("XR-200"), DENSE_WEIGHT);
    }

    #[test]
    fn a_query_is_cut_behind_the_words_that_a_model_reads() {
        for within in ["", " ", "How long?", &"word ".repeat(512), &"a-b/".repeat(512), &"字".repeat(8_000)]
        {
            assert_eq!(window(within), within);
        }
        let words = |count: usize| vec!["wörd"; count].join("  ");
        assert_eq!(window(&words(1_400)), words(512));
        assert_eq!(window(&"a,".repeat(4_000)), "a,".repeat(1_024));
    }

    #[test]
    fn top_k_is_from_1_to_50() {
        assert_eq!(TopK::try_from(50).unwrap().get(), 50);
        assert_eq!(TopK::default().get(), 10);
        for wrong in [0, 51, -1, i64::MAX] {
            let refused = TopK::try_from(wrong).unwrap_err().to_string();
            assert_eq!(refused, "must be an integer between 1 and 50");
        }
    }
}
