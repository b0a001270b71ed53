//! Per-process cache of sentence vectors: the same passages answer many questions.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use half::f16;
use moka::sync::Cache;

use crate::error::Result;
use crate::platform::fair_queue::Caller;
use crate::providers::embed::Embedder;

/// Capacity: six megabytes at 384 numbers of 16 bits each.
const KEPT: u64 = 8_192;

/// Per-process cache of sentence vectors, by model and text.
#[derive(Debug)]
pub struct SentenceVectors(Cache<(u64, u64), Arc<[f16]>>);

impl Default for SentenceVectors {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl SentenceVectors {
    /// Vectors of sentences, in order; those not cached are embedded in one batch.
    ///
    /// # Errors
    /// When the embedding model fails.
    pub(super) async fn of(
        &self,
        embedder: &dyn Embedder,
        caller: Caller,
        texts: &[&str],
    ) -> Result<Vec<Vec<f32>>> {
        let keys: Vec<(u64, u64)> = texts.iter().map(|text| key(embedder.id(), text)).collect();
        let mut vectors: Vec<Option<Vec<f32>>> = keys
            .iter()
            .map(|key| self.0.get(key).map(|kept| kept.iter().map(|number| number.to_f32()).collect()))
            .collect();
        let missing: Vec<usize> =
            vectors.iter().enumerate().filter(|(_, vector)| vector.is_none()).map(|(at, _)| at).collect();
        let wanted = missing.iter().filter_map(|at| texts.get(*at)).map(|text| (*text).to_owned()).collect();
        let made = embedder.embed_sentences(caller, wanted).await?;
        for (at, vector) in missing.into_iter().zip(made) {
            if let (Some(key), Some(place)) = (keys.get(at), vectors.get_mut(at)) {
                self.0.insert(*key, vector.iter().map(|number| f16::from_f32(*number)).collect());
                *place = Some(vector);
            }
        }
        Ok(vectors.into_iter().map(Option::unwrap_or_default).collect())
    }
}

/// Two hashes with different seeds; a collision of both is negligible at this size.
fn key(model: &str, text: &str) -> (u64, u64) {
    let hash = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, model, text).hash(&mut hasher);
        hasher.finish()
    };
    (hash(0), hash(1))
}
