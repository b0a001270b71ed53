//! Character encoding of a web page.
//!
//! In order of precedence: byte order mark, valid non-ASCII UTF-8, the `Content-Type` header, the `meta`
//! element, a guess.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::text;

/// Bytes scanned for a `meta` charset. The standard requires 1024; some pages declare it later.
const PRESCAN: usize = 4096;

/// Decodes a web page.
pub(super) fn decode(bytes: &[u8], media_type: Option<&str>) -> String {
    let marked = Encoding::for_bom(bytes).is_some();
    // Wrong declarations are common, and text in another encoding is never valid UTF-8 by accident.
    let is_utf8 = !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok();
    if marked || is_utf8 {
        return text::decode(bytes);
    }
    match media_type.and_then(parameter).or_else(|| meta(bytes)) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        None => text::decode(bytes),
    }
}

/// The `charset` parameter of a media type.
fn parameter(media_type: &str) -> Option<&'static Encoding> {
    label(media_type.to_ascii_lowercase().split_once("charset=")?.1)
}

/// The `charset` of a `meta` element. A declared UTF-16 is ignored: the page was readable as ASCII so far.
fn meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..PRESCAN).unwrap_or(bytes)).to_ascii_lowercase();
    let encoding = head.split("<meta").skip(1).find_map(|tag| {
        let tag = tag.split('>').next().unwrap_or_default();
        label(tag.split_once("charset")?.1.trim_start().strip_prefix('=')?)
    })?;
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

fn label(rest: &str) -> Option<&'static Encoding> {
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    let end = rest.find(|character: char| !character.is_ascii_alphanumeric() && !"-_:.".contains(character));
    Encoding::for_label(rest.get(..end.unwrap_or(rest.len()))?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    #[test]
    fn declared_charsets_apply_unless_the_bytes_disagree() {
        let german = "<meta charset='windows-1252'><p>Größe";
        assert_eq!(decode(&WINDOWS_1252.encode(german).0, None), german);
        let russian = "<META http-equiv=Content-Type content=\"text/html; charset=windows-1251\"><p>Ёж";
        assert_eq!(decode(&WINDOWS_1251.encode(russian).0, None), russian);
        let japanese = "<p>返品";
        let bytes = SHIFT_JIS.encode(japanese).0;
        assert_eq!(decode(&bytes, Some("text/html; charset=\"Shift_JIS\"")), japanese);
        assert_eq!(decode(german.as_bytes(), Some("text/html; charset=iso-8859-1")), german);
        assert_eq!(decode(b"<meta charset=utf-16><p>x", None), "<meta charset=utf-16><p>x");
    }
}
