//! Seven-bit encodings that switch character sets by escape sequences: ISO-2022-KR, ISO-2022-CN and HZ.
//!
//! Each is rewritten as the eight-bit encoding of the same characters. ISO-2022-JP is in `encoding_rs`.

use encoding_rs::{EUC_KR, Encoding, GBK, ISO_2022_JP};

/// Shift to the second character set (SO), and back (SI).
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// Decodes a text with escape sequences. `None`: the bytes have none.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    if !bytes.is_ascii() {
        return None;
    }
    let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    if holds(b"\x1b$)C") {
        return decoded(EUC_KR, shifted(bytes));
    }
    if holds(b"\x1b$)A") {
        return decoded(GBK, shifted(bytes));
    }
    if holds(b"\x1b$B") || holds(b"\x1b$@") || holds(b"\x1b(J") || holds(b"\x1b(I") {
        return decoded(ISO_2022_JP, bytes.to_vec());
    }
    if holds(b"~{") && holds(b"~}") {
        return decoded(GBK, braced(bytes)?);
    }
    None
}

fn decoded(encoding: &'static Encoding, bytes: Vec<u8>) -> Option<String> {
    let text = encoding.decode_without_bom_handling(&bytes).0;
    let errors = text.matches(char::REPLACEMENT_CHARACTER).count();
    (errors * 50 <= text.chars().count()).then(|| text.into_owned())
}

/// Sets the high bit of the bytes between the shifts, and drops shifts and designations.
fn shifted(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut out = false;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match *byte {
            SHIFT_OUT => out = true,
            SHIFT_IN => out = false,
            0x1b if after.starts_with(b"$)") => rest = after.get(3..).unwrap_or_default(),
            b'\n' => {
                out = false;
                plain.push(b'\n');
            }
            byte if out && byte > b' ' => plain.push(byte | 0x80),
            byte => plain.push(byte),
        }
    }
    plain
}

/// Rewrites HZ as GB 2312. `None`: the text in braces is not GB 2312.
fn braced(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut inside = false;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (*byte, after.first()) {
            (b'~', Some(b'{')) if !inside => inside = true,
            (b'~', Some(b'}')) if inside => inside = false,
            (b'~', Some(b'~')) if !inside => plain.push(b'~'),
            (b'~', Some(b'\n')) if !inside => {}
            (b'\n', _) => {
                inside = false;
                plain.push(b'\n');
                continue;
            }
            (lead, Some(trail)) if inside => {
                if !(0x21..=0x77).contains(&lead) || !(0x21..=0x7e).contains(trail) {
                    return None;
                }
                plain.extend([lead | 0x80, trail | 0x80]);
            }
            (byte, _) => {
                plain.push(byte);
                continue;
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    Some(plain)
}
