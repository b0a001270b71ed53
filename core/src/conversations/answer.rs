//! The way from a question to an answer: embed, search, then a model or the built-in answer.
//!
//! Touches no queue and waits for no Redis.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use tracing::{Instrument, Span, field};

use super::prompt::{Budget, Markers};
use super::{Answer, Citation, Teller, Timings, Told, Trace, extractive, prompt};
use crate::bots::Bot;
use crate::context::Context;
use crate::error::{Chain, Error, Part, Result};
use crate::ids::TenantId;
use crate::knowledge::search::{self, Found, Hit, Mode, Search};
use crate::providers::chat::{EXTRACTIVE, Models, Piece, Pieces, Prompt, Turn, Usage};
use crate::providers::embed::Embedder;

/// Passages that an answer is made from.
const TOP_K: usize = 5;

/// Passages that a trace shows.
const TRACED: usize = 20;

/// Sentences that are compared with the question.
const SENTENCES: usize = 6;

/// When no sentence is as near to the question as this, the built-in answer is that the bot does not know. Set on the
/// questions of `eval/` with all-MiniLM-L6-v2, where the share of right answers among those given, and of right
/// answers among those that there are, have the largest harmonic mean: 0.68 and 0.66 at 0.50, 0.64 and 0.68 at 0.45,
/// 0.61 and 0.72 at 0.35.
const THRESHOLD: f32 = 0.50;

/// A model may be shown a passage whose whole is farther away than its best sentence, and says itself when it finds
/// no answer in what it is shown. Unrelated pairs stay below.
const PASSAGE_THRESHOLD: f32 = 0.25;

/// An answer, how it came about, and the vector of its question with the model that made it.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) trace: Trace,
    pub(super) vector: Vec<f32>,
    pub(super) model: String,
}

/// What a bot knows about a question.
pub(super) struct LookedUp {
    begun: Instant,
    query: String,
    embedder: Arc<dyn Embedder>,
    found: Found,
}

/// Looks a query up in a bot's knowledge.
///
/// # Errors
/// When the database or the embedding model does not answer.
pub(super) async fn look_up(ctx: &Context, tenant: TenantId, bot: &Bot, query: String) -> Result<LookedUp> {
    let begun = Instant::now();
    let embedder = search::embedder_of(ctx, tenant, bot.id).await?;
    let search = Search { question: &query, mode: Mode::Hybrid, sources: None, top_k: TRACED };
    let found = search::find(ctx, &*embedder, tenant, bot, &search).await?;
    Ok(LookedUp { begun, query, embedder, found })
}

/// Answers a question from what was looked up for it, and tells of it on the way.
///
/// # Errors
/// When the embedding model does not answer; a language model that does not is no
/// error: the built-in answer is given and marked as degraded. What was told already cannot be untold: then the
/// answer is partial.
pub(super) async fn answer(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    looked_up: LookedUp,
    teller: &Teller,
) -> Result<Answered> {
    let LookedUp { begun, query, embedder, found } = looked_up;
    let Found { hits: found, vector, embed_ms, search_ms, rerank_ms } = found;
    let vector = vector.unwrap_or_default();
    let hits = found.get(..TOP_K.min(found.len())).unwrap_or_default();
    let timings = Timings { embed: embed_ms, search: search_ms, rerank: rerank_ms, ..Timings::default() };

    let writing = Instant::now();
    let mut answer = match generated(ctx, bot, history, question, hits, teller).await {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => {
            tracing::warn!(bot.id = %bot.id, error = %Chain(&error), "the model is down; the built-in answer is given");
            Answer { degraded: true, ..extracted(&embedder, bot, &query, &vector, hits, teller).await? }
        }
        None => extracted(&embedder, bot, &query, &vector, hits, teller).await?,
    };
    if answer.timings.first_token == 0.0 {
        answer.timings.first_token = crate::milliseconds(writing);
    }
    let first_token = answer.timings.first_token;
    answer.timings = Timings { first_token, total: crate::milliseconds(begun), ..timings };
    ctx.meters().answered(&answer);
    let trace = Trace::of(query, found, &answer);
    Ok(Answered { answer, trace, vector, model: embedder.id().to_owned() })
}

/// Answers a question outside of any conversation: nothing is stored, and nothing counted.
///
/// # Errors
/// As when a message is sent.
pub async fn preview(ctx: &Context, tenant: TenantId, bot: &Bot, question: &str) -> Result<Answer> {
    let looked_up = look_up(ctx, tenant, bot, question.to_owned()).await?;
    Ok(answer(ctx, bot, &[], question, looked_up, &Teller::nobody()).await?.answer)
}

/// What a language model writes; `None` when there is no model, or nothing to write from.
async fn generated(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    hits: &[Hit],
    teller: &Teller,
) -> Option<Result<Answer>> {
    let models = ctx.chat()?;
    let mut passages: Vec<Hit> =
        hits.iter().filter(|hit| nearness(hit) >= PASSAGE_THRESHOLD).cloned().collect();
    if passages.is_empty() {
        return None;
    }
    let count = |text: &str| models.count_tokens(text);
    let budget = Budget { tokens: ctx.config().chat.context_tokens, count: &count };
    let (prompt, held) = prompt::fit(bot, &passages, history, question, budget);
    passages.truncate(held);
    teller
        .tell(Told::Sources((1..=passages.len()).filter_map(|number| cite(&passages, number)).collect()))
        .await;
    let span = tracing::info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.response.model = field::Empty,
        gen_ai.usage.input_tokens = field::Empty,
        gen_ai.usage.output_tokens = field::Empty,
        "error.type" = field::Empty,
    );
    let written = ask(models, &prompt, passages.len(), teller).instrument(span).await;
    Some(written.map(|written| {
        let Some(Written { text, cited, usage, is_partial, model, first_token }) = written else {
            return unsaid();
        };
        Answer {
            answered: !cited.is_empty(),
            sources: cited.iter().filter_map(|&number| cite(&passages, number)).collect(),
            text,
            passages: passages.iter().map(|hit| hit.chunk).collect(),
            degraded: false,
            is_partial,
            model,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            timings: Timings { first_token, ..Timings::default() },
        }
    }))
}

/// What the models write to a prompt with so many passages; `None` when nobody waited for the first word.
///
/// # Errors
/// When no model begins to answer, or the one that did fails before anybody has heard of it.
async fn ask(models: &Models, prompt: &Prompt, passages: usize, teller: &Teller) -> Result<Option<Written>> {
    let (span, begun) = (Span::current(), Instant::now());
    let failed = |_: &Error| {
        span.record("error.type", "unavailable");
    };
    let opened = tokio::select! {
        opened = models.open(prompt) => opened.inspect_err(failed)?,
        // Before the first word.
        () = teller.deserted() => return Ok(None),
    };
    let first_token = crate::milliseconds(begun);
    let written = Written { first_token, model: opened.model, is_partial: true, ..Written::default() };
    span.record("gen_ai.response.model", &written.model);
    let written = write_down(opened.pieces, written, passages, teller).await.inspect_err(failed)?;
    span.record("gen_ai.usage.input_tokens", written.usage.input_tokens);
    span.record("gen_ai.usage.output_tokens", written.usage.output_tokens);
    Ok(Some(written))
}

/// The answer that nobody waited for.
fn unsaid() -> Answer {
    Answer {
        text: String::new(),
        sources: Vec::new(),
        passages: Vec::new(),
        answered: false,
        degraded: false,
        is_partial: true,
        model: String::new(),
        input_tokens: None,
        output_tokens: None,
        timings: Timings::default(),
    }
}

/// What a model wrote, and which.
#[derive(Default)]
struct Written {
    text: String,
    cited: Vec<usize>,
    usage: Usage,
    is_partial: bool,
    model: String,
    /// When its first piece came, in milliseconds.
    first_token: f64,
}

/// Writes down what a model answers, until it ends, or whoever listens is gone.
///
/// # Errors
/// When the model fails and nobody has heard anything of it yet.
async fn write_down(
    mut pieces: Pieces,
    mut written: Written,
    passages: usize,
    teller: &Teller,
) -> Result<Written> {
    let mut markers = Markers::of(passages);
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece,
            () = teller.deserted() => break,
        };
        match piece {
            Some(Ok(Piece::Text(piece))) => {
                let text = markers.read(&piece);
                say(teller, &mut written.text, text).await;
            }
            Some(Ok(Piece::End(usage))) => {
                (written.usage, written.is_partial) = (usage, false);
                break;
            }
            Some(Err(error)) if teller.is_heard() && !written.text.is_empty() => {
                tracing::warn!(error = %Chain(&error), "the model broke off, and was heard already");
                break;
            }
            Some(Err(error)) => {
                let retry_after = error.retry_after;
                return Err(Error::Unavailable { part: Part::Chat, retry_after, source: error.into() });
            }
            None => break,
        }
    }
    let (rest, cited) = markers.end();
    say(teller, &mut written.text, rest).await;
    written.cited = cited;
    Ok(written)
}

/// Says a part of an answer; what there is of white space before its first word is left out.
async fn say(teller: &Teller, said: &mut String, part: String) {
    let part = if said.is_empty() { part.trim_start().to_owned() } else { part };
    if !part.is_empty() {
        said.push_str(&part);
        teller.tell(Told::Delta(part)).await;
    }
}

/// A citation of a whole passage, by the number of its marker.
fn cite(passages: &[Hit], number: usize) -> Option<Citation> {
    let hit = passages.get(number.checked_sub(1)?)?;
    let whole = 0..hit.content.chars().count();
    Some(extractive::cite(hit, number, whole, nearness(hit), &hit.content))
}

/// The built-in answer.
async fn extracted(
    embedder: &Arc<dyn Embedder>,
    bot: &Bot,
    question: &str,
    vector: &[f32],
    hits: &[Hit],
    teller: &Teller,
) -> Result<Answer> {
    let candidates = extractive::candidates(question, hits, SENTENCES);
    let sentences = candidates.iter().map(|candidate| embedder.embed_query(candidate.text.clone()));
    let sentences = try_join_all(sentences).await?;
    let scored = candidates.into_iter().zip(&sentences);
    let scored = scored.map(|(candidate, sentence)| (candidate, cosine(vector, sentence))).collect();
    let composed = extractive::compose(hits, scored, THRESHOLD);
    let answered = composed.is_some();
    let (text, sources) =
        composed.unwrap_or_else(|| (extractive::unknown(bot.language).to_owned(), Vec::new()));
    teller.tell(Told::Sources(sources.clone())).await;
    for part in text.split_inclusive("] ") {
        teller.tell(Told::Delta(part.to_owned())).await;
    }
    Ok(Answer {
        text,
        sources,
        passages: hits.iter().map(|hit| hit.chunk).collect(),
        answered,
        degraded: false,
        is_partial: false,
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
