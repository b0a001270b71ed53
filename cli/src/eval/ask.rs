//! Asking a question: its rankings and its answer, held against what is expected.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use anyhow::Context as _;
use parlance_core::Context;
use parlance_core::bots::Bot;
use parlance_core::conversations::{self, Answer, Citation};
use parlance_core::ids::TenantId;
use parlance_core::knowledge::search::{self, Mode, SearchRequest};

use super::exam::Question;
use super::outcome::{Answered, Candidate, Ending, Outcome};
use super::places::{Place, Texts};
use super::{gold, score};

/// Passages of a search: those beyond the tenth are for the details.
const DEPTH: i64 = 50;

/// Questions between two lines of progress.
const STRIDE: usize = 50;

/// Asks every question of its bot.
pub(crate) async fn all<'a>(
    ctx: &Context,
    tenant: TenantId,
    bot_of: &dyn Fn(&Question) -> Option<&'a Bot>,
    questions: &[Question],
    answers: bool,
) -> anyhow::Result<Vec<Outcome>> {
    let (mut texts, mut outcomes) = (BTreeMap::new(), Vec::new());
    for question in questions {
        let bot = bot_of(question).with_context(|| format!("{}: it names no bot", question.id))?;
        let texts = match texts.entry(bot.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Texts::of(ctx, tenant, bot).await?),
        };
        let expected = texts.locate(question)?;
        outcomes.push(one(ctx, tenant, bot, question, &expected, answers).await?);
        if outcomes.len().is_multiple_of(STRIDE) {
            tracing::info!(asked = outcomes.len(), of = questions.len(), "evaluating");
        }
    }
    Ok(outcomes)
}

async fn one(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    question: &Question,
    expected: &[Place],
    answers: bool,
) -> anyhow::Result<Outcome> {
    let (mut scores, mut candidates) = (BTreeMap::new(), Vec::new());
    // Without an expected passage there is nothing to score; the candidates of hybrid search are kept.
    let modes = Mode::ALL.into_iter().filter(|mode| *mode == Mode::Hybrid || !expected.is_empty());
    for mode in modes {
        let (query, top_k) = (question.question.parse()?, DEPTH.try_into()?);
        let request = SearchRequest { bot: bot.id, query, top_k, mode, sources: None };
        let found = search::search(ctx, tenant, &request).await?;
        let places: Vec<Option<usize>> = found
            .hits
            .iter()
            .map(|hit| expected.iter().position(|place| place.is_in(hit.source, &(hit.start..hit.end))))
            .collect();
        if mode == Mode::Hybrid {
            let hits = found.hits.iter().zip(&places);
            candidates = hits.map(|(hit, place)| Candidate::of(hit, place.is_some())).collect();
        }
        if !expected.is_empty() {
            scores.insert(mode.as_str(), score::of(&places, expected.len()));
        }
    }
    let answer = if answers {
        let begun = Instant::now();
        let (answer, features) = conversations::preview(ctx, tenant, bot, &question.question).await?;
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        Some(Answered { features, ..judged(answer, &question.gold, expected, ms) })
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

/// An answer, held against the gold facts and the expected places.
fn judged(answer: Answer, gold: &[String], expected: &[Place], ms: f64) -> Answered {
    let is_expected = |cited: &Citation| {
        expected.iter().any(|place| place.touches(cited.source_id, &(cited.start..cited.end)))
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
    Answered {
        belonging: belonging.count(),
        sentences: sentences.len(),
        ending: Ending::of(answer.answered, answer.confidence),
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

/// The sentences of an answer that state something, each with its citation: those of its support, or, where it has
/// none, its cited snippets.
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
