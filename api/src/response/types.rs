//! Types of response fields, with their schemas.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use parlance_core::ids::{BotId, ChunkId, ConversationId, JobId, KeyId, MessageId, SourceId, TenantId};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

/// Implements poem's traits for a type of response fields.
macro_rules! value {
    ([$($generics:tt)*] $type:ty, $name:expr, $schema:expr, |$self:ident| $json:expr) => {
        impl<$($generics)*> Type for $type {
            const IS_REQUIRED: bool = true;

            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                $schema
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl<$($generics)*> ToJSON for $type {
            fn to_json(&$self) -> Option<Value> {
                Some($json)
            }
        }

        impl<$($generics)*> serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&$self, serializer: S) -> Result<S::Ok, S::Error> {
                let json: Value = $json;
                json.serialize(serializer)
            }
        }

        impl<$($generics)*> ParseFromJSON for $type {
            fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
                Err(ParseError::custom("responses are not read"))
            }
        }
    };
}

pub(crate) use value;

/// A schema without a name.
pub(crate) fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}

/// A time: RFC 3339, UTC, with `Z`, microseconds. The fixed length makes the texts sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) DateTime<Utc>);

value!([] Timestamp, "string_date-time", inline(MetaSchema::new_with_format("string", "date-time")), |self| {
    self.0.to_rfc3339_opts(SecondsFormat::Micros, true).into()
});

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

/// An id: a UUID, as a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(String);

value!([] Id, "string_uuid", inline(MetaSchema::new_with_format("string", "uuid")), |self| {
    self.0.clone().into()
});

impl From<&str> for Id {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

macro_rules! ids {
    ($($type:ty)*) => {$(
        impl From<$type> for Id {
            fn from(id: $type) -> Self {
                Self(id.to_string())
            }
        }
    )*};
}

ids!(TenantId KeyId BotId SourceId ChunkId ConversationId MessageId JobId);

/// A nullable field that is always present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrNull<T>(pub(crate) Option<T>);

impl<T> OrNull<T> {
    /// The response of an optional domain value.
    pub(crate) fn of<U: Into<T>>(value: Option<U>) -> Self {
        Self(value.map(Into::into))
    }
}

impl<T: Type> Type for OrNull<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        format!("nullable_{}", T::name()).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        match T::schema_ref() {
            MetaSchemaRef::Inline(schema) => inline(MetaSchema { nullable: true, ..*schema }),
            reference @ MetaSchemaRef::Reference(_) => {
                inline(MetaSchema { nullable: true, all_of: vec![reference], ..MetaSchema::ANY })
            }
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_ref().and_then(Type::as_raw_value)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        Box::new(self.0.iter().flat_map(Type::raw_element_iter))
    }
}

impl<T: ToJSON> ToJSON for OrNull<T> {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.as_ref().and_then(ToJSON::to_json).unwrap_or(Value::Null))
    }
}

impl<T: serde::Serialize> serde::Serialize for OrNull<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Type> ParseFromJSON for OrNull<T> {
    fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("responses are not read"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_utc_with_z() {
        let time: DateTime<Utc> =
            "2026-01-15T11:30:00+01:00".parse::<DateTime<chrono::FixedOffset>>().unwrap().into();
        assert_eq!(Timestamp(time).to_json(), Some(json!("2026-01-15T10:30:00.000000Z")));
    }

    #[test]
    fn null_is_written() {
        assert_eq!(OrNull::<Timestamp>(None).to_json(), Some(Value::Null));
    }
}
