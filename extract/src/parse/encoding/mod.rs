//! Character encodings of texts: Unicode, escape sequences, and legacy encodings by plausibility.
//!
//! `chardetng` distinguishes the encodings of the web. It lacks the encodings of DOS and Macintosh, and
//! Johab. It returns an encoding even for bytes in none of them. Its result is therefore compared with the
//! other encodings by the plausibility of the decoded text ([`plausible`]). A text without a plausible
//! encoding is garbled.

mod alphabets;
mod ebcdic;
mod escapes;
mod johab;
mod pages;
mod plausible;
mod unicode;
mod utf7;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{self as web, Encoding};
use yore::code_pages as dos;

/// Bytes sampled for `chardetng`, which runs at 11 MB/s.
const GUESS_BYTES: usize = 1 << 20;

/// Maximum number of bytes sampled to compare encodings: in total, and of one line.
const SAMPLE_BYTES: usize = 1 << 14;
const LINE_BYTES: usize = 1 << 10;

/// Bonus of the encoding that `chardetng` returns. Its language models are more precise.
const GUESS_BONUS: f64 = 0.2;

/// Number of characters outside ASCII, and plausibility below which a text with at least this number is
/// garbled. Fewer characters need a lower plausibility, because they prove less.
const MIN_PLAUSIBLE: [(usize, f64); 2] = [(20, 0.0), (4, -0.6)];

/// A decoded text.
pub(super) struct Decoded {
    pub(super) text: String,
    /// Whether the text is implausible in all known encodings.
    pub(super) garbled: bool,
}

/// Decodes `bytes`, without a byte order mark. Never fails: undecodable bytes become U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let certain = |text: String| Decoded { text, garbled: false };
    if let Some(text) = unicode::utf32(bytes) {
        return certain(text);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return certain(encoding.decode_without_bom_handling(rest).0.into_owned());
    }
    if let Some(text) = ebcdic::decode(bytes) {
        return certain(text);
    }
    if let Some(encoding) = unicode::unmarked_utf16(bytes) {
        return certain(encoding.decode_without_bom_handling(bytes).0.into_owned());
    }
    if let Some(text) = escapes::decode(bytes) {
        return certain(text);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return certain(utf7::decode(text).unwrap_or_else(|| text.to_owned()));
    }
    if let Some(text) = unicode::interrupted_utf8(bytes) {
        return certain(text);
    }
    legacy(bytes)
}

/// Decodes Johab, for formats that declare it.
pub(super) fn johab(bytes: &[u8]) -> String {
    johab::decode(bytes)
}

/// A decoder of a legacy encoding.
type Decoder = fn(&[u8]) -> Cow<'_, str>;

/// Encodings of one byte a character. On a tie the first one wins.
const SINGLE_BYTE: &[&Encoding] = &[
    web::WINDOWS_1252,
    web::WINDOWS_1251,
    web::WINDOWS_1250,
    web::WINDOWS_1253,
    web::WINDOWS_1254,
    web::WINDOWS_1255,
    web::WINDOWS_1256,
    web::WINDOWS_1257,
    web::WINDOWS_1258,
    web::WINDOWS_874,
    web::ISO_8859_2,
    web::ISO_8859_3,
    web::ISO_8859_4,
    web::ISO_8859_5,
    web::ISO_8859_6,
    web::ISO_8859_7,
    web::ISO_8859_8,
    web::ISO_8859_10,
    web::ISO_8859_13,
    web::ISO_8859_15,
    web::ISO_8859_16,
    web::KOI8_U,
    web::IBM866,
    web::X_MAC_CYRILLIC,
];

/// Encodings of several bytes a character.
const EAST_ASIAN: &[&Encoding] = &[web::EUC_KR, web::SHIFT_JIS, web::GBK, web::EUC_JP, web::BIG5];

/// Plausibility below which East Asian encodings are tried, and minimum plausibility of their result.
const MAX_DOUBTFUL: f64 = 0.5;
const MIN_EAST_ASIAN: f64 = 0.9;

/// Encodings that `encoding_rs` lacks, and Macintosh, which shares many letters with the DOS encodings.
const OTHERS: &[Decoder] = &[
    |bytes| dos::CP850.decode(bytes),
    |bytes| dos::CP437.decode(bytes),
    |bytes| dos::CP852.decode(bytes),
    |bytes| dos::CP855.decode(bytes),
    |bytes| dos::CP737.decode(bytes),
    |bytes| dos::CP857.decode_lossy(bytes),
    |bytes| dos::CP860.decode(bytes),
    |bytes| dos::CP861.decode(bytes),
    |bytes| dos::CP862.decode(bytes),
    |bytes| dos::CP863.decode(bytes),
    |bytes| dos::CP865.decode(bytes),
    |bytes| dos::CP869.decode_lossy(bytes),
    |bytes| web::MACINTOSH.decode_without_bom_handling(bytes).0,
    |bytes| Cow::Owned(pages::decode(pages::MAC_CENTRAL_EUROPEAN, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::MAC_GREEK, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::MAC_TURKISH, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::MAC_ICELANDIC, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::MAC_CROATIAN, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::MAC_ROMANIAN, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::CP720, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::CP775, bytes)),
    |bytes| Cow::Owned(pages::decode(pages::CP1125, bytes)),
    |bytes| Cow::Owned(johab::decode(bytes)),
];

fn legacy(bytes: &[u8]) -> Decoded {
    let head = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, head.len() == bytes.len());
    let guess = detector.guess(None, Utf8Detection::Deny);
    let sample = sample(head);
    let rate = |text: &str| plausible::rate(text);
    let web_text = |encoding: &'static Encoding, bytes| encoding.decode_without_bom_handling(bytes).0;
    let guessed = rate(&web_text(guess, &sample));
    let mut best = (guessed, Choice::Web(guess));
    let web = SINGLE_BYTE.iter().map(|encoding| Choice::Web(encoding));
    for choice in web.chain(OTHERS.iter().map(|decoder| Choice::Other(*decoder))) {
        let rated = rate(&choice.decode(&sample));
        // An encoding with fewer anomalies than the guess needs only a higher score. Otherwise a small lead
        // is chance.
        let bonus = if rated.anomalies > guessed.anomalies { 0.0 } else { GUESS_BONUS };
        if rated.score > best.0.score && rated.score > guessed.score + bonus {
            best = (rated, choice);
        }
    }
    // Short East Asian texts: too few bytes for `chardetng`, or UTF-16 without a byte order mark.
    let doubtful = best.0.score < MAX_DOUBTFUL;
    let legacy = EAST_ASIAN.iter().filter(|_| doubtful);
    let legacy = legacy.map(|encoding| (rate(&web_text(encoding, &sample)), *encoding));
    let utf16 = unicode::short_utf16(bytes).filter(|(rated, _)| rated.score > best.0.score + GUESS_BONUS);
    for (rated, encoding) in legacy.chain(utf16).collect::<Vec<_>>() {
        if rated.score >= MIN_EAST_ASIAN && rated.score > best.0.score {
            best = (rated, Choice::Web(encoding));
        }
    }
    let (rated, choice) = best;
    Decoded {
        text: choice.decode(bytes).into_owned(),
        garbled: MIN_PLAUSIBLE.iter().any(|(count, score)| rated.count >= *count && rated.score < *score),
    }
}

#[derive(Clone, Copy)]
enum Choice {
    Web(&'static Encoding),
    Other(Decoder),
}

impl Choice {
    fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Choice::Web(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Choice::Other(decoder) => decoder(bytes),
        }
    }
}

/// Lines with bytes outside ASCII. All legacy encodings share the line end.
fn sample(head: &[u8]) -> Vec<u8> {
    let mut sample = Vec::new();
    for line in head.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_ascii()) {
        sample.extend(line.get(..LINE_BYTES).unwrap_or(line));
        sample.push(b'\n');
        if sample.len() >= SAMPLE_BYTES {
            break;
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;
    use yore::CodePage;

    const GERMAN: &str = "Grüße aus Köln: über süße Äpfel läßt sich schön plaudern, auch mit Größe.";
    const FRENCH: &str = "Où sont les vélos ? Derrière le château, près de la forêt, là où l'élève s'arrête.";
    const CZECH: &str = "Zboží lze vrátit do třiceti dnů od nákupu; v neděli je zavřeno, účtenku uschovejte.";
    const RUSSIAN: &str = "Возврат товара возможен в течение тридцати дней. Магазин закрыт по воскресеньям.";
    const GREEK: &str = "Τα προϊόντα επιστρέφονται εντός τριάντα ημερών. Το κατάστημα είναι κλειστό.";
    const HEBREW: &str = "ניתן להחזיר את המוצר בתוך שלושים יום. נא לשמור את הקבלה ואת האריזה.";
    const JAPANESE: &str = "返品は購入から三十日以内に可能です。お問い合わせはこちらまで。";
    const CHINESE: &str = "购买后三十天内可以退货，请保留您的收据和包装。";
    const KOREAN: &str = "구입 후 삼십일 이내에 반품할 수 있습니다. 영수증과 포장을 보관해 주세요.";

    fn read(bytes: &[u8]) -> String {
        let decoded = decode(bytes);
        assert!(!decoded.garbled, "{}", decoded.text);
        decoded.text
    }

    fn units(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    fn scalars(text: &str, to_bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|character| to_bytes(u32::from(character))).collect()
    }

    #[test]
    fn unicode_is_read_in_every_form_and_script() {
        for text in [GERMAN, RUSSIAN, GREEK, HEBREW, JAPANESE, CHINESE, KOREAN] {
            assert_eq!(read(text.as_bytes()), text);
            let marked = format!("\u{feff}{text}");
            assert_eq!(read(marked.as_bytes()), text);
            for (plain, mark) in [(text, false), (marked.as_str(), true)] {
                for bytes in [
                    units(plain, u16::to_le_bytes),
                    units(plain, u16::to_be_bytes),
                    scalars(plain, u32::to_le_bytes),
                    scalars(plain, u32::to_be_bytes),
                ] {
                    assert_eq!(read(&bytes), text, "mark: {mark}");
                }
            }
        }
    }

    #[test]
    fn legacy_encodings_decode_to_the_same_text() {
        let web = |encoding: &'static Encoding, text: &str| encoding.encode(text).0.into_owned();
        let page = |page: &dyn CodePage, text: &str| page.encode(text).unwrap().into_owned();
        for (bytes, text) in [
            (web(web::WINDOWS_1252, GERMAN), GERMAN),
            (page(&dos::CP437, GERMAN), GERMAN),
            (page(&dos::CP850, GERMAN), GERMAN),
            (web(web::MACINTOSH, GERMAN), GERMAN),
            (web(web::WINDOWS_1252, FRENCH), FRENCH),
            (page(&dos::CP437, FRENCH), FRENCH),
            (page(&dos::CP850, FRENCH), FRENCH),
            (web(web::MACINTOSH, FRENCH), FRENCH),
            (web(web::WINDOWS_1250, CZECH), CZECH),
            (web(web::ISO_8859_2, CZECH), CZECH),
            (page(&dos::CP852, CZECH), CZECH),
            (web(web::WINDOWS_1251, RUSSIAN), RUSSIAN),
            (web(web::KOI8_R, RUSSIAN), RUSSIAN),
            (web(web::ISO_8859_5, RUSSIAN), RUSSIAN),
            (web(web::IBM866, RUSSIAN), RUSSIAN),
            (web(web::X_MAC_CYRILLIC, RUSSIAN), RUSSIAN),
            (page(&dos::CP855, RUSSIAN), RUSSIAN),
            (web(web::WINDOWS_1253, GREEK), GREEK),
            (page(&dos::CP737, GREEK), GREEK),
            (web(web::WINDOWS_1255, HEBREW), HEBREW),
            (page(&dos::CP862, HEBREW), HEBREW),
            (web(web::SHIFT_JIS, JAPANESE), JAPANESE),
            (web(web::EUC_JP, JAPANESE), JAPANESE),
            (web(web::ISO_2022_JP, JAPANESE), JAPANESE),
            (web(web::GBK, CHINESE), CHINESE),
            (
                web(web::BIG5, "購買後三十天內可以退貨，請保留您的收據和包裝。"),
                "購買後三十天內可以退貨，請保留您的收據和包裝。",
            ),
            (web(web::EUC_KR, KOREAN), KOREAN),
        ] {
            assert_eq!(read(&bytes), text);
        }
    }

    #[test]
    fn seven_bit_korean_and_chinese_are_read() {
        assert_eq!(
            read(b"\x1b$)C\x0eGQ1[\x0f \x0e9.<-\x0f\x0a\x0e5QB0\x0f \x0eAY\x0f"),
            "한글 문서\n둘째 줄"
        );
        assert_eq!(read(b"to ~{<:Ky2;S{~} and ~~"), "to 己所不欲 and ~");
        assert_eq!(read(b"a ~{ brace ~}"), "a ~{ brace ~}");
    }

    #[test]
    fn johab_syllables_letters_and_ideographs_are_read() {
        let line = b"\xd0e\x8bi \xa2\x85\xac\xe1, \xf7\xd3\xf1\xae \x88A\x84a \xd9h \x88t";
        assert_eq!(johab::decode(line), "한글 문서, 漢字 ㄱㅏ ※ 값");
    }

    #[test]
    fn a_broken_byte_does_not_change_the_encoding() {
        let cut = GERMAN.as_bytes();
        assert_eq!(read(&[cut, b" caf\xc3"].concat()), format!("{GERMAN} caf"));
        assert_eq!(read(&[cut, b" caf\xe9 "].concat()), format!("{GERMAN} café "));
    }

    #[test]
    fn bytes_that_no_encoding_explains_are_garbled() {
        let random: Vec<u8> =
            (0..600_u32).map(|i| 0x80 | (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let decoded = decode(&random);
        assert!(decoded.garbled, "{}", decoded.text);
    }

    #[test]
    fn short_texts_are_read_where_one_reading_makes_sense() {
        let page = |page: &dyn CodePage, text: &str| page.encode(text).unwrap().into_owned();
        for (bytes, text) in [
            (page(&dos::CP437, "Öffnungszeiten"), "Öffnungszeiten"),
            (page(&dos::CP437, "Price ½ of £5, 20°C"), "Price ½ of £5, 20°C"),
            (page(&dos::CP850, "Æbler 5 kr."), "Æbler 5 kr."),
            (web::MACINTOSH.encode("Los niños y los años").0.into_owned(), "Los niños y los años"),
            (web::KOI8_R.encode("ПРАВИЛА ПОСЕЩЕНИЯ МУЗЕЯ").0.into_owned(), "ПРАВИЛА ПОСЕЩЕНИЯ МУЗЕЯ"),
            (web::SHIFT_JIS.encode("料金は５００円です").0.into_owned(), "料金は５００円です"),
            (units("欢迎光临", u16::to_be_bytes), "欢迎光临"),
            (units("いらっしゃいませ", u16::to_le_bytes), "いらっしゃいませ"),
            ([GERMAN.as_bytes(), b"\nL\xe4nge"].concat(), &format!("{GERMAN}\nLänge")),
        ] {
            assert_eq!(read(&bytes), text);
        }
    }

    #[test]
    fn english_with_a_few_symbols_is_not_reinterpreted() {
        for text in [
            "It’s “quoted” text – with an ellipsis… and the price of £5, or €6. Don’t worry.",
            "The café is open daily.",
            "Temperature: 20 °C ± 2, size ½ inch, © 2019 Müller & Co.",
            "• one item\n• another",
            "§ 5 applies",
        ] {
            assert_eq!(read(&web::WINDOWS_1252.encode(text).0), text);
        }
    }
}
