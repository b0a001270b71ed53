//! Access to JSON-LD values in the many forms that sites use.

use serde_json::{Map, Value};

/// An item of structured data.
pub(super) type Item = Map<String, Value>;

/// Parses JSON-LD. Raw line breaks in strings, comment marks and a final semicolon are common and harmless.
pub(super) fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    let text = text.strip_prefix("<!--").unwrap_or(text);
    let text = text.strip_suffix("-->").unwrap_or(text);
    let text = text.trim().trim_start_matches("//<![CDATA[").trim_start_matches("<![CDATA[");
    let text = text.trim_end_matches("//]]>").trim_end_matches("]]>").trim().trim_end_matches(';');
    serde_json::from_str(text).ok().or_else(|| {
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        serde_json::from_str(&clean).ok()
    })
}

/// The types of an item, without the address of the vocabulary.
pub(super) fn types(item: &Item) -> Vec<&str> {
    let values: Vec<&Value> = match item.get("@type").or_else(|| item.get("type")) {
        Some(Value::Array(kinds)) => kinds.iter().collect(),
        Some(kind) => vec![kind],
        None => Vec::new(),
    };
    values
        .into_iter()
        .filter_map(Value::as_str)
        .filter_map(|kind| kind.rsplit(['/', '#', ':']).next())
        .collect()
}

/// The values of a property: the elements of an array, or the single value.
pub(super) fn values<'a>(item: &'a Item, name: &str) -> Vec<&'a Value> {
    match item.get(name) {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(value) => vec![value],
    }
}

/// The items of a property.
pub(super) fn items<'a>(item: &'a Item, name: &str) -> Vec<&'a Item> {
    values(item, name).into_iter().filter_map(Value::as_object).collect()
}

/// A property as text: a string, a number, or the name of an item.
pub(super) fn text(item: &Item, name: &str) -> Option<String> {
    values(item, name).first().and_then(|value| scalar(value))
}

/// All texts of a property.
pub(super) fn texts(item: &Item, name: &str) -> Vec<String> {
    values(item, name).into_iter().filter_map(scalar).collect()
}

/// The texts of a property's items, such as the steps of a section.
pub(super) fn texts_of(item: &Item, name: &str) -> Vec<String> {
    items(item, name)
        .into_iter()
        .filter_map(|step| text(step, "text").or_else(|| text(step, "name")))
        .collect()
}

fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => super::markdown(text),
        Value::Number(number) => number.to_string(),
        Value::Object(item) => {
            let inner = item.get("name").or_else(|| item.get("text")).or_else(|| item.get("@value"))?;
            return inner.as_str().map(super::markdown).filter(|text| !text.is_empty());
        }
        _ => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
