//! Values of request fields: how each type is read, and its schema. Limits come from the domain's types.

use std::fmt::Display;
use std::str::FromStr;

use chrono::SecondsFormat;
use parlance_core::analytics::period::TimeZone;
use parlance_core::conversations::{MessageText, Metadata, SessionId};
use parlance_core::field::{Int, Invalid, Text};
use parlance_core::ids::{BotId, SourceId};
use parlance_core::knowledge::SiteUrl;
use parlance_core::knowledge::search::TopK;
use parlance_core::tenants::keys::{Expiry, Scope, Scopes};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde_json::Value as Json;

use crate::extract::enums::Word;
use crate::extract::path::SESSION_PATTERN;
use crate::response::types::inline;

/// A value that a client may send.
pub(crate) trait Value: Sized + Send + Sync {
    /// Whether `Option<Self>` reads a blank string as `None`.
    const BLANK_IS_NONE: bool = false;

    /// The schema.
    fn schema() -> MetaSchemaRef;

    /// Registers the schemas that [`Value::schema`] refers to.
    fn register(_: &mut Registry) {}

    /// Reads a JSON value; `null` is of the wrong type.
    fn from_json(json: Json) -> Result<Self, Invalid>;

    /// Reads a query parameter or a field of a form.
    fn from_text(text: &str) -> Result<Self, Invalid>;

    /// The value as a client sends it, for examples.
    fn to_json(&self) -> Json;
}

fn string(json: Json) -> Result<String, Invalid> {
    if let Json::String(text) = json { Ok(text) } else { Err(Invalid::new("must be a string")) }
}

fn strings(json: Json) -> Result<Vec<String>, Invalid> {
    let wrong = || Invalid::new("must be a list of strings");
    let Json::Array(items) = json else { return Err(wrong()) };
    items.into_iter().map(|item| string(item).map_err(|_| wrong())).collect()
}

/// An optional value: nullable.
impl<T: Value> Value for Option<T> {
    fn schema() -> MetaSchemaRef {
        match T::schema() {
            MetaSchemaRef::Inline(schema) => {
                let min_length = schema.min_length.filter(|_| !T::BLANK_IS_NONE);
                inline(MetaSchema { nullable: true, min_length, ..*schema })
            }
            reference @ MetaSchemaRef::Reference(_) => {
                inline(MetaSchema { nullable: true, all_of: vec![reference], ..MetaSchema::ANY })
            }
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        unless_blank(T::from_json(json))
    }

    fn from_text(text: &str) -> Result<Self, Invalid> {
        unless_blank(T::from_text(text))
    }

    fn to_json(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::to_json)
    }
}

fn unless_blank<T: Value>(parsed: Result<T, Invalid>) -> Result<Option<T>, Invalid> {
    match parsed {
        Err(invalid) if T::BLANK_IS_NONE && invalid.is_blank() => Ok(None),
        parsed => parsed.map(Some),
    }
}

impl Value for bool {
    fn schema() -> MetaSchemaRef {
        <bool as Type>::schema_ref()
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        json.as_bool().ok_or_else(|| Invalid::new("must be true or false"))
    }

    /// Python's `requests` sends `True`, PHP sends `1`.
    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Invalid::new("must be true or false")),
        }
    }

    fn to_json(&self) -> Json {
        (*self).into()
    }
}

fn integer<T: TryFrom<i64, Error = Invalid>>(number: Option<i64>) -> Result<T, Invalid> {
    number.ok_or_else(|| Invalid::new("must be an integer"))?.try_into()
}

fn bounded(min: i64, max: i64) -> MetaSchemaRef {
    inline(MetaSchema {
        minimum: Some(min as f64),
        maximum: (max < i64::MAX).then_some(max as f64),
        ..MetaSchema::new_with_format("integer", "int64")
    })
}

/// Implements [`Value`] for types that are sent as an integer.
macro_rules! integers {
    ($([$($generics:tt)*] $type:ty, $min:expr, $max:expr;)*) => {$(
        impl<$($generics)*> Value for $type {
            fn schema() -> MetaSchemaRef {
                bounded($min, $max)
            }

            fn from_json(json: Json) -> Result<Self, Invalid> {
                integer(json.as_i64())
            }

            fn from_text(text: &str) -> Result<Self, Invalid> {
                integer(text.parse().ok())
            }

            fn to_json(&self) -> Json {
                self.get().into()
            }
        }
    )*};
}

integers! {
    [const MIN: i64, const MAX: i64] Int<MIN, MAX>, MIN, MAX;
    [] TopK, 1, TopK::MAX;
}

/// Implements [`Value`] for types that are sent as a string. Types with `moved` take ownership of the string, without a
/// copy.
macro_rules! strings {
    (@from_json $json:ident $parse:expr) => { Self::from_text(&string($json)?) };
    (@from_json $json:ident $parse:expr, $moved:expr) => { string($json).map($moved) };
    ($([$($generics:tt)*] $type:ty $({ blank is none: $blank:literal })? $({ moved: $moved:expr })?, $schema:expr, $parse:expr, |$value:ident| $text:expr;)*) => {$(
        impl<$($generics)*> Value for $type {
            $(const BLANK_IS_NONE: bool = $blank;)?

            fn schema() -> MetaSchemaRef {
                inline($schema)
            }

            fn from_json(json: Json) -> Result<Self, Invalid> {
                strings!(@from_json json $parse $(, $moved)?)
            }

            fn from_text(text: &str) -> Result<Self, Invalid> {
                $parse(text)
            }

            fn to_json(&self) -> Json {
                let $value = self;
                Json::String($text)
            }
        }
    )*};
}

strings! {
    [] String { moved: |text| text }, MetaSchema::new("string"), |text: &str| Ok(text.to_owned()), |value| value.clone();
    [const MAX: usize] Text<MAX> { blank is none: true },
        MetaSchema { min_length: Some(1), max_length: Some(MAX), ..MetaSchema::new("string") },
        str::parse, |value| value.to_string();
    [] MessageText,
        MetaSchema {
            min_length: Some(1),
            max_length: Some(MessageText::MAX_LENGTH),
            ..MetaSchema::new("string")
        },
        str::parse, |value| value.as_str().to_owned();
    [] DocumentText { moved: Self }, MetaSchema { min_length: Some(1), ..MetaSchema::new("string") },
        |text: &str| Ok(Self(text.to_owned())), |value| value.0.clone();
    [] SessionId, MetaSchema { pattern: Some(SESSION_PATTERN.to_owned()), ..MetaSchema::new("string") },
        str::parse, |value| value.as_str().to_owned();
    [] SiteUrl,
        MetaSchema {
            max_length: Some(SiteUrl::MAX_LENGTH),
            ..MetaSchema::new_with_format("string", "uri")
        },
        str::parse, |value| value.as_str().to_owned();
    [] TimeZone, MetaSchema::new_with_format("string", "timezone"), str::parse, |value| value.name().to_owned();
    [] Expiry, MetaSchema::new_with_format("string", "date-time"), str::parse,
        |value| value.time().to_rfc3339_opts(SecondsFormat::AutoSi, true);
    [] BotId, MetaSchema::new_with_format("string", "uuid"), |text| id(text, "a bot"), |value| value.to_string();
    [] SourceId, MetaSchema::new_with_format("string", "uuid"), |text| id(text, "a knowledge source"),
        |value| value.to_string();
}

/// The text of a source. Checked by [`Original::of_text`](parlance_core::knowledge::Original::of_text), as its
/// type of source decides whether it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentText(pub(crate) String);

/// Parses an id; `what` is the resource's name with its article.
fn id<T: FromStr>(text: &str, what: &str) -> Result<T, Invalid> {
    let text = text.trim();
    text.parse().map_err(|_| {
        let message = format!("must be {what}'s id");
        if text.is_empty() { Invalid::blank(message) } else { Invalid::new(message) }
    })
}

fn list(items: MetaSchemaRef) -> MetaSchemaRef {
    inline(MetaSchema { items: Some(Box::new(items)), min_items: Some(1), ..MetaSchema::new("array") })
}

fn json_list(items: impl IntoIterator<Item = impl Display>) -> Json {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().into()
}

/// Ids of sources: at least one.
impl Value for Vec<SourceId> {
    fn schema() -> MetaSchemaRef {
        list(SourceId::schema())
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        let ids = strings(json)?;
        let ids: Option<Self> = ids.iter().map(|id| id.trim().parse().ok()).collect();
        ids.filter(|ids| !ids.is_empty())
            .ok_or_else(|| Invalid::new("must be a list of knowledge sources' ids"))
    }

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Self::from_json(json_list(text.split(',')))
    }

    fn to_json(&self) -> Json {
        json_list(self)
    }
}

impl Value for Scopes {
    fn schema() -> MetaSchemaRef {
        list(Word::<Scope>::schema_ref())
    }

    fn register(registry: &mut Registry) {
        Word::<Scope>::register(registry);
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        Scopes::parse(strings(json)?.iter().map(String::as_str))
    }

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Scopes::parse(text.split(','))
    }

    fn to_json(&self) -> Json {
        json_list(self.as_slice())
    }
}

impl Value for Metadata {
    fn schema() -> MetaSchemaRef {
        inline(MetaSchema {
            additional_properties: Some(Box::new(inline(MetaSchema::ANY))),
            ..MetaSchema::new("object")
        })
    }

    fn from_json(json: Json) -> Result<Self, Invalid> {
        json.try_into()
    }

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Json::from(text).try_into()
    }

    fn to_json(&self) -> Json {
        self.as_json().clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused<T: Value>(json: Json) -> String {
        T::from_json(json).err().unwrap().to_string()
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        for wrong in [json!(5), json!(true), json!([]), json!({}), json!(null)] {
            assert_eq!(refused::<Text<9>>(wrong), "must be a string");
        }
        for wrong in [json!(1.5), json!("1"), json!(u64::MAX)] {
            assert_eq!(refused::<Int<0, 9>>(wrong), "must be an integer");
        }
        assert_eq!(refused::<bool>(json!("true")), "must be true or false");
        assert_eq!(refused::<Scopes>(json!(["read", 5])), "must be a list of strings");
        assert_eq!(refused::<Vec<SourceId>>(json!([])), "must be a list of knowledge sources' ids");
    }

    #[test]
    fn a_query_is_read_as_common_clients_send_it() {
        for (text, value) in [("true", Some(true)), ("True", Some(true)), ("0", Some(false)), ("yes", None)] {
            assert_eq!(bool::from_text(text).ok(), value);
        }
        for (text, value) in [("20", Some(20)), ("-1", Some(-1)), ("1e3", None), ("", None)] {
            assert_eq!(Int::<-9, 99>::from_text(text).ok().map(Int::get), value);
        }
        assert!(Int::<0, { i64::MAX }>::from_text("99999999999999999999").is_err());
    }

    #[test]
    fn a_blank_id_is_blank_and_another_is_wrong() {
        for (text, is_blank) in [(" ", true), ("nonsense", false)] {
            let invalid = BotId::from_text(text).unwrap_err();
            assert_eq!((invalid.to_string().as_str(), invalid.is_blank()), ("must be a bot's id", is_blank));
            assert!(Option::<BotId>::from_text(text).is_err());
        }
    }

    #[test]
    fn limits_reach_the_schema() {
        let MetaSchemaRef::Inline(text) = Text::<9>::schema() else { panic!() };
        assert_eq!((text.min_length, text.max_length, text.nullable), (Some(1), Some(9), false));
        let MetaSchemaRef::Inline(text) = Option::<Text<9>>::schema() else { panic!() };
        assert_eq!((text.min_length, text.max_length, text.nullable), (None, Some(9), true));
        let MetaSchemaRef::Inline(number) = Int::<1, { i64::MAX }>::schema() else { panic!() };
        assert_eq!((number.minimum, number.maximum), (Some(1.0), None));
    }
}
