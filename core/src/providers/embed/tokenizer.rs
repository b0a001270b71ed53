//! The tokenizer of a model. One serves every session and the splitter: it takes no lock, and those with
//! many pieces are large.

use std::path::Path;

use serde::Deserialize;
use tokenizers::{
    DecoderWrapper, Encoding, Model, NormalizerWrapper, PostProcessor, PostProcessorWrapper,
    PreTokenizerWrapper, TokenizerImpl, TruncationDirection,
};

use super::unigram::Unigram;
use crate::error::{BoxError, Error, Result};
use crate::providers::onnx::{self, MAX_TOKENS, failed};

/// Turns text into the ids of tokens.
pub(super) struct Tokenizer {
    inner: Inner,
    /// Ids at most, special ones included.
    longest: usize,
}

enum Inner {
    Unigram(Box<Pipeline<Unigram>>),
    Other(Box<tokenizers::Tokenizer>),
}

/// The steps of a tokenizer with a model of ours in it.
type Pipeline<M> =
    TokenizerImpl<M, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// [`MAX_TOKENS`].
const LONGEST: f64 = 512.0;

/// What of `tokenizer_config.json` is needed.
#[derive(Deserialize)]
struct About {
    /// Some models write an absurd number here, which means that there is none.
    model_max_length: Option<f64>,
}

impl Tokenizer {
    /// Loads the tokenizer of a folder. Slow, and blocking.
    ///
    /// # Errors
    /// When a file is missing or cannot be understood.
    pub(super) fn load(folder: &Path) -> Result<Self> {
        let cannot_load = |error: BoxError| {
            failed(&format!("the tokenizer in {} cannot be loaded", folder.display()), error)
        };
        let file = onnx::read(folder, "tokenizer.json")?;
        let tokenizer = match Self::unigram(&file) {
            Some(tokenizer) => tokenizer,
            None => Self::of(tokenizers::Tokenizer::from_bytes(file).map_err(cannot_load)?)?,
        };
        let about = onnx::read(folder, "tokenizer_config.json")?;
        let about: About = serde_json::from_slice(&about).map_err(|error| cannot_load(error.into()))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to LONGEST")]
        let longest = about.model_max_length.map_or(MAX_TOKENS, |most| most.clamp(1.0, LONGEST) as usize);
        Ok(Self { longest, ..tokenizer })
    }

    /// A tokenizer that was loaded elsewhere, without its own padding and truncation.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub(super) fn of(mut inner: tokenizers::Tokenizer) -> Result<Self> {
        inner.with_padding(None).with_truncation(None).map_err(cannot_set_up)?;
        Ok(Self { inner: Inner::Other(Box::new(inner)), longest: MAX_TOKENS })
    }

    /// A `tokenizer.json` with a Unigram model; `None` if it has another.
    fn unigram(file: &[u8]) -> Option<Self> {
        let mut inner: Pipeline<Unigram> = serde_json::from_slice(file).ok()?;
        inner.with_padding(None).with_truncation(None).ok()?;
        Some(Self { inner: Inner::Unigram(Box::new(inner)), longest: MAX_TOKENS })
    }

    /// The bytes at which the tokens of a text begin, ascending, without its special ones.
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

    /// The ids of a text's tokens with the special ones, cut at the model's longest.
    ///
    /// # Errors
    /// When the text cannot be tokenized.
    pub(super) fn ids(&self, text: &str) -> Result<Vec<i64>> {
        let encoding = match &self.inner {
            Inner::Unigram(pipeline) => cut(pipeline, text, self.longest),
            Inner::Other(tokenizer) => cut(tokenizer, text, self.longest),
        };
        let encoding = encoding.map_err(cannot_tokenize)?;
        Ok(encoding.get_ids().iter().map(|id| i64::from(*id)).collect())
    }
}

/// So many tokens of a text at most, the special ones among them.
fn cut<M: Model>(pipeline: &Pipeline<M>, text: &str, longest: usize) -> Result<Encoding, BoxError> {
    let mut encoding = pipeline.encode_fast(text, false)?;
    let special = pipeline.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
    encoding.truncate(longest.saturating_sub(special), 0, TruncationDirection::Right);
    pipeline.post_process(encoding, None, true)
}

fn cannot_set_up(error: BoxError) -> Error {
    Error::internal("the tokenizer cannot be set up", error)
}

fn cannot_tokenize(error: BoxError) -> Error {
    Error::internal("the text cannot be tokenized", error)
}

#[cfg(test)]
mod tests {
    use parlance_embedded::default_cache_dir;
    use parlance_embedded::model::Precision;
    use parlance_embedded::parts::{Model, Parts};

    use super::*;

    /// What the embedded model's tokenizer may meet.
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
    fn the_compact_tokenizer_gives_the_same_tokens() {
        let folder = folder(Model::MultilingualE5Small);
        let ours = Tokenizer::load(&folder).unwrap();
        assert!(matches!(ours.inner, Inner::Unigram(_)));
        let theirs = tokenizers::Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
        let theirs = Tokenizer { longest: ours.longest, ..Tokenizer::of(theirs).unwrap() };
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
    fn a_long_text_is_cut_and_keeps_its_special_tokens() {
        for model in Model::ALL {
            let tokenizer = Tokenizer::load(&folder(model)).unwrap();
            let short = tokenizer.ids("word").unwrap();
            let long = tokenizer.ids(&"word ".repeat(2_000)).unwrap();
            assert_eq!(long.len(), MAX_TOKENS, "{model}");
            assert_eq!((long.first(), long.last()), (short.first(), short.last()), "{model}");
        }
    }
}
