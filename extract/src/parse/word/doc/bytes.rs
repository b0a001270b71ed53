//! Numbers in byte strings, little endian. Reads out of range return None.

pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A part of a stream, cut at the end of the stream.
pub(super) fn slice(bytes: &[u8], at: usize, length: usize) -> &[u8] {
    let end = at.saturating_add(length).min(bytes.len());
    bytes.get(at.min(end)..end).unwrap_or_default()
}

/// The character positions of a PLC: an array of positions, then one record of `size` bytes for each position
/// except the last.
pub(super) fn positions(plc: &[u8], size: usize) -> Vec<u32> {
    let records = plc.len().saturating_sub(4) / (4 + size);
    (0..=records).filter_map(|index| u32_at(plc, index * 4)).collect()
}

/// Text of UTF-16 code units.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
