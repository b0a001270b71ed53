//! Questions and the knowledge that they are asked of, whatever file they come from.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Bots to be taught, and the questions to be asked of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exam {
    pub(crate) bots: Vec<Lesson>,
    pub(crate) questions: Vec<Question>,
}

/// A bot and all of its documents.
#[derive(Clone, Debug)]
pub(crate) struct Lesson {
    /// The bot's name, unique in an exam.
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) documents: Vec<Document>,
}

/// A file of a bot's knowledge.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// A question, the bot that is asked, and what a right answer is.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) id: String,
    /// The set that it is counted with.
    pub(crate) set: String,
    pub(crate) bot: String,
    /// The language that it is counted with: `es`, or `es-to-en` for a Spanish question to an English bot.
    pub(crate) language: String,
    pub(crate) kind: String,
    pub(crate) class: Class,
    pub(crate) question: String,
    /// Gold facts: a right answer contains any of them. Empty: none is known.
    pub(crate) gold: Vec<String>,
    /// The passages that answer it; empty: the knowledge has no answer.
    pub(crate) expected: Vec<Expected>,
}

/// A passage that answers a question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    /// The source's name.
    pub(crate) source: String,
    /// The passage, as it stands in the source's text; without it any passage of the source will do.
    pub(crate) quote: Option<String>,
    /// Words within the quote that state the fact; without them the whole quote does.
    pub(crate) facts: Vec<String>,
    /// Whether search has found the passage when it finds any part of the source.
    pub(crate) whole_source: bool,
}

/// What the knowledge has to say about a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// It has the answer.
    Answerable,
    /// It has the answer, in another language than the question's.
    CrossLanguage,
    /// It has no answer, though it is about the same thing.
    Unanswerable,
    /// A passage invites a wrong answer: an "impossible" question of SQuAD 2.
    Hard,
    /// The paragraph that answers was left out; its neighbours are there.
    Heldout,
    /// The question is about something else in the set.
    OffTopic,
    /// A customer's question to another company's bot.
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

/// The language label of a question to a bot.
pub(crate) fn language_label(asked: &str, bot: &str) -> String {
    if asked == bot { bot.to_owned() } else { format!("{asked}-to-{bot}") }
}
