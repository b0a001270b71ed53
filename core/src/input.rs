//! Raw input is parsed once, at the edge; these collect everything that is wrong with it.

use std::str::FromStr;

use crate::error::{Error, Problem, Result};

/// Collects what is wrong while going on with what is right.
pub(crate) trait Collect {
    /// The value, or none after noting its problems.
    fn take<T>(&mut self, parsed: Result<T>) -> Option<T>;
}

impl Collect for Vec<Problem> {
    fn take<T>(&mut self, parsed: Result<T>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(Error::Invalid(problems)) => {
                self.extend(problems);
                None
            }
            Err(other) => {
                self.push(Problem::wrong("body", other.to_string()));
                None
            }
        }
    }
}

/// A word that must be there.
pub(crate) fn required<T: FromStr<Err = Error>>(field: &'static str, raw: Option<String>) -> Result<T> {
    raw.ok_or_else(|| Error::Invalid(vec![Problem::missing(field)]))?.parse()
}

/// A word that may be absent.
pub(crate) fn optional<T: FromStr<Err = Error>>(raw: Option<String>) -> Result<Option<T>> {
    raw.map(|raw| raw.parse()).transpose()
}

/// A text that must be there and not blank.
pub(crate) fn required_text(field: &'static str, raw: Option<String>, most: usize) -> Result<String> {
    optional_text(field, raw, most)?.ok_or_else(|| Error::Invalid(vec![Problem::missing(field)]))
}

/// The text, trimmed; blank is none.
pub(crate) fn optional_text(field: &'static str, raw: Option<String>, most: usize) -> Result<Option<String>> {
    let Some(text) = raw.map(|raw| raw.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.contains('\0') {
        return Err(Error::invalid(field, format!("The '{field}' field must not contain NUL characters")));
    }
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("The '{field}' field must be at most {most} characters")));
    }
    Ok(Some(text))
}
