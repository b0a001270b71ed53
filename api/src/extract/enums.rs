//! Enums shared with the domain: their names in the specification, and their schemas.

use std::borrow::Cow;

use parlance_core::bots::{Channel, Language, Personality, Role, WhenUnsure};
use parlance_core::field::Invalid;
use parlance_core::knowledge::SourceType;
use parlance_core::tenants::Plan;
use parlance_core::tenants::keys::Scope;
use parlance_core::text_enum::TextEnum;
use parlance_core::{conversations, jobs, knowledge, text_enum};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value as Json;

use crate::extract::values::Value;

/// A [`TextEnum`] with a schema of its own, so that generated clients have one type for it.
pub(crate) trait NamedEnum: TextEnum {
    /// Name of the schema.
    const NAME: &'static str;
}

macro_rules! names {
    ($($name:literal $type:ty;)*) => {$(
        impl NamedEnum for $type {
            const NAME: &'static str = $name;
        }
    )*};
}

names! {
    "ApiKeyScope" Scope;
    "BotRole" Role;
    "ChannelType" Channel;
    "Confidence" conversations::Confidence;
    "ConversationStatus" conversations::Status;
    "EndedStatus" Ended;
    "JobKind" jobs::Kind;
    "JobState" jobs::State;
    "Language" Language;
    "PageStatus" knowledge::crawl::PageState;
    "Personality" Personality;
    "Plan" Plan;
    "Rating" conversations::Rating;
    "SearchMode" knowledge::search::Mode;
    "Sender" conversations::Sender;
    "SourceStatus" knowledge::Status;
    "SourceType" SourceType;
    "WhenUnsure" WhenUnsure;
}

text_enum! {
    /// The only status that a client can set.
    pub(crate) enum Ended {
        /// The conversation takes no more messages.
        Ended = "ended",
    }
}

/// An enum in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<E>(E);

impl<E: NamedEnum> From<E> for Word<E> {
    fn from(value: E) -> Self {
        Self(value)
    }
}

impl<E: NamedEnum> Type for Word<E> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        E::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(E::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        register::<Self>(registry, E::NAME, E::ALL.iter().map(|value| value.as_str()));
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

fn register<T>(registry: &mut Registry, name: &str, words: impl Iterator<Item = &'static str>) {
    registry.create_schema::<T, _>(name.to_owned(), |_| MetaSchema {
        enum_items: words.map(Json::from).collect(),
        ..MetaSchema::new("string")
    });
}

impl<E: NamedEnum> ToJSON for Word<E> {
    fn to_json(&self) -> Option<Json> {
        Some(self.0.as_str().into())
    }
}

impl<E: NamedEnum> serde::Serialize for Word<E> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<E: NamedEnum> ParseFromJSON for Word<E> {
    fn parse_from_json(_: Option<Json>) -> ParseResult<Self> {
        Err(ParseError::custom("responses are not read"))
    }
}

impl<E: NamedEnum + std::str::FromStr<Err = Invalid>> Value for E {
    fn schema() -> MetaSchemaRef {
        Word::<E>::schema_ref()
    }

    fn register(registry: &mut Registry) {
        Word::<E>::register(registry);
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        Self::from_text(&String::from_json(json)?)
    }

    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.parse()
    }

    fn to_json(&self) -> Json {
        self.as_str().into()
    }
}

/// The type of a source in a request. JSON documents two of the types; a form documents the third, `file`, in a
/// schema of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenType(pub(crate) SourceType);

impl WrittenType {
    const NAME: &'static str = "WrittenSourceType";
}

impl Value for WrittenType {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        let types = [SourceType::Text, SourceType::Url];
        register::<Self>(registry, Self::NAME, types.into_iter().map(SourceType::as_str));
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        SourceType::from_json(json).map(Self)
    }

    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self)
    }

    fn to_json(&self) -> Json {
        self.0.as_str().into()
    }
}
