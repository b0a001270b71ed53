//! Pure: reads the sections of a packed file in their order.

use std::collections::HashMap;

use super::{BLOCK, Config, Encoding, Tensor, Vocabulary};

pub(super) const MAGIC: &[u8] = b"E5S1";
pub(super) const VERSION: u32 = 1;

/// The sizes of the encoder.
pub(super) struct Header {
    block: usize,
    config: Config,
}

impl Header {
    pub(super) fn check(self) -> Result<Config, String> {
        if self.block != BLOCK {
            return Err(format!("its blocks have {} weights, and only {BLOCK} are supported", self.block));
        }
        self.config.check()
    }
}

pub(super) fn header(reader: &mut Reader<'_>) -> Option<Header> {
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

pub(super) fn vocabulary<'a>(reader: &mut Reader<'a>) -> Option<Vocabulary<'a>> {
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
    let ids_exist = [begin, end, padding, unknown].into_iter().all(is_piece);
    (ids_exist && pieces.iter().all(|(_, score)| score.is_finite())).then_some(Vocabulary {
        pieces,
        begin,
        end,
        padding,
        unknown,
    })
}

pub(super) fn skip_normalization(reader: &mut Reader<'_>) -> Option<()> {
    let _entries = reader.size()?;
    let bytes = reader.size()?;
    reader.take(bytes).map(drop)
}

pub(super) fn tensors<'a>(reader: &mut Reader<'a>) -> Option<HashMap<&'a str, Tensor>> {
    let count = reader.size()?;
    (0..count)
        .map(|_| {
            let name_bytes = usize::from(u16::from_le_bytes(*reader.take(2)?.first_chunk()?));
            let name = str::from_utf8(reader.take(name_bytes)?).ok()?;
            let encoding = match reader.take(1)? {
                [0] => Encoding::Floats,
                [1] => Encoding::Blocks,
                _ => return None,
            };
            let _numbers = reader.u32()?;
            let start = usize::try_from(reader.u64()?).ok()?;
            let end = start.checked_add(usize::try_from(reader.u64()?).ok()?)?;
            Some((name, Tensor { encoding, range: start..end }))
        })
        .collect()
}

/// A cursor over the bytes. Every read returns `None` at the end.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(count)?;
        let taken = self.bytes.get(self.position..end)?;
        self.position = end;
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

    /// A size, stored as a signed number.
    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?.cast_signed()).ok()
    }
}
