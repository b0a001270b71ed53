//! The reference: ONNX Runtime through `ort`, with texts tokenized in advance.
//!
//! A vector is the mean of the last hidden states, at unit length. Texts run alone and unpadded, or in
//! batches of similar length.
//!
//! As many threads as our side, with a session each: threads within a run cost more CPU time than they save,
//! and a slower reference would flatter us.

use std::thread;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;

use super::EmbedRequest;
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

    /// Returns the vectors in the order of the texts.
    pub(super) fn embed(&mut self, request: EmbedRequest) -> anyhow::Result<Vec<Vec<f32>>> {
        let texts = self.texts.get(..request.texts).unwrap_or(&self.texts);
        let mut order: Vec<usize> = (0..texts.len()).collect();
        if request.batch > 1 {
            order.sort_by_key(|&text| texts.get(text).map(|tokens| tokens.ids.len()));
        }
        // Round-robin, so that every thread gets as many long texts as the others.
        let batches: Vec<&[usize]> = order.chunks(request.batch.max(1)).collect();
        let threads = self.sessions.len();
        let mut vectors = vec![Vec::new(); texts.len()];
        thread::scope(|scope| {
            let handles: Vec<_> = self
                .sessions
                .iter_mut()
                .enumerate()
                .map(|(thread, session)| {
                    let assigned = batches.iter().skip(thread).step_by(threads);
                    scope.spawn(move || -> anyhow::Result<Vec<(usize, Vec<f32>)>> {
                        let mut results = Vec::new();
                        for batch in assigned {
                            results.extend(embed_batch(session, texts, batch)?);
                        }
                        Ok(results)
                    })
                })
                .collect();
            for handle in handles {
                let results = handle.join().map_err(|_panic| anyhow::anyhow!("the reference panicked"))??;
                for (text, vector) in results {
                    if let Some(slot) = vectors.get_mut(text) {
                        *slot = vector;
                    }
                }
            }
            anyhow::Ok(())
        })?;
        Ok(vectors)
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

/// Embeds some of the texts, padded to the longest of them.
fn embed_batch(
    session: &mut Session,
    texts: &[Tokens],
    batch: &[usize],
) -> anyhow::Result<Vec<(usize, Vec<f32>)>> {
    let chosen: Vec<(usize, &Tokens)> =
        batch.iter().filter_map(|&text| Some((text, texts.get(text)?))).collect();
    let width = chosen.iter().map(|(_, tokens)| tokens.ids.len()).max().unwrap_or_default();
    let padded = |column: fn(&Tokens) -> &[i64]| -> Vec<i64> {
        let rows = chosen.iter().map(|(_, tokens)| column(tokens));
        rows.flat_map(|row| row.iter().copied().chain(std::iter::repeat(0)).take(width)).collect()
    };
    let (ids, mask, types) =
        (padded(|tokens| &tokens.ids), padded(|tokens| &tokens.mask), padded(|tokens| &tokens.types));
    let shape = [chosen.len(), width];
    let outputs = session.run(ort::inputs![
        "input_ids" => TensorRef::from_array_view((shape, ids.as_slice()))?,
        "attention_mask" => TensorRef::from_array_view((shape, mask.as_slice()))?,
        "token_type_ids" => TensorRef::from_array_view((shape, types.as_slice()))?,
    ])?;
    let (_, states) = outputs["last_hidden_state"].try_extract_tensor::<f32>()?;
    let size = states.len() / (chosen.len() * width).max(1);
    let rows = states.chunks(width * size);
    Ok(chosen
        .iter()
        .zip(rows)
        .map(|((text, tokens), row)| {
            let length = tokens.ids.len();
            (*text, mean(row.get(..length * size).unwrap_or(row), length))
        })
        .collect())
}

/// The mean over the tokens, normalised to unit length.
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
