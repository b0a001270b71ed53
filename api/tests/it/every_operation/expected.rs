//! Expected responses to invalid requests.

use parlance_testing::Answer;
use serde_json::Value;

/// An expected response.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// An error of this status, with one of these codes and all of these texts.
    Refused { status: u16, codes: &'static [&'static str], texts: Vec<String> },
    /// 400 with these fields, in this order.
    Faults(Vec<Fault>),
    /// Anything but a refusal of the key or a server error.
    LetIn,
}

/// An expected validation error.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) field: String,
    pub(super) how: How,
    /// Texts of its message.
    pub(super) texts: Vec<String>,
}

/// Kind of a validation error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Missing,
    Wrong,
    /// A blank text may count as missing.
    Either,
}

impl Fault {
    pub(super) fn new(field: &str, how: How, texts: impl IntoIterator<Item = String>) -> Self {
        Self { field: field.to_owned(), how, texts: texts.into_iter().collect() }
    }

    /// Checks that a detail names the field, in the documented form.
    fn check(&self, detail: &Value) -> Result<(), String> {
        let message = text(detail, "message");
        if text(detail, "field") != self.field {
            return Err(format!("it is about the field '{}'", self.field));
        }
        let required = format!("The '{}' field is required when ", self.field);
        let missed = message.strip_prefix(&required).is_some_and(|rest| !rest.is_empty());
        match self.how {
            How::Missing if !missed => return Err(format!("{message:?} is not \"{required}…\"")),
            How::Wrong if missed => return Err(format!("{message:?}: but it is there")),
            // `body` stands for the whole body.
            _ if self.field != "body" && !message.contains(&format!("'{}'", self.field)) => {
                return Err(format!("{message:?} does not name '{}'", self.field));
            }
            _ => {}
        }
        match self.texts.iter().find(|words| !message.contains(*words)) {
            Some(words) if !missed => Err(format!("{message:?} does not say {words:?}")),
            _ => Ok(()),
        }
    }
}

impl Expected {
    /// An error response.
    pub(super) fn refused(status: u16, codes: &'static [&'static str], texts: &[&str]) -> Self {
        Expected::Refused { status, codes, texts: texts.iter().map(|words| (*words).to_owned()).collect() }
    }

    /// Compares a response with the expected one.
    pub(super) fn check(&self, answer: &Answer) -> Result<(), String> {
        match self {
            Expected::Refused { status, codes, texts } => {
                let code = answer.try_error(*status)?;
                if !codes.is_empty() && !codes.contains(&code) {
                    return Err(format!("the code is none of {codes:?}"));
                }
                let read = format!("{}\n{}", text(&answer.body, "error"), text(&answer.body, "message"));
                match texts.iter().find(|words| !read.contains(*words)) {
                    Some(words) => Err(format!("it does not say {words:?}")),
                    None => Ok(()),
                }
            }
            Expected::Faults(faults) => check_faults(faults, answer),
            Expected::LetIn => match answer.status.as_u16() {
                401 | 403 | 500.. => Err("the key must let it in".to_owned()),
                _ => Ok(()),
            },
        }
    }
}

fn check_faults(faults: &[Fault], answer: &Answer) -> Result<(), String> {
    let code = answer.try_error(400)?;
    let details = answer.body["details"].as_array().map_or(&[][..], Vec::as_slice);
    let fields: Vec<&str> = details.iter().map(|detail| text(detail, "field")).collect();
    let wanted: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    if fields != wanted {
        return Err(format!("the details must be about {wanted:?}, and are about {fields:?}"));
    }
    for (fault, detail) in faults.iter().zip(details) {
        fault.check(detail)?;
    }
    let (Some(first), Some(detail)) = (faults.first(), details.first()) else { return Ok(()) };
    let missing = ("missing_field", format!("Missing required field: {}", first.field));
    let wrong = ("invalid_field", format!("Invalid field: {}", first.field));
    let said = (code, text(&answer.body, "error").to_owned());
    let right = match first.how {
        How::Missing => said == missing,
        How::Wrong => said == wrong,
        How::Either => said == missing || said == wrong,
    };
    if !right {
        return Err(format!("{said:?} is not the first of the details in short"));
    }
    if answer.body["message"] != detail["message"] {
        return Err("the message is not that of the first detail".to_owned());
    }
    Ok(())
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_default()
}
