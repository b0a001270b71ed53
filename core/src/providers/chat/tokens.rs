//! Token counts by model.

use std::io::Read;
use std::sync::LazyLock;

use bpe_openai::Tokenizer;
use bpe_openai::byte_pair_encoding::BytePairEncoding;
use flate2::read::DeflateDecoder;

/// Factor on the o200k count for models with an unknown tokenizer, which may split finer.
const MARGIN: (usize, usize) = (5, 4);

/// OpenAI model families with the o200k tokenizer; older ones use cl100k.
const BY_O200K: [&str; 7] = ["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3"];
const BY_CL100K: [&str; 3] = ["gpt-4", "gpt-3.5", "text-embedding"];

/// Factor of the hash by which `bpe` finds tokens; with it, no two tokens of either vocabulary collide (from the build
/// script of `bpe-openai`).
const HASH_FACTOR: u64 = 17_846_336_922_010_275_747;

/// Splits of a text before it is encoded, as tiktoken defines them for o200k (`tiktoken_ext/openai_public.py`). The
/// look-ahead `\s+(?!\S)` is the pair of patterns in [`tokenizer_of`].
const O200K_SPLITS: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+$",
);

/// As [`O200K_SPLITS`], for cl100k.
const CL100K_SPLITS: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*",
    r"|\s*[\r\n]+|\s+$",
);

static O200K: LazyLock<Option<Tokenizer>> = LazyLock::new(|| {
    tokenizer_of(include_bytes!(concat!(env!("OUT_DIR"), "/o200k.vocabulary")), O200K_SPLITS)
});

static CL100K: LazyLock<Option<Tokenizer>> = LazyLock::new(|| {
    tokenizer_of(include_bytes!(concat!(env!("OUT_DIR"), "/cl100k.vocabulary")), CL100K_SPLITS)
});

/// Number of tokens in a text. The first call builds the tokenizer, in about a second.
pub(super) fn count(model: &str, text: &str) -> usize {
    let is_of = |families: &[&str]| families.iter().any(|family| model.starts_with(family));
    if is_of(&BY_O200K) || model.starts_with("o4-") {
        count_by(&O200K, text)
    } else if is_of(&BY_CL100K) {
        count_by(&CL100K, text)
    } else {
        count_by(&O200K, text) * MARGIN.0 / MARGIN.1
    }
}

/// Without its vocabulary, a text has as many tokens as bytes: never too few.
fn count_by(tokenizer: &Option<Tokenizer>, text: &str) -> usize {
    tokenizer.as_ref().map_or(text.len(), |tokenizer| tokenizer.count(text))
}

/// The tokenizer of a vocabulary that `build.rs` wrote.
fn tokenizer_of(vocabulary: &[u8], splits: &str) -> Option<Tokenizer> {
    let mut inflated = Vec::new();
    DeflateDecoder::new(vocabulary).read_to_end(&mut inflated).ok()?;
    let (count, rest) = inflated.split_first_chunk()?;
    let (lengths, mut bytes) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*count)).ok()?)?;
    let mut tokens = Vec::with_capacity(lengths.len());
    for length in lengths {
        let token = bytes.split_off(..usize::from(*length))?;
        tokens.push(token.to_vec());
    }
    let bpe = BytePairEncoding::from_dictionary(tokens, Some(HASH_FACTOR));
    Tokenizer::new_lookahead(bpe, &[(splits, false), (r"\s+\s", true), (r"\s+", false)], false).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_for_known_models_else_with_a_margin() {
        let text = "You can return any product within thirty days.";
        assert_eq!(count("gpt-4o-mini", text), 9);
        assert_eq!(count("gpt-4-turbo", text), 9);
        assert_eq!(count("llama3.2", text), 11);
        assert_eq!(count("gpt-4o", ""), 0);
    }

    #[test]
    fn the_tokenizers_are_those_of_openai() {
        let text = "Zurück in 30 Tagen: it's 1,234.50 €\r\n\n  fn main() {}   \t日本語のテキスト  👍🏽 END ";
        for (built, expected) in [(&O200K, bpe_openai::o200k_base()), (&CL100K, bpe_openai::cl100k_base())] {
            let built = built.as_ref().unwrap();
            assert_eq!(built.bpe.num_tokens(), expected.bpe.num_tokens());
            assert_eq!(built.encode(text), expected.encode(text));
        }
    }
}
