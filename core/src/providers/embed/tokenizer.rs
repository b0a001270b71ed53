//! Tokenizer of an embedding model.
//!
//! One instance serves all sessions and the chunker: it needs no lock, and large vocabularies take much
//! memory.

use std::path::Path;

use serde::Deserialize;
use tokenizers::{
    DecoderWrapper, Encoding, Model, NormalizerWrapper, PostProcessor, PostProcessorWrapper,
    PreTokenizerWrapper, TokenizerImpl, TruncationDirection,
};

use super::unigram::Unigram;
use crate::error::{BoxError, Error, Result};
use crate::providers::onnx::{self, MAX_TOKENS, failed};

/// Turns text into token ids.
pub(super) struct Tokenizer {
    inner: Inner,
    /// Maximum number of ids, special tokens included.
    max_length: usize,
}

enum Inner {
    Unigram(Box<Pipeline<Unigram>>),
    Other(Box<tokenizers::Tokenizer>),
}

/// Tokenizer pipeline with a custom model.
type Pipeline<M> =
    TokenizerImpl<M, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// [`MAX_TOKENS`] as a float.
const MAX_LENGTH: f64 = 512.0;

/// Bytes per token of the first prefix that is tokenised: prose has four to five in Latin script, up to nine in
/// Cyrillic. A denser or longer text costs one more step.
const FIRST_BYTES_PER_TOKEN: usize = 8;

/// Number of tokens at the end of a prefix that its cut may have changed: more than the letters of a piece.
const MARGIN: usize = 32;

/// The fields read from `tokenizer_config.json`.
#[derive(Deserialize)]
struct TokenizerConfig {
    /// Some models use an absurdly large number for "no limit".
    model_max_length: Option<f64>,
}

impl Tokenizer {
    /// Loads the tokenizer from a model's folder. Slow and blocking.
    ///
    /// # Errors
    /// When a file is missing or cannot be parsed.
    pub(super) fn load(folder: &Path) -> Result<Self> {
        let cannot_load =
            |error: BoxError| failed(&format!("cannot load the tokenizer in {}", folder.display()), error);
        let file = onnx::read(folder, "tokenizer.json")?;
        let tokenizer = match Self::unigram(&file) {
            Some(tokenizer) => tokenizer,
            None => Self::of(tokenizers::Tokenizer::from_bytes(file).map_err(cannot_load)?)?,
        };
        let config = onnx::read(folder, "tokenizer_config.json")?;
        let config: TokenizerConfig =
            serde_json::from_slice(&config).map_err(|error| cannot_load(error.into()))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to MAX_LENGTH")]
        let max_length =
            config.model_max_length.map_or(MAX_TOKENS, |length| length.clamp(1.0, MAX_LENGTH) as usize);
        Ok(Self { max_length, ..tokenizer })
    }

    /// Wraps a loaded tokenizer, with its padding and truncation disabled.
    ///
    /// # Errors
    /// When the tokenizer cannot be configured.
    pub(super) fn of(mut inner: tokenizers::Tokenizer) -> Result<Self> {
        inner.with_padding(None).with_truncation(None).map_err(cannot_set_up)?;
        Ok(Self { inner: Inner::Other(Box::new(inner)), max_length: MAX_TOKENS })
    }

    /// Parses a `tokenizer.json` with a Unigram model; `None` for any other model.
    fn unigram(file: &[u8]) -> Option<Self> {
        let mut inner: Pipeline<Unigram> = serde_json::from_slice(file).ok()?;
        inner.with_padding(None).with_truncation(None).ok()?;
        Some(Self { inner: Inner::Unigram(Box::new(inner)), max_length: MAX_TOKENS })
    }

    /// Byte offsets of the token starts, ascending, without special tokens.
    ///
    /// # Errors
    /// When the text cannot be tokenized.
    pub(super) fn starts(&self, text: &str) -> Result<Vec<usize>> {
        let encoding = match &self.inner {
            Inner::Unigram(pipeline) => pipeline.encode(text, false),
            Inner::Other(tokenizer) => tokenizer.encode(text, false),
        };
        let encoding = encoding.map_err(cannot_tokenize)?;
        Ok(encoding.get_offsets().iter().map(|(start, _)| *start).collect())
    }

    /// Token ids of a text with special tokens, truncated to the model's maximum length.
    ///
    /// # Errors
    /// When the text cannot be tokenized.
    pub(super) fn ids(&self, text: &str) -> Result<Vec<i64>> {
        Ok(self.read(text)?.0)
    }

    /// Token ids as in [`Tokenizer::ids`], and the length in bytes of the prefix that was tokenised. A prefix that
    /// fills the window has the ids of the whole text.
    fn read(&self, text: &str) -> Result<(Vec<i64>, usize)> {
        for prefix in prefixes(text, self.max_length * FIRST_BYTES_PER_TOKEN) {
            let is_whole = prefix.len() == text.len();
            let encoding = match &self.inner {
                Inner::Unigram(pipeline) => encode_window(pipeline, prefix, self.max_length, is_whole),
                Inner::Other(tokenizer) => encode_window(tokenizer, prefix, self.max_length, is_whole),
            };
            if let Some(encoding) = encoding.map_err(cannot_tokenize)? {
                return Ok((encoding.get_ids().iter().map(|id| i64::from(*id)).collect(), prefix.len()));
            }
        }
        Err(cannot_tokenize("no prefix fills the window".into()))
    }
}

/// Encodes a text, truncated to `max_length` tokens including special ones. `None`: it is a prefix that does not
/// determine all of them.
fn encode_window<M: Model>(
    pipeline: &Pipeline<M>,
    text: &str,
    max_length: usize,
    is_whole: bool,
) -> Result<Option<Encoding>, BoxError> {
    let mut encoding = pipeline.encode_fast(text, false)?;
    let special = pipeline.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
    let window = max_length.saturating_sub(special);
    if !is_whole && encoding.len() < window + MARGIN {
        return Ok(None);
    }
    encoding.truncate(window, 0, TruncationDirection::Right);
    pipeline.post_process(encoding, None, true).map(Some)
}

/// Prefixes of a text, each twice as long as the previous one; the last is the whole text. They end before white space
/// if there is any, because tokenizers split there; otherwise they may end within a token.
fn prefixes(text: &str, first: usize) -> impl Iterator<Item = &str> {
    let lengths = std::iter::successors(Some(first.max(1)), |length| length.checked_mul(2));
    let lengths = lengths.take_while(move |length| *length < text.len());
    let parts = lengths.filter_map(|length| {
        let part = text.get(..text.floor_char_boundary(length))?;
        let blank = part.rfind(char::is_whitespace).filter(|at| *at > length / 2);
        blank.map_or(Some(part), |at| part.get(..at))
    });
    parts.chain(std::iter::once(text))
}

fn cannot_set_up(error: BoxError) -> Error {
    Error::internal("cannot set up the tokenizer", error)
}

fn cannot_tokenize(error: BoxError) -> Error {
    Error::internal("cannot tokenize the text", error)
}

#[cfg(test)]
mod tests {
    use parlance_embedded::default_cache_dir;
    use parlance_embedded::model::Precision;
    use parlance_embedded::parts::{Model, Parts};

    use super::*;

    /// Inputs across scripts, whitespace, control characters and special tokens.
    const TEXTS: [&str; 40] = [
        "",
        " ",
        "a",
        "How do I cancel my subscription?",
        "  two  spaces   and\ttabs\r\nand lines\n\n ",
        "¿Dónde está la biblioteca? Cerca de la estación, según el mapa.",
        "La réponse est connue, à moins que l'élève n'ait triché\u{a0}: œuvre, «\u{202f}oui\u{202f}».",
        "Die Größe der Donaudampfschifffahrtsgesellschaftskapitänsmütze überschreitet 3\u{a0}km².",
        "L'orologio della città è fermo da più di vent'anni.",
        "A reunião começa às nove, e não há café antes das dez: R$ 1.234,56.",
        "Добро пожаловать в нашу службу поддержки.",
        "東京は日本の首都です。人口は約1400万人。",
        "서울은 대한민국의 수도이다.",
        "مرحبا بكم في مركز المساعدة، رقم ١٢٣",
        "שלום עולם",
        "สวัสดีชาวโลก",
        "हिन्दी में लिखा हुआ पाठ",
        "\u{0b95}\u{0bca} \u{1100}\u{1161}\u{11a8}",
        "🙂🚀👩‍👩‍👧‍👦🇪🇺 emoji\u{fe0f}",
        "e\u{301} a\u{308}\u{323} z͑ͫa̴l̶g̵o o\u{338}\u{301}",
        "\u{feff}A byte order mark, and \u{200b}zero\u{200d}width\u{feff}",
        "\u{1}\u{2}control\u{7f}\u{85}\u{9f} \u{b}x\u{c}y\0z",
        "ﬁﬂ ① ½ ™ Ａ１ ｶﾞ ㎏ ﷺ ﬀ",
        "▁ ▁▁ a▁b \u{fffd}",
        "<s> </s> <mask> <unk><pad> a<s>b",
        "query: passage: what?",
        "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
        "fn main() { println!(\"{}\", 6 * 7); } // Rust",
        "| Plan | Price |\n|---|---|\n| Free | 0 € |",
        "0 1 2 3.14159 -273.15 6.02e23 0xDEADBEEF 192.168.0.1 2026-11-24T23:15:00Z",
        "https://example.org/a/b?c=d&e=f#g user@example.org",
        "𐍈𐌰𐌽 𒀀𒁀 𓀀𓂀 ꙮ ⸿ 🜁🜂",
        "ᚠᛇᚻ᛫ᛒᛦᚦ aᚠb",
        "a\u{2028}b\u{2029}c\u{1680}d\u{3000}e\u{205f}f",
        "…—–‘’“”„«»·•",
        "\u{e000}\u{f8ff}private\u{10ffff}",
        "ǅ ß ẞ İ ı ﬅ Σς",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "\u{5d0}\u{5b8}\u{5bc} \u{fb2e} \u{fb4f}",
        "H₂O x² Å K Ω №",
    ];

    fn folder(model: Model) -> std::path::PathBuf {
        Parts::new(&default_cache_dir()).model(model, Precision::Int8).unwrap()
    }

    #[test]
    fn the_compact_tokenizer_matches_the_original() {
        let folder = folder(Model::MultilingualE5Small);
        let ours = Tokenizer::load(&folder).unwrap();
        assert!(matches!(ours.inner, Inner::Unigram(_)));
        let theirs = tokenizers::Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
        let theirs = Tokenizer { max_length: ours.max_length, ..Tokenizer::of(theirs).unwrap() };
        let long = [TEXTS.join(" "), TEXTS.concat(), "word ".repeat(2_000), "ab".repeat(3_000)];
        let windows = TEXTS.join("\n");
        let windows: Vec<char> = windows.chars().collect();
        let windows = windows.windows(23).map(|window| window.iter().collect::<String>());
        for text in TEXTS.map(str::to_owned).into_iter().chain(long).chain(windows) {
            assert_eq!(ours.ids(&text).unwrap(), theirs.ids(&text).unwrap(), "{text:?}");
            assert_eq!(ours.starts(&text).unwrap(), theirs.starts(&text).unwrap(), "{text:?}");
        }
    }

    #[test]
    fn a_long_text_has_the_ids_of_its_whole() {
        let long = [
            "How do I return a pair of boots? ".repeat(250),
            TEXTS.join(" ").repeat(8),
            TEXTS.concat().repeat(8),
            "東京は日本の首都です。".repeat(700),
            "ab".repeat(4_000),
            "x ".repeat(4_000),
            "Donaudampfschifffahrtsgesellschaft".repeat(230),
            " ".repeat(7_000) + "word",
            "ᚠ".repeat(8_000) + " and words",
        ];
        for model in Model::ALL {
            let tokenizer = Tokenizer::load(&folder(model)).unwrap();
            for text in &long {
                let whole = match &tokenizer.inner {
                    Inner::Unigram(pipeline) => encode_window(pipeline, text, tokenizer.max_length, true),
                    Inner::Other(pipeline) => encode_window(pipeline, text, tokenizer.max_length, true),
                };
                let whole = whole.unwrap().unwrap();
                let whole: Vec<i64> = whole.get_ids().iter().map(|id| i64::from(*id)).collect();
                assert_eq!(tokenizer.ids(text).unwrap(), whole, "{model} {:.40}", text);
            }
        }
    }

    #[test]
    fn half_of_a_query_of_8000_characters_is_tokenised() {
        for model in Model::ALL {
            let tokenizer = Tokenizer::load(&folder(model)).unwrap();
            for text in ["How do I return a pair of boots? ", "xq,zv;", "0x7f-", "Wie lange dauert das? "] {
                let text: String = text.chars().cycle().take(8_000).collect();
                let (_, read) = tokenizer.read(&text).unwrap();
                assert!(read <= 4_096, "{model} reads {read} bytes of {text:.40}");
            }
        }
    }

    #[test]
    fn prefixes_double_and_end_before_white_space() {
        let of = |text| prefixes(text, 8).collect::<Vec<_>>();
        assert_eq!(of("short"), ["short"]);
        assert_eq!(of("one two three four five"), ["one two", "one two three", "one two three four five"]);
        assert_eq!(of("日本語日本語"), ["日本", "日本語日本", "日本語日本語"]);
    }

    #[test]
    fn a_truncated_text_keeps_its_special_tokens() {
        for model in Model::ALL {
            let tokenizer = Tokenizer::load(&folder(model)).unwrap();
            let short = tokenizer.ids("word").unwrap();
            let long = tokenizer.ids(&"word ".repeat(2_000)).unwrap();
            assert_eq!(long.len(), MAX_TOKENS, "{model}");
            assert_eq!((long.first(), long.last()), (short.first(), short.last()), "{model}");
        }
    }
}
