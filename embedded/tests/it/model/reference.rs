//! A BERT encoder written from the papers and from nothing of ours: what a converted model must
//! compute. One text at a time, without padding, in 32-bit floats.

use std::{collections::HashMap, fs, path::Path};

use ndarray::{Array2, Axis, concatenate, s};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

pub(super) struct Reference {
    tensors: HashMap<String, Array2<f32>>,
    config: Value,
}

impl Reference {
    pub(super) fn open(source: &Path) -> Self {
        let bytes = fs::read(source.join("model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let floats =
            tensors.iter().filter(|(_, tensor)| tensor.dtype() == Dtype::F32).map(|(name, tensor)| {
                let (floats, _) = tensor.data().as_chunks();
                let floats = floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                // A vector is a matrix of one row.
                let columns = *tensor.shape().last().unwrap();
                let rows = tensor.shape().iter().product::<usize>() / columns;
                let matrix = Array2::from_shape_vec((rows, columns), floats).unwrap();
                (name.to_owned(), matrix)
            });
        Self {
            tensors: floats.collect(),
            config: serde_json::from_slice(&fs::read(source.join("config.json")).unwrap()).unwrap(),
        }
    }

    /// The last hidden state: a row for each token.
    pub(super) fn run(&self, ids: &[i64], types: &[i64]) -> Array2<f32> {
        let weight = |name: &str| &self.tensors[&format!("{name}.weight")];
        let bias = |name: &str| &self.tensors[&format!("{name}.bias")];
        let linear = |name: &str, x: &Array2<f32>| x.dot(&weight(name).t()) + bias(name);
        let norm = |name: &str, x: &Array2<f32>| {
            layer_norm(x, weight(name), bias(name), self.float("layer_norm_eps"))
        };

        let rows = |name: &str, ids: &[i64]| {
            let ids: Vec<usize> = ids.iter().map(|id| usize::try_from(*id).unwrap()).collect();
            weight(&format!("embeddings.{name}")).select(Axis(0), &ids)
        };
        let places: Vec<i64> = (0..).take(ids.len()).collect();
        let sum = rows("word_embeddings", ids)
            + rows("position_embeddings", &places)
            + rows("token_type_embeddings", types);
        let mut x = norm("embeddings.LayerNorm", &sum);
        for layer in 0..self.size("num_hidden_layers") {
            let layer = format!("encoder.layer.{layer}");
            let part = |part: &str| linear(&format!("{layer}.attention.self.{part}"), &x);
            let context =
                attention(&part("query"), &part("key"), &part("value"), self.size("num_attention_heads"));
            let output = linear(&format!("{layer}.attention.output.dense"), &context);
            x = norm(&format!("{layer}.attention.output.LayerNorm"), &(output + &x));
            let inner = linear(&format!("{layer}.intermediate.dense"), &x).mapv(gelu);
            let output = linear(&format!("{layer}.output.dense"), &inner);
            x = norm(&format!("{layer}.output.LayerNorm"), &(output + &x));
        }
        x
    }

    fn size(&self, field: &str) -> usize {
        usize::try_from(self.config[field].as_u64().unwrap()).unwrap()
    }

    #[expect(clippy::cast_possible_truncation, reason = "what the weights are in")]
    fn float(&self, field: &str) -> f32 {
        self.config[field].as_f64().unwrap() as f32
    }
}

fn layer_norm(x: &Array2<f32>, weight: &Array2<f32>, bias: &Array2<f32>, epsilon: f32) -> Array2<f32> {
    let mean = x.mean_axis(Axis(1)).unwrap().insert_axis(Axis(1));
    let variance = x.var_axis(Axis(1), 0.0).insert_axis(Axis(1));
    (x - &mean) / variance.mapv(|v| (v + epsilon).sqrt()) * weight + bias
}

fn attention(query: &Array2<f32>, key: &Array2<f32>, value: &Array2<f32>, heads: usize) -> Array2<f32> {
    let size = query.ncols() / heads;
    #[expect(clippy::cast_precision_loss, reason = "a head is small")]
    let scale = 1.0 / (size as f32).sqrt();
    let contexts: Vec<_> = (0..heads)
        .map(|head| {
            let columns = s![.., head * size..(head + 1) * size];
            let scores = query.slice(columns).dot(&key.slice(columns).t()) * scale;
            softmax(scores).dot(&value.slice(columns))
        })
        .collect();
    let views: Vec<_> = contexts.iter().map(|context| context.view()).collect();
    concatenate(Axis(1), &views).unwrap()
}

fn softmax(mut scores: Array2<f32>) -> Array2<f32> {
    for mut row in scores.rows_mut() {
        let most = row.fold(f32::MIN, |most, score| most.max(*score));
        row.mapv_inplace(|score| (score - most).exp());
        let sum = row.sum();
        row /= sum;
    }
    scores
}

fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x / std::f32::consts::SQRT_2))
}
