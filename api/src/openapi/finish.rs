//! Pure: the specification is completed where the generator cannot be told.

use serde_json::{Map, Value, json};

use crate::extract::idempotency_key;
use crate::response::envelope::JSON;

/// What a text may be that may be blank: Postgres stores no NUL.
const OPTIONAL_TEXT: &str = r"^[^\u0000]*$";

/// What a text may be that must have something to be seen in it: [`parlance_core::is_blank`], written out,
/// for the engines that read it disagree about `\s`.
const TEXT: &str =
    r"^[^\u0000]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff][^\u0000]*$";

/// Bodies that must have at least one field.
const CHANGES: [&str; 4] = ["UpdateBot", "UpdateConversation", "UpdateSource", "UpdateSourceForm"];

/// Completes the specification.
pub(super) fn complete(spec: &mut Value) {
    for method in ["post", "put", "patch"] {
        operations(spec, method).for_each(may_be_sent_again);
    }
    let asked = asked_schemas(spec);
    let Some(schemas) = spec.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    for name in asked {
        if let Some(schema) = schemas.get_mut(&name) {
            texts_have_patterns(schema);
        }
    }
    for name in CHANGES {
        if let Some(schema) = schemas.get_mut(name) {
            schema["minProperties"] = 1.into();
        }
    }
    for schema in schemas.values_mut() {
        once_is_enough(schema);
    }
    errors_have_examples(spec);
}

fn operations<'a>(spec: &'a mut Value, method: &'a str) -> impl Iterator<Item = &'a mut Value> {
    let paths = spec.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flat_map(Map::values_mut).filter_map(move |path| path.get_mut(method))
}

/// `Idempotency-Key`, and what comes of it.
fn may_be_sent_again(operation: &mut Value) {
    let parameter = json!({
        "name": idempotency_key::HEADER,
        "in": "header",
        "description": "Your name for the request. Sent again within 24 hours with the same body, it is \
                        answered as it was, and nothing is done twice.",
        "required": false,
        "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    });
    match operation.get_mut("parameters") {
        Some(Value::Array(parameters)) => parameters.push(parameter),
        _ => operation["parameters"] = json!([parameter]),
    }
    let replayed = json!({
        "description": "Whether the answer was given before",
        "required": false,
        "schema": {"type": "string", "enum": ["true"]},
    });
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if status.starts_with('2') {
            response["headers"][idempotency_key::REPLAYED] = replayed.clone();
        }
    }
}

/// The schemas of bodies that clients write.
fn asked_schemas(spec: &Value) -> Vec<String> {
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

fn texts_have_patterns(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        let plain = !["format", "pattern", "enum"].iter().any(|kind| property.contains_key(*kind));
        if property.get("type") == Some(&json!("string")) && plain {
            let needed = property.contains_key("minLength");
            property.insert("pattern".to_owned(), if needed { TEXT } else { OPTIONAL_TEXT }.into());
        }
    }
}

/// The generator says what it adds to a reference inside of it and outside; generators of clients take
/// that for two types.
fn once_is_enough(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let said = fields.clone();
            if let Some(Value::Array(all)) = fields.get_mut("allOf") {
                all.retain(|part| {
                    let again = |part: &Map<String, Value>| {
                        part.iter().all(|(name, value)| said.get(name) == Some(value))
                    };
                    part.get("$ref").is_some() || !part.as_object().is_some_and(again)
                });
            }
            fields.values_mut().for_each(once_is_enough);
        }
        Value::Array(items) => items.iter_mut().for_each(once_is_enough),
        _ => {}
    }
}

/// Each status with an error as it really looks.
fn errors_have_examples(spec: &mut Value) {
    let paths = spec.get_mut("paths").and_then(Value::as_object_mut);
    for operation in
        paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut).flat_map(Map::values_mut)
    {
        let about = match operation["operationId"].as_str() {
            // What these do not find is the bot.
            Some("openConversation" | "createKnowledgeSource" | "uploadKnowledgeFile") => "Bots".to_owned(),
            Some("createBot") => "createBot".to_owned(),
            _ => operation["tags"][0].as_str().map(str::to_owned).unwrap_or_default(),
        };
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            if let Some((error, message, code)) = example(status, &about) {
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

fn example(status: &str, about: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match (status, about) {
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
    fn the_pattern_of_a_text_and_the_domain_agree_on_every_character() {
        // The class of the pattern that has nothing to be seen, and NUL, which is told on its own.
        let unseen = |c: char| {
            matches!(c, '\u{0}'..='\u{20}' | '\u{7f}'..='\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200f}'
                | '\u{2028}'..='\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
        };
        for c in (1..=0x10_ffff).filter_map(char::from_u32) {
            assert_eq!(parlance_core::is_blank(&c.to_string()), unseen(c), "{:x}", u32::from(c));
        }
        assert!(!parlance_core::is_blank("\0"));
    }

    #[test]
    fn what_is_said_twice_is_said_once() {
        let mut schema = json!({"description": "D", "allOf": [{"$ref": "#/x"}, {"description": "D"}]});
        once_is_enough(&mut schema);
        assert_eq!(schema, json!({"description": "D", "allOf": [{"$ref": "#/x"}]}));
    }
}
