//! Embedding model in a local folder: `model.onnx`, run by ONNX Runtime.
//!
//! All sessions share one tokenizer. An embedding is the mean of the token states, normalised to unit length.

use std::path::Path;
use std::sync::Arc;

use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use super::tokenizer::Tokenizer;
use crate::error::{Error, Part, Result};
use crate::providers::onnx::{MODEL_FILE, failed};

/// Output name of the token states in BERT models. For other models the first output is used.
const STATES: &str = "last_hidden_state";

/// One ONNX Runtime session.
pub(super) struct LocalModel {
    session: Session,
    tokenizer: Arc<Tokenizer>,
    output: String,
}

impl LocalModel {
    /// Loads a session. Slow and blocking.
    ///
    /// # Errors
    /// When the model cannot be read or lacks the inputs and outputs of an encoder.
    pub(super) fn load(
        folder: &Path,
        threads: usize,
        environment: &Environment,
        tokenizer: Arc<Tokenizer>,
    ) -> Result<Self> {
        let cannot_load =
            |error: ort::Error| failed(&format!("cannot load the model in {}", folder.display()), error);
        let session = session(folder, threads, environment).map_err(cannot_load)?;
        let outputs = session.outputs();
        let states = outputs.iter().find(|output| output.name() == STATES).or_else(|| outputs.first());
        let output = states.map(|output| output.name().to_owned()).unwrap_or_default();
        Ok(Self { session, tokenizer, output })
    }

    /// Embeds one text. Returns its number of tokens with the vector.
    ///
    /// # Errors
    /// When the text cannot be tokenized or the model fails.
    pub(super) fn embed(&mut self, text: &str) -> Result<(Vec<f32>, usize)> {
        let ids = self.tokenizer.ids(text)?;
        let tokens = ids.len();
        let vector = self.run(ids).map_err(|error| Error::unavailable(Part::Embedding, error))?;
        Ok((vector, tokens))
    }

    fn run(&mut self, ids: Vec<i64>) -> ort::Result<Vec<f32>> {
        let length = ids.len();
        let mut inputs: Vec<(String, SessionInputValue<'_>)> = Vec::with_capacity(3);
        for input in self.session.inputs() {
            let values = match input.name() {
                "attention_mask" => vec![1; length],
                "token_type_ids" => vec![0; length],
                _ => ids.clone(),
            };
            inputs.push((input.name().to_owned(), Tensor::from_array(([1, length], values))?.into()));
        }
        let outputs = self.session.run(inputs)?;
        let states = outputs.get(&self.output).ok_or_else(|| ort::Error::new("the model has no output"))?;
        let (shape, values) = states.try_extract_tensor::<f32>()?;
        let width = shape.last().and_then(|width| usize::try_from(*width).ok()).unwrap_or(0);
        if width == 0 || values.is_empty() {
            return Err(ort::Error::new("the model returned no vector"));
        }
        Ok(mean(values, width))
    }
}

fn session(folder: &Path, threads: usize, environment: &Environment) -> ort::Result<Session> {
    // Spinning threads would occupy a core between runs.
    let builder =
        Session::builder(environment)?.with_intra_threads(threads)?.with_intra_op_spinning(false)?;
    let mut builder = builder;
    builder.commit_from_file(folder.join(MODEL_FILE))
}

/// Mean of the rows, normalised to unit length. A model that pools internally returns a single row.
fn mean(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for row in rows.chunks_exact(width) {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.iter().map(|value| value / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_has_unit_length() {
        assert_eq!(mean(&[3.0, 0.0, 0.0, 4.0], 2), [0.6, 0.8]);
        assert_eq!(mean(&[0.0, 0.0], 2), [0.0, 0.0]);
    }
}
