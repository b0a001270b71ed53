//! Pure: calibration of confidence scores.
//!
//! Questions are grouped into ten bins by score. In a calibrated bin, the mean score equals the share of answerable
//! questions. The expected calibration error is the mean difference of the two, weighted by bin size (Naeini, Cooper and
//! Hauskrecht, AAAI 2015).

use serde::Serialize;

use super::outcome::{AnswerOutcome, Ending, Outcome};
use super::summary::ratio;

const BINS: usize = 10;

/// The bins and the calibration errors.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reliability {
    pub(crate) bins: Vec<Bin>,
    /// Error of the score as the probability that the question is answerable, over all questions.
    pub(crate) error_answerable: f64,
    /// Error of the score as the probability that the answer is right, over the given answers.
    pub(crate) error_right: f64,
}

/// Questions whose scores fall into one tenth of the scale.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Bin {
    /// Lower bound of the scores.
    pub(crate) from: f64,
    pub(crate) questions: usize,
    pub(crate) mean_score: Option<f64>,
    /// Share of answerable questions.
    pub(crate) answerable: Option<f64>,
    /// Number of given answers, confident or tentative.
    pub(crate) given: usize,
    /// Share of given answers that are right.
    pub(crate) right: Option<f64>,
}

impl Reliability {
    /// `None` when answers were not evaluated.
    pub(crate) fn from_outcomes(outcomes: &[Outcome]) -> Option<Self> {
        let answers: Vec<(bool, &AnswerOutcome)> = outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.answerable, outcome.answer.as_ref()?)))
            .collect();
        if answers.is_empty() {
            return None;
        }
        let (mut bins, mut answerable_error, mut right_error) = (Vec::new(), 0.0, 0.0);
        for number in 0..BINS {
            let inside: Vec<&(bool, &AnswerOutcome)> =
                answers.iter().filter(|(_, answer)| bin_of(answer.confidence_score) == number).collect();
            let given: Vec<&AnswerOutcome> = inside
                .iter()
                .map(|(_, answer)| *answer)
                .filter(|answer| answer.ending != Ending::Unknown)
                .collect();
            let answerable = inside.iter().filter(|(answerable, _)| *answerable).count();
            let right = given.iter().filter(|answer| answer.is_right()).count();
            let sum = |answers: &mut dyn Iterator<Item = &AnswerOutcome>| {
                answers.map(|answer| f64::from(answer.confidence_score)).sum::<f64>()
            };
            let all = sum(&mut inside.iter().map(|(_, answer)| *answer));
            answerable_error += (all - answerable as f64).abs();
            right_error += (sum(&mut given.iter().copied()) - right as f64).abs();
            bins.push(Bin {
                from: number as f64 / BINS as f64,
                questions: inside.len(),
                mean_score: (!inside.is_empty()).then(|| all / inside.len() as f64),
                answerable: ratio(answerable, inside.len()),
                given: given.len(),
                right: ratio(right, given.len()),
            });
        }
        let given: usize = bins.iter().map(|bin| bin.given).sum();
        Some(Self {
            bins,
            error_answerable: answerable_error / answers.len() as f64,
            error_right: if given > 0 { right_error / given as f64 } else { 0.0 },
        })
    }
}

/// Bin of a score. Scores outside the scale go into the nearest bin.
fn bin_of(score: f32) -> usize {
    (1..BINS).rev().find(|number| f64::from(score) >= *number as f64 / BINS as f64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::suite::Class;
    use crate::eval::summary::tests::outcome;

    #[test]
    fn a_calibrated_score_has_no_error() {
        let outcomes = [
            outcome(Class::Answerable, Ending::Confident, 0.75, true),
            outcome(Class::Answerable, Ending::Confident, 0.75, true),
            outcome(Class::Answerable, Ending::Confident, 0.75, true),
            outcome(Class::Hard, Ending::Confident, 0.75, false),
            outcome(Class::OffTopic, Ending::Unknown, 0.0, false),
        ];
        let reliability = Reliability::from_outcomes(&outcomes).unwrap();
        assert_eq!((reliability.error_answerable, reliability.error_right), (0.0, 0.0));
        let bin = reliability.bins[7];
        assert_eq!((bin.questions, bin.given, bin.right), (4, 4, Some(0.75)));
        assert_eq!((reliability.bins[0].questions, reliability.bins[0].right), (1, None));
    }

    #[test]
    fn an_overconfident_score_has_the_matching_error() {
        let outcomes = [
            outcome(Class::Answerable, Ending::Confident, 1.0, false),
            outcome(Class::Answerable, Ending::Unknown, 0.5, false),
        ];
        let reliability = Reliability::from_outcomes(&outcomes).unwrap();
        assert_eq!((reliability.error_answerable, reliability.error_right), (0.25, 1.0));
        assert!(Reliability::from_outcomes(&[]).is_none());
    }
}
