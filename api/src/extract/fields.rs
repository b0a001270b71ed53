//! Fields of bodies and parameters of queries.
//!
//! Reading one never fails: an invalid value stays in its field until a handler takes it, so that one response
//! lists everything wrong with a request.

use std::borrow::Cow;
use std::fmt::Display;

use parlance_core::error::Problem;
use parlance_core::field::Invalid;
use parlance_core::{Error, Result};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value as Json;

use crate::extract::values::Value;

/// A field of a body or a parameter of a query. `REQUIRED` is for the specification; see [`Fields::required`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T, const REQUIRED: bool = false> {
    /// Not sent.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A valid value.
    Given(T),
    /// A value that is not valid.
    Invalid(Invalid),
}

/// A field that a body must have.
pub(crate) type Required<T> = Field<T, true>;

impl<T: Value, const REQUIRED: bool> Field<T, REQUIRED> {
    /// A field of a form or a query.
    pub(crate) fn from_text(text: Option<&str>) -> Self {
        text.map_or(Field::Absent, |text| T::from_text(text).into())
    }

    /// A field whose value is not of the expected type.
    pub(crate) fn of_wrong_type() -> Self {
        T::from_json(Json::Null).into()
    }
}

impl<T, const REQUIRED: bool> From<std::result::Result<T, Invalid>> for Field<T, REQUIRED> {
    fn from(parsed: std::result::Result<T, Invalid>) -> Self {
        parsed.map_or_else(Field::Invalid, Field::Given)
    }
}

/// Takes fields one by one, in the order of the reference, and collects their problems.
///
/// The methods that take a field return `None` after noting a problem; [`Fields::finish`] fails then.
pub(crate) struct Fields {
    noun: &'static str,
    order: Vec<&'static str>,
    problems: Vec<Problem>,
    failure: Option<Error>,
}

impl Fields {
    pub(crate) fn of_body() -> Self {
        Self::new("field")
    }

    pub(crate) fn of_query() -> Self {
        Self::new("parameter")
    }

    fn new(noun: &'static str) -> Self {
        Self { noun, order: Vec::new(), problems: Vec::new(), failure: None }
    }

    /// The value; absent, `null` and blank are problems.
    pub(crate) fn required<T, const REQUIRED: bool>(
        &mut self,
        name: &'static str,
        field: Field<T, REQUIRED>,
    ) -> Option<T> {
        self.order.push(name);
        match field {
            Field::Given(value) => Some(value),
            Field::Absent | Field::Null => self.missing(name),
            Field::Invalid(invalid) if invalid.is_blank() => self.missing(name),
            Field::Invalid(invalid) => self.wrong(name, invalid),
        }
    }

    /// The value, or `None` for `null`; absent is a problem.
    pub(crate) fn required_or_null<T, const REQUIRED: bool>(
        &mut self,
        name: &'static str,
        field: Field<Option<T>, REQUIRED>,
    ) -> Option<Option<T>> {
        self.change(name, field)?.or_else(|| self.missing(name))
    }

    /// The value, or `None` for absent and `null`.
    pub(crate) fn optional<T, const REQUIRED: bool>(
        &mut self,
        name: &'static str,
        field: Field<Option<T>, REQUIRED>,
    ) -> Option<Option<T>> {
        self.change(name, field).map(Option::flatten)
    }

    /// The change of an optional field: absent keeps it (`None`), `null` clears it (`Some(None)`).
    pub(crate) fn change<T, const REQUIRED: bool>(
        &mut self,
        name: &'static str,
        field: Field<Option<T>, REQUIRED>,
    ) -> Option<Option<Option<T>>> {
        self.order.push(name);
        match field {
            Field::Absent => Some(None),
            Field::Null => Some(Some(None)),
            Field::Given(value) => Some(Some(value)),
            Field::Invalid(invalid) => self.wrong(name, invalid),
        }
    }

    /// The value, or `None` for absent; `null` is a problem.
    pub(crate) fn not_null<T, const REQUIRED: bool>(
        &mut self,
        name: &'static str,
        field: Field<T, REQUIRED>,
    ) -> Option<Option<T>> {
        self.order.push(name);
        match field {
            Field::Absent => Some(None),
            Field::Given(value) => Some(Some(value)),
            Field::Null => self.wrong(name, "must not be null"),
            Field::Invalid(invalid) => self.wrong(name, invalid),
        }
    }

    /// As [`Fields::not_null`], with a blank value counted as absent.
    pub(crate) fn not_null_or_blank<T, const REQUIRED: bool>(
        &mut self,
        name: &'static str,
        field: Field<T, REQUIRED>,
    ) -> Option<Option<T>> {
        match field {
            Field::Invalid(invalid) if invalid.is_blank() => {
                self.not_null(name, Field::<T, REQUIRED>::Absent)
            }
            field => self.not_null(name, field),
        }
    }

    /// The value of a query parameter, or `None` for absent.
    pub(crate) fn parameter<T>(&mut self, name: &'static str, field: Field<T>) -> Option<Option<T>> {
        self.not_null(name, field)
    }

    /// The value of a check that spans fields; its problems are collected.
    pub(crate) fn check<T>(&mut self, checked: Result<T>) -> Option<T> {
        match checked {
            Ok(value) => return Some(value),
            Err(Error::Invalid(problems)) => self.problems.extend(problems),
            Err(error) => self.failure = self.failure.take().or(Some(error)),
        }
        None
    }

    /// Notes that a field is required and absent.
    pub(crate) fn missing<T>(&mut self, name: &'static str) -> Option<T> {
        self.problems.push(Problem::missing(name));
        None
    }

    fn wrong<T>(&mut self, name: &'static str, message: impl Display) -> Option<T> {
        let message = format!("The '{name}' {} {message}", self.noun);
        self.problems.push(Problem::wrong(name, message));
        None
    }

    /// The domain's value of the fields that were taken.
    ///
    /// # Errors
    /// The first failed check that is not about a field; else [`Error::Invalid`] with every problem, in the
    /// order in which the fields were taken.
    pub(crate) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let mut problems = self.problems;
        if problems.is_empty() {
            return build().ok_or_else(|| Error::internal("reading a request", "a field without a problem"));
        }
        let place = |problem: &Problem| self.order.iter().position(|name| *name == problem.field);
        problems.sort_by_key(|problem| place(problem).unwrap_or(usize::MAX));
        Err(Error::Invalid(problems))
    }
}

impl<T: Value, const REQUIRED: bool> Type for Field<T, REQUIRED> {
    const IS_REQUIRED: bool = REQUIRED;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "field".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    /// `None`: poem checks nothing, since values are checked when they are parsed.
    fn as_raw_value(&self) -> Option<&Self> {
        None
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl<T: Value, const REQUIRED: bool> ParseFromJSON for Field<T, REQUIRED> {
    fn parse_from_json(value: Option<Json>) -> ParseResult<Self> {
        Ok(match value {
            None => Field::Absent,
            Some(Json::Null) => Field::Null,
            Some(json) => T::from_json(json).into(),
        })
    }
}

impl<T: Value, const REQUIRED: bool> ParseFromParameter for Field<T, REQUIRED> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self::from_text(Some(value)))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(values: I) -> ParseResult<Self> {
        Ok(Self::from_text(values.into_iter().next().as_ref().map(AsRef::as_ref)))
    }
}

impl<T: Value, const REQUIRED: bool> ToJSON for Field<T, REQUIRED> {
    fn to_json(&self) -> Option<Json> {
        match self {
            Field::Given(value) => Some(value.to_json()),
            Field::Absent | Field::Null | Field::Invalid(_) => None,
        }
    }
}

/// The fields of a request with problems, in order.
#[cfg(test)]
pub(crate) fn wrong_fields<T: std::fmt::Debug>(parsed: Result<T>) -> Vec<&'static str> {
    let Err(Error::Invalid(problems)) = parsed else { panic!("{parsed:?}") };
    problems.iter().map(|problem| problem.field).collect()
}

#[cfg(test)]
mod tests {
    use parlance_core::field::{Int, Text};
    use serde_json::json;

    use super::*;

    fn read<T: Value>(json: Json) -> Field<T> {
        Field::parse_from_json(Some(json)).ok().unwrap()
    }

    fn problems(fields: Fields) -> Vec<Problem> {
        let Err(Error::Invalid(problems)) = fields.finish(|| Some(())) else { panic!() };
        problems
    }

    #[test]
    fn problems_are_listed_in_the_order_of_the_fields() {
        let mut fields = Fields::of_body();
        assert_eq!(fields.required("first", Field::<String>::Absent), None);
        assert_eq!(fields.not_null("second", read::<bool>(json!(5))), None);
        assert_eq!(fields.optional("third", read::<Option<String>>(json!(5))), None);
        assert_eq!(fields.check::<()>(Err(Error::invalid("second", "Second again"))), None);
        assert_eq!(
            problems(fields),
            [
                Problem::missing("first"),
                Problem::wrong("second", "The 'second' field must be true or false"),
                Problem::wrong("second", "Second again"),
                Problem::wrong("third", "The 'third' field must be a string"),
            ]
        );
    }

    #[test]
    fn a_query_has_parameters() {
        let mut fields = Fields::of_query();
        fields.parameter("page", Field::<Int<1, 9>>::from_text(Some("x")));
        assert_eq!(problems(fields), [Problem::wrong("page", "The 'page' parameter must be an integer")]);
    }

    #[test]
    fn absent_keeps_null_clears_and_blank_depends_on_the_field() {
        let text = |json: Option<Json>| Field::<Option<Text<9>>>::parse_from_json(json).ok().unwrap();
        let mut fields = Fields::of_body();
        assert_eq!(fields.change("a", text(None)), Some(None));
        assert_eq!(fields.change("a", text(Some(json!(null)))), Some(Some(None)));
        assert_eq!(fields.change("a", text(Some(json!(" ")))), Some(Some(None)));
        assert_eq!(fields.optional("a", text(Some(json!(null)))), Some(None));
        assert_eq!(fields.not_null_or_blank("a", read::<Text<9>>(json!(" "))), Some(None));
        assert_eq!(fields.not_null("name", read::<Text<9>>(json!(" "))), None);
        assert_eq!(fields.not_null("null", read::<Text<9>>(json!(null))), None);
        assert_eq!(fields.required("blank", read::<Text<9>>(json!(" "))), None);
        assert_eq!(fields.required_or_null("absent", text(None)), None);
        assert_eq!(
            problems(fields),
            [
                Problem::wrong("name", "The 'name' field must not be blank"),
                Problem::wrong("null", "The 'null' field must not be null"),
                Problem::missing("blank"),
                Problem::missing("absent"),
            ]
        );
    }

    #[test]
    fn a_failed_check_wins_over_problems() {
        let mut fields = Fields::of_body();
        fields.missing::<()>("name");
        fields.check::<()>(Err(Error::TooLarge { limit_bytes: 1 }));
        assert!(matches!(fields.finish(|| Some(())), Err(Error::TooLarge { .. })));
    }
}
