//! The words that the API shares with the domain, each vocabulary with its schema.

use std::borrow::Cow;
use std::marker::PhantomData;

use parlance_core::bots::{Channel, Language, Personality, Role};
use parlance_core::tenants::Plan;
use parlance_core::{conversations, knowledge};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::fields::Readable;
use crate::values::{inline, value};

/// A set of words that the API and the domain share.
pub(crate) trait Vocabulary: Send + Sync + 'static {
    /// Every word.
    fn words() -> Vec<&'static str>;
}

macro_rules! vocabularies {
    ($($type:ty: $all:expr;)*) => {$(
        impl Vocabulary for $type {
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
    Channel: Channel::ALL;
    Language: Language::ALL;
    Personality: Personality::ALL;
    Role: Role::ALL;
    Plan: Plan::ALL;
    knowledge::SourceType: [
        knowledge::SourceType::File,
        knowledge::SourceType::Url,
        knowledge::SourceType::Text,
    ];
    knowledge::Status: [
        knowledge::Status::Queued,
        knowledge::Status::Processing,
        knowledge::Status::Ready,
        knowledge::Status::Failed,
        knowledge::Status::Cancelled,
    ];
    conversations::Status: [
        conversations::Status::Active,
        conversations::Status::Ended,
        conversations::Status::Abandoned,
    ];
    conversations::Sender: [conversations::Sender::User, conversations::Sender::Bot];
}

/// A word of a vocabulary. One that a client wrote may be any: the domain knows which are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<V>(Cow<'static, str>, PhantomData<V>);

value!([V: Vocabulary] Word<V>, "string", inline(MetaSchema {
    enum_items: V::words().into_iter().map(Value::from).collect(),
    ..MetaSchema::new("string")
}), |self| {
    self.0.as_ref().into()
});

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
