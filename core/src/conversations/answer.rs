//! The way from a question to an answer: embed, search, then a model or the built-in answer.
//!
//! Touches no queue and waits for no Redis.

use std::time::Instant;

use futures_util::future::try_join_all;

use super::{Answer, Timings, extractive, prompt};
use crate::bots::Bot;
use crate::context::Context;
use crate::error::{Chain, Result};
use crate::ids::TenantId;
use crate::knowledge::search::{self, Hit, Mode, Search};
use crate::providers::chat::{EXTRACTIVE, Turn};

/// Passages that an answer is made from.
const TOP_K: usize = 5;

/// Sentences that are compared with the question.
const SENTENCES: usize = 6;

/// A passage or sentence less near to the question than this says nothing about it: set by hand on
/// all-MiniLM-L6-v2, whose unrelated pairs stay below 0.25.
const THRESHOLD: f32 = 0.35;

/// A model may be shown a passage whose whole is farther away than its best sentence.
const PASSAGE_THRESHOLD: f32 = 0.25;

/// An answer, and the vector of its question.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) vector: Vec<f32>,
}

/// Answers a question from a bot's knowledge.
///
/// # Errors
/// When the database or the embedding model does not answer; a language model that does not is no
/// error: the built-in answer is given and marked as degraded.
pub(super) async fn answer(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    history: &[Turn],
    question: &str,
) -> Result<Answered> {
    let begun = Instant::now();
    let mut timings = Timings::default();

    let vector = ctx.embedder().embed_query(question.to_owned()).await?;
    timings.embed = crate::milliseconds(begun);

    let searching = Instant::now();
    let search = Search { question, vector: Some(&vector), mode: Mode::Hybrid, sources: None, top_k: TOP_K };
    let hits = search::find(ctx, tenant, bot, &search).await?;
    timings.search = crate::milliseconds(searching);

    let writing = Instant::now();
    let mut answer = match generated(ctx, bot, history, question, &hits).await {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => {
            tracing::warn!(bot.id = %bot.id, error = %Chain(&error), "the model is down; the built-in answer is given");
            Answer { degraded: true, ..extracted(ctx, bot, question, &vector, &hits).await? }
        }
        None => extracted(ctx, bot, question, &vector, &hits).await?,
    };
    timings.first_token = crate::milliseconds(writing);
    timings.total = crate::milliseconds(begun);
    answer.timings = timings;
    Ok(Answered { answer, vector })
}

/// Answers a question outside of any conversation: nothing is stored, and nothing counted.
///
/// # Errors
/// As when a message is sent.
pub async fn preview(ctx: &Context, tenant: TenantId, bot: &Bot, question: &str) -> Result<Answer> {
    Ok(answer(ctx, tenant, bot, &[], question).await?.answer)
}

/// What a language model writes; `None` when there is no model, or nothing to write from.
async fn generated(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    hits: &[Hit],
) -> Option<Result<Answer>> {
    let model = ctx.chat()?;
    let passages: Vec<Hit> = hits.iter().filter(|hit| nearness(hit) >= PASSAGE_THRESHOLD).cloned().collect();
    if passages.is_empty() {
        return None;
    }
    let asked = prompt::build(bot, &passages, history, question);
    let completion = match model.complete(asked).await {
        Ok(completion) => completion,
        Err(error) => return Some(Err(error)),
    };
    let (text, cited) = prompt::cited(&completion.text, passages.len());
    let sources = cited
        .iter()
        .filter_map(|&number| {
            let hit = passages.get(number.checked_sub(1)?)?;
            let whole = 0..hit.content.chars().count();
            Some(extractive::cite(hit, number, whole, nearness(hit), &hit.content))
        })
        .collect();
    Some(Ok(Answer {
        answered: !cited.is_empty(),
        text,
        sources,
        degraded: false,
        model: model.id().to_owned(),
        input_tokens: completion.input_tokens,
        output_tokens: completion.output_tokens,
        timings: Timings::default(),
    }))
}

/// The built-in answer.
async fn extracted(ctx: &Context, bot: &Bot, question: &str, vector: &[f32], hits: &[Hit]) -> Result<Answer> {
    let candidates = extractive::candidates(question, hits, SENTENCES);
    let sentences = candidates.iter().map(|candidate| ctx.embedder().embed_query(candidate.text.clone()));
    let sentences = try_join_all(sentences).await?;
    let scored = candidates.into_iter().zip(&sentences);
    let scored = scored.map(|(candidate, sentence)| (candidate, cosine(vector, sentence))).collect();
    let composed = extractive::compose(hits, scored, THRESHOLD);
    let answered = composed.is_some();
    let (text, sources) =
        composed.unwrap_or_else(|| (extractive::unknown(bot.language).to_owned(), Vec::new()));
    Ok(Answer {
        text,
        sources,
        answered,
        degraded: false,
        model: EXTRACTIVE.to_owned(),
        input_tokens: None,
        output_tokens: None,
        timings: Timings::default(),
    })
}

fn nearness(hit: &Hit) -> f32 {
    hit.ranking.cosine.unwrap_or(0.0)
}

/// Of vectors of unit length.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
