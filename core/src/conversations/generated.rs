//! Generated answer: calls the language model, checks its output while streaming, and sends it.

use std::time::Instant;

use futures_util::StreamExt;
use tracing::{Instrument, Span, field};

use super::checker::{AnswerChecker, CheckedAnswer};
use super::prompt::{self, Budget};
use super::retrieval::{Retrieval, extent, similarity};
use super::{
    Answer, AnswerEvent, Citation, Confidence, EventSender, Evidence, SentenceVectors, Timings, extractive,
};
use crate::bots::Bot;
use crate::context::Context;
use crate::error::{Chain, Error, Part, Result};
use crate::knowledge::search::Hit;
use crate::providers::chat::{Models, Piece, Pieces, Prompt, Turn, Usage};

/// Relative cosine below which a passage is not given to the language model. Unrelated pairs have 0 on
/// average; the model itself refuses when the passages hold no answer.
const LEAST_SIMILAR: f32 = 0.0;

/// Checked answer of a language model; `None` when no model is configured or no passage is similar enough.
pub(super) async fn generate(
    ctx: &Context,
    bot: &Bot,
    history: &[Turn],
    question: &str,
    retrieval: &Retrieval,
    events: &EventSender,
) -> Option<Result<Answer>> {
    let models = ctx.chat()?;
    let near = |hit: &&Hit| retrieval.calibration.relative(similarity(hit)) >= LEAST_SIMILAR;
    let mut passages: Vec<Hit> = retrieval.best().iter().filter(near).cloned().collect();
    if passages.is_empty() {
        return None;
    }
    let texts = history.iter().map(|turn| turn.text.len()).sum::<usize>() + extent(question, &passages);
    let prepare = {
        let (models, bot, tokens) = (models.clone(), bot.clone(), ctx.config().chat.context_tokens);
        let (history, question) = (history.to_vec(), question.to_owned());
        move || {
            let count = |text: &str| models.count_tokens(text);
            let budget = Budget { tokens, count: &count };
            let (prompt, shown) = prompt::fit(&bot, &passages, &history, &question, budget);
            passages.truncate(shown);
            let evidence = Evidence::new(&bot, &question, &passages);
            (prompt, passages, evidence)
        }
    };
    let prepared = ctx.cpu().analyse(retrieval.caller, texts, prepare).await;
    let (prompt, passages, evidence) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Some(Err(error)),
    };
    events
        .send(AnswerEvent::Sources(
            (1..=passages.len()).filter_map(|number| cite(&passages, number)).collect(),
        ))
        .await;
    let span = tracing::info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.response.model = field::Empty,
        gen_ai.usage.input_tokens = field::Empty,
        gen_ai.usage.output_tokens = field::Empty,
        "error.type" = field::Empty,
    );
    let calibration = retrieval.calibration;
    let vectors = ctx.state::<SentenceVectors>();
    let (embedder, caller) = (&*retrieval.embedder, retrieval.caller);
    let checker = AnswerChecker::new(ctx.cpu(), embedder, caller, &vectors, calibration, evidence);
    let output = call_model(models, &prompt, checker, bot, events).instrument(span).await;
    Some(output.map(|output| match output {
        Some(output) => output.answer(&passages),
        None => discarded_answer(),
    }))
}

/// Calls the models with a prompt; `None` when the client disconnected before the first token.
///
/// # Errors
/// When no model starts to answer, or the one that did fails before any text was sent.
async fn call_model(
    models: &Models,
    prompt: &Prompt,
    checker: AnswerChecker<'_>,
    bot: &Bot,
    events: &EventSender,
) -> Result<Option<ModelOutput>> {
    let (span, begun) = (Span::current(), Instant::now());
    let failed = |_: &Error| {
        span.record("error.type", "unavailable");
    };
    let opened = tokio::select! {
        opened = models.open(prompt) => opened.inspect_err(failed)?,
        // Disconnected before the first token.
        () = events.closed() => return Ok(None),
    };
    let first_token = crate::milliseconds(begun);
    span.record("gen_ai.response.model", &opened.model);
    let (checked, usage) = stream_checked(opened.pieces, checker, bot, events).await.inspect_err(failed)?;
    let is_partial = usage.is_none();
    let usage = usage.unwrap_or_default();
    span.record("gen_ai.usage.input_tokens", usage.input_tokens);
    span.record("gen_ai.usage.output_tokens", usage.output_tokens);
    Ok(Some(ModelOutput { checked, usage, is_partial, model: opened.model, first_token }))
}

/// Checked output of a model.
struct ModelOutput {
    checked: CheckedAnswer,
    usage: Usage,
    is_partial: bool,
    model: String,
    /// Time to the first token, in milliseconds.
    first_token: f64,
}

impl ModelOutput {
    fn answer(self, passages: &[Hit]) -> Answer {
        let CheckedAnswer { text, cited, support, answered, grounded, has_refusal, score } = self.checked;
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

/// Answer for a client that disconnected before the first token.
fn discarded_answer() -> Answer {
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

/// Checks and sends a model's output until it ends or the client disconnects. Returns the answer and the
/// token usage; no usage means that the answer is partial.
///
/// # Errors
/// When the model fails before any text was sent.
async fn stream_checked(
    mut pieces: Pieces,
    mut checker: AnswerChecker<'_>,
    bot: &Bot,
    events: &EventSender,
) -> Result<(CheckedAnswer, Option<Usage>)> {
    let mut usage = None;
    loop {
        let piece = tokio::select! {
            piece = pieces.next() => piece,
            () = events.closed() => break,
        };
        match piece {
            Some(Ok(Piece::Text(piece))) => {
                checker.push(&piece);
                while let Some(text) = checker.next(true).await {
                    events.send(AnswerEvent::Delta(text)).await;
                }
            }
            Some(Ok(Piece::End(used))) => {
                usage = Some(used);
                break;
            }
            Some(Err(error)) if events.has_listener() && !checker.is_empty() => {
                tracing::warn!(error = %Chain(&error), "model failed mid-answer; the text so far is a partial answer");
                break;
            }
            Some(Err(error)) => {
                let retry_after = error.retry_after;
                return Err(Error::Unavailable { part: Part::Chat, retry_after, source: error.into() });
            }
            None => break,
        }
    }
    checker.close();
    while let Some(text) = checker.next(usage.is_some()).await {
        events.send(AnswerEvent::Delta(text)).await;
    }
    if usage.is_some()
        && let Some(text) = checker.unknown(bot.language)
    {
        events.send(AnswerEvent::Delta(text)).await;
    }
    Ok((checker.finish(), usage))
}

/// Citation of a whole passage, by marker number.
fn cite(passages: &[Hit], number: usize) -> Option<Citation> {
    let hit = passages.get(number.checked_sub(1)?)?;
    let whole = 0..hit.content.chars().count();
    Some(extractive::cite(hit, number, whole, similarity(hit), &hit.content))
}
