//! What a request that is wrong must be told.

use parlance_testing::Answer;
use serde_json::Value;

/// What an answer must be.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// An error of this status, with one of these codes, in whose text all of these are to be read.
    Refused { status: u16, codes: &'static [&'static str], saying: Vec<String> },
    /// 400, with these fields, in this order.
    Faults(Vec<Fault>),
    /// Anything but a refusal of the key, and no failure of ours.
    LetIn,
}

/// What is wrong with a field.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) field: String,
    pub(super) how: How,
    /// What is to be read in its message.
    pub(super) saying: Vec<String>,
}

/// How a field is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Missing,
    Wrong,
    /// A blank text is as good as none.
    Either,
}

impl Fault {
    pub(super) fn new(field: &str, how: How, saying: impl IntoIterator<Item = String>) -> Self {
        Self { field: field.to_owned(), how, saying: saying.into_iter().collect() }
    }

    /// Checks a detail: that it is about the field, in the documented pattern.
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
            // The body as a whole is no field.
            _ if self.field != "body" && !message.contains(&format!("'{}'", self.field)) => {
                return Err(format!("{message:?} does not name '{}'", self.field));
            }
            _ => {}
        }
        match self.saying.iter().find(|words| !message.contains(*words)) {
            Some(words) if !missed => Err(format!("{message:?} does not say {words:?}")),
            _ => Ok(()),
        }
    }
}

impl Told {
    /// A refusal with a code of its own.
    pub(super) fn refused(status: u16, codes: &'static [&'static str], saying: &[&str]) -> Self {
        Told::Refused { status, codes, saying: saying.iter().map(|words| (*words).to_owned()).collect() }
    }

    /// Compares an answer with what it must be.
    pub(super) fn check(&self, answer: &Answer) -> Result<(), String> {
        match self {
            Told::Refused { status, codes, saying } => {
                let code = answer.try_error(*status)?;
                if !codes.is_empty() && !codes.contains(&code) {
                    return Err(format!("the code is none of {codes:?}"));
                }
                let read = format!("{}\n{}", text(&answer.body, "error"), text(&answer.body, "message"));
                match saying.iter().find(|words| !read.contains(*words)) {
                    Some(words) => Err(format!("it does not say {words:?}")),
                    None => Ok(()),
                }
            }
            Told::Faults(faults) => check_faults(faults, answer),
            Told::LetIn => match answer.status.as_u16() {
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
