//! Pure: aggregates the outcomes of a group of questions.

use std::collections::BTreeMap;

use parlance_core::knowledge::search::Mode;
use serde::Serialize;

use super::outcome::{AnswerOutcome, Ending, Outcome};
use super::score::{self, Score};
use super::suite::Class;

/// Aggregated outcomes of a group of questions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) questions: usize,
    /// Questions with an answer in the knowledge; search is measured on these.
    pub(crate) answerable: usize,
    pub(crate) modes: BTreeMap<&'static str, Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<Answers>,
}

/// Aggregated answers. A share of an empty group is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Answers {
    pub(crate) classes: BTreeMap<Class, Endings>,
    /// Share of answerable questions with a known gold fact whose answer states it.
    pub(crate) gold: Option<f64>,
    /// The same share among the given answers, confident or tentative.
    pub(crate) gold_of_given: Option<f64>,
    /// Share of unanswerable questions that got an answer, confident or tentative.
    pub(crate) false_answers: Option<f64>,
    /// Share of unanswerable questions that got a confident answer.
    pub(crate) false_confident: Option<f64>,
    /// Share of answerable questions that got no answer.
    pub(crate) false_refusals: Option<f64>,
    /// Share of given answers to answerable questions that cite an expected passage.
    pub(crate) cite_expected: Option<f64>,
    /// Mean sentences per confident answer to an answerable question.
    pub(crate) sentences: Option<f64>,
    /// Share of those sentences that state the gold fact or cite an expected passage.
    pub(crate) belonging: Option<f64>,
    /// Answer latency in milliseconds.
    pub(crate) ms_p50: Option<f64>,
    pub(crate) ms_p95: Option<f64>,
}

/// Shares of answer endings in a class of questions.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Endings {
    pub(crate) questions: usize,
    pub(crate) confident: f64,
    pub(crate) tentative: f64,
    pub(crate) unknown: f64,
    /// Share that states a gold fact, among answers with a known one.
    pub(crate) gold: Option<f64>,
}

impl Summary {
    pub(crate) fn from_outcomes(outcomes: &[&Outcome]) -> Self {
        let answerable: Vec<&Outcome> =
            outcomes.iter().copied().filter(|outcome| outcome.answerable).collect();
        let mean = |mode: Mode| {
            score::mean(answerable.iter().filter_map(|outcome| outcome.scores.get(mode.as_str())))
        };
        Self {
            questions: outcomes.len(),
            answerable: answerable.len(),
            modes: Mode::ALL.into_iter().map(|mode| (mode.as_str(), mean(mode))).collect(),
            answers: Answers::from_outcomes(outcomes),
        }
    }
}

impl Answers {
    /// `None` when answers were not evaluated.
    fn from_outcomes(outcomes: &[&Outcome]) -> Option<Self> {
        let answers: Vec<(Class, &AnswerOutcome)> =
            outcomes.iter().filter_map(|outcome| Some((outcome.class, outcome.answer.as_ref()?))).collect();
        if answers.is_empty() {
            return None;
        }
        let mut classes: BTreeMap<Class, Vec<&AnswerOutcome>> = BTreeMap::new();
        for (class, answer) in &answers {
            classes.entry(*class).or_default().push(answer);
        }
        let by_class = |has_answer: bool| {
            let matching = answers.iter().filter(move |(class, _)| class.has_answer() == has_answer);
            matching.map(|(_, answer)| *answer).collect::<Vec<&AnswerOutcome>>()
        };
        let (answerable, unanswerable) = (by_class(true), by_class(false));
        let given: Vec<&AnswerOutcome> =
            answerable.iter().copied().filter(|answer| is_given(answer)).collect();
        let confident = given.iter().filter(|answer| answer.ending == Ending::Confident);
        let (confident, sentences, belonging) = confident.fold((0, 0, 0), |(count, all, some), answer| {
            (count + 1, all + answer.sentences, some + answer.belonging)
        });
        let mut times: Vec<f64> = answers.iter().map(|(_, answer)| answer.ms).collect();
        times.sort_by(f64::total_cmp);
        Some(Self {
            classes: classes
                .iter()
                .map(|(class, answers)| (*class, Endings::from_answers(answers)))
                .collect(),
            gold: gold_share(&answerable),
            gold_of_given: gold_share(&given),
            false_answers: share(&unanswerable, is_given),
            false_confident: share(&unanswerable, |answer| answer.ending == Ending::Confident),
            false_refusals: share(&answerable, |answer| !is_given(answer)),
            cite_expected: share(&given, |answer| answer.cites_expected),
            sentences: ratio(sentences, confident),
            belonging: ratio(belonging, sentences),
            ms_p50: percentile(&times, 50),
            ms_p95: percentile(&times, 95),
        })
    }
}

impl Endings {
    fn from_answers(answers: &[&AnswerOutcome]) -> Self {
        let ending_share = |ending| share(answers, |answer| answer.ending == ending).unwrap_or_default();
        Self {
            questions: answers.len(),
            confident: ending_share(Ending::Confident),
            tentative: ending_share(Ending::Tentative),
            unknown: ending_share(Ending::Unknown),
            gold: gold_share(answers),
        }
    }
}

/// Whether the answer is confident or tentative.
fn is_given(answer: &AnswerOutcome) -> bool {
    answer.ending != Ending::Unknown
}

fn gold_share(answers: &[&AnswerOutcome]) -> Option<f64> {
    let known: Vec<&AnswerOutcome> =
        answers.iter().copied().filter(|answer| answer.right.is_some()).collect();
    share(&known, |answer| answer.right == Some(true))
}

fn share(answers: &[&AnswerOutcome], predicate: impl Fn(&AnswerOutcome) -> bool) -> Option<f64> {
    ratio(answers.iter().filter(|answer| predicate(answer)).count(), answers.len())
}

pub(crate) fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Nearest-rank percentile of sorted values.
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
            answer: Some(AnswerOutcome {
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
    fn each_share_uses_its_own_denominator() {
        let outcomes = [
            outcome(Class::Answerable, Ending::Confident, 0.9, true),
            outcome(Class::Answerable, Ending::Confident, 0.8, false),
            outcome(Class::Answerable, Ending::Tentative, 0.5, true),
            outcome(Class::Answerable, Ending::Unknown, 0.1, false),
            outcome(Class::Hard, Ending::Confident, 0.9, false),
            outcome(Class::OffTopic, Ending::Unknown, 0.0, false),
        ];
        let all: Vec<&Outcome> = outcomes.iter().collect();
        let answers = Summary::from_outcomes(&all).answers.unwrap();
        assert_eq!((answers.gold, answers.false_refusals), (Some(0.5), Some(0.25)));
        assert_eq!(answers.gold_of_given, Some(2.0 / 3.0));
        assert_eq!((answers.false_answers, answers.false_confident), (Some(0.5), Some(0.5)));
        assert_eq!((answers.sentences, answers.belonging), (Some(2.0), Some(0.25)));
        assert_eq!(answers.classes[&Class::Answerable].tentative, 0.25);
        assert_eq!(answers.classes[&Class::OffTopic].unknown, 1.0);
        assert!(answers.ms_p50 < answers.ms_p95);
    }

    #[test]
    fn share_of_an_empty_group_is_none() {
        let outcomes = [outcome(Class::Hard, Ending::Unknown, 0.1, false)];
        let answers = Summary::from_outcomes(&[&outcomes[0]]).answers.unwrap();
        assert_eq!((answers.false_refusals, answers.sentences, answers.belonging), (None, None, None));
        assert!(Summary::from_outcomes(&[]).answers.is_none());
    }
}
