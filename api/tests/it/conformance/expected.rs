//! Expected responses to invalid requests.

use parlance_testing::Answer;
use serde_json::Value;

/// An expected response.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// An error of this status with one of these codes, if there are any, and all of these texts.
    Error { status: u16, codes: &'static [&'static str], texts: Vec<String> },
    /// 400 with these details, in this order.
    Invalid(Vec<FieldError>),
    /// Any status but 401, 403 and 5xx.
    Authorized,
}

/// An expected error of a field.
#[derive(Clone, Debug)]
pub(super) struct FieldError {
    pub(super) field: String,
    pub(super) kind: Kind,
    /// Texts that the message contains, unless the field is reported as missing.
    pub(super) texts: Vec<String>,
}

/// The kind of a field's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Missing,
    Invalid,
    /// Missing or invalid: a blank text counts as either.
    Either,
}

impl FieldError {
    pub(super) fn new(field: &str, kind: Kind, texts: impl IntoIterator<Item = String>) -> Self {
        Self { field: field.to_owned(), kind, texts: texts.into_iter().collect() }
    }

    /// Checks that a detail names the field and follows the documented pattern.
    fn check(&self, detail: &Value) -> Result<(), String> {
        let message = text(detail, "message");
        if text(detail, "field") != self.field {
            return Err(format!("the detail is not about the field '{}'", self.field));
        }
        let required = format!("The '{}' field is required when ", self.field);
        let is_missing = message.strip_prefix(&required).is_some_and(|rest| !rest.is_empty());
        match self.kind {
            Kind::Missing if !is_missing => return Err(format!("{message:?} is not \"{required}…\"")),
            Kind::Invalid if is_missing => return Err(format!("{message:?}: the field is present")),
            // Errors of the whole body name no field.
            _ if self.field != "body" && !message.contains(&format!("'{}'", self.field)) => {
                return Err(format!("{message:?} does not name '{}'", self.field));
            }
            _ => {}
        }
        match self.texts.iter().find(|text| !message.contains(*text)) {
            Some(text) if !is_missing => Err(format!("{message:?} does not contain {text:?}")),
            _ => Ok(()),
        }
    }
}

impl Expected {
    /// An error with one of these codes and all of these texts.
    pub(super) fn error(status: u16, codes: &'static [&'static str], texts: &[&str]) -> Self {
        Expected::Error { status, codes, texts: texts.iter().map(|text| (*text).to_owned()).collect() }
    }

    /// Compares a response with this.
    ///
    /// # Errors
    /// The first difference.
    pub(super) fn check(&self, response: &Answer) -> Result<(), String> {
        match self {
            Expected::Error { status, codes, texts } => {
                let code = response.try_error(*status)?;
                if !codes.is_empty() && !codes.contains(&code) {
                    return Err(format!("the code {code} is none of {codes:?}"));
                }
                let all = format!("{}\n{}", text(&response.body, "error"), text(&response.body, "message"));
                match texts.iter().find(|text| !all.contains(*text)) {
                    Some(text) => Err(format!("the texts do not contain {text:?}")),
                    None => Ok(()),
                }
            }
            Expected::Invalid(errors) => check_details(errors, response),
            Expected::Authorized => match response.status.as_u16() {
                401 | 403 | 500.. => Err("the key must permit the request".to_owned()),
                _ => Ok(()),
            },
        }
    }
}

fn check_details(errors: &[FieldError], response: &Answer) -> Result<(), String> {
    let code = response.try_error(400)?;
    let details = response.body["details"].as_array().map_or(&[][..], Vec::as_slice);
    let fields: Vec<&str> = details.iter().map(|detail| text(detail, "field")).collect();
    let expected: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    if fields != expected {
        return Err(format!("the details are about {fields:?}, expected {expected:?}"));
    }
    for (error, detail) in errors.iter().zip(details) {
        error.check(detail)?;
    }
    let (Some(first), Some(detail)) = (errors.first(), details.first()) else { return Ok(()) };
    let missing = ("missing_field", format!("Missing required field: {}", first.field));
    let invalid = ("invalid_field", format!("Invalid field: {}", first.field));
    let actual = (code, text(&response.body, "error").to_owned());
    let matches = match first.kind {
        Kind::Missing => actual == missing,
        Kind::Invalid => actual == invalid,
        Kind::Either => actual == missing || actual == invalid,
    };
    if !matches {
        return Err(format!("{actual:?} does not summarise the first detail"));
    }
    if response.body["message"] != detail["message"] {
        return Err("the message differs from the first detail's".to_owned());
    }
    Ok(())
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_default()
}
