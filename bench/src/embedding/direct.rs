//! The reference: ONNX Runtime through `ort`, one text at a time and unpadded, its tokens made
//! beforehand; the mean of the last hidden states, at unit length.

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use crate::parts::Parts;

pub(super) struct Direct {
    session: Session,
    texts: Vec<Tokens>,
    _environment: Environment,
}

struct Tokens {
    ids: Vec<i64>,
    mask: Vec<i64>,
    types: Vec<i64>,
}

impl Direct {
    pub(super) fn load(parts: &Parts, texts: &[String]) -> anyhow::Result<Self> {
        let environment = ort::init_from(&parts.onnxruntime)?.with_telemetry(false).build()?;
        let recovered = ort::Error::<ort::session::builder::SessionBuilder>::to_string;
        let failed = |error| anyhow::anyhow!(recovered(&error));
        let session = Session::builder(&environment)?
            .with_optimization_level(GraphOptimizationLevel::Level3)
            .map_err(failed)?
            .with_intra_threads(parts.threads)
            .map_err(failed)?
            // As ours: CPU time spent waiting would flatter it.
            .with_intra_op_spinning(false)
            .map_err(failed)?
            .commit_from_file(parts.model.join(parlance_embedded::model::ONNX_FILE))?;
        let tokenizer = parts.tokenizer()?;
        let encode = |text: &String| {
            let encoded = tokenizer.encode_fast(text.as_str(), true);
            let encoded = encoded.map_err(|error| anyhow::anyhow!("{error}"))?;
            let wide = |numbers: &[u32]| numbers.iter().copied().map(i64::from).collect();
            Ok(Tokens {
                ids: wide(encoded.get_ids()),
                mask: wide(encoded.get_attention_mask()),
                types: wide(encoded.get_type_ids()),
            })
        };
        let texts = texts.iter().map(encode).collect::<anyhow::Result<_>>()?;
        Ok(Self { session, texts, _environment: environment })
    }

    pub(super) fn embed(&mut self) -> anyhow::Result<Vec<Vec<f32>>> {
        let session = &mut self.session;
        self.texts.iter().map(|tokens| embed_one(session, tokens)).collect()
    }
}

fn embed_one(session: &mut Session, tokens: &Tokens) -> anyhow::Result<Vec<f32>> {
    let shape = [1, tokens.ids.len()];
    let outputs = session.run(ort::inputs![
        "input_ids" => TensorRef::from_array_view((shape, tokens.ids.as_slice()))?,
        "attention_mask" => TensorRef::from_array_view((shape, tokens.mask.as_slice()))?,
        "token_type_ids" => TensorRef::from_array_view((shape, tokens.types.as_slice()))?,
    ])?;
    let (_, states) = outputs["last_hidden_state"].try_extract_tensor::<f32>()?;
    Ok(mean(states, tokens.ids.len()))
}

/// The mean over the tokens, at unit length.
fn mean(states: &[f32], tokens: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; states.len() / tokens.max(1)];
    for state in states.chunks_exact(sum.len().max(1)) {
        for (sum, value) in sum.iter_mut().zip(state) {
            *sum += value;
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    sum.iter().map(|value| value / (length + f32::MIN_POSITIVE)).collect()
}

#[cfg(test)]
mod tests {
    use super::mean;

    #[test]
    fn a_mean_has_unit_length() {
        assert_eq!(mean(&[1.0, 0.0, 5.0, 8.0], 2), [0.6, 0.8]);
    }
}
