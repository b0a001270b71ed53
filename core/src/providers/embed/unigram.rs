//! Unigram tokenizer model (Kudo 2018) with its vocabulary in a double-array trie.
//!
//! Produces the same tokens as the `tokenizers` crate in a twentieth of the memory: the crate's trie of hash
//! maps takes 295 MB for the 250,000 pieces of XLM-R.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _};
use tokenizers::models::TrainerWrapper;
use tokenizers::models::unigram::UnigramTrainer;
use tokenizers::{Model, Token};
use yada::DoubleArray;
use yada::builder::DoubleArrayBuilder;

use crate::error::BoxError;

/// Log-probability penalty of an unknown character below the least likely piece, as in sentencepiece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// Vocabulary pieces with their log-probabilities.
pub(super) struct Unigram {
    /// Piece to id.
    pieces: DoubleArray<Vec<u8>>,
    /// Log-probability by piece id.
    scores: Vec<f64>,
    unknown: u32,
    unknown_score: f64,
}

/// Best segmentation that ends at a position, as its last token.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    start: usize,
    id: u32,
}

/// The model section of `tokenizer.json`.
#[derive(serde::Deserialize)]
struct File<'a> {
    r#type: Cow<'a, str>,
    unk_id: u32,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(borrow)]
    vocab: Vec<Piece<'a>>,
}

/// A piece and its score.
#[derive(serde::Deserialize)]
struct Piece<'a>(#[serde(borrow)] Cow<'a, str>, f64);

impl<'de> Deserialize<'de> for Unigram {
    /// Rejects what only the `tokenizers` crate supports: other models and byte fallback.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = File::deserialize(deserializer)?;
        if file.r#type != "Unigram" || file.byte_fallback {
            return Err(D::Error::custom("not a plain Unigram model"));
        }
        Self::build(&file).ok_or_else(|| D::Error::custom("not a valid Unigram model"))
    }
}

impl Unigram {
    fn build(file: &File<'_>) -> Option<Self> {
        let scores: Vec<f64> = file.vocab.iter().map(|Piece(_, score)| *score).collect();
        scores.get(usize::try_from(file.unk_id).ok()?)?;
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let mut pieces: Vec<(&[u8], u32)> =
            file.vocab.iter().zip(0..).map(|(Piece(piece, _), id)| (piece.as_bytes(), id)).collect();
        // The last of duplicate pieces wins.
        pieces.sort_by_key(|(piece, id)| (*piece, std::cmp::Reverse(*id)));
        pieces.dedup_by_key(|(piece, _)| *piece);
        // The trie terminates keys with a zero byte.
        if pieces.iter().any(|(piece, _)| piece.is_empty() || piece.contains(&0)) {
            return None;
        }
        let mut trie = DoubleArrayBuilder::build(&pieces).ok()?;
        trie.shrink_to_fit();
        let pieces = DoubleArray::new(trie).ok()?;
        Some(Self { pieces, scores, unknown: file.unk_id, unknown_score: least - UNKNOWN_PENALTY })
    }

    /// Pieces that are a prefix of a text, shortest first, as (id, length in bytes).
    fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (u32, usize)> + 'a {
        self.pieces.common_prefix_search(text)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        let whole = self.prefixes(piece.as_bytes()).find(|(_, length)| *length == piece.len());
        whole.map(|(id, _)| id)
    }

    /// Best segmentation up to each token end (Viterbi 1967). Ties go to the first one found.
    fn best_paths(&self, text: &str) -> Vec<Option<Best>> {
        let mut paths: Vec<Option<Best>> = vec![None; text.len() + 1];
        for (start, character) in text.char_indices() {
            let score_so_far = match paths.get(start) {
                Some(Some(best)) => best.score,
                _ => 0.0,
            };
            let mut offer = |length: usize, id: u32, score: f64| {
                let score = score_so_far + score;
                if let Some(best) = paths.get_mut(start + length)
                    && best.is_none_or(|best| score > best.score)
                {
                    *best = Some(Best { score, start, id });
                }
            };
            let mut is_known = false;
            for (id, length) in self.prefixes(text.as_bytes().get(start..).unwrap_or_default()) {
                let score = usize::try_from(id).ok().and_then(|id| self.scores.get(id));
                offer(length, id, score.copied().unwrap_or(self.unknown_score));
                is_known |= length == character.len_utf8();
            }
            if !is_known {
                offer(character.len_utf8(), self.unknown, self.unknown_score);
            }
        }
        paths
    }
}

impl Model for Unigram {
    type Trainer = TrainerWrapper;

    /// Consecutive unknown characters form one token.
    fn tokenize(&self, text: &str) -> Result<Vec<Token>, BoxError> {
        let paths = self.best_paths(text);
        let mut tokens: Vec<(u32, usize, usize)> = Vec::new();
        let mut end = text.len();
        while end > 0 {
            let best = paths.get(end).copied().flatten().ok_or("the text ends inside a token")?;
            match tokens.last_mut() {
                Some((id, start, _)) if *id == self.unknown && best.id == self.unknown => *start = best.start,
                _ => tokens.push((best.id, best.start, end)),
            }
            end = best.start;
        }
        let tokens = tokens.into_iter().rev().map(|(id, start, end)| {
            let piece = text.get(start..end).unwrap_or_default();
            let id = if id == self.unknown { self.id(piece).unwrap_or(id) } else { id };
            Token::new(id, piece.to_owned(), (start, end))
        });
        Ok(tokens.collect())
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.id(token)
    }

    /// Unsupported: the trie only maps pieces to ids.
    fn id_to_token(&self, _: u32) -> Option<String> {
        None
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        HashMap::new()
    }

    fn get_vocab_size(&self) -> usize {
        self.scores.len()
    }

    fn save(&self, _: &Path, _: Option<&str>) -> Result<Vec<PathBuf>, BoxError> {
        Err("saving is not supported".into())
    }

    fn get_trainer(&self) -> Self::Trainer {
        TrainerWrapper::UnigramTrainer(UnigramTrainer::default())
    }
}
