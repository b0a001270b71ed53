//! Pure: the figures of a group of questions.

use std::collections::BTreeMap;

use parlance_core::knowledge::search::Mode;
use serde::Serialize;

use super::exam::Class;
use super::outcome::{Answered, Ending, Outcome};
use super::score::{self, Score};

/// The figures of a group of questions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) questions: usize,
    /// Those with an answer in the knowledge; search is measured on them.
    pub(crate) answerable: usize,
    pub(crate) modes: BTreeMap<&'static str, Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<Answers>,
}

/// The figures of the answers. A share of nothing is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Answers {
    pub(crate) classes: BTreeMap<Class, Endings>,
    /// Of all questions with an answer and a known gold fact, the share whose answer states it.
    pub(crate) gold: Option<f64>,
    /// The same of those that were given an answer, confident or tentative.
    pub(crate) gold_of_given: Option<f64>,
    /// Of the questions without an answer, the share that was given one, confident or tentative.
    pub(crate) false_answers: Option<f64>,
    /// Of the questions without an answer, the share that was given a confident one.
    pub(crate) false_confident: Option<f64>,
    /// Of the questions with an answer, the share that was given none.
    pub(crate) false_refusals: Option<f64>,
    /// Of the answers given to questions that have one, the share that cites an expected passage.
    pub(crate) cite_expected: Option<f64>,
    /// Sentences of a confident answer to a question that has one.
    pub(crate) sentences: Option<f64>,
    /// The share of those sentences that states the gold fact or cites an expected passage.
    pub(crate) belonging: Option<f64>,
    /// Milliseconds of an answer.
    pub(crate) ms_p50: Option<f64>,
    pub(crate) ms_p95: Option<f64>,
}

/// How the answers to a class of questions end, as shares.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Endings {
    pub(crate) questions: usize,
    pub(crate) confident: f64,
    pub(crate) tentative: f64,
    pub(crate) unknown: f64,
    /// The share that states a gold fact, of those where one is known.
    pub(crate) gold: Option<f64>,
}

impl Summary {
    pub(crate) fn of(outcomes: &[&Outcome]) -> Self {
        let answerable: Vec<&Outcome> =
            outcomes.iter().copied().filter(|outcome| outcome.answerable).collect();
        let mean = |mode: Mode| {
            score::mean(answerable.iter().filter_map(|outcome| outcome.scores.get(mode.as_str())))
        };
        Self {
            questions: outcomes.len(),
            answerable: answerable.len(),
            modes: Mode::ALL.into_iter().map(|mode| (mode.as_str(), mean(mode))).collect(),
            answers: Answers::of(outcomes),
        }
    }
}

impl Answers {
    /// `None` when no question was answered.
    fn of(outcomes: &[&Outcome]) -> Option<Self> {
        let told: Vec<(Class, &Answered)> =
            outcomes.iter().filter_map(|outcome| Some((outcome.class, outcome.answer.as_ref()?))).collect();
        if told.is_empty() {
            return None;
        }
        let mut classes: BTreeMap<Class, Vec<&Answered>> = BTreeMap::new();
        for (class, answer) in &told {
            classes.entry(*class).or_default().push(answer);
        }
        let of = |wanted: bool| told.iter().filter(move |(class, _)| class.has_answer() == wanted);
        let with: Vec<&Answered> = of(true).map(|(_, answer)| *answer).collect();
        let without: Vec<&Answered> = of(false).map(|(_, answer)| *answer).collect();
        let given: Vec<&Answered> = with.iter().copied().filter(|answer| is_given(answer)).collect();
        let confident = given.iter().filter(|answer| answer.ending == Ending::Confident);
        let (answers, sentences, belonging) = confident.fold((0, 0, 0), |(answers, all, some), answer| {
            (answers + 1, all + answer.sentences, some + answer.belonging)
        });
        let mut times: Vec<f64> = told.iter().map(|(_, answer)| answer.ms).collect();
        times.sort_by(f64::total_cmp);
        Some(Self {
            classes: classes.iter().map(|(class, answers)| (*class, Endings::of(answers))).collect(),
            gold: gold(&with),
            gold_of_given: gold(&given),
            false_answers: share(&without, is_given),
            false_confident: share(&without, |answer| answer.ending == Ending::Confident),
            false_refusals: share(&with, |answer| !is_given(answer)),
            cite_expected: share(&given, |answer| answer.cites_expected),
            sentences: ratio(sentences, answers),
            belonging: ratio(belonging, sentences),
            ms_p50: percentile(&times, 50),
            ms_p95: percentile(&times, 95),
        })
    }
}

impl Endings {
    fn of(answers: &[&Answered]) -> Self {
        let of = |ending| share(answers, |answer| answer.ending == ending).unwrap_or_default();
        Self {
            questions: answers.len(),
            confident: of(Ending::Confident),
            tentative: of(Ending::Tentative),
            unknown: of(Ending::Unknown),
            gold: gold(answers),
        }
    }
}

/// Whether an answer was given, confident or tentative.
fn is_given(answer: &Answered) -> bool {
    answer.ending != Ending::Unknown
}

fn gold(answers: &[&Answered]) -> Option<f64> {
    let known: Vec<&Answered> = answers.iter().copied().filter(|answer| answer.right.is_some()).collect();
    share(&known, |answer| answer.right == Some(true))
}

fn share(answers: &[&Answered], which: impl Fn(&Answered) -> bool) -> Option<f64> {
    ratio(answers.iter().filter(|answer| which(answer)).count(), answers.len())
}

pub(crate) fn ratio(some: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

/// The smallest value that so many of a hundred do not exceed (nearest rank).
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn outcome(class: Class, ending: Ending, score: f32, right: bool) -> Outcome {
        Outcome {
            id: "q".to_owned(),
            set: "set".to_owned(),
            bot: "bot".to_owned(),
            language: "en".to_owned(),
            class,
            kind: class.as_str().to_owned(),
            question: "Why?".to_owned(),
            gold: Vec::new(),
            answerable: class.has_answer(),
            scores: BTreeMap::new(),
            candidates: Vec::new(),
            answer: Some(Answered {
                ending,
                confidence: None,
                confidence_score: score,
                right: Some(right),
                cites_expected: right,
                sentences: 2,
                belonging: usize::from(right),
                ms: f64::from(score) * 100.0,
                text: String::new(),
                features: None,
                grounded: true,
                support: Vec::new(),
                sources: Vec::new(),
            }),
        }
    }

    #[test]
    fn shares_are_of_the_questions_that_they_name() {
        let outcomes = [
            outcome(Class::Answerable, Ending::Confident, 0.9, true),
            outcome(Class::Answerable, Ending::Confident, 0.8, false),
            outcome(Class::Answerable, Ending::Tentative, 0.5, true),
            outcome(Class::Answerable, Ending::Unknown, 0.1, false),
            outcome(Class::Hard, Ending::Confident, 0.9, false),
            outcome(Class::OffTopic, Ending::Unknown, 0.0, false),
        ];
        let all: Vec<&Outcome> = outcomes.iter().collect();
        let answers = Summary::of(&all).answers.unwrap();
        assert_eq!((answers.gold, answers.false_refusals), (Some(0.5), Some(0.25)));
        assert_eq!(answers.gold_of_given, Some(2.0 / 3.0));
        assert_eq!((answers.false_answers, answers.false_confident), (Some(0.5), Some(0.5)));
        assert_eq!((answers.sentences, answers.belonging), (Some(2.0), Some(0.25)));
        assert_eq!(answers.classes[&Class::Answerable].tentative, 0.25);
        assert_eq!(answers.classes[&Class::OffTopic].unknown, 1.0);
        assert!(answers.ms_p50 < answers.ms_p95);
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let outcomes = [outcome(Class::Hard, Ending::Unknown, 0.1, false)];
        let answers = Summary::of(&[&outcomes[0]]).answers.unwrap();
        assert_eq!((answers.false_refusals, answers.sentences, answers.belonging), (None, None, None));
        assert!(Summary::of(&[]).answers.is_none());
    }
}
