//! Examples of the specification: JSON fixtures by schema name.
//!
//! The fixtures follow the reference, with ids of the real form. A test checks each against its schema.

use serde_json::{Map, Value};

/// One file per resource.
const FIXTURES: [&str; 7] = [
    include_str!("examples/tenant.json"),
    include_str!("examples/bots.json"),
    include_str!("examples/conversations.json"),
    include_str!("examples/analytics.json"),
    include_str!("examples/knowledge.json"),
    include_str!("examples/jobs.json"),
    include_str!("examples/errors.json"),
];

/// Adds each fixture to its schema.
pub(super) fn add(schemas: &mut Map<String, Value>) {
    for (name, example) in FIXTURES.into_iter().flat_map(parse) {
        if let Some(schema) = schemas.get_mut(&name) {
            schema["example"] = example;
        }
    }
}

/// The examples of a file; a test fails when it is not an object.
fn parse(fixture: &str) -> Map<String, Value> {
    serde_json::from_str(fixture).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use poem_openapi::types::ParseFromJSON;
    use uuid::Uuid;

    use super::*;
    use crate::routes::api_keys::requests::{CreateApiKey, RotateApiKey};
    use crate::routes::bots::requests::{CreateBot, UpdateBot};
    use crate::routes::conversations::{GiveFeedback, OpenConversation, SendMessage, UpdateConversation};
    use crate::routes::knowledge::{ScrapeSite, SearchKnowledge};

    fn specification() -> Value {
        serde_json::from_str(&crate::openapi_json()).unwrap()
    }

    fn fixture(name: &str) -> Value {
        FIXTURES.into_iter().flat_map(parse).find(|(known, _)| known == name).unwrap().1
    }

    /// Panics unless `value` has every required field, no unknown field and the right types.
    fn check(spec: &Value, schema: &Value, value: &Value, path: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            return check(spec, spec.pointer(&reference[1..]).unwrap(), value, path);
        }
        if value.is_null() {
            return assert_eq!(schema["nullable"], true, "{path} must not be null");
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            check(spec, part, value, path);
        }
        if let Some(words) = schema["enum"].as_array() {
            assert!(words.contains(value), "{path}: {value} is none of {words:?}");
        }
        match schema["type"].as_str() {
            Some("object") => check_object(spec, schema, value, path),
            Some("array") => {
                for item in value.as_array().unwrap_or_else(|| panic!("{path} must be an array")) {
                    check(spec, &schema["items"], item, path);
                }
            }
            Some("string") => {
                let text = value.as_str().unwrap_or_else(|| panic!("{path} must be a string"));
                match schema["format"].as_str() {
                    Some("uuid") => assert!(text.parse::<Uuid>().is_ok(), "{path}: {text}"),
                    Some("date-time") => {
                        assert!(DateTime::parse_from_rfc3339(text).is_ok(), "{path}: {text}")
                    }
                    _ => {}
                }
            }
            Some("integer") => assert!(value.is_i64() || value.is_u64(), "{path} must be an integer"),
            Some("number") => assert!(value.is_number(), "{path} must be a number"),
            Some("boolean") => assert!(value.is_boolean(), "{path} must be a boolean"),
            _ => assert!(schema["allOf"].is_array(), "{path} has no type"),
        }
    }

    fn check_object(spec: &Value, schema: &Value, value: &Value, path: &str) {
        let fields = value.as_object().unwrap_or_else(|| panic!("{path} must be an object"));
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().unwrap()), "{path} lacks {required}");
        }
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Null) => panic!("{path} is unknown"),
                (Value::Null, additional) => check(spec, additional, value, &path),
                (property, _) => check(spec, property, value, &path),
            }
        }
    }

    #[test]
    fn every_example_fits_its_schema() {
        let spec = specification();
        for fixture in FIXTURES {
            let Value::Object(examples) = serde_json::from_str(fixture).unwrap() else { panic!("no object") };
            assert!(!examples.is_empty());
            for (name, example) in examples {
                let schema = &spec["components"]["schemas"][&name];
                assert_eq!(schema["example"], example, "{name} is no schema");
                check(&spec, schema, &example, &name);
            }
        }
    }

    fn parse_fixture<T: ParseFromJSON>(name: &str) -> T {
        T::parse_from_json(Some(fixture(name))).unwrap_or_else(|error| panic!("{name}: {}", error.message()))
    }

    #[test]
    fn every_request_example_is_accepted() {
        parse_fixture::<CreateApiKey>("CreateApiKey").parse().unwrap();
        parse_fixture::<RotateApiKey>("RotateApiKey").parse().unwrap();
        parse_fixture::<CreateBot>("CreateBot").parse().unwrap();
        parse_fixture::<UpdateBot>("UpdateBot").parse().unwrap();
        parse_fixture::<OpenConversation>("OpenConversation").parse().unwrap();
        parse_fixture::<UpdateConversation>("UpdateConversation").parse().unwrap();
        parse_fixture::<SendMessage>("SendMessage").parse().unwrap();
        parse_fixture::<GiveFeedback>("GiveFeedback").parse().unwrap();
        parse_fixture::<ScrapeSite>("ScrapeSite").parse().unwrap();
        parse_fixture::<SearchKnowledge>("SearchKnowledge").parse().unwrap();
    }
}
