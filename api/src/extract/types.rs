//! The values of which bodies are made, each with its schema.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use parlance_core::ids::{BotId, ChunkId, ConversationId, JobId, KeyId, MessageId, SourceId, TenantId};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::extract::fields::Readable;

mod path;

pub(crate) use path::{PathId, PathSession};

/// Makes a type a value of bodies; the API writes it and never reads it.
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
                Err(ParseError::custom("written, never read"))
            }
        }
    };
}

pub(crate) use value;

/// A schema that is written where it is used.
pub(crate) fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}

/// A moment: RFC 3339, UTC, with `Z`. Always as long, so that its text sorts as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) DateTime<Utc>);

value!([] Timestamp, "string_date-time", inline(MetaSchema::new_with_format("string", "date-time")), |self| {
    self.0.to_rfc3339_opts(SecondsFormat::Micros, true).into()
});

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment)
    }
}

/// An id: a UUID, as a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(String);

value!([] Id, "string_uuid", inline(MetaSchema::new_with_format("string", "uuid")), |self| {
    self.0.clone().into()
});

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

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

impl Readable for Id {
    const EXPECTED: &'static str = "a string";

    fn from_json(json: Value) -> Option<Self> {
        String::from_json(json).map(Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

/// A moment as a client wrote it; the domain reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment(String);

value!([] Moment, "string_moment", inline(MetaSchema::new_with_format("string", "date-time")), |self| {
    self.0.clone().into()
});

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0
    }
}

impl From<&str> for Moment {
    fn from(moment: &str) -> Self {
        Self(moment.to_owned())
    }
}

impl Readable for Moment {
    const EXPECTED: &'static str = "a string";

    fn from_json(json: Value) -> Option<Self> {
        String::from_json(json).map(Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

/// A value that may be `null` and is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrNull<T>(pub(crate) Option<T>);

impl<T> OrNull<T> {
    /// The domain's optional value, as the API shows it.
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
        Err(ParseError::custom("written, never read"))
    }
}

/// An object of the tenant's own making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FreeObject(pub(crate) Value);

value!([] FreeObject, "object", inline(MetaSchema {
    additional_properties: Some(Box::new(inline(MetaSchema::ANY))),
    ..MetaSchema::new("object")
}), |self| {
    self.0.clone()
});

impl Readable for FreeObject {
    const EXPECTED: &'static str = "an object without NUL characters";

    /// Postgres has no room for NUL characters in JSON either.
    fn from_json(json: Value) -> Option<Self> {
        (json.is_object() && !has_nul(&json)).then_some(Self(json))
    }

    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

fn has_nul(json: &Value) -> bool {
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// An address of the web, as a client wrote it; the domain reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(String);

value!([] Address, "string_uri", inline(MetaSchema {
    max_length: Some(2_048),
    ..MetaSchema::new_with_format("string", "uri")
}), |self| {
    self.0.clone().into()
});

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl From<&str> for Address {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl Readable for Address {
    const EXPECTED: &'static str = "a string";

    fn from_json(json: Value) -> Option<Self> {
        String::from_json(json).map(Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

/// The IANA name of a time zone; the domain knows which there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeZone(String);

value!([] TimeZone, "string_timezone", inline(MetaSchema::new_with_format("string", "timezone")), |self| {
    self.0.clone().into()
});

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.0
    }
}

impl Readable for TimeZone {
    const EXPECTED: &'static str = "a string";

    fn from_json(json: Value) -> Option<Self> {
        String::from_json(json).map(Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_utc_with_z() {
        let moment: DateTime<Utc> =
            "2026-01-15T11:30:00+01:00".parse::<DateTime<chrono::FixedOffset>>().unwrap().into();
        assert_eq!(Timestamp(moment).to_json(), Some(json!("2026-01-15T10:30:00.000000Z")));
    }

    #[test]
    fn null_is_written() {
        assert_eq!(OrNull::<Timestamp>(None).to_json(), Some(Value::Null));
    }

    #[test]
    fn an_object_with_nul_anywhere_is_refused() {
        for bad in [json!({"a": "\0"}), json!({"\0": 1}), json!({"a": [{"b": "x\0"}]}), json!([]), json!("a")]
        {
            assert_eq!(FreeObject::from_json(bad), None);
        }
        assert!(FreeObject::from_json(json!({"a": [1, {"b": null}]})).is_some());
    }
}
