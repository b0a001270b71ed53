//! Pure: selects the units of passages to compare with the question.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use crate::bots::Language;
use crate::conversations::passages::{Unit, UnitKind, units};
use crate::knowledge::search::Hit;
use crate::words;

/// Maximum length of an embedded text, in characters.
const MAX_MATCH_TEXT: usize = 500;

/// A shorter text is embedded with the heading above it.
const SHORT_TEXT: usize = 60;

/// Units of the best passage that are always compared.
const ALWAYS_COMPARED: usize = 2;

/// Weight of a word that occurs in the heading only, for selection.
const HEADING_WEIGHT: f32 = 0.4;

/// Penalties per rank of a passage and per position of a unit, for selection.
const PASSAGE_RANK_PENALTY: f32 = 0.02;
const UNIT_RANK_PENALTY: f32 = 0.004;

/// Unit that may become part of the answer.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Text.
    pub text: String,
    /// Embedded text: context and text, up to 500 characters.
    pub match_text: String,
    /// Index of its passage.
    pub passage: usize,
    /// Range in the passage, in characters.
    pub span: Range<usize>,
    /// Kind of unit.
    pub kind: UnitKind,
    /// Share of the question's content words in its text, context and headings, weighted by rarity among the
    /// passages. Near 0 when question and passages differ in language.
    pub coverage: f32,
    /// The same share for its whole passage.
    pub passage_coverage: f32,
    /// Indexes of the question's content words it contains, with their weights.
    pub(super) covered: Vec<(usize, f32)>,
    /// The same for its own text only.
    pub(super) own: Vec<(usize, f32)>,
    /// Text and range including the sentence before it, when it starts with a pronoun.
    pub(super) with_antecedent: Option<(String, Range<usize>)>,
}

/// Unit with the question words it contains.
struct MatchedUnit {
    unit: Unit,
    passage: usize,
    /// Index among the units of its passage.
    place: usize,
    own: Vec<usize>,
    lead: Vec<usize>,
    heading: Vec<usize>,
}

/// Selects up to `most` units to compare with the question: those with its rarest words first, then those of
/// better passages. Of units with equal text, the first is kept. `language` is the bot's.
#[must_use]
pub fn candidates(question: &str, language: Language, passages: &[Hit], limit: usize) -> Vec<Candidate> {
    let question_words = QuestionWords::new(words::content_words(question, language));
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (passage, hit) in passages.iter().enumerate() {
        for (place, unit) in units(&hit.content).into_iter().enumerate() {
            if seen.insert(words::words(&unit.text).join(" ")) {
                found.push(MatchedUnit::new(unit, passage, place, hit, &question_words));
            }
        }
    }
    let weights = weights(question_words.count, &found);
    let mut ranked: Vec<(bool, f32, MatchedUnit)> = found
        .into_iter()
        .map(|found| {
            let is_first = found.passage == 0 && found.place < ALWAYS_COMPARED;
            let rank = PASSAGE_RANK_PENALTY * found.passage as f32 + UNIT_RANK_PENALTY * found.place as f32;
            (is_first, found.score(&weights) - rank, found)
        })
        .collect();
    ranked.sort_by(|(_, a, _), (_, b, _)| b.total_cmp(a));
    // The first units of the best passage displace the last candidates if they did not qualify.
    let mut firsts = ranked.iter().skip(limit).filter(|(is_first, ..)| *is_first).count().min(limit / 2);
    let mut chosen: Vec<MatchedUnit> = Vec::new();
    for (at, (is_first, _, found)) in ranked.into_iter().enumerate() {
        if chosen.len() == limit {
            break;
        }
        let has_place = chosen.len() + firsts < limit;
        if has_place || is_first {
            firsts = firsts.saturating_sub(usize::from(is_first && at >= limit));
            chosen.push(found);
        }
    }
    let shares: Vec<f32> = passages
        .iter()
        .map(|hit| {
            let whole = format!("{}\n{}", hit.heading.as_deref().unwrap_or_default(), hit.content);
            question_words
                .shared(&whole)
                .into_iter()
                .filter_map(|word| weights.get(word))
                .sum::<f32>()
                .min(1.0)
        })
        .collect();
    chosen.into_iter().map(|found| found.candidate(&weights, passages, &shares)).collect()
}

/// Weight of each question word; words that few units contain weigh more. The weights sum to 1.
fn weights(question_words: usize, found: &[MatchedUnit]) -> Vec<f32> {
    let total = found.len() as f32;
    let rarity = |word: usize| {
        let having = found.iter().filter(|found| found.has(word)).count() as f32;
        (1.0 + (total + 1.0) / (having + 1.0)).ln()
    };
    let rarities: Vec<f32> = (0..question_words).map(rarity).collect();
    let sum: f32 = rarities.iter().sum();
    rarities.into_iter().map(|rarity| if sum > 0.0 { rarity / sum } else { 0.0 }).collect()
}

impl MatchedUnit {
    fn new(unit: Unit, passage: usize, place: usize, hit: &Hit, question_words: &QuestionWords) -> Self {
        let own = question_words.shared(&unit.text);
        let lead = unit.lead.as_deref().map(|lead| question_words.shared(lead)).unwrap_or_default();
        let headings = headings(&unit, hit).join(" ");
        Self { own, lead, heading: question_words.shared(&headings), unit, passage, place }
    }

    fn has(&self, word: usize) -> bool {
        self.own.contains(&word) || self.lead.contains(&word)
    }

    fn score(&self, weights: &[f32]) -> f32 {
        let weigh = |(word, weight): (usize, &f32)| {
            if self.has(word) {
                *weight
            } else if self.heading.contains(&word) {
                HEADING_WEIGHT * weight
            } else {
                0.0
            }
        };
        weights.iter().enumerate().map(weigh).sum()
    }

    fn candidate(self, weights: &[f32], passages: &[Hit], shares: &[f32]) -> Candidate {
        let weighed = |is_in: &dyn Fn(usize) -> bool| -> Vec<(usize, f32)> {
            weights.iter().copied().enumerate().filter(|(word, _)| is_in(*word)).collect()
        };
        let covered = weighed(&|word| self.has(word) || self.heading.contains(&word));
        let own = weighed(&|word| self.own.contains(&word) && !self.lead.contains(&word));
        let nearest = passages.get(self.passage).and_then(|hit| headings(&self.unit, hit).pop());
        let Unit { text, lead, heading: _, span, kind, with_antecedent } = self.unit;
        let is_short = text.chars().count() < SHORT_TEXT
            || matches!(kind, UnitKind::Row | UnitKind::List | UnitKind::Steps);
        let heading = nearest
            .filter(|heading| is_short && lead.as_ref().is_none_or(|lead| !lead.contains(heading.as_str())));
        let parts = [heading, lead, Some(text.clone())];
        let match_text: String = parts
            .into_iter()
            .flatten()
            .collect::<Vec<String>>()
            .join("\n")
            .chars()
            .take(MAX_MATCH_TEXT)
            .collect();
        let coverage = covered.iter().map(|(_, weight)| weight).sum::<f32>().min(1.0);
        let passage_coverage = shares.get(self.passage).copied().unwrap_or(coverage).max(coverage);
        Candidate {
            text,
            match_text,
            passage: self.passage,
            span,
            kind,
            coverage,
            passage_coverage,
            covered,
            own,
            with_antecedent,
        }
    }
}

/// Headings above a unit, outermost first. A heading within the passage replaces the innermost one above it.
fn headings(unit: &Unit, hit: &Hit) -> Vec<String> {
    let mut headings: Vec<String> =
        hit.heading.iter().flat_map(|heading| heading.split(" > ")).map(str::to_owned).collect();
    if let Some(heading) = &unit.heading {
        headings.pop();
        headings.push(heading.clone());
    }
    headings
}

/// Content words of a question, indexed by first letter, which words of one stem share: comparing every pair took 0.3 s
/// for 500 words and five tables.
struct QuestionWords {
    count: usize,
    by_first_letter: HashMap<char, Vec<(usize, String)>>,
}

impl QuestionWords {
    fn new(words: Vec<String>) -> Self {
        let count = words.len();
        let mut by_first_letter: HashMap<char, Vec<(usize, String)>> = HashMap::new();
        for (number, word) in words.into_iter().enumerate() {
            if let Some(first) = word.chars().next() {
                by_first_letter.entry(first).or_default().push((number, word));
            }
        }
        Self { count, by_first_letter }
    }

    /// Indexes of the words that a text contains, ascending.
    fn shared(&self, text: &str) -> Vec<usize> {
        let text_words: HashSet<String> = words::words(text).into_iter().collect();
        let mut shared: Vec<usize> = text_words
            .iter()
            .filter_map(|other| Some((other, self.by_first_letter.get(&other.chars().next()?)?)))
            .flat_map(|(other, known)| known.iter().filter(|(_, word)| words::same_stem(word, other)))
            .map(|(number, _)| *number)
            .collect();
        shared.sort_unstable();
        shared.dedup();
        shared
    }
}
