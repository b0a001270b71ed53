//! Code pages of RTF fonts.

use std::borrow::Cow;

use encoding_rs as web;
use yore::code_pages as dos;

/// Windows-1252.
pub(super) const DEFAULT: u16 = 1252;

/// Macintosh Roman.
pub(super) const MAC: u16 = 10_000;

/// The code page of a font's character set (RTF 1.9, `\fcharset`).
pub(super) fn of_charset(charset: i32) -> Option<u16> {
    Some(match charset {
        0 => 1252,
        77 => MAC,
        128 => 932,
        129 => 949,
        130 => 1361,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        254 => 437,
        255 => 850,
        _ => return None,
    })
}

/// Decodes text of a code page. Unknown ones are read as Windows-1252.
pub(super) fn decode(codepage: u16, bytes: &[u8]) -> Cow<'_, str> {
    let encoding = match codepage {
        437 => return dos::CP437.decode(bytes),
        850 => return dos::CP850.decode(bytes),
        852 => return dos::CP852.decode(bytes),
        855 => return dos::CP855.decode(bytes),
        866 => web::IBM866,
        874 => web::WINDOWS_874,
        932 | 10_001 => web::SHIFT_JIS,
        936 => web::GBK,
        949 => web::EUC_KR,
        950 => web::BIG5,
        1250 => web::WINDOWS_1250,
        1251 => web::WINDOWS_1251,
        1253 => web::WINDOWS_1253,
        1254 => web::WINDOWS_1254,
        1255 => web::WINDOWS_1255,
        1256 => web::WINDOWS_1256,
        1257 => web::WINDOWS_1257,
        1258 => web::WINDOWS_1258,
        1361 => return Cow::Owned(super::super::encoding::johab(bytes)),
        MAC => web::MACINTOSH,
        10_007 => web::X_MAC_CYRILLIC,
        65_001 => web::UTF_8,
        _ => web::WINDOWS_1252,
    };
    encoding.decode_without_bom_handling(bytes).0
}
