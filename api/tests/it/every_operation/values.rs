//! Invalid values of a schema. Pure.

use serde_json::{Value, json};

use super::expected::{Fault, How};
use crate::scene::file;
use crate::spec::{Body, Field};

/// A text that only the patterns of plain texts allow.
const ODD: &str = "a b/\u{fc}";

/// A blank text.
const BLANK: &str = " \n\u{200b}\t";

/// An invalid value of a field, and the expected error.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) value: Value,
    pub(super) fault: Fault,
}

/// The values of an enum schema.
fn words(schema: &Value) -> Option<Vec<String>> {
    let words = schema["enum"].as_array()?;
    Some(words.iter().map(|word| word.as_str().unwrap().to_owned()).collect())
}

/// Every invalid value of a body field. The first has another type, if that can be sent; the last has the right
/// type, unless every value of it is valid.
pub(super) fn of_field(field: Field<'_>, body: &Body) -> Vec<Wrong> {
    let values = if body.is_form() { in_form(field) } else { in_json(field) };
    values
        .into_iter()
        .map(|(value, how, texts)| Wrong { value, fault: Fault::new(field.name, how, texts) })
        .collect()
}

type WrongValue = (Value, How, Vec<String>);

fn wrong(value: impl Into<Value>, texts: &[&str]) -> WrongValue {
    (value.into(), How::Wrong, texts.iter().map(|words| (*words).to_owned()).collect())
}

fn in_json(field: Field<'_>) -> Vec<WrongValue> {
    let mut all: Vec<WrongValue> =
        of_other_types(field.schema).into_iter().map(|value| wrong(value, &["must be "])).collect();
    if !field.is_nullable() {
        let (how, texts) =
            if field.required { (How::Missing, vec![]) } else { (How::Wrong, vec!["null".into()]) };
        all.push((Value::Null, how, texts));
    }
    all.extend(of_right_type(field.schema, field.required));
    all
}

fn of_other_types(schema: &Value) -> Vec<Value> {
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
    let is_right = |value: &Value| match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let mut others: Vec<Value> = all.into_iter().filter(|value| !is_right(value)).collect();
    match schema["type"].as_str() {
        Some("integer") => others.push(json!(u64::MAX)),
        Some("array") => others.extend([json!([null]), json!([5]), json!([["text"]])]),
        _ => {}
    }
    others
}

fn of_right_type(schema: &Value, required: bool) -> Vec<WrongValue> {
    match schema["type"].as_str() {
        Some("string") => texts(schema, required),
        Some("integer") => numbers(schema),
        Some("object") => vec![
            wrong(json!({"a": "x".repeat(5000)}), &["4 "]),
            wrong(json!({"a": ["\u{0}"]}), &["NUL"]),
            wrong(json!({"\u{0}": 1}), &["NUL"]),
        ],
        Some("array") => {
            let none = schema["minItems"].as_u64().is_some_and(|least| least > 0);
            let items = of_right_type(&schema["items"], true);
            let items = items.into_iter().map(|(value, how, texts)| (json!([value]), how, texts));
            none.then(|| wrong(json!([]), &[])).into_iter().chain(items).collect()
        }
        _ => Vec::new(),
    }
}

/// Invalid texts.
fn texts(schema: &Value, required: bool) -> Vec<WrongValue> {
    if let Some(words) = words(schema) {
        let all: Vec<&str> = words.iter().map(String::as_str).collect();
        let nearly = [format!("{}\u{0}", words[0]), format!(" {}", words[0]), words[0].to_uppercase()];
        let unknown = [String::new(), "nonsense".to_owned()];
        return nearly.into_iter().chain(unknown).map(|word| wrong(word, &all)).collect();
    }
    let blank = |text: &str| {
        let how = if required { How::Either } else { How::Wrong };
        (text.into(), how, Vec::new())
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
                .map(|id| wrong(id, &[" id"])),
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
        .map(|moment| wrong(moment, &["RFC 3339"]))
        .into(),
        Some("timezone") => {
            ["", "Mars/Olympus", "UTC+25", "Europe/Madrid\u{0}"].map(|zone| wrong(zone, &[])).into()
        }
        _ => plain_texts(schema, required),
    }
}

fn plain_texts(schema: &Value, required: bool) -> Vec<WrongValue> {
    let mut all = Vec::new();
    // The patterns of plain texts forbid only NUL and blank texts.
    if schema["pattern"].as_str().is_some_and(|pattern| !pattern.starts_with(r"^[^\u0000]*")) {
        all.extend([wrong("", &[]), wrong(ODD, &[]), wrong("x".repeat(256), &[])]);
    }
    if schema["minLength"].as_u64().is_some_and(|least| least > 0) {
        let how = if required { How::Either } else { How::Wrong };
        all.extend(["", BLANK].map(|text| (text.into(), how, Vec::new())));
    }
    all.push(wrong("a\u{0}b", &[]));
    if let Some(most) = schema["maxLength"].as_u64() {
        all.push(wrong("\u{fc}".repeat(most as usize + 1), &[&most.to_string()]));
    }
    all
}

fn numbers(schema: &Value) -> Vec<WrongValue> {
    let bound = |name: &str| schema[name].as_f64().map(|bound| bound as i64);
    let mut all = Vec::new();
    if let Some(least) = bound("minimum") {
        all.extend([least - 1, i64::MIN].map(|number| wrong(number, &[&least.to_string()])));
    }
    if let Some(most) = bound("maximum") {
        all.extend([most + 1, i64::MAX].map(|number| wrong(number, &[&most.to_string()])));
    }
    all
}

fn in_form(field: Field<'_>) -> Vec<WrongValue> {
    if field.schema["format"] == "binary" {
        let missing =
            |value: Value| (value, if field.required { How::Missing } else { How::Wrong }, Vec::new());
        let mut all = vec![wrong(json!([file("a.md", "a"), file("b.md", "b")]), &["one"])];
        // An optional part that is not a file counts as absent.
        if field.required {
            all.extend([missing("no file".into()), missing(file("", "a"))]);
        }
        all.push(wrong(file("a.exe", "a"), &[".txt", ".md"]));
        all.push(wrong(file("a", "a"), &[".txt", ".md"]));
        return all;
    }
    // Invalid UTF-8.
    let bytes = wrong(json!([97, 255]), &["must be "]);
    std::iter::once(bytes).chain(of_right_type(field.schema, field.required)).collect()
}

/// Every invalid text of a parameter.
pub(super) fn of_parameter(schema: &Value) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = match schema["type"].as_str() {
        Some("boolean") => ["", "maybe", "2", "true\u{0}"].map(|text| (text.to_owned(), Vec::new())).into(),
        Some("integer") => ["", "x", "1.5", "1e1", "0x10", "1\u{0}", "99999999999999999999"]
            .map(|text| (text.to_owned(), Vec::new()))
            .into(),
        _ => Vec::new(),
    };
    all.extend(of_right_type(schema, false).into_iter().map(|(value, _, texts)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (text, texts)
    }));
    all
}
