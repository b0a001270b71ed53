//! Calibration of embedding models: which cosines mean "unrelated" and which mean "answer".
//!
//! Cosines of different models are not comparable: unrelated texts have about 0.06 in all-MiniLM-L6-v2 and 0.80 in
//! multilingual-e5-small. Thresholds are set on a scale relative to the model, see [`Calibration::relative`]. The
//! embedded models' figures are constants; any other model is measured when it is first used, on question and answer
//! pairs in six languages (`pairs.tsv`, written for this), and the result is kept in `model_calibration`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Chain, Result};
use crate::platform::db::Db;
use crate::providers::embed::Embedder;

mod store;

/// Pairs of a question and a sentence that answers it: language, question, answer, separated by tabs. The same
/// twelve topics in each language.
const PAIRS: &str = include_str!("pairs.tsv");

/// Cosines of questions and sentences in one model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Mean cosine of a question and a sentence about something else.
    pub unrelated: f32,
    /// Mean cosine of a question and a sentence that answers it.
    pub related: f32,
}

/// Calibrations of the embedded models, measured on `pairs.tsv`; all-MiniLM-L6-v2, an English model, on its English
/// pairs. A test measures them again.
const EMBEDDED: [(&str, Calibration); 2] = [
    ("multilingual-e5-small-int8", Calibration { unrelated: 0.795, related: 0.841 }),
    ("all-MiniLM-L6-v2-int8", Calibration { unrelated: 0.055, related: 0.443 }),
];

/// Below this distance of the two means a model tells nothing apart, and the scale would be noise.
const SMALLEST_SPREAD: f32 = 0.01;

/// No threshold for the same question lies above this cosine.
const MOST_ALIKE: f32 = 0.97;

impl Calibration {
    /// A cosine on the scale of its model: 0 as an unrelated pair, 1 as a question and its answer, on average.
    #[must_use]
    pub fn relative(self, cosine: f32) -> f32 {
        (cosine - self.unrelated) / (self.related - self.unrelated).max(SMALLEST_SPREAD)
    }

    /// The cosine at a place of that scale.
    #[must_use]
    pub fn cosine(self, relative: f32) -> f32 {
        self.unrelated + relative * (self.related - self.unrelated).max(SMALLEST_SPREAD)
    }

    /// The cosine from which two questions count as the same: paraphrases of one question lie above it, most
    /// questions of one topic below. Set by hand on both embedded models: 0.92 and 0.80 there.
    #[must_use]
    pub fn same_question(self) -> f32 {
        // Where unrelated texts are near each other the scale is short, and paraphrases lie farther out on it.
        let place = if self.unrelated > 0.5 { 2.72 } else { 1.92 };
        self.cosine(place).min(MOST_ALIKE)
    }

    /// The calibration of an embedded model, by its id.
    #[must_use]
    pub fn embedded(model: &str) -> Option<Self> {
        EMBEDDED.iter().find(|(id, _)| *id == model).map(|(_, calibration)| *calibration)
    }

    /// Measures a model on the pairs of some languages (`None`: all six): some seconds of its time.
    ///
    /// # Errors
    /// When the model does not answer.
    pub async fn measure(embedder: &dyn Embedder, language: Option<&str>) -> Result<Self> {
        let pairs: Vec<(&str, &str, &str)> = PAIRS
            .lines()
            .filter_map(|line| {
                let mut fields = line.split('\t');
                Some((fields.next()?, fields.next()?, fields.next()?))
            })
            .filter(|(of, _, _)| language.is_none_or(|language| *of == language))
            .collect();
        let mut questions = Vec::with_capacity(pairs.len());
        for (_, question, _) in &pairs {
            questions.push(embedder.embed_query((*question).to_owned()).await?);
        }
        let sentences = pairs.iter().map(|(_, _, sentence)| (*sentence).to_owned()).collect();
        let sentences = embedder.embed_sentences(sentences).await?;
        let (mut related, mut unrelated) = (Mean::default(), Mean::default());
        for (at, ((of, _, _), question)) in pairs.iter().zip(&questions).enumerate() {
            for (other_at, ((other_of, _, _), sentence)) in pairs.iter().zip(&sentences).enumerate() {
                // Pairs of two languages may have the same topic.
                if of == other_of {
                    let mean = if at == other_at { &mut related } else { &mut unrelated };
                    mean.add(crate::providers::embed::cosine(question, sentence));
                }
            }
        }
        Ok(Self { unrelated: unrelated.value(), related: related.value() })
    }
}

/// A mean that is being taken.
#[derive(Default)]
struct Mean {
    sum: f32,
    count: u16,
}

impl Mean {
    fn add(&mut self, value: f32) {
        self.sum += value;
        self.count = self.count.saturating_add(1);
    }

    fn value(&self) -> f32 {
        self.sum / f32::from(self.count.max(1))
    }
}

/// Calibrations of the models that this process uses.
#[derive(Debug, Default)]
pub(crate) struct Calibrations(Mutex<HashMap<String, Calibration>>);

/// The calibration of a model. One that is not embedded is measured once in an installation; concurrent processes
/// keep the first result.
///
/// # Errors
/// When the model or the database does not answer.
pub async fn of(ctx: &Context, embedder: &Arc<dyn Embedder>) -> Result<Calibration> {
    let model = embedder.id();
    if let Some(calibration) = Calibration::embedded(model).or_else(|| ctx.state::<Calibrations>().get(model))
    {
        return Ok(calibration);
    }
    let db = ctx.db().platform();
    let calibration = match store::find(db, model).await? {
        Some(kept) => kept,
        None => {
            let measured = Calibration::measure(&**embedder, None).await?;
            tracing::info!(
                model,
                unrelated = measured.unrelated,
                related = measured.related,
                "model calibrated"
            );
            store::insert_if_absent(db, model, measured).await?
        }
    };
    ctx.state::<Calibrations>().put(model, calibration);
    Ok(calibration)
}

/// The calibration that an installation keeps for a model, if any.
///
/// # Errors
/// When the database does not answer.
pub async fn kept(db: &Db, model: &str) -> Result<Option<Calibration>> {
    Ok(store::find(db.platform(), model).await?)
}

/// Calibrates the model of this process if it is not yet, so that no question waits for it.
pub async fn prepare(ctx: &Context) {
    if let Err(error) = of(ctx, ctx.embedder()).await {
        tracing::warn!(error = %Chain(&error), "the embedding model is not calibrated yet; the first question retries");
    }
}

impl Calibrations {
    fn get(&self, model: &str) -> Option<Calibration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }

    fn put(&self, model: &str, calibration: Calibration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), calibration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_has_unrelated_at_0_and_answers_at_1() {
        let calibration = Calibration { unrelated: 0.6, related: 0.8 };
        assert!(calibration.relative(0.6).abs() < 1e-6);
        assert!((calibration.relative(0.8) - 1.0).abs() < 1e-6);
        assert!((calibration.cosine(0.5) - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_model_that_tells_nothing_apart_stays_finite() {
        let calibration = Calibration { unrelated: 0.7, related: 0.7 };
        assert!(calibration.relative(0.71).is_finite());
    }

    #[test]
    fn every_pair_has_a_language_a_question_and_an_answer() {
        let mut languages = HashMap::new();
        for line in PAIRS.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            assert!(fields.len() == 3 && fields.iter().all(|field| !field.trim().is_empty()), "{line}");
            *languages.entry(fields[0]).or_insert(0) += 1;
        }
        assert_eq!(languages.len(), 6);
        assert!(languages.values().all(|count| *count == 12));
    }
}
