//! Asks questions and compares rankings and answers with the expectation.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use anyhow::Context as _;
use parlance_core::Context;
use parlance_core::bots::Bot;
use parlance_core::conversations::{self, Answer, Citation};
use parlance_core::ids::TenantId;
use parlance_core::knowledge::search::{self, Mode, SearchRequest};

use super::outcome::{AnswerOutcome, Candidate, Ending, Outcome};
use super::passages::{PassageLocation, SourceTexts};
use super::suite::Question;
use super::{gold, score};

/// Hits per search. Scores use the first ten; `--details` has all.
const DEPTH: i64 = 50;

/// Number of questions between progress messages.
const PROGRESS_INTERVAL: usize = 50;

/// Asks each question to its bot.
pub(crate) async fn ask_all<'a>(
    ctx: &Context,
    tenant: TenantId,
    bot_of: &dyn Fn(&Question) -> Option<&'a Bot>,
    questions: &[Question],
    answers: bool,
) -> anyhow::Result<Vec<Outcome>> {
    let (mut texts, mut outcomes) = (BTreeMap::new(), Vec::new());
    for question in questions {
        let bot = bot_of(question).with_context(|| format!("{}: unknown bot", question.id))?;
        let texts = match texts.entry(bot.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(SourceTexts::load(ctx, tenant, bot).await?),
        };
        let expected = texts.locate(question)?;
        outcomes.push(ask_one(ctx, tenant, bot, question, &expected, answers).await?);
        if outcomes.len().is_multiple_of(PROGRESS_INTERVAL) {
            tracing::info!(asked = outcomes.len(), of = questions.len(), "evaluating");
        }
    }
    Ok(outcomes)
}

async fn ask_one(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    question: &Question,
    expected: &[PassageLocation],
    answers: bool,
) -> anyhow::Result<Outcome> {
    let (mut scores, mut candidates) = (BTreeMap::new(), Vec::new());
    // Without expected passages there is nothing to score, but the hits of hybrid search are still recorded.
    let modes = Mode::ALL.into_iter().filter(|mode| *mode == Mode::Hybrid || !expected.is_empty());
    for mode in modes {
        let (query, top_k) = (question.question.parse()?, DEPTH.try_into()?);
        let request = SearchRequest { bot: bot.id, query, top_k, mode, sources: None };
        let found = search::search(ctx, tenant, &request).await?;
        let passages: Vec<Option<usize>> = found
            .hits
            .iter()
            .map(|hit| {
                expected.iter().position(|passage| passage.is_found_in(hit.source, &(hit.start..hit.end)))
            })
            .collect();
        if mode == Mode::Hybrid {
            let hits = found.hits.iter().zip(&passages);
            candidates = hits.map(|(hit, passage)| Candidate::from_hit(hit, passage.is_some())).collect();
        }
        if !expected.is_empty() {
            scores.insert(mode.as_str(), score::score_ranking(&passages, expected.len()));
        }
    }
    let answer = if answers {
        let started = Instant::now();
        let (answer, features) = conversations::preview(ctx, tenant, bot, &question.question).await?;
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        Some(AnswerOutcome { features, ..judge(answer, &question.gold, expected, ms) })
    } else {
        None
    };
    Ok(Outcome {
        id: question.id.clone(),
        set: question.set.clone(),
        bot: question.bot.clone(),
        language: question.language.clone(),
        class: question.class,
        kind: question.kind.clone(),
        question: question.question.clone(),
        gold: question.gold.clone(),
        answerable: question.class.has_answer(),
        scores,
        candidates,
        answer,
    })
}

/// Compares an answer with the gold facts and the expected passages.
fn judge(answer: Answer, gold: &[String], expected: &[PassageLocation], ms: f64) -> AnswerOutcome {
    let is_expected = |cited: &Citation| {
        expected.iter().any(|passage| passage.overlaps(cited.source_id, &(cited.start..cited.end)))
    };
    let cites_expected = answer.sources.iter().any(is_expected);
    let right = if expected.is_empty() {
        Some(false)
    } else if gold::is_containable(gold) {
        Some(answer.answered && gold::states_any(&answer.text, gold))
    } else if gold.is_empty() {
        None
    } else {
        Some(answer.answered && cites_expected)
    };
    let sentences = sentences(&answer);
    let belonging = sentences.iter().filter(|(text, citation)| {
        citation.is_some_and(is_expected) || (!expected.is_empty() && gold::states_any(text, gold))
    });
    AnswerOutcome {
        belonging: belonging.count(),
        sentences: sentences.len(),
        ending: Ending::classify(answer.answered, answer.confidence),
        confidence: answer.confidence,
        confidence_score: answer.confidence_score,
        right,
        cites_expected,
        ms,
        text: answer.text,
        features: None,
        grounded: answer.grounded,
        support: answer.support,
        sources: answer.sources,
    }
}

/// Sentences of an answer that state something, each with its citation. Taken from the support, or from the cited
/// snippets if there is none.
fn sentences(answer: &Answer) -> Vec<(String, Option<&Citation>)> {
    if answer.support.is_empty() {
        return answer.sources.iter().map(|cited| (cited.snippet.clone(), Some(cited))).collect();
    }
    let support = answer.support.iter();
    support
        .map(|support| {
            let length = support.end.saturating_sub(support.start);
            let text = answer.text.chars().skip(support.start).take(length).collect();
            (text, answer.sources.iter().find(|cited| Some(cited.index) == support.citation))
        })
        .collect()
}
