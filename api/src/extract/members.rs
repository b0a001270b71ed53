//! The known members of a JSON object. Others are checked and skipped without being stored.
//!
//! A tree of [`Value`]s takes up to sixty times the bytes of its text. Unknown members are not built; known members may
//! hold at most [`MAX_VALUES`] values. serde_json limits the depth to 128.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Maximum number of values in the known members of a body, counting members and elements at every level. The largest
/// metadata of a conversation has 2,048.
pub(crate) const MAX_VALUES: usize = 2_500;

/// Names of the members of `T`, from its schema.
pub(crate) fn names_of<T: Type + 'static>() -> Arc<[String]> {
    static NAMES: LazyLock<Mutex<HashMap<TypeId, Arc<[String]>>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(TypeId::of::<T>()).or_insert_with(schema_names::<T>).clone()
}

fn schema_names<T: Type>() -> Arc<[String]> {
    let mut registry = Registry::new();
    T::register(&mut registry);
    let schema = match T::schema_ref() {
        MetaSchemaRef::Reference(name) => registry.schemas.remove(&name),
        MetaSchemaRef::Inline(schema) => Some(*schema),
    };
    let properties = schema.map(|schema| schema.properties).unwrap_or_default();
    properties.into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// Reads the members with these names; the last of equal names counts. `None`: the text is JSON, but not an object.
///
/// # Errors
/// When the text is not JSON, is nested too deeply, or has more than [`MAX_VALUES`] values in known members.
pub(crate) fn read(bytes: &[u8], names: &[String]) -> serde_json::Result<Option<Map<String, Value>>> {
    let mut left = MAX_VALUES;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let members = Members { names, left: &mut left }.deserialize(&mut json)?;
    json.end()?;
    Ok(members)
}

/// The top level of a body.
struct Members<'a> {
    names: &'a [String],
    left: &'a mut usize,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Option<Map<String, Value>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

/// Implements the methods of [`Visitor`] for scalar values by one expression.
macro_rules! scalars {
    ($result:expr) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($result)
        }
    };
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Option<Map<String, Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    scalars!(None);

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Skipped.visit_seq(items)?;
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(known) = json.next_key_seed(KnownName(self.names))? {
            match known {
                Some(name) => {
                    // Drop the earlier value before the repeated member is read, so that two large ones never exist at
                    // once.
                    members.remove(name);
                    let value = json.next_value_seed(Kept { left: self.left })?;
                    members.insert(name.to_owned(), value);
                }
                None => json.next_value_seed(Skipped)?,
            }
        }
        Ok(Some(members))
    }
}

/// The name of a member, if it is known.
struct KnownName<'a>(&'a [String]);

impl<'de, 'a> DeserializeSeed<'de> for KnownName<'a> {
    type Value = Option<&'a str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for KnownName<'a> {
    type Value = Option<&'a str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, sent: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|name| *name == sent).map(String::as_str))
    }
}

/// A skipped value: checked as strictly as a kept one, and not stored.
#[derive(Clone, Copy)]
pub(crate) struct Skipped;

impl<'de> DeserializeSeed<'de> for Skipped {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    scalars!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key_seed(KnownName(&[]))?.is_some() {
            members.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// A value of a known member.
struct Kept<'a> {
    /// Number of values that may still be kept.
    left: &'a mut usize,
}

impl Kept<'_> {
    fn part(&mut self) -> Kept<'_> {
        Kept { left: self.left }
    }
}

impl<'de> DeserializeSeed<'de> for Kept<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        *self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| D::Error::custom(format_args!("its fields hold more than {MAX_VALUES} values")))?;
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kept<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(self.part())? {
            kept.push(item);
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            kept.insert(name, members.next_value_seed(self.part())?);
        }
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::routes::bots::requests::CreateBot;
    use crate::routes::conversations::requests::SendMessage;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn known(text: &str) -> serde_json::Result<Option<Map<String, Value>>> {
        read(text.as_bytes(), &names(&["a", "b"]))
    }

    #[test]
    fn the_names_of_a_body_are_those_of_its_schema() {
        let bot = names_of::<CreateBot>();
        assert!(bot.contains(&"name".to_owned()) && bot.contains(&"system_prompt".to_owned()), "{bot:?}");
        let message = names_of::<SendMessage>();
        assert!(message.contains(&"message".to_owned()), "{message:?}");
        assert!(message.contains(&"metadata".to_owned()), "a flattened member: {message:?}");
    }

    #[test]
    fn known_members_are_read_like_a_value_tree() {
        let text = r#"{"a":[1,-2,3.5,true,null,"\u00e4\n",{"x":{},"x":1}],"other":{"a":[{}]},"b":1,"b":18446744073709551615}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        let read = known(text).unwrap().unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((&read["a"], &read["b"]), (&expected["a"], &expected["b"]));
        assert_eq!(known("[{\"a\":1}]").unwrap(), None);
        assert_eq!(known(" 5 ").unwrap(), None);
    }

    #[test]
    fn skipped_members_must_be_valid_json() {
        for value in ["1e999", "\"\\ud800\"", "[1,]", "{\"x\"}", "nul", "\"\u{1}\"", "{1:2}"] {
            let text = format!("{{\"other\":{value}}}");
            let error = known(&text).unwrap_err().to_string();
            assert_eq!(error, serde_json::from_str::<Value>(&text).unwrap_err().to_string(), "{text}");
        }
        let deep = format!("{{\"other\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(known(&deep).unwrap_err().to_string().contains("recursion limit"));
        assert!(known("{} x").is_err());
    }

    #[test]
    fn the_number_of_values_in_known_members_is_bounded() {
        let list = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        let text = |name: &str, count| format!("{{\"{name}\":{}}}", list(count));
        assert_eq!(known(&text("a", MAX_VALUES - 1)).unwrap().unwrap()["a"][1], json!(0));
        let error = known(&text("a", MAX_VALUES)).unwrap_err().to_string();
        assert!(error.starts_with("its fields hold more than 2500 values"), "{error}");
        assert!(known(&text("other", 10 * MAX_VALUES)).is_ok());
    }
}
