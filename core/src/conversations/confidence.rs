//! Pure: confidence that the knowledge base answers a question.
//!
//! A logistic regression on a few features of the search. Each feature is on a scale independent of the
//! embedding model (see [`crate::calibration`]) and of the bot. Weights and thresholds come from `eval/` and
//! public question sets; `eval/README.md` documents the data, the fit and the results on held-out sets.

use serde::{Deserialize, Serialize};

use super::Confidence;
use super::extractive::Scored;
use crate::calibration::Calibration;
use crate::knowledge::search::Hit;

/// Features of the best unit and of the retrieved passages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Relative cosine of the question and the best unit.
    pub unit: f32,
    /// Relative cosine of the question and the most similar passage.
    pub passage: f32,
    /// Share of the question's content words in the best unit, its lead and headings, weighted by rarity; 0
    /// to 1.
    pub unit_coverage: f32,
    /// The same share for the passage of the best unit.
    pub passage_coverage: f32,
    /// Whether the question's language differs from the bot's; its words are then rarely in the passages.
    pub is_cross_language: bool,
}

/// Weights of the regression.
struct Weights {
    bias: f32,
    unit: f32,
    passage: f32,
    unit_coverage: f32,
    passage_coverage: f32,
}

/// Fitted by `eval/fit_confidence.py`.
const SAME_LANGUAGE: Weights =
    Weights { bias: -2.77, unit: 1.64, passage: -0.28, unit_coverage: 0.77, passage_coverage: 1.18 };

/// Set by hand on XQuAD, with Spanish and German questions on English pages: at [`UNKNOWN_BELOW`] about 4 %
/// of answerable questions are refused and 7 % of off-topic ones answered.
const CROSS_LANGUAGE: Weights =
    Weights { bias: -0.99, unit: 1.74, passage: 0.0, unit_coverage: 0.0, passage_coverage: 0.0 };

/// Score below which the answer is "unknown". It lies between the score that refuses 6 % of answerable
/// questions (0.34) and the one that answers 4 % of off-topic ones (0.20) in the fit.
const UNKNOWN_BELOW: f32 = 0.28;

/// Score from which confidence is high. It is above the fit's 0.66 (22 % of near-misses pass), because half
/// of the "impossible" questions of SQuAD 2 pass that one.
const SURE_FROM: f32 = 0.74;

impl Features {
    /// Computes the features from scored units and their passages.
    #[must_use]
    pub fn new(scored: &[Scored], hits: &[Hit], calibration: Calibration, is_cross_language: bool) -> Self {
        let best = scored.iter().max_by(|a, b| a.relevance.total_cmp(&b.relevance));
        let nearest = hits.iter().filter_map(|hit| hit.ranking.cosine).reduce(f32::max);
        Self {
            unit: best.map_or(0.0, |best| calibration.relative(best.cosine)),
            passage: nearest.map_or(0.0, |cosine| calibration.relative(cosine)),
            unit_coverage: best.map_or(0.0, |best| best.candidate.coverage),
            passage_coverage: best.map_or(0.0, |best| best.candidate.passage_coverage),
            is_cross_language,
        }
    }

    /// Estimated probability that the knowledge answers the question, from 0 to 1.
    #[must_use]
    pub fn score(&self) -> f32 {
        let weights = if self.is_cross_language { CROSS_LANGUAGE } else { SAME_LANGUAGE };
        let sum = weights.bias
            + weights.unit * self.unit
            + weights.passage * self.passage
            + weights.unit_coverage * self.unit_coverage
            + weights.passage_coverage * self.passage_coverage;
        1.0 / (1.0 + (-sum).exp())
    }
}

/// Confidence level of a score; `None` below the threshold for "unknown".
#[must_use]
pub fn level(score: f32) -> Option<Confidence> {
    if score < UNKNOWN_BELOW {
        None
    } else if score < SURE_FROM {
        Some(Confidence::Low)
    } else {
        Some(Confidence::High)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_more_similar_unit_with_more_words_scores_higher() {
        let far = Features { unit: 0.2, passage: 0.3, unit_coverage: 0.1, ..Features::default() };
        let near = Features { unit: 2.4, passage: 1.2, unit_coverage: 0.8, passage_coverage: 0.9, ..far };
        assert!(far.score() < near.score());
        assert!((0.0..=1.0).contains(&far.score()) && (0.0..=1.0).contains(&near.score()));
    }

    #[test]
    fn scores_have_three_levels() {
        assert_eq!(level(0.0), None);
        assert_eq!(level(UNKNOWN_BELOW), Some(Confidence::Low));
        assert_eq!(level(SURE_FROM), Some(Confidence::High));
    }

    #[test]
    fn word_coverage_is_ignored_across_languages() {
        let without_words =
            Features { unit: 1.0, passage: 1.0, is_cross_language: true, ..Features::default() };
        let with_words = Features { unit_coverage: 1.0, passage_coverage: 1.0, ..without_words };
        assert!((without_words.score() - with_words.score()).abs() < 1e-6);
    }
}
