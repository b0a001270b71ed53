//! The words that the API shares with the domain, each vocabulary with its schema.

use std::borrow::Cow;
use std::marker::PhantomData;

use parlance_core::bots::{Channel, Language, Personality, Role, WhenUnsure};
use parlance_core::tenants::Plan;
use parlance_core::tenants::keys::Scope;
use parlance_core::{conversations, jobs, knowledge};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::extract::fields::Readable;

/// A set of words that the API and the domain share.
pub(crate) trait Vocabulary: Send + Sync + 'static {
    /// Its name in the specification.
    const NAME: &'static str;

    /// Every word.
    fn words() -> Vec<&'static str>;
}

macro_rules! vocabularies {
    ($($type:ty, $name:literal: $all:expr;)*) => {$(
        impl Vocabulary for $type {
            const NAME: &'static str = $name;

            fn words() -> Vec<&'static str> {
                $all.iter().map(|word| word.as_str()).collect()
            }
        }

        impl From<$type> for Word<$type> {
            fn from(word: $type) -> Self {
                Self(word.as_str().into(), PhantomData)
            }
        }
    )*};
}

vocabularies! {
    Channel, "ChannelType": Channel::ALL;
    Language, "Language": Language::ALL;
    Personality, "Personality": Personality::ALL;
    Role, "BotRole": Role::ALL;
    WhenUnsure, "WhenUnsure": WhenUnsure::ALL;
    conversations::Confidence, "Confidence": conversations::Confidence::ALL;
    Plan, "Plan": Plan::ALL;
    Scope, "ApiKeyScope": Scope::ALL;
    WrittenType, "WrittenSourceType": WrittenType::ALL;
    knowledge::SourceType, "SourceType": knowledge::SourceType::ALL;
    knowledge::Status, "SourceStatus": [
        knowledge::Status::Queued,
        knowledge::Status::Processing,
        knowledge::Status::Ready,
        knowledge::Status::Failed,
        knowledge::Status::Cancelled,
    ];
    knowledge::search::Mode, "SearchMode": knowledge::search::Mode::ALL;
    knowledge::crawl::PageState, "PageStatus": knowledge::crawl::PageState::ALL;
    jobs::Kind, "JobKind": jobs::Kind::ALL;
    jobs::State, "JobState": jobs::State::ALL;
    conversations::Status, "ConversationStatus": conversations::Status::ALL;
    conversations::Rating, "Rating": conversations::Rating::ALL;
    conversations::Sender, "Sender": [conversations::Sender::User, conversations::Sender::Bot];
}

/// Makes a vocabulary of one word: what may be written where the domain knows more.
macro_rules! one_word {
    ($($(#[$doc:meta])* $type:ident, $name:literal: $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $type;

        impl Vocabulary for $type {
            const NAME: &'static str = $name;

            fn words() -> Vec<&'static str> {
                vec![$word]
            }
        }

        impl From<$type> for Word<$type> {
            fn from(_: $type) -> Self {
                Self($word.into(), PhantomData)
            }
        }
    )*};
}

one_word! {
    /// What a client may make of a conversation.
    Ended, "EndedStatus": "ended";
}

/// The types of sources that are made from JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrittenType {
    Text,
    Url,
}

impl WrittenType {
    const ALL: [WrittenType; 2] = [WrittenType::Text, WrittenType::Url];

    const fn as_str(self) -> &'static str {
        match self {
            WrittenType::Text => "text",
            WrittenType::Url => "url",
        }
    }
}

/// A word of a vocabulary. One that a client wrote may be any: the domain knows which are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<V>(Cow<'static, str>, PhantomData<V>);

impl<V: Vocabulary> Type for Word<V> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        V::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(V::NAME.to_owned())
    }

    /// Named, so that generated clients have one type for it.
    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(V::NAME.to_owned(), |_| MetaSchema {
            enum_items: V::words().into_iter().map(Value::from).collect(),
            ..MetaSchema::new("string")
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<V: Vocabulary> ToJSON for Word<V> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.as_ref().into())
    }
}

impl<V: Vocabulary> serde::Serialize for Word<V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<V: Vocabulary> ParseFromJSON for Word<V> {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("written, never read"))
    }
}

impl<V> From<Word<V>> for String {
    fn from(word: Word<V>) -> Self {
        word.0.into_owned()
    }
}

impl<V: Vocabulary> Readable for Word<V> {
    const EXPECTED: &'static str = "a string";

    fn from_json(json: Value) -> Option<Self> {
        String::from_json(json).map(|text| Self(text.into(), PhantomData))
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned().into(), PhantomData))
    }
}
