//! Pure: composes the text and citations of an extractive answer.

use std::collections::BTreeSet;

use super::{Candidate, Scored, cite};
use crate::conversations::passages::UnitKind;
use crate::conversations::{Citation, Confidence};
use crate::knowledge::search::Hit;
use crate::words;

/// Maximum relevance gap between the best unit and a second one; doubled when the question asks several
/// things.
const SECOND_UNIT_REACH: f32 = 0.44;

/// A unit and one that contains it count as equally relevant within this gap.
const EQUAL_RELEVANCE: f32 = 0.22;

/// Minimum share of the question that a second unit must add; lower when the question asks several things.
const MIN_ADDED: f32 = 0.25;
const MIN_ADDED_OF_SEVERAL: f32 = 0.1;

/// A second unit within this relevance gap needs only one word of the question.
const CLOSE_RELEVANCE: f32 = 0.17;

/// Maximum number of units of a tentative answer.
const TENTATIVE_UNITS: usize = 3;

/// Share of common words from which two texts count as repeated.
const REPEATED_FROM: f32 = 0.8;

/// Extractive answer.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Text, with a marker after each unit.
    pub text: String,
    /// Citation of each marker.
    pub citations: Vec<Citation>,
    /// Relevance of the best unit.
    pub relevance: f32,
    /// Share of the question's content words covered by the units.
    pub coverage: f32,
}

/// Composes the answer from scored candidates; `None` without any. A confident answer is one unit, plus a
/// second one that covers more of the question. Units keep source order; each has its marker.
#[must_use]
pub fn compose(
    question: &str,
    passages: &[Hit],
    scored: Vec<Scored>,
    confidence: Confidence,
) -> Option<Composed> {
    let mut ranked: Vec<Scored> =
        scored.into_iter().filter(|scored| scored.candidate.passage < passages.len()).collect();
    ranked.sort_by(|a, b| b.relevance.total_cmp(&a.relevance));
    let best = best(&ranked)?;
    let relevance = best.relevance;
    let mut chosen: Vec<Scored> = vec![best.clone()];
    match confidence {
        Confidence::High => chosen.extend(second(question, &ranked, best).cloned()),
        Confidence::Low => {
            for scored in &ranked {
                let is_new = |other: &Scored| {
                    let (scored, other) = (&scored.candidate, &other.candidate);
                    !overlap(scored, other) && !is_repeated(&scored.text, &other.text)
                };
                if chosen.len() < TENTATIVE_UNITS && chosen.iter().all(is_new) {
                    chosen.push(scored.clone());
                }
            }
        }
    }
    let coverage = covered_share(&chosen);
    if let [only] = chosen.as_mut_slice() {
        add_antecedent(&mut only.candidate, &ranked);
    }
    chosen.sort_by_key(|scored| source_order(&scored.candidate, passages));
    let has_lines = chosen.iter().any(|scored| scored.candidate.text.contains('\n'));
    let mut texts = Vec::new();
    let mut citations = Vec::new();
    for Scored { candidate, cosine, .. } in chosen {
        let Some(hit) = passages.get(candidate.passage) else { continue };
        let index = citations.len() + 1;
        texts.push(format!("{} [{index}]", candidate.text));
        citations.push(cite(hit, index, candidate.span, cosine, &candidate.text));
    }
    let text = texts.join(if has_lines { "\n\n" } else { " " });
    Some(Composed { text, citations, relevance, coverage })
}

/// Most relevant candidate. Among nested candidates of equal relevance, FAQ answers and steps are taken
/// whole; a list is taken whole unless a single item covers the question with its own words.
fn best(ranked: &[Scored]) -> Option<&Scored> {
    let first = ranked.first()?;
    let near = |other: &&Scored| first.relevance - other.relevance <= EQUAL_RELEVANCE;
    let whole =
        ranked.iter().skip(1).take_while(near).find(|other| contains(&other.candidate, &first.candidate));
    let whole = whole.filter(|whole| match whole.candidate.kind {
        UnitKind::FaqAnswer | UnitKind::Steps => true,
        _ => whole.candidate.coverage > first.candidate.coverage || first.candidate.own.is_empty(),
    });
    if whole.is_some() {
        return whole;
    }
    if first.candidate.kind != UnitKind::List {
        return Some(first);
    }
    let mut parts =
        ranked.iter().skip(1).take_while(near).filter(|other| contains(&first.candidate, &other.candidate));
    let answers = |part: &&Scored| {
        !part.candidate.own.is_empty() && part.candidate.coverage >= first.candidate.coverage
    };
    parts.find(answers).or(Some(first))
}

/// Second unit that covers more of the question.
fn second<'a>(question: &str, ranked: &'a [Scored], first: &Scored) -> Option<&'a Scored> {
    let several = words::asks_several(question);
    let (reach, added) = if several {
        (2.0 * SECOND_UNIT_REACH, MIN_ADDED_OF_SEVERAL)
    } else {
        (SECOND_UNIT_REACH, MIN_ADDED)
    };
    let relevance = first.relevance;
    let has = |word: usize| first.candidate.covered.iter().any(|(known, _)| *known == word);
    ranked.iter().filter(|scored| scored.relevance >= first.relevance - reach).find(|scored| {
        let (first, other) = (&first.candidate, &scored.candidate);
        let new: f32 = other.own.iter().filter(|(word, _)| !has(*word)).map(|(_, weight)| weight).sum();
        (new >= added || (scored.relevance >= relevance - CLOSE_RELEVANCE && !other.own.is_empty()))
            && !overlap(first, other)
            && !is_repeated(&first.text, &other.text)
    })
}

/// Includes the sentence before a pronoun when only that sentence has a word of the question.
fn add_antecedent(candidate: &mut Candidate, ranked: &[Scored]) {
    let Some((text, span)) = candidate.with_antecedent.take() else { return };
    let before = ranked.iter().map(|scored| &scored.candidate).find(|other| {
        other.passage == candidate.passage
            && other.span.start == span.start
            && other.span.end <= candidate.span.start
    });
    let has = |word: &usize| candidate.own.iter().any(|(known, _)| known == word);
    if before.is_some_and(|before| before.own.iter().any(|(word, _)| !has(word))) {
        (candidate.text, candidate.span) = (text, span);
    }
}

fn covered_share(chosen: &[Scored]) -> f32 {
    let mut seen = BTreeSet::new();
    let all = chosen.iter().flat_map(|scored| &scored.candidate.covered);
    all.filter(|(word, _)| seen.insert(*word)).map(|(_, weight)| weight).sum::<f32>().min(1.0)
}

/// Sort key: sources by their best passage, then position in the source.
fn source_order(candidate: &Candidate, passages: &[Hit]) -> (usize, usize) {
    let Some(hit) = passages.get(candidate.passage) else { return (usize::MAX, 0) };
    let source = passages.iter().position(|other| other.source == hit.source).unwrap_or(candidate.passage);
    (source, usize::try_from(hit.start).unwrap_or(0).saturating_add(candidate.span.start))
}

fn contains(whole: &Candidate, part: &Candidate) -> bool {
    whole.passage == part.passage && whole.span.start <= part.span.start && part.span.end <= whole.span.end
}

fn overlap(a: &Candidate, b: &Candidate) -> bool {
    a.passage == b.passage && a.span.start < b.span.end && b.span.start < a.span.end
}

/// Whether one text repeats another: nearly all words are shared, or one has all words of the other.
fn is_repeated(a: &str, b: &str) -> bool {
    let distinct = |text: &str| words::words(text).into_iter().collect::<BTreeSet<String>>();
    let (a, b) = (distinct(a), distinct(b));
    let shared = a.intersection(&b).count() as f32;
    let all = a.union(&b).count() as f32;
    let least = a.len().min(b.len()) as f32;
    least > 0.0 && (shared / all >= REPEATED_FROM || shared >= least)
}
