//! The reference: ONNX Runtime through `ort`, each text alone and unpadded, its tokens made
//! beforehand; the mean of the last hidden states, at unit length.
//!
//! As many threads as ours has, each with a session of its own: threads within one run cost more CPU
//! time than they save, and a reference that pays for them would flatter us.

use std::thread;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;

use crate::parts::Parts;

pub(super) struct Direct {
    sessions: Vec<Session>,
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
        let load = |_thread| session(&environment, parts);
        let sessions = (0..parts.threads).map(load).collect::<anyhow::Result<_>>()?;
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
        Ok(Self { sessions, texts, _environment: environment })
    }

    /// The vectors in the order of the texts.
    pub(super) fn embed(&mut self) -> anyhow::Result<Vec<Vec<f32>>> {
        let share = self.texts.len().div_ceil(self.sessions.len()).max(1);
        thread::scope(|scope| {
            let shares = self.sessions.iter_mut().zip(self.texts.chunks(share));
            let threads: Vec<_> = shares
                .map(|(session, texts)| {
                    scope.spawn(|| texts.iter().map(|text| embed_one(session, text)).collect())
                })
                .collect();
            let joined = threads.into_iter().map(|thread| {
                let vectors: anyhow::Result<Vec<_>> =
                    thread.join().map_err(|_panic| anyhow::anyhow!("the reference panicked"))?;
                vectors
            });
            Ok(joined.collect::<anyhow::Result<Vec<_>>>()?.concat())
        })
    }
}

fn session(environment: &Environment, parts: &Parts) -> anyhow::Result<Session> {
    let failed = |error: ort::Error<SessionBuilder>| anyhow::anyhow!("{error}");
    Ok(Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(failed)?
        .with_intra_threads(1)
        .map_err(failed)?
        .commit_from_file(parts.model.join(parlance_embedded::model::ONNX_FILE))?)
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
