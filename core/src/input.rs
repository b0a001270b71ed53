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
    let Some(text) = raw.filter(|text| !is_blank(text)) else { return Ok(None) };
    without_nul(field, &text)?;
    // As it was sent, for so the specification counts.
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("The '{field}' field must be at most {most} characters")));
    }
    Ok(Some(text.trim().to_owned()))
}

/// Postgres stores no NUL in a text.
pub(crate) fn without_nul(field: &'static str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(field, format!("The '{field}' field must not contain NUL characters")));
    }
    Ok(())
}

/// Whether there is nothing to be seen of a text. A NUL is seen, for it is told on its own.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c != '\0'
            && (c.is_whitespace()
                || c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}'))
    })
}

/// A text that may be changed or cleared; blank clears it too.
pub(crate) fn clearable_text(
    field: &'static str,
    raw: Option<Option<String>>,
    most: usize,
) -> Result<Option<Option<String>>> {
    raw.map(|raw| optional_text(field, raw, most)).transpose()
}

/// A value that may be changed and not cleared.
pub(crate) fn not_null<T>(field: &'static str, raw: Option<Option<T>>) -> Result<Option<T>> {
    match raw {
        Some(None) => Err(Error::invalid(field, format!("The '{field}' field must not be null"))),
        other => Ok(other.flatten()),
    }
}

/// A change that changes nothing.
pub(crate) fn nothing_to_change() -> Error {
    Error::invalid("body", "The request body must have at least one field to change")
}

/// An id in a body or a query: one that cannot be an id is wrong, not unknown.
pub(crate) fn optional_id<T: FromStr>(
    field: &'static str,
    what: &str,
    raw: Option<&str>,
) -> Result<Option<T>> {
    let wrong = || Error::invalid(field, format!("The '{field}' field must be {what}'s id"));
    raw.map(|raw| raw.trim().parse().map_err(|_| wrong())).transpose()
}

/// The id of something that must be named.
pub(crate) fn required_id<T: FromStr>(field: &'static str, what: &str, raw: Option<&str>) -> Result<T> {
    let raw = raw.filter(|raw| !raw.trim().is_empty());
    optional_id(field, what, raw)?.ok_or_else(|| Error::Invalid(vec![Problem::missing(field)]))
}

/// A text that may be changed and not cleared.
pub(crate) fn changed_text(
    field: &'static str,
    raw: Option<Option<String>>,
    most: usize,
) -> Result<Option<String>> {
    let Some(raw) = not_null(field, raw)? else { return Ok(None) };
    let text = optional_text(field, Some(raw), most)?;
    text.map(Some).ok_or_else(|| Error::invalid(field, format!("The '{field}' field must not be blank")))
}
