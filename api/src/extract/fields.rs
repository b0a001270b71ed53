//! The fields of a body and the parameters of a query, as clients really send them.
//!
//! Reading one never fails: a value of the wrong type is noted, so that all that is wrong with a
//! request is told at once, each field by its name.

use std::borrow::Cow;
use std::str::FromStr;

use parlance_core::Error;
use parlance_core::error::{Fault, Problem};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::extract::enums::{Vocabulary, Word};
use crate::extract::types::Id;

/// What a client may write into a field.
pub(crate) trait Readable: Type + Sized {
    /// What is expected, for "The 'name' field must be …".
    const EXPECTED: &'static str;

    /// The value, when the JSON is of the right type.
    fn from_json(json: Value) -> Option<Self>;

    /// The value, when the text of a query or a form can be read as one.
    fn from_text(text: &str) -> Option<Self>;
}

impl Readable for String {
    const EXPECTED: &'static str = "a string";

    fn from_json(json: Value) -> Option<Self> {
        if let Value::String(text) = json { Some(text) } else { None }
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Readable for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_json(json: Value) -> Option<Self> {
        json.as_bool()
    }

    /// Python's `requests` writes `True`, PHP writes `1`.
    fn from_text(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

/// Of words and of ids.
impl<T: Readable> Readable for Vec<T> {
    const EXPECTED: &'static str = "a list of strings";

    fn from_json(json: Value) -> Option<Self> {
        let Value::Array(items) = json else { return None };
        items.into_iter().map(T::from_json).collect()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.split(',').map(|item| T::from_text(item.trim())).collect()
    }
}

impl Readable for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_json(json: Value) -> Option<Self> {
        json.as_i64()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A field of a body or a parameter of a query. `NEEDED` is told in the specification; whether it is
/// there is for the domain to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T, const NEEDED: bool = false> {
    /// It is not there.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It is there.
    Given(T),
    /// It is there, and of another type.
    Wrong,
}

/// A field without which the domain refuses the body.
pub(crate) type Needed<T> = Field<T, true>;

/// Takes fields, one by one, in the order of the reference, and remembers which were of a wrong type.
pub(crate) struct Fields {
    noun: &'static str,
    order: Vec<&'static str>,
    wrong: Vec<Problem>,
    heard: Vec<Problem>,
}

impl Fields {
    pub(crate) fn of_body() -> Self {
        Self::of("field")
    }

    pub(crate) fn of_query() -> Self {
        Self::of("parameter")
    }

    fn of(noun: &'static str) -> Self {
        Self { noun, order: Vec::new(), wrong: Vec::new(), heard: Vec::new() }
    }

    /// The field's value, if it is there and right.
    pub(crate) fn take<T: Readable, const NEEDED: bool>(
        &mut self,
        name: &'static str,
        field: Field<T, NEEDED>,
    ) -> Option<T> {
        self.order.push(name);
        match field {
            Field::Given(value) => Some(value),
            Field::Absent | Field::Null => None,
            Field::Wrong => {
                let noun = self.noun;
                let message = format!("The '{name}' {noun} must be {}", T::EXPECTED);
                self.wrong.push(Problem::wrong(name, message));
                None
            }
        }
    }

    /// The field's value, if it is there and right; `null` is not.
    pub(crate) fn take_not_null<T: Readable, const NEEDED: bool>(
        &mut self,
        name: &'static str,
        field: Field<T, NEEDED>,
    ) -> Option<T> {
        if matches!(field, Field::Null) {
            let message = format!("The '{name}' {} must not be null", self.noun);
            self.wrong.push(Problem::wrong(name, message));
        }
        self.take(name, field)
    }

    /// What the field is to become: absent leaves it as it is, `null` clears it.
    pub(crate) fn change<T: Readable, const NEEDED: bool>(
        &mut self,
        name: &'static str,
        field: Field<T, NEEDED>,
    ) -> Option<Option<T>> {
        let given = !matches!(field, Field::Absent | Field::Wrong);
        let value = self.take(name, field);
        given.then_some(value)
    }

    /// The id of a thing, if the field is there and can be one; `what` is the thing, with its article.
    pub(crate) fn id<T: FromStr>(&mut self, name: &'static str, what: &str, field: Field<Id>) -> Option<T> {
        let raw = String::from(self.take(name, field)?);
        let id = raw.trim().parse().ok();
        if id.is_none() {
            let message = format!("The '{name}' {} must be {what}'s id", self.noun);
            self.heard.push(Problem::wrong(name, message));
        }
        id
    }

    /// The domain's word, if the field is there and one of the vocabulary.
    pub(crate) fn word<V>(&mut self, name: &'static str, field: Field<Word<V>>) -> Option<V>
    where
        V: Vocabulary + FromStr<Err = Error>,
    {
        let parsed = self.take(name, field).map(|word| String::from(word).parse()).transpose();
        if let Err(Error::Invalid(problems)) = parsed {
            // A vocabulary calls itself by the name that its field has elsewhere.
            self.heard.extend(problems.into_iter().map(|problem| match problem.fault {
                Fault::Wrong(message) => Problem::wrong(
                    name,
                    message.replace(&format!("'{}'", problem.field), &format!("'{name}'")),
                ),
                Fault::Missing => Problem::missing(name),
            }));
            return None;
        }
        parsed.ok().flatten()
    }

    /// What the domain made of the fields, unless something is wrong with them: then everything that
    /// is, in the order in which they were taken.
    pub(crate) fn check<V>(self, verdict: Result<V, Error>) -> Result<V, Error> {
        let mut problems = self.heard;
        match verdict {
            Err(Error::Invalid(more)) => problems.extend(more),
            verdict if self.wrong.is_empty() && problems.is_empty() => return verdict,
            _ => {}
        }
        // A field of a wrong type looks absent to the domain, and a body of such fields empty.
        problems.retain(|problem| {
            let told = |wrong: &Problem| wrong.field == problem.field || problem.field == "body";
            !self.wrong.iter().any(told)
        });
        for problem in &mut problems {
            if let Fault::Wrong(message) = &mut problem.fault {
                *message = message.replace("' field", &format!("' {}", self.noun));
            }
        }
        problems.extend(self.wrong);
        let place = |problem: &Problem| self.order.iter().position(|name| *name == problem.field);
        problems.sort_by_key(|problem| place(problem).unwrap_or(usize::MAX));
        Err(Error::Invalid(problems))
    }
}

/// Both, or everything that is wrong with either.
pub(crate) fn both<A, B>(a: Result<A, Error>, b: Result<B, Error>) -> Result<(A, B), Error> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Error::Invalid(mut problems)), Err(Error::Invalid(more))) => {
            problems.extend(more);
            Err(Error::Invalid(problems))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

impl<T: Readable, const NEEDED: bool> Type for Field<T, NEEDED> {
    const IS_REQUIRED: bool = NEEDED;

    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    /// Nothing: validators on a field are told in the specification, and checked by the domain.
    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        None
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl<T: Readable, const NEEDED: bool> ParseFromJSON for Field<T, NEEDED> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(match value {
            None => Field::Absent,
            Some(Value::Null) => Field::Null,
            Some(json) => T::from_json(json).map_or(Field::Wrong, Field::Given),
        })
    }
}

impl<T: Readable, const NEEDED: bool> ParseFromParameter for Field<T, NEEDED> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(T::from_text(value).map_or(Field::Wrong, Field::Given))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(values: I) -> ParseResult<Self> {
        match values.into_iter().next() {
            Some(value) => Self::parse_from_parameter(value.as_ref()),
            None => Ok(Field::Absent),
        }
    }
}

impl<T: Readable + ToJSON, const NEEDED: bool> ToJSON for Field<T, NEEDED> {
    fn to_json(&self) -> Option<Value> {
        match self {
            Field::Given(value) => value.to_json(),
            Field::Absent | Field::Null | Field::Wrong => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: Readable>(json: Value) -> Field<T> {
        Field::parse_from_json(Some(json)).ok().unwrap()
    }

    #[test]
    fn a_value_of_another_type_is_wrong_and_null_is_not_absent() {
        assert_eq!(read::<String>(json!("a")), Field::Given("a".to_owned()));
        assert_eq!(read::<String>(json!(null)), Field::Null);
        for wrong in [json!(5), json!(true), json!([]), json!({})] {
            assert_eq!(read::<String>(wrong), Field::Wrong);
        }
        for wrong in [json!(1.5), json!("1"), json!(u64::MAX)] {
            assert_eq!(read::<i64>(wrong), Field::Wrong);
        }
        assert_eq!(read::<bool>(json!("true")), Field::Wrong);
    }

    #[test]
    fn a_query_reads_what_common_clients_write() {
        for (text, value) in [("true", Some(true)), ("True", Some(true)), ("0", Some(false)), ("yes", None)] {
            assert_eq!(bool::from_text(text), value);
        }
        for (text, value) in [("20", Some(20)), ("-1", Some(-1)), ("1e3", None), ("", None)] {
            assert_eq!(i64::from_text(text), value);
        }
        assert_eq!(i64::from_text("99999999999999999999"), None);
    }

    #[test]
    fn everything_wrong_is_told_in_the_order_of_the_fields() {
        let mut fields = Fields::of_body();
        let none: Option<String> = fields.take("first", Field::<String>::Absent);
        assert_eq!(none, None);
        fields.take("second", Field::<bool>::Wrong);
        fields.take("third", Field::<String>::Wrong);
        let verdict = Err(Error::Invalid(vec![Problem::missing("third"), Problem::missing("first")]));
        let Err(Error::Invalid(problems)) = fields.check::<()>(verdict) else { panic!() };
        assert_eq!(
            problems,
            [
                Problem::missing("first"),
                Problem::wrong("second", "The 'second' field must be true or false"),
                Problem::wrong("third", "The 'third' field must be a string"),
            ]
        );
    }

    #[test]
    fn a_wrong_field_that_the_domain_does_not_miss_is_wrong_all_the_same() {
        let mut fields = Fields::of_query();
        fields.take("page", Field::<i64>::Wrong);
        let Err(Error::Invalid(problems)) = fields.check(Ok(())) else { panic!() };
        assert_eq!(problems, [Problem::wrong("page", "The 'page' parameter must be an integer")]);
    }
}
