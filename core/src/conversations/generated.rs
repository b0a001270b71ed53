//! The answer of a language model: asked, checked while it streams, and sent.

use std::time::Instant;

use futures_util::StreamExt;
use tracing::{Instrument, Span, field};

use super::lookup::{Lookup, nearness};
use super::prompt::{self, Budget};
use super::writing::{Checked, Writing};
use super::{Answer, Citation, Confidence, SentenceVectors, Teller, Timings, Told, extractive};
use crate::bots::Bot;
use crate::context::Context;
use crate::error::{Chain, Error, Part, Result};
use crate::knowledge::search::Hit;
use crate::providers::chat::{Models, Piece, Pieces, Prompt, Turn, Usage};

/// Relative cosine below which a passage is not shown to a language model, which says itself when it finds no answer
/// in what it is shown. Unrelated pairs have 0 on average.
const SHOWN: f32 = 0.0;

/// The checked answer of a language model; `None` when there is no model, or nothing to write from.
pub(super) async fn generated(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    lookup: &Lookup,
    teller: &Teller,
) -> Option<Result<Answer>> {
    let models = ctx.chat()?;
    let near = |hit: &&Hit| lookup.calibration.relative(nearness(hit)) >= SHOWN;
    let mut passages: Vec<Hit> = lookup.best().iter().filter(near).cloned().collect();
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
    let calibration = lookup.calibration;
    let vectors = ctx.state::<SentenceVectors>();
    let writing = Writing::new(&*lookup.embedder, &vectors, calibration, bot, question, &passages);
    let written = ask(models, &prompt, writing, bot, teller).instrument(span).await;
    Some(written.map(|written| match written {
        Some(written) => written.answer(&passages),
        None => unsent(),
    }))
}

/// What the models write to a prompt; `None` when nobody waited for the first word.
///
/// # Errors
/// When no model begins to answer, or the one that did fails before any of its text was sent.
async fn ask(
    models: &Models,
    prompt: &Prompt,
    writing: Writing<'_>,
    bot: &Bot,
    teller: &Teller,
) -> Result<Option<Written>> {
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
    span.record("gen_ai.response.model", &opened.model);
    let (checked, usage) = write_down(opened.pieces, writing, bot, teller).await.inspect_err(failed)?;
    let is_partial = usage.is_none();
    let usage = usage.unwrap_or_default();
    span.record("gen_ai.usage.input_tokens", usage.input_tokens);
    span.record("gen_ai.usage.output_tokens", usage.output_tokens);
    Ok(Some(Written { checked, usage, is_partial, model: opened.model, first_token }))
}

/// What a model wrote, and which.
struct Written {
    checked: Checked,
    usage: Usage,
    is_partial: bool,
    model: String,
    /// When its first piece came, in milliseconds.
    first_token: f64,
}

impl Written {
    fn answer(self, passages: &[Hit]) -> Answer {
        let Checked { text, cited, support, answered, grounded, has_refusal, score } = self.checked;
        let confidence = match (answered, grounded && !has_refusal) {
            (false, _) => None,
            (true, true) => Some(Confidence::High),
            (true, false) => Some(Confidence::Low),
        };
        Answer {
            answered,
            confidence,
            confidence_score: if answered { score } else { 0.0 },
            support,
            grounded,
            sources: cited.iter().filter_map(|&number| cite(passages, number)).collect(),
            text,
            passages: passages.iter().map(|hit| hit.chunk).collect(),
            degraded: false,
            is_partial: self.is_partial,
            model: self.model,
            input_tokens: self.usage.input_tokens,
            output_tokens: self.usage.output_tokens,
            timings: Timings { first_token: self.first_token, ..Timings::default() },
        }
    }
}

/// The answer that nobody waited for.
fn unsent() -> Answer {
    Answer {
        text: String::new(),
        sources: Vec::new(),
        passages: Vec::new(),
        answered: false,
        confidence: None,
        confidence_score: 0.0,
        support: Vec::new(),
        grounded: true,
        degraded: false,
        is_partial: true,
        model: String::new(),
        input_tokens: None,
        output_tokens: None,
        timings: Timings::default(),
    }
}

/// Checks and sends what a model answers, until it ends, or the listener is gone. Gives the answer and the usage;
/// without usage, the answer broke off.
///
/// # Errors
/// When the model fails before any of its text was sent.
async fn write_down(
    mut pieces: Pieces,
    mut writing: Writing<'_>,
    bot: &Bot,
    teller: &Teller,
) -> Result<(Checked, Option<Usage>)> {
    let mut usage = None;
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece,
            () = teller.deserted() => break,
        };
        match piece {
            Some(Ok(Piece::Text(piece))) => {
                writing.push(&piece);
                while let Some(text) = writing.next(true).await {
                    teller.tell(Told::Delta(text)).await;
                }
            }
            Some(Ok(Piece::End(used))) => {
                usage = Some(used);
                break;
            }
            Some(Err(error)) if teller.is_heard() && !writing.is_empty() => {
                tracing::warn!(error = %Chain(&error), "the model broke off after some of its text was sent");
                break;
            }
            Some(Err(error)) => {
                let retry_after = error.retry_after;
                return Err(Error::Unavailable { part: Part::Chat, retry_after, source: error.into() });
            }
            None => break,
        }
    }
    writing.close();
    while let Some(text) = writing.next(usage.is_some()).await {
        teller.tell(Told::Delta(text)).await;
    }
    if usage.is_some()
        && let Some(text) = writing.unknown(bot.language)
    {
        teller.tell(Told::Delta(text)).await;
    }
    Ok((writing.finish(), usage))
}

/// A citation of a whole passage, by the number of its marker.
fn cite(passages: &[Hit], number: usize) -> Option<Citation> {
    let hit = passages.get(number.checked_sub(1)?)?;
    let whole = 0..hit.content.chars().count();
    Some(extractive::cite(hit, number, whole, nearness(hit), &hit.content))
}
