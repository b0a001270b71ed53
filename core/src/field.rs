//! Types of request fields. Parsing a field validates it; no later check is needed.
//!
//! Pure. `openapi.json` takes the limits from the types.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::error::{Error, Problem};

/// Reason for rejecting a value: the end of the sentence "The 'name' field …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    message: Cow<'static, str>,
    is_blank: bool,
}

impl Invalid {
    /// An invalid value; `message` states the requirement ("must be at most 255 characters").
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), is_blank: false }
    }

    /// A blank text. It counts as missing in a required field; `message` applies to optional fields.
    pub fn blank(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), is_blank: true }
    }

    /// Whether the text was blank.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// Converts to the error for a required field.
    #[must_use]
    pub fn in_field(self, field: &'static str) -> Error {
        if self.is_blank {
            return Error::Invalid(vec![Problem::missing(field)]);
        }
        Error::invalid(field, format!("The '{field}' field {self}"))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

/// A trimmed text with at least one visible character and no NUL. At most `MAX` characters, counted before
/// trimming, as in the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(String);

/// The name of a bot, an API key, a source or a tenant.
pub type Name = Text<255>;

impl<const MAX: usize> Text<MAX> {
    /// Maximum length in characters.
    pub const MAX_LENGTH: usize = MAX;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        if is_blank(raw) {
            return Err(Invalid::blank("must not be blank"));
        }
        without_nul(raw)?;
        if raw.chars().count() > MAX {
            return Err(Invalid::new(format!("must be at most {MAX} characters")));
        }
        Ok(Self(raw.trim().to_owned()))
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

/// An integer from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// Clamps `value` to the range. `const`, for defaults.
    #[must_use]
    pub const fn nearest(value: i64) -> Self {
        Self(if value < MIN {
            MIN
        } else if value > MAX {
            MAX
        } else {
            value
        })
    }

    /// The integer.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> TryFrom<i64> for Int<MIN, MAX> {
    type Error = Invalid;

    fn try_from(raw: i64) -> Result<Self, Invalid> {
        if (MIN..=MAX).contains(&raw) {
            return Ok(Self(raw));
        }
        Err(Invalid::new(if MAX == i64::MAX {
            format!("must be {MIN} or more")
        } else {
            format!("must be between {MIN} and {MAX}")
        }))
    }
}

/// Rejects NUL characters, which Postgres cannot store in a text.
pub(crate) fn without_nul(text: &str) -> Result<(), Invalid> {
    if text.contains('\0') {
        return Err(Invalid::new("must not contain NUL characters"));
    }
    Ok(())
}

/// Whether a text has no visible characters. NUL is not blank: it has its own error.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c != '\0'
            && (c.is_whitespace()
                || c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}'))
    })
}

/// Error for a change request without fields.
pub(crate) fn nothing_to_change() -> Error {
    Error::invalid("body", "The request body must have at least one field to change")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_counted_as_sent() {
        let parse =
            |raw: &str| raw.parse::<Text<3>>().map(String::from).map_err(|invalid| invalid.to_string());
        assert_eq!(parse(" é "), Ok("é".to_owned()));
        assert_eq!(parse("a  b"), Err("must be at most 3 characters".to_owned()));
        assert_eq!(parse("a   "), Err("must be at most 3 characters".to_owned()));
        assert_eq!(parse("a\0"), Err("must not contain NUL characters".to_owned()));
        assert_eq!(parse("\0"), Err("must not contain NUL characters".to_owned()));
        for blank in ["", " \n", "\u{200b}", "    "] {
            assert!(blank.parse::<Text<3>>().unwrap_err().is_blank(), "{blank:?}");
        }
    }

    #[test]
    fn an_integer_states_its_bounds() {
        let refused = |raw: i64| Int::<1, 20>::try_from(raw).unwrap_err().to_string();
        assert_eq!(refused(0), "must be between 1 and 20");
        assert_eq!(refused(i64::MAX), "must be between 1 and 20");
        assert_eq!(Int::<1, 20>::try_from(20).unwrap().get(), 20);
        assert_eq!(Int::<1, { i64::MAX }>::try_from(0).unwrap_err().to_string(), "must be 1 or more");
        assert_eq!(Int::<1, 20>::nearest(30).get(), 20);
    }

    #[test]
    fn a_blank_required_field_is_missing() {
        let missing = Invalid::blank("must not be blank").in_field("name");
        assert!(matches!(missing, Error::Invalid(problems) if problems == [Problem::missing("name")]));
        let wrong = Invalid::new("must be short").in_field("name");
        let expected = [Problem::wrong("name", "The 'name' field must be short")];
        assert!(matches!(wrong, Error::Invalid(problems) if problems == expected));
    }
}
