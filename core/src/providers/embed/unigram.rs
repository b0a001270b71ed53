//! The Unigram model of a tokenizer (Kudo 2018) with its pieces in a double-array trie: a twentieth of
//! the memory of the one in the `tokenizers` crate, whose trie is of hash maps (295 MB for the 250,000
//! pieces of XLM-R), and the same tokens.

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

/// How much less likely than the least likely piece an unknown character is, as in sentencepiece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// Pieces and how likely each is.
pub(super) struct Unigram {
    /// The id of each piece.
    pieces: DoubleArray<Vec<u8>>,
    /// The logarithm of the likelihood of each piece, by its id.
    scores: Vec<f64>,
    unknown: u32,
    unknown_score: f64,
}

/// The likeliest way to a place in a text: its last token.
#[derive(Clone, Copy)]
struct Way {
    score: f64,
    start: usize,
    id: u32,
}

/// What stands in `tokenizer.json`.
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
    /// Refuses what only the `tokenizers` crate knows: other models, and bytes as tokens.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = File::deserialize(deserializer)?;
        if file.r#type != "Unigram" || file.byte_fallback {
            return Err(D::Error::custom("not a plain Unigram model"));
        }
        Self::build(&file).ok_or_else(|| D::Error::custom("not a sound Unigram model"))
    }
}

impl Unigram {
    fn build(file: &File<'_>) -> Option<Self> {
        let scores: Vec<f64> = file.vocab.iter().map(|Piece(_, score)| *score).collect();
        scores.get(usize::try_from(file.unk_id).ok()?)?;
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let mut pieces: Vec<(&[u8], u32)> =
            file.vocab.iter().zip(0..).map(|(Piece(piece, _), id)| (piece.as_bytes(), id)).collect();
        // Of pieces that are there twice the last counts.
        pieces.sort_by_key(|(piece, id)| (*piece, std::cmp::Reverse(*id)));
        pieces.dedup_by_key(|(piece, _)| *piece);
        // The trie ends keys with a zero.
        if pieces.iter().any(|(piece, _)| piece.is_empty() || piece.contains(&0)) {
            return None;
        }
        let mut trie = DoubleArrayBuilder::build(&pieces).ok()?;
        trie.shrink_to_fit();
        let pieces = DoubleArray::new(trie).ok()?;
        Some(Self { pieces, scores, unknown: file.unk_id, unknown_score: least - UNKNOWN_PENALTY })
    }

    /// The pieces that a text begins with, shortest first: the id and the length of each.
    fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (u32, usize)> + 'a {
        self.pieces.common_prefix_search(text)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        let whole = self.prefixes(piece.as_bytes()).find(|(_, length)| *length == piece.len());
        whole.map(|(id, _)| id)
    }

    /// The likeliest way to each end of a token (Viterbi 1967). Of equally likely ones the first that is
    /// found counts.
    fn ways(&self, text: &str) -> Vec<Option<Way>> {
        let mut ways: Vec<Option<Way>> = vec![None; text.len() + 1];
        for (start, character) in text.char_indices() {
            let so_far = match ways.get(start) {
                Some(Some(way)) => way.score,
                _ => 0.0,
            };
            let mut offer = |length: usize, id: u32, score: f64| {
                let score = so_far + score;
                if let Some(way) = ways.get_mut(start + length)
                    && way.is_none_or(|way| score > way.score)
                {
                    *way = Some(Way { score, start, id });
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
        ways
    }
}

impl Model for Unigram {
    type Trainer = TrainerWrapper;

    /// Unknown characters in a row are one token.
    fn tokenize(&self, text: &str) -> Result<Vec<Token>, BoxError> {
        let ways = self.ways(text);
        let mut tokens: Vec<(u32, usize, usize)> = Vec::new();
        let mut end = text.len();
        while end > 0 {
            let way = ways.get(end).copied().flatten().ok_or("a text ends within a token")?;
            match tokens.last_mut() {
                Some((id, start, _)) if *id == self.unknown && way.id == self.unknown => *start = way.start,
                _ => tokens.push((way.id, way.start, end)),
            }
            end = way.start;
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

    /// Pieces are found by their text alone.
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
        Err("a compact model is not saved".into())
    }

    fn get_trainer(&self) -> Self::Trainer {
        TrainerWrapper::UnigramTrainer(UnigramTrainer::default())
    }
}
