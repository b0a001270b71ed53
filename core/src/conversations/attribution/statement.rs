//! Pure: a sentence of an answer prepared for comparison.

use super::names::names;
use super::{AnswerContext, plain};
use crate::bots::Language;
use crate::conversations::facts::{self, Fact};
use crate::conversations::phrases::{content_words, is_bare_answer, is_courtesy, is_refusal, similar_words};

/// Weight of words taken from the question; they are the customer's and carry little information.
const QUESTION_WORD_WEIGHT: f32 = 0.3;

/// A sentence with fewer content words is read together with the question.
const FEW_WORDS: usize = 3;

/// Role of a sentence in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentenceRole {
    /// Makes a claim and needs support.
    Statement,
    /// Needs no support, but is cited if it has some: a heading, an announcement, "Yes."
    Optional,
    /// Makes no claim: a greeting, a question, code.
    Courtesy,
    /// Refuses to answer.
    Refusal,
}

/// Sentence of an answer prepared for comparison.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Text to embed: the sentence, after the question when it is short.
    pub text: String,
    /// Role.
    pub role: SentenceRole,
    /// Content words with weights.
    pub(super) words: Vec<(String, f32)>,
    /// For a sentence read together with the question: its words that the question lacks.
    pub(super) added: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) language: Option<Language>,
}

impl Statement {
    /// `language` is the sentence's if detected; `default` is the answer's.
    #[must_use]
    pub fn new(
        sentence: &str,
        context: &AnswerContext,
        language: Option<Language>,
        default: Language,
    ) -> Self {
        let plain = plain(sentence);
        let mut facts = facts::of_sentence(&plain, language.unwrap_or(default));
        facts.dedup();
        let own = content_words(&plain);
        let role = role(sentence, &plain, !facts.is_empty(), own.len());
        let is_question_word = |word: &str| {
            context.question_words.iter().any(|question_word| similar_words(question_word, word))
        };
        let weight = |word: &str| if is_question_word(word) { QUESTION_WORD_WEIGHT } else { 1.0 };
        let mut words: Vec<(String, f32)> = own.iter().map(|word| (word.clone(), weight(word))).collect();
        let is_short = own.len() < FEW_WORDS;
        if is_short {
            let unmentioned = context
                .question_words
                .iter()
                .filter(|question_word| !own.iter().any(|word| similar_words(question_word, word)));
            words.extend(unmentioned.map(|word| (word.clone(), QUESTION_WORD_WEIGHT)));
        }
        let is_german = language.unwrap_or(default) == Language::German;
        let names = names(&plain, is_german);
        let added = own.into_iter().filter(|word| is_short && !is_question_word(word)).collect();
        let text = if is_short { format!("{} {plain}", context.question) } else { plain };
        Self { text, role, words, added, names, facts, language }
    }
}

fn role(sentence: &str, plain: &str, has_facts: bool, content: usize) -> SentenceRole {
    let sentence = sentence.trim();
    if is_refusal(plain) {
        return SentenceRole::Refusal;
    }
    if sentence.starts_with("```") || !plain.chars().any(char::is_alphanumeric) {
        return SentenceRole::Courtesy;
    }
    if plain.ends_with('?') || (is_courtesy(plain) && !has_facts) {
        return SentenceRole::Courtesy;
    }
    let is_announcement = plain.trim_end_matches(['*', '_', ' ']).ends_with(':');
    let is_heading = sentence.starts_with('#') || (sentence.starts_with("**") && sentence.ends_with("**"));
    let is_row = sentence.starts_with('|');
    if is_bare_answer(plain) || ((is_announcement || is_heading || is_row || content == 0) && !has_facts) {
        return SentenceRole::Optional;
    }
    SentenceRole::Statement
}
