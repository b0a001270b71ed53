//! The second half of an answer: from what was found to a model's or the built-in answer.
//!
//! Touches no queue and waits for no Redis.

use std::time::Instant;

use super::confidence::{self, Features};
use super::extractive::Scored;
use super::generated::generated;
use super::lookup::{LookedUp, Lookup, look_up};
use super::{Answer, Confidence, SentenceVectors, Teller, Timings, Told, Trace, extractive, metrics};
use crate::bots::{Bot, WhenUnsure};
use crate::context::Context;
use crate::error::{Chain, Result};
use crate::ids::TenantId;
use crate::knowledge::search::Found;
use crate::providers::chat::{EXTRACTIVE, Turn};
use crate::providers::embed::cosine;
use crate::words;

/// Units of the passages that are compared with the question: each costs a run of the model, unless its vector is
/// kept.
const UNITS: usize = 12;

/// Weight of a unit's coverage of the question's words beside its relative cosine, when units are ranked.
const COVERAGE: f32 = 1.1;

/// An answer, how it came about, and the vector of its question with the model that made it.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) trace: Trace,
    pub(super) vector: Vec<f32>,
    pub(super) model: String,
    /// The cosine of that model from which two questions count as the same.
    pub(super) same_question: f32,
}

/// Answers a message from what was looked up for it, and sends events on the way.
///
/// # Errors
/// When the embedding model does not answer; a language model that does not is no
/// error: the built-in answer is given and marked as degraded. What was sent already cannot be taken back: then the
/// answer is partial.
pub(super) async fn answer(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    looked_up: LookedUp,
    teller: &Teller,
) -> Result<Answered> {
    let lookup = match looked_up {
        LookedUp::Courtesy(reply) => return Ok(courteous(ctx, question, reply, teller).await),
        LookedUp::Question(lookup) => *lookup,
    };
    let Found { embed_ms, search_ms, rerank_ms, .. } = lookup.found;
    let timings = Timings { embed: embed_ms, search: search_ms, rerank: rerank_ms, ..Timings::default() };

    let writing = Instant::now();
    let generated = generated(ctx, bot, history, question, &lookup, teller).await;
    let (mut answer, features) = match generated {
        Some(Ok(answer)) => (answer, None),
        Some(Err(error)) => {
            tracing::warn!(bot.id = %bot.id, error = %Chain(&error), "the model is down; the built-in answer is given");
            let (answer, features) = extracted(ctx, bot, &lookup, teller).await?;
            (Answer { degraded: true, ..answer }, Some(features))
        }
        None => {
            let (answer, features) = extracted(ctx, bot, &lookup, teller).await?;
            (answer, Some(features))
        }
    };
    if answer.timings.first_token == 0.0 {
        answer.timings.first_token = crate::milliseconds(writing);
    }
    let first_token = answer.timings.first_token;
    answer.timings = Timings { first_token, total: crate::milliseconds(lookup.begun), ..timings };
    metrics::record(ctx.meters(), &answer);
    let Lookup { query, embedder, calibration, found, .. } = lookup;
    let trace = Trace::of(query, found.hits, &answer, features);
    let vector = found.vector.unwrap_or_default();
    let same_question = calibration.same_question();
    Ok(Answered { answer, trace, vector, model: embedder.id().to_owned(), same_question })
}

/// The answer to a courtesy: confident, and without sources.
async fn courteous(ctx: &Context, message: &str, reply: String, teller: &Teller) -> Answered {
    teller.tell(Told::Sources(Vec::new())).await;
    teller.tell(Told::Delta(reply.clone())).await;
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
    let trace = Trace::of(message.to_owned(), Vec::new(), &answer, None);
    Answered { answer, trace, vector: Vec::new(), model: String::new(), same_question: 1.0 }
}

/// An answer outside of any conversation, and the figures of its confidence: nothing is stored, and nothing counted.
///
/// # Errors
/// As when a message is sent.
pub async fn preview(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    question: &str,
) -> Result<(Answer, Option<Features>)> {
    let looked_up = look_up(ctx, tenant, bot, &[], question).await?;
    let answered = answer(ctx, bot, &[], question, looked_up, &Teller::nobody()).await?;
    Ok((answered.answer, answered.trace.features))
}

/// The built-in answer, and the figures of its confidence.
async fn extracted(ctx: &Context, bot: &Bot, lookup: &Lookup, teller: &Teller) -> Result<(Answer, Features)> {
    let hits = lookup.best();
    let vector = lookup.found.vector.as_deref().unwrap_or_default();
    let candidates = extractive::candidates(&lookup.query, bot.language, hits, UNITS);
    let texts: Vec<&str> = candidates.iter().map(|candidate| &*candidate.match_text).collect();
    let vectors = ctx.state::<SentenceVectors>().of(&*lookup.embedder, &texts).await?;
    let scored: Vec<Scored> = candidates
        .into_iter()
        .zip(&vectors)
        .map(|(candidate, unit)| {
            let cosine = cosine(vector, unit);
            let relevance = lookup.calibration.relative(cosine) + COVERAGE * candidate.coverage;
            Scored { candidate, cosine, relevance }
        })
        .collect();
    let is_cross_language = words::language(&lookup.query).is_some_and(|asked| asked != bot.language);
    let features = Features::of(&scored, hits, lookup.calibration, is_cross_language);
    let score = features.score();
    let confidence = match confidence::level(score) {
        Some(Confidence::Low) if bot.when_unsure == WhenUnsure::Refuse => None,
        level => level,
    };
    let composed =
        confidence.and_then(|confidence| extractive::compose(&lookup.query, hits, scored, confidence));
    // Without a unit there is nothing to tell, however near the passages are.
    let confidence = confidence.filter(|_| composed.is_some());
    let (text, sources) = match composed {
        Some(composed) if confidence == Some(Confidence::Low) => {
            let lead = extractive::tentative(bot.language);
            (format!("{lead}\n\n{}", composed.text), composed.citations)
        }
        Some(composed) => (composed.text, composed.citations),
        None => (extractive::unknown(bot.language).to_owned(), Vec::new()),
    };
    teller.tell(Told::Sources(sources.clone())).await;
    for part in text.split_inclusive("] ") {
        teller.tell(Told::Delta(part.to_owned())).await;
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
