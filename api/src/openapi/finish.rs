//! Post-processing of the specification: what poem-openapi cannot express. Pure.

use serde_json::{Map, Value, json};

use super::examples;
use crate::middleware::idempotency;
use crate::response::envelope::JSON;

/// Pattern of texts that may be blank: Postgres stores no NUL.
const OPTIONAL_TEXT: &str = r"^[^\u0000]*$";

/// Pattern of texts that must not be blank: [`parlance_core::is_blank`], spelled out because regex engines
/// disagree about `\s`.
const TEXT: &str =
    r"^[^\u0000]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff][^\u0000]*$";

/// Request bodies that need at least one field.
const NON_EMPTY: [&str; 4] = ["UpdateBot", "UpdateConversation", "UpdateSource", "UpdateSourceForm"];

/// Completes the specification.
pub(super) fn complete(spec: &mut Value) {
    for method in ["post", "put", "patch"] {
        operations(spec, method).for_each(add_idempotency_key);
    }
    let request_schemas = request_schemas(spec);
    let Some(schemas) = spec.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    examples::add(schemas);
    for name in request_schemas {
        if let Some(schema) = schemas.get_mut(&name) {
            add_text_patterns(schema);
        }
    }
    for name in NON_EMPTY {
        if let Some(schema) = schemas.get_mut(name) {
            schema["minProperties"] = 1.into();
        }
    }
    for schema in schemas.values_mut() {
        remove_repetitions(schema);
    }
    add_error_examples(spec);
}

fn operations<'a>(spec: &'a mut Value, method: &'a str) -> impl Iterator<Item = &'a mut Value> {
    let paths = spec.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flat_map(Map::values_mut).filter_map(move |path| path.get_mut(method))
}

/// Adds the header `Idempotency-Key` and its response header.
fn add_idempotency_key(operation: &mut Value) {
    let parameter = json!({
        "name": idempotency::HEADER,
        "in": "header",
        "description": "Your unique name for the request. A retry within 24 hours with the same body \
                        returns the stored response, and nothing is done twice.",
        "required": false,
        "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    });
    match operation.get_mut("parameters") {
        Some(Value::Array(parameters)) => parameters.push(parameter),
        _ => operation["parameters"] = json!([parameter]),
    }
    let replayed = json!({
        "description": "Whether the response is a stored one",
        "required": false,
        "schema": {"type": "string", "enum": ["true"]},
    });
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if status.starts_with('2') {
            response["headers"][idempotency::REPLAYED] = replayed.clone();
        }
    }
}

/// Names of the request-body schemas.
fn request_schemas(spec: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let paths = spec["paths"].as_object();
    for operation in
        paths.into_iter().flat_map(Map::values).filter_map(Value::as_object).flat_map(Map::values)
    {
        let media = operation["requestBody"]["content"].as_object();
        names.extend(
            media
                .into_iter()
                .flat_map(Map::values)
                .filter_map(|media| media["schema"]["$ref"].as_str()?.rsplit('/').next().map(str::to_owned)),
        );
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn add_text_patterns(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        let plain = !["format", "pattern", "enum"].iter().any(|kind| property.contains_key(*kind));
        if property.get("type") == Some(&json!("string")) && plain {
            let needed = property.contains_key("minLength");
            property.insert("pattern".to_owned(), if needed { TEXT } else { OPTIONAL_TEXT }.into());
        }
    }
}

/// Removes parts of `allOf` that repeat sibling keywords: client generators take them for a second type.
fn remove_repetitions(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let outer = fields.clone();
            if let Some(Value::Array(all)) = fields.get_mut("allOf") {
                all.retain(|part| {
                    let is_repeated = |part: &Map<String, Value>| {
                        part.iter().all(|(name, value)| outer.get(name) == Some(value))
                    };
                    part.get("$ref").is_some() || !part.as_object().is_some_and(is_repeated)
                });
            }
            fields.values_mut().for_each(remove_repetitions);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_repetitions),
        _ => {}
    }
}

/// Adds an example to each error response.
fn add_error_examples(spec: &mut Value) {
    let paths = spec.get_mut("paths").and_then(Value::as_object_mut);
    for operation in
        paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut).flat_map(Map::values_mut)
    {
        let resource = match operation["operationId"].as_str() {
            // The resource that these do not find is the bot.
            Some("openConversation" | "createKnowledgeSource" | "uploadKnowledgeFile") => "Bots".to_owned(),
            Some("createBot") => "createBot".to_owned(),
            _ => operation["tags"][0].as_str().map(str::to_owned).unwrap_or_default(),
        };
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            if let Some((error, message, code)) = error_example(status, &resource) {
                response["content"][JSON]["example"] = json!({
                    "success": false,
                    "error": error,
                    "message": message,
                    "code": code,
                    "request_id": "018f3c5e-7b1a-7c44-9d0e-2f6a1b8c9d10",
                });
            }
        }
    }
}

/// Title, message and code of an example.
fn error_example(status: &str, resource: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match (status, resource) {
        ("400", _) => return None,
        ("401", _) => ("Invalid API key", "API key not found or tenant inactive", "invalid_api_key"),
        ("403", "Bots") => {
            ("Bot limit reached for current plan", "Upgrade your plan to create more bots", "plan_limit_bots")
        }
        ("403", _) => (
            "Insufficient permissions",
            "This operation needs an API key with one of the scopes: full",
            "missing_scope",
        ),
        ("404", "Conversations") => (
            "Conversation not found",
            "The requested conversation does not exist or you don't have access",
            "conversation_not_found",
        ),
        ("404", "Knowledge") => (
            "Knowledge source not found",
            "The requested knowledge source does not exist or you don't have access",
            "source_not_found",
        ),
        ("404", "Tenant") => (
            "API key not found",
            "The requested API key does not exist or you don't have access",
            "api_key_not_found",
        ),
        ("404", _) => {
            ("Bot not found", "The requested bot does not exist or you don't have access", "bot_not_found")
        }
        ("409", _) => (
            "Idempotency key reused",
            "The Idempotency-Key was sent with another request before; use a fresh one",
            "idempotency_key_reused",
        ),
        ("413", _) => {
            ("Payload too large", "The largest size accepted is 10 MB (10485760 bytes)", "payload_too_large")
        }
        ("415", _) => (
            "Unsupported media type",
            "Send the request body with the header Content-Type: application/json",
            "unsupported_media_type",
        ),
        ("429", _) => (
            "Rate limited",
            "The API key may make 200 requests at once, and all are made; wait as long as Retry-After says",
            "rate_limited",
        ),
        ("500", _) => ("Internal server error", "An unexpected error occurred", "internal_error"),
        ("503", _) => (
            "Service unavailable",
            "The database does not answer at the moment; try again later",
            "unavailable",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_pattern_and_is_blank_agree_on_every_character() {
        // The pattern's negated class, with NUL, which the pattern excludes everywhere.
        let is_blank = |c: char| {
            matches!(c, '\u{0}'..='\u{20}' | '\u{7f}'..='\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200f}'
                | '\u{2028}'..='\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
        };
        for c in (1..=0x10_ffff).filter_map(char::from_u32) {
            assert_eq!(parlance_core::is_blank(&c.to_string()), is_blank(c), "{:x}", u32::from(c));
        }
        assert!(!parlance_core::is_blank("\0"));
    }

    #[test]
    fn repeated_parts_are_removed() {
        let mut schema = json!({"description": "D", "allOf": [{"$ref": "#/x"}, {"description": "D"}]});
        remove_repetitions(&mut schema);
        assert_eq!(schema, json!({"description": "D", "allOf": [{"$ref": "#/x"}]}));
    }
}
