//! An evaluation suite: bots and questions, independent of the file format.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Bots to create and questions to ask them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suite {
    pub(crate) bots: Vec<BotSpec>,
    pub(crate) questions: Vec<Question>,
}

/// A bot and its documents.
#[derive(Clone, Debug)]
pub(crate) struct BotSpec {
    /// Unique within a suite.
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) documents: Vec<Document>,
}

/// A document of a bot.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// A question, its bot and its expected answer.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) id: String,
    /// Set in the report.
    pub(crate) set: String,
    pub(crate) bot: String,
    /// Language in the report: `es`, or `es-to-en` for a Spanish question to an English bot.
    pub(crate) language: String,
    pub(crate) kind: String,
    pub(crate) class: Class,
    pub(crate) question: String,
    /// Gold facts: a right answer contains one of them. Empty: none is known.
    pub(crate) gold: Vec<String>,
    /// Passages that answer the question. Empty: the knowledge has no answer.
    pub(crate) expected: Vec<Expected>,
}

/// A passage that answers a question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// Source name.
    pub(crate) source: String,
    /// Exact text of the passage in the source. `None`: any passage of the source.
    pub(crate) quote: Option<String>,
    /// Parts of the quote that state the fact. Empty: the whole quote.
    pub(crate) facts: Vec<String>,
    /// Whether any part of the source counts as found by search.
    pub(crate) whole_source: bool,
}

/// Relation between a question and the knowledge of its bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// The knowledge has the answer.
    Answerable,
    /// The knowledge has the answer, in another language.
    CrossLanguage,
    /// The knowledge covers the topic but not the answer.
    Unanswerable,
    /// A passage suggests a wrong answer: an "impossible" question of SQuAD 2.
    Hard,
    /// The answering paragraph was left out; its neighbours are present.
    Heldout,
    /// The question is about another topic of the set.
    OffTopic,
    /// A customer question for another company.
    OffNatural,
}

impl Class {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Class::Answerable => "answerable",
            Class::CrossLanguage => "cross_language",
            Class::Unanswerable => "unanswerable",
            Class::Hard => "hard",
            Class::Heldout => "heldout",
            Class::OffTopic => "off_topic",
            Class::OffNatural => "off_natural",
        }
    }

    /// Whether the knowledge has an answer.
    pub(crate) const fn has_answer(self) -> bool {
        matches!(self, Class::Answerable | Class::CrossLanguage)
    }
}

/// Language label of a question: `es`, or `es-to-en` across languages.
pub(crate) fn language_label(question: &str, bot: &str) -> String {
    if question == bot { bot.to_owned() } else { format!("{question}-to-{bot}") }
}
