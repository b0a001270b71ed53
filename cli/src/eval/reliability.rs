//! Pure: whether confidence scores are probabilities.
//!
//! Questions are put into ten bins by their score. In a calibrated bin the mean score is the share of questions that
//! the knowledge answers. The expected calibration error is the mean distance of the two, weighed by the bins' sizes
//! (Naeini, Cooper and Hauskrecht, AAAI 2015).

use serde::Serialize;

use super::outcome::{Answered, Ending, Outcome};
use super::summary::ratio;

const BINS: usize = 10;

/// The bins and the error over all of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reliability {
    pub(crate) bins: Vec<Bin>,
    /// Of the score as the probability that the knowledge has an answer, over all questions.
    pub(crate) error_answerable: f64,
    /// Of the score as the probability that the answer is right, over the answers that were given.
    pub(crate) error_right: f64,
}

/// The questions whose scores are in a tenth of the scale.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Bin {
    /// The least score of the bin.
    pub(crate) from: f64,
    pub(crate) questions: usize,
    pub(crate) mean_score: Option<f64>,
    /// The share of its questions that the knowledge answers.
    pub(crate) answerable: Option<f64>,
    /// Answers given, confident or tentative.
    pub(crate) given: usize,
    /// The share of these that is right.
    pub(crate) right: Option<f64>,
}

impl Reliability {
    /// `None` when no question was answered.
    pub(crate) fn of(outcomes: &[Outcome]) -> Option<Self> {
        let told: Vec<(bool, &Answered)> = outcomes
            .iter()
            .filter_map(|outcome| Some((outcome.answerable, outcome.answer.as_ref()?)))
            .collect();
        if told.is_empty() {
            return None;
        }
        let (mut bins, mut answerable_error, mut right_error) = (Vec::new(), 0.0, 0.0);
        for number in 0..BINS {
            let inside: Vec<&(bool, &Answered)> =
                told.iter().filter(|(_, answer)| bin_of(answer.confidence_score) == number).collect();
            let given: Vec<&Answered> = inside
                .iter()
                .map(|(_, answer)| *answer)
                .filter(|answer| answer.ending != Ending::Unknown)
                .collect();
            let answerable = inside.iter().filter(|(answerable, _)| *answerable).count();
            let right = given.iter().filter(|answer| answer.is_right()).count();
            let sum = |answers: &mut dyn Iterator<Item = &Answered>| {
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
            error_answerable: answerable_error / told.len() as f64,
            error_right: if given > 0 { right_error / given as f64 } else { 0.0 },
        })
    }
}

/// The bin of a score; one outside the scale is in the nearest.
fn bin_of(score: f32) -> usize {
    (1..BINS).rev().find(|number| f64::from(score) >= *number as f64 / BINS as f64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::exam::Class;
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
        let reliability = Reliability::of(&outcomes).unwrap();
        assert_eq!((reliability.error_answerable, reliability.error_right), (0.0, 0.0));
        let bin = reliability.bins[7];
        assert_eq!((bin.questions, bin.given, bin.right), (4, 4, Some(0.75)));
        assert_eq!((reliability.bins[0].questions, reliability.bins[0].right), (1, None));
    }

    #[test]
    fn a_score_that_promises_too_much_is_told_by_how_much() {
        let outcomes = [
            outcome(Class::Answerable, Ending::Confident, 1.0, false),
            outcome(Class::Answerable, Ending::Unknown, 0.5, false),
        ];
        let reliability = Reliability::of(&outcomes).unwrap();
        assert_eq!((reliability.error_answerable, reliability.error_right), (0.25, 1.0));
        assert!(Reliability::of(&[]).is_none());
    }
}
