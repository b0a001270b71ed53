//! Invalid values by schema. Pure.

use serde_json::{Value, json};

use super::expected::{FieldError, Kind};
use crate::fixture::file;
use crate::spec::{Body, Field};

/// A text that no pattern allows, except those of free texts.
const ODD: &str = "a b/\u{fc}";

/// A text of invisible characters only.
const BLANK: &str = " \n\u{200b}\t";

/// An invalid value of a field and the expected error.
#[derive(Clone, Debug)]
pub(super) struct InvalidValue {
    pub(super) value: Value,
    pub(super) error: FieldError,
}

/// The values of an enum schema.
fn enum_values(schema: &Value) -> Option<Vec<String>> {
    let values = schema["enum"].as_array()?;
    Some(values.iter().map(|value| value.as_str().unwrap().to_owned()).collect())
}

/// Invalid values of a body's field. The first is of another type, if that can be sent; the last is of the
/// field's own type, if that has invalid values.
pub(super) fn of_field(field: Field<'_>, body: &Body) -> Vec<InvalidValue> {
    let values = if body.is_form() { in_form(field) } else { in_json(field) };
    values
        .into_iter()
        .map(|(value, kind, texts)| InvalidValue { value, error: FieldError::new(field.name, kind, texts) })
        .collect()
}

/// A value, the kind of its error, and the texts of the error's message.
type Case = (Value, Kind, Vec<String>);

fn invalid(value: impl Into<Value>, texts: &[&str]) -> Case {
    (value.into(), Kind::Invalid, texts.iter().map(|text| (*text).to_owned()).collect())
}

fn in_json(field: Field<'_>) -> Vec<Case> {
    let mut all: Vec<Case> =
        values_of_other_types(field.schema).into_iter().map(|value| invalid(value, &["must be "])).collect();
    if !field.is_nullable() {
        let (kind, texts) =
            if field.required { (Kind::Missing, vec![]) } else { (Kind::Invalid, vec!["null".into()]) };
        all.push((Value::Null, kind, texts));
    }
    all.extend(of_same_type(field.schema, field.required));
    all
}

fn values_of_other_types(schema: &Value) -> Vec<Value> {
    let all = [
        json!(5),
        json!(1.5),
        json!("text"),
        json!("1"),
        json!(true),
        json!(["text"]),
        json!({}),
        json!({"a": 1}),
    ];
    let has_type = |value: &Value| match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let mut others: Vec<Value> = all.into_iter().filter(|value| !has_type(value)).collect();
    match schema["type"].as_str() {
        Some("integer") => others.push(json!(u64::MAX)),
        Some("array") => others.extend([json!([null]), json!([5]), json!([["text"]])]),
        _ => {}
    }
    others
}

fn of_same_type(schema: &Value, required: bool) -> Vec<Case> {
    match schema["type"].as_str() {
        Some("string") => texts(schema, required),
        Some("integer") => numbers(schema),
        Some("object") => vec![
            invalid(json!({"a": "x".repeat(5000)}), &["4 "]),
            invalid(json!({"a": ["\u{0}"]}), &["NUL"]),
            invalid(json!({"\u{0}": 1}), &["NUL"]),
        ],
        Some("array") => {
            let nonempty = schema["minItems"].as_u64().is_some_and(|min| min > 0);
            let items = of_same_type(&schema["items"], true);
            let items = items.into_iter().map(|(value, kind, texts)| (json!([value]), kind, texts));
            nonempty.then(|| invalid(json!([]), &[])).into_iter().chain(items).collect()
        }
        _ => Vec::new(),
    }
}

/// Texts that the schema forbids.
fn texts(schema: &Value, required: bool) -> Vec<Case> {
    if let Some(values) = enum_values(schema) {
        let all: Vec<&str> = values.iter().map(String::as_str).collect();
        let similar = [format!("{}\u{0}", values[0]), format!(" {}", values[0]), values[0].to_uppercase()];
        let unknown = [String::new(), "nonsense".to_owned()];
        return similar.into_iter().chain(unknown).map(|value| invalid(value, &all)).collect();
    }
    let blank = |text: &str| {
        let kind = if required { Kind::Either } else { Kind::Invalid };
        (text.into(), kind, Vec::new())
    };
    match schema["format"].as_str() {
        Some("uuid") => {
            let mut all = vec![blank(""), blank(" ")];
            all.extend(
                [
                    "nonsense",
                    "\u{0}",
                    "019bb5a1-0c00-7000-8000-00000000000",
                    "019bb5a1-0c00-7000-8000-0000000000020",
                ]
                .map(|id| invalid(id, &[" id"])),
            );
            all
        }
        Some("date-time") => [
            "",
            "soon",
            "2099-01-15",
            "2099-13-15T10:05:00Z",
            "2099-01-15T10:05:00",
            "2099-01-15T10:05:00Z\u{0}",
        ]
        .map(|time| invalid(time, &["RFC 3339"]))
        .into(),
        Some("timezone") => {
            ["", "Mars/Olympus", "UTC+25", "Europe/Madrid\u{0}"].map(|zone| invalid(zone, &[])).into()
        }
        _ => free_texts(schema, required),
    }
}

fn free_texts(schema: &Value, required: bool) -> Vec<Case> {
    let mut all = Vec::new();
    // The patterns of free texts forbid only NUL and blank texts.
    if schema["pattern"].as_str().is_some_and(|pattern| !pattern.starts_with(r"^[^\u0000]*")) {
        all.extend([invalid("", &[]), invalid(ODD, &[]), invalid("x".repeat(256), &[])]);
    }
    if schema["minLength"].as_u64().is_some_and(|min| min > 0) {
        let kind = if required { Kind::Either } else { Kind::Invalid };
        all.extend(["", BLANK].map(|text| (text.into(), kind, Vec::new())));
    }
    all.push(invalid("a\u{0}b", &[]));
    if let Some(max) = schema["maxLength"].as_u64() {
        all.push(invalid("\u{fc}".repeat(max as usize + 1), &[&max.to_string()]));
    }
    all
}

fn numbers(schema: &Value) -> Vec<Case> {
    let bound = |name: &str| schema[name].as_f64().map(|bound| bound as i64);
    let mut all = Vec::new();
    if let Some(min) = bound("minimum") {
        all.extend([min - 1, i64::MIN].map(|number| invalid(number, &[&min.to_string()])));
    }
    if let Some(max) = bound("maximum") {
        all.extend([max + 1, i64::MAX].map(|number| invalid(number, &[&max.to_string()])));
    }
    all
}

fn in_form(field: Field<'_>) -> Vec<Case> {
    if field.schema["format"] == "binary" {
        let missing =
            |value: Value| (value, if field.required { Kind::Missing } else { Kind::Invalid }, Vec::new());
        let mut all = vec![invalid(json!([file("a.md", "a"), file("b.md", "b")]), &["one"])];
        // An optional field that holds no file counts as absent.
        if field.required {
            all.extend([missing("no file".into()), missing(file("", "a"))]);
        }
        all.push(invalid(file("a.exe", "a"), &[".txt", ".md"]));
        all.push(invalid(file("a", "a"), &[".txt", ".md"]));
        return all;
    }
    // Invalid UTF-8.
    let bytes = invalid(json!([97, 255]), &["must be "]);
    std::iter::once(bytes).chain(of_same_type(field.schema, field.required)).collect()
}

/// Invalid texts of a parameter, each with texts of the error's message.
pub(super) fn of_parameter(schema: &Value) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = match schema["type"].as_str() {
        Some("boolean") => ["", "maybe", "2", "true\u{0}"].map(|text| (text.to_owned(), Vec::new())).into(),
        Some("integer") => ["", "x", "1.5", "1e1", "0x10", "1\u{0}", "99999999999999999999"]
            .map(|text| (text.to_owned(), Vec::new()))
            .into(),
        _ => Vec::new(),
    };
    all.extend(of_same_type(schema, false).into_iter().map(|(value, _, texts)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (text, texts)
    }));
    all
}
