//! Second step of an answer: from retrieved passages to generated or extractive text.
//!
//! Uses no queue and no Redis.

use std::time::Instant;

use super::confidence::{self, Features};
use super::extractive::Scored;
use super::generated::generate;
use super::retrieval::{Retrieval, Retrieved, extent, retrieve};
use super::{
    Answer, AnswerEvent, Confidence, EventSender, SentenceVectors, Timings, Trace, extractive, metrics,
};
use crate::bots::{Bot, WhenUnsure};
use crate::context::Context;
use crate::error::{Chain, Result};
use crate::ids::TenantId;
use crate::knowledge::search::SearchResults;
use crate::providers::chat::{EXTRACTIVE, Turn};
use crate::providers::embed::cosine;
use crate::words;

/// Units of the passages that are compared with the question. Each costs an inference, unless its vector is
/// cached.
const UNITS: usize = 12;

/// Weight of a unit's word coverage relative to its relative cosine, for ranking.
const COVERAGE: f32 = 1.1;

/// Answer with its trace, the question's vector and the embedding model.
pub(super) struct AnswerRecord {
    pub(super) answer: Answer,
    pub(super) trace: Trace,
    pub(super) vector: Vec<f32>,
    pub(super) model: String,
    /// Cosine from which two questions count as the same, for this model.
    pub(super) same_question: f32,
}

/// Answers a message from the retrieved passages, and emits events.
///
/// # Errors
/// When the embedding model fails. A failure of the language model is no error: the extractive answer
/// replaces it, marked as degraded. If text was already sent, the answer is partial instead.
pub(super) async fn answer(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    retrieved: Retrieved,
    events: &EventSender,
) -> Result<AnswerRecord> {
    let retrieval = match retrieved {
        Retrieved::Courtesy(reply) => return Ok(courtesy_answer(ctx, question, reply, events).await),
        Retrieved::Question(retrieval) => *retrieval,
    };
    let SearchResults { embed_ms, search_ms, rerank_ms, .. } = retrieval.found;
    let timings = Timings { embed: embed_ms, search: search_ms, rerank: rerank_ms, ..Timings::default() };

    let started = Instant::now();
    let generated = generate(ctx, bot, history, question, &retrieval, events).await;
    let (mut answer, features) = match generated {
        Some(Ok(answer)) => (answer, None),
        Some(Err(error)) => {
            tracing::warn!(bot.id = %bot.id, error = %Chain(&error), "model unavailable; falling back to the extractive answer");
            let (answer, features) = extractive_answer(ctx, bot, &retrieval, events).await?;
            (Answer { degraded: true, ..answer }, Some(features))
        }
        None => {
            let (answer, features) = extractive_answer(ctx, bot, &retrieval, events).await?;
            (answer, Some(features))
        }
    };
    if answer.timings.first_token == 0.0 {
        answer.timings.first_token = crate::milliseconds(started);
    }
    let first_token = answer.timings.first_token;
    answer.timings = Timings { first_token, total: crate::milliseconds(retrieval.begun), ..timings };
    metrics::record(ctx.meters(), &answer);
    let Retrieval { query, embedder, calibration, found, .. } = retrieval;
    let trace = Trace::new(query, found.hits, &answer, features);
    let vector = found.vector.unwrap_or_default();
    let same_question = calibration.same_question();
    Ok(AnswerRecord { answer, trace, vector, model: embedder.id().to_owned(), same_question })
}

/// Reply to a courtesy, with high confidence and no sources.
async fn courtesy_answer(ctx: &Context, message: &str, reply: String, events: &EventSender) -> AnswerRecord {
    events.send(AnswerEvent::Sources(Vec::new())).await;
    events.send(AnswerEvent::Delta(reply.clone())).await;
    let answer = Answer {
        text: reply,
        sources: Vec::new(),
        passages: Vec::new(),
        answered: true,
        confidence: Some(Confidence::High),
        confidence_score: 1.0,
        support: Vec::new(),
        grounded: true,
        degraded: false,
        is_partial: false,
        model: EXTRACTIVE.to_owned(),
        input_tokens: None,
        output_tokens: None,
        timings: Timings::default(),
    };
    metrics::record(ctx.meters(), &answer);
    let trace = Trace::new(message.to_owned(), Vec::new(), &answer, None);
    AnswerRecord { answer, trace, vector: Vec::new(), model: String::new(), same_question: 1.0 }
}

/// Answers a question outside any conversation, with its confidence features; neither stored nor counted.
///
/// # Errors
/// As for [`super::send`].
pub async fn preview(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    question: &str,
) -> Result<(Answer, Option<Features>)> {
    let retrieved = retrieve(ctx, tenant, bot, &[], question).await?;
    let record = answer(ctx, bot, &[], question, retrieved, &EventSender::disabled()).await?;
    Ok((record.answer, record.trace.features))
}

/// Extractive answer with its confidence features.
async fn extractive_answer(
    ctx: &Context,
    bot: &Bot,
    retrieval: &Retrieval,
    events: &EventSender,
) -> Result<(Answer, Features)> {
    let hits = retrieval.best();
    let vector = retrieval.found.vector.as_deref().unwrap_or_default();
    let extent = extent(&retrieval.query, hits);
    let candidates = {
        let (query, language, hits) = (retrieval.query.clone(), bot.language, hits.to_vec());
        let choose = move || extractive::candidates(&query, language, &hits, UNITS);
        ctx.cpu().analyse(retrieval.caller, extent, choose).await?
    };
    let texts: Vec<&str> = candidates.iter().map(|candidate| &*candidate.match_text).collect();
    let vectors = ctx.state::<SentenceVectors>().of(&*retrieval.embedder, retrieval.caller, &texts).await?;
    let scored: Vec<Scored> = candidates
        .into_iter()
        .zip(&vectors)
        .map(|(candidate, unit)| {
            let cosine = cosine(vector, unit);
            let relevance = retrieval.calibration.relative(cosine) + COVERAGE * candidate.coverage;
            Scored { candidate, cosine, relevance }
        })
        .collect();
    let is_cross_language =
        words::language(&retrieval.query).is_some_and(|detected| detected != bot.language);
    let features = Features::new(&scored, hits, retrieval.calibration, is_cross_language);
    let score = features.score();
    let confidence = match confidence::level(score) {
        Some(Confidence::Low) if bot.when_unsure == WhenUnsure::Refuse => None,
        level => level,
    };
    let composed =
        confidence.and_then(|confidence| extractive::compose(&retrieval.query, hits, scored, confidence));
    // Without a unit there is no answer, however similar the passages are.
    let confidence = confidence.filter(|_| composed.is_some());
    let (text, sources) = match composed {
        Some(composed) if confidence == Some(Confidence::Low) => {
            let lead = extractive::tentative(bot.language);
            (format!("{lead}\n\n{}", composed.text), composed.citations)
        }
        Some(composed) => (composed.text, composed.citations),
        None => (extractive::unknown(bot.language).to_owned(), Vec::new()),
    };
    events.send(AnswerEvent::Sources(sources.clone())).await;
    for part in text.split_inclusive("] ") {
        events.send(AnswerEvent::Delta(part.to_owned())).await;
    }
    let answer = Answer {
        support: extractive::support(&text, &sources),
        text,
        sources,
        passages: hits.iter().map(|hit| hit.chunk).collect(),
        answered: confidence.is_some(),
        confidence,
        confidence_score: score,
        grounded: true,
        degraded: false,
        is_partial: false,
        model: EXTRACTIVE.to_owned(),
        input_tokens: None,
        output_tokens: None,
        timings: Timings::default(),
    };
    Ok((answer, features))
}
