//! Calibration of embedding models: which cosines mean "unrelated" and which mean "answer".
//!
//! Cosines of different models are not comparable: unrelated texts have about 0.06 in all-MiniLM-L6-v2 and
//! 0.80 in multilingual-e5-small. Thresholds are therefore set on a scale relative to the model, see
//! [`Calibration::relative`]. The embedded models have constants. Any other model is measured on first use,
//! with question and answer pairs in six languages (`pairs.tsv`, written for this purpose); the result is
//! stored in `model_calibration`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Chain, Result};
use crate::platform::db::Db;
use crate::platform::fair_queue::Caller;
use crate::providers::embed::Embedder;

mod store;

/// Question and answer pairs: language, question and answer, tab-separated. Each language has the same twelve
/// topics.
const PAIRS: &str = include_str!("pairs.tsv");

/// Cosine statistics of a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Mean cosine of a question and an unrelated sentence.
    pub unrelated: f32,
    /// Mean cosine of a question and its answer.
    pub related: f32,
}

/// Embedded models, measured on `pairs.tsv`; all-MiniLM-L6-v2 is an English model, measured on the English
/// pairs. A test measures them again.
const EMBEDDED: [(&str, Calibration); 2] = [
    ("multilingual-e5-small-int8", Calibration { unrelated: 0.795, related: 0.841 }),
    ("all-MiniLM-L6-v2-int8", Calibration { unrelated: 0.055, related: 0.443 }),
];

/// Minimum distance of the two means; below it a model does not discriminate, and the scale would be noise.
const SMALLEST_SPREAD: f32 = 0.01;

/// Upper bound of the same-question threshold.
const MOST_ALIKE: f32 = 0.97;

impl Calibration {
    /// Rescales a cosine: 0 for an unrelated pair and 1 for a question and its answer, on average.
    #[must_use]
    pub fn relative(self, cosine: f32) -> f32 {
        (cosine - self.unrelated) / (self.related - self.unrelated).max(SMALLEST_SPREAD)
    }

    /// Inverse of [`Calibration::relative`].
    #[must_use]
    pub fn cosine(self, relative: f32) -> f32 {
        self.unrelated + relative * (self.related - self.unrelated).max(SMALLEST_SPREAD)
    }

    /// Cosine from which two questions count as the same: paraphrases lie above it, most questions on one
    /// topic below. Set by hand for both embedded models, at 0.92 and 0.80.
    #[must_use]
    pub fn same_question(self) -> f32 {
        // On a short scale, where unrelated texts are already similar, paraphrases lie farther out.
        let place = if self.unrelated > 0.5 { 2.72 } else { 1.92 };
        self.cosine(place).min(MOST_ALIKE)
    }

    /// Calibration of an embedded model, by id.
    #[must_use]
    pub fn embedded(model: &str) -> Option<Self> {
        EMBEDDED.iter().find(|(id, _)| *id == model).map(|(_, calibration)| *calibration)
    }

    /// Measures a model on the pairs of one language, or of all six (`None`). Takes seconds of inference.
    ///
    /// # Errors
    /// When the model fails.
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
            questions.push(embedder.embed_query(Caller::system(), (*question).to_owned()).await?);
        }
        let sentences = pairs.iter().map(|(_, _, sentence)| (*sentence).to_owned()).collect();
        let sentences = embedder.embed_sentences(Caller::system(), sentences).await?;
        let (mut related, mut unrelated) = (Mean::default(), Mean::default());
        for (at, ((of, _, _), question)) in pairs.iter().zip(&questions).enumerate() {
            for (other_at, ((other_of, _, _), sentence)) in pairs.iter().zip(&sentences).enumerate() {
                // Pairs in different languages share their topics.
                if of == other_of {
                    let mean = if at == other_at { &mut related } else { &mut unrelated };
                    mean.add(crate::providers::embed::cosine(question, sentence));
                }
            }
        }
        Ok(Self { unrelated: unrelated.value(), related: related.value() })
    }
}

/// Running mean.
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

/// Per-process cache of calibrations.
#[derive(Debug, Default)]
pub(crate) struct Calibrations(Mutex<HashMap<String, Calibration>>);

/// Returns the calibration of a model. A model that is not embedded is measured once per installation;
/// concurrent processes keep the first result.
///
/// # Errors
/// When the model or the database fails.
pub async fn for_model(ctx: &Context, embedder: &Arc<dyn Embedder>) -> Result<Calibration> {
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

/// Returns the stored calibration of a model, if any.
///
/// # Errors
/// When the query fails.
pub async fn find(db: &Db, model: &str) -> Result<Option<Calibration>> {
    Ok(store::find(db.platform(), model).await?)
}

/// Calibrates this process's model at start, so that the first question does not wait for it.
pub async fn prepare(ctx: &Context) {
    if let Err(error) = for_model(ctx, ctx.embedder()).await {
        tracing::warn!(error = %Chain(&error), "embedding model calibration failed; the first question retries");
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
    fn the_scale_maps_unrelated_to_0_and_answers_to_1() {
        let calibration = Calibration { unrelated: 0.6, related: 0.8 };
        assert!(calibration.relative(0.6).abs() < 1e-6);
        assert!((calibration.relative(0.8) - 1.0).abs() < 1e-6);
        assert!((calibration.cosine(0.5) - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_model_without_spread_stays_finite() {
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
