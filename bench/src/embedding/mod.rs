//! Chunks per second of CPU time: our embedder against ONNX Runtime driven directly.
//!
//! Both have the same model file, number of threads, texts and tokens.
//!
//! Each side is a process, so that threads and memory are separate. The sides take turns (A B A B), so that
//! other load on the machine affects both. The reference has its texts tokenized in advance; ours tokenizes
//! as part of its work.

mod direct;
mod ours;
mod worker;

use std::sync::Arc;

use clap::ValueEnum;
use tokenizers::Tokenizer;

use crate::corpus::Writer;
use crate::parts::Parts;
use crate::report::{Against, Row};
use crate::samples::Samples;

pub(crate) use worker::{EmbedRequest, EmbedRun, Worker, serve_side};

/// A side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// [`parlance_core::providers::embed::OnnxEmbedder`].
    Ours,
    /// `ort` alone.
    Direct,
}

/// Tokens per chunk, and the number of chunks for a run of a few seconds.
const SIZES: [(usize, usize); 2] = [(32, 800), (200, 160)];

const TURNS: usize = 5;

/// Minimum share of the reference's speed.
const GOAL: f64 = 0.9;

/// Minimum cosine of the two sides' vectors of the same text.
const MIN_COSINE: f32 = 0.999;

pub(crate) fn measure(parts: &Parts) -> anyhow::Result<Vec<Row>> {
    let tokenizer = parts.tokenizer()?;
    let mut rows = Vec::new();
    for (tokens, count) in SIZES {
        let texts: Arc<[String]> = texts(&tokenizer, tokens, count)?.into();
        let (mut ours, mut direct) =
            (Worker::start(Engine::Ours, &texts)?, Worker::start(Engine::Direct, &texts)?);
        let cosine = cosine(&ours.run(EmbedRequest::ALL)?.vector, &direct.run(EmbedRequest::ALL)?.vector);
        anyhow::ensure!(cosine >= MIN_COSINE, "the reference computes other vectors: cosine {cosine}");
        let mut turns = Vec::new();
        for _turn in 0..TURNS {
            turns.push((ours.run(EmbedRequest::ALL)?, direct.run(EmbedRequest::ALL)?));
        }
        rows.extend(compare(tokens, &turns));
    }
    Ok(rows)
}

fn compare(tokens: usize, turns: &[(EmbedRun, EmbedRun)]) -> [Row; 3] {
    let per_second = |run: &EmbedRun| run.chunks as f64 / run.cpu_seconds;
    let ours: Samples = turns.iter().map(|(ours, _)| per_second(ours)).collect();
    let direct: Samples = turns.iter().map(|(_, direct)| per_second(direct)).collect();
    let ratio: Samples = turns.iter().map(|(ours, direct)| per_second(ours) / per_second(direct)).collect();
    let by_clock = |run: &EmbedRun| run.chunks as f64 / run.seconds;
    let ours_by_clock: Samples = turns.iter().map(|(ours, _)| by_clock(ours)).collect();
    let direct_by_clock: Samples = turns.iter().map(|(_, direct)| by_clock(direct)).collect();
    let against = Against::Reference {
        name: "ONNX Runtime alone",
        value: direct.median(),
        ratio: ratio.median(),
        least: GOAL,
    };
    let name = format!("embedding, {tokens} tokens a chunk");
    [
        Row::new(name.clone(), ours.median(), "chunks/CPU-s", turns.len(), against),
        Row::plain(format!("{name}: by the clock"), ours_by_clock.median(), "chunks/s", turns.len()),
        Row::plain(
            format!("{name}: ONNX Runtime alone, by the clock"),
            direct_by_clock.median(),
            "chunks/s",
            turns.len(),
        ),
    ]
}

/// Different texts of about this many tokens, special tokens included, never more.
fn texts(tokenizer: &Tokenizer, tokens: usize, count: usize) -> anyhow::Result<Vec<String>> {
    let mut writer = Writer::new(40 + tokens as u64);
    let length = |text: &str| {
        let encoded = tokenizer.encode_fast(text, true);
        encoded.map(|encoded| encoded.len()).map_err(|error| anyhow::anyhow!("{error}"))
    };
    let mut one = || {
        let mut text = String::new();
        while length(&text)? < tokens {
            text = text + &writer.sentence() + " ";
        }
        while length(&text)? > tokens {
            let (shorter, _) = text.trim_end().rsplit_once(' ').unwrap_or_default();
            text = shorter.to_owned();
        }
        Ok(text)
    };
    (0..count).map(|_| one()).collect()
}

/// The cosine of two unit vectors.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
