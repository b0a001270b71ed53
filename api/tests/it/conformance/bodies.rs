//! Bodies: invalid values of every field, unreadable and too large bodies, and valid ones.

use std::collections::BTreeMap;

use futures_util::stream;
use parlance_testing::{Answer, text_of};
use serde_json::{Map, Value, json};

use super::Cases;
use super::expected::{Expected, FieldError, Kind};
use super::invalid_values::{self, InvalidValue};
use crate::fixture::{DEAD_URL, Fixture, Payload, TestRequest, is_consumed};
use crate::rows::rows;
use crate::spec::{Body, Field, destructive_last, operations};

/// Fields whose errors are reported only when another field is valid, because that field decides which are
/// required.
const DEPENDENT: [(&str, &str); 2] = [("content", "source_type"), ("file", "source_type")];

/// A `Content-Length` above the limit of every operation.
const TOO_LONG: &str = "1000000000000";

#[tokio::test]
async fn an_invalid_field_is_named_with_its_valid_values() {
    let mut cases = Cases::start().await;
    let fixture = Fixture::create(&cases.app.http).await;
    let before = rows(&cases.app, cases.app.tenant).await;
    for operation in operations() {
        for body in &operation.bodies {
            let request = |fields: &Map<String, Value>| {
                fixture.request(&operation).with_body(body, fields.clone().into())
            };
            let Value::Object(valid) = fixture.valid_body(body) else { panic!("{}", operation.id) };
            let name = format!("{} ({})", operation.id, body.media);
            for field in body.fields() {
                let mut fields = valid.clone();
                if fields.remove(field.name).is_some() && field.required {
                    let expected = Expected::Invalid(vec![FieldError::new(field.name, Kind::Missing, [])]);
                    cases
                        .check(&format!("{name} without {}", field.name), &request(&fields), &expected)
                        .await;
                }
                for InvalidValue { value, error } in invalid_values::of_field(field, body) {
                    fields.insert(field.name.to_owned(), value.clone());
                    let mut case = format!("{name} with {}: {value}", field.name);
                    case.truncate(case.floor_char_boundary(160));
                    cases.check(&case, &request(&fields), &Expected::Invalid(vec![error])).await;
                }
            }
            for (variant, fields, errors) in several_errors(body) {
                let expected = Expected::Invalid(errors);
                cases.check(&format!("{name} with {variant}"), &request(&fields), &expected).await;
            }
        }
    }
    let after = rows(&cases.app, cases.app.tenant).await;
    cases.end("fields").await;
    assert!(before == after, "a rejected request changed rows");
}

/// Bodies with several errors at once.
fn several_errors(body: &Body) -> Vec<(&'static str, Map<String, Value>, Vec<FieldError>)> {
    let invalid: BTreeMap<&str, Vec<InvalidValue>> =
        body.fields().map(|field| (field.name, invalid_values::of_field(field, body))).collect();
    // From a field's index and its number of invalid values to the index of one.
    type Choice = fn(usize, usize) -> usize;
    let choices: [(&str, Choice); 4] = [
        ("every field of another type", |_, _| 0),
        ("every field almost valid", |_, len| len - 1),
        ("odd fields almost valid", |at, len| if at % 2 == 0 { 0 } else { len - 1 }),
        ("even fields almost valid", |at, len| if at % 2 == 1 { 0 } else { len - 1 }),
    ];
    let mut all = Vec::new();
    for (name, choice) in choices {
        let chosen = body.fields().enumerate().map(|(at, field)| {
            let values = &invalid[field.name];
            &values[choice(at, values.len())]
        });
        let chosen: Vec<&InvalidValue> = chosen.collect();
        let fields = chosen.iter().map(|chosen| (chosen.error.field.clone(), chosen.value.clone())).collect();
        let errors = chosen.iter().map(|chosen| chosen.error.clone()).collect();
        all.push((name, fields, reported(errors, body)));
    }
    let missing = body.fields().filter(|field| field.required);
    let missing: Vec<FieldError> =
        missing.map(|field| FieldError::new(field.name, Kind::Missing, [])).collect();
    let empty = Map::from_iter([("unknown".to_owned(), json!(1))]);
    if !missing.is_empty() {
        all.push(("no known field", empty.clone(), reported(missing, body)));
    }
    if body.schema["minProperties"] == 1 {
        all.push((
            "no known field",
            empty,
            vec![FieldError::new("body", Kind::Invalid, ["body".to_owned()])],
        ));
    }
    all
}

/// The errors that a response reports when all of these occur.
fn reported(errors: Vec<FieldError>, body: &Body) -> Vec<FieldError> {
    let invalid: Vec<String> = errors.iter().map(|error| error.field.clone()).collect();
    let of_other_type = |error: &FieldError| !body.is_form() && error.texts == ["must be "];
    let depends = |error: &FieldError| {
        DEPENDENT.iter().any(|(field, on)| error.field == *field && invalid.iter().any(|name| name == on))
    };
    errors.into_iter().filter(|error| of_other_type(error) || !depends(error)).collect()
}

#[tokio::test]
async fn an_unreadable_body_gets_the_right_error_code() {
    let mut cases = Cases::start().await;
    let fixture = Fixture::create(&cases.app.http).await;
    for operation in operations() {
        let accepts = |media: &str| operation.bodies.iter().any(|body| body.media == media);
        let (json, form) = (accepts("application/json"), accepts("multipart/form-data"));
        let unsupported = Expected::error(415, &["unsupported_media_type"], &["Unsupported media type"]);
        let invalid = |accepted: bool, codes, text| {
            if accepted { Expected::error(400, codes, &[text]) } else { unsupported.clone() }
        };
        let invalid_json = || invalid(json, &["invalid_json"], "Invalid JSON");
        let invalid_form = || invalid(form, &["invalid_form"], "Invalid form");
        let mut payloads = vec![
            (Payload::Empty, unsupported.clone()),
            (Payload::Raw("text/plain", "{}"), unsupported.clone()),
            (Payload::Raw("application/x-www-form-urlencoded", "name=A"), unsupported.clone()),
            (Payload::Raw("application/octet-stream", "{}"), unsupported.clone()),
            (Payload::Raw("", "{}"), unsupported.clone()),
        ];
        let unreadable =
            ["", " ", "{", "nonsense", "[]", "[{}]", "null", "5", "\"text\"", "{\"name\": 1e999}", "{}{}"];
        payloads.extend(unreadable.map(|text| (Payload::Raw("application/json", text), invalid_json())));
        payloads.extend([
            (Payload::Raw("multipart/form-data", "x"), invalid_form()),
            (Payload::Raw("multipart/form-data; boundary=x", ""), invalid_form()),
            (Payload::Raw("multipart/form-data; boundary=x", "--x\r\n"), invalid_form()),
            (
                Payload::Raw(
                    "multipart/form-data; boundary=x",
                    "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nA",
                ),
                invalid_form(),
            ),
        ]);
        for (payload, expected) in payloads.iter().filter(|_| !operation.bodies.is_empty()) {
            let request = TestRequest { payload: payload.clone(), ..fixture.request(&operation) };
            cases.check(&format!("{} with {payload:?}", operation.id), &request, expected).await;
        }
    }
    cases.end("unreadable bodies").await;
}

#[tokio::test]
async fn a_too_large_body_is_rejected_by_its_content_length() {
    let mut cases = Cases::start().await;
    let fixture = Fixture::create(&cases.app.http).await;
    let expected = Expected::error(413, &["payload_too_large"], &["Payload too large", " bytes"]);
    for operation in operations() {
        for body in &operation.bodies {
            let request = fixture.request(&operation);
            let media =
                if body.is_form() { format!("{}; boundary=x", body.media) } else { body.media.clone() };
            // A body that never arrives.
            let pending = reqwest::Body::wrap_stream(stream::pending::<std::io::Result<Vec<u8>>>());
            let builder = request.builder(&cases.app.http).header("Content-Type", media);
            let response = Answer::send(builder.header("Content-Length", TOO_LONG).body(pending)).await;
            let case = format!("{} ({}), too large", operation.id, body.media);
            cases.check_response(&case, response, &request, &expected);
        }
    }
    cases.end("large bodies").await;
}

/// Checks that the requests behind the cases are valid, and that unknown fields and parameters are ignored.
#[tokio::test]
async fn valid_requests_succeed() {
    let mut cases = Cases::start().await;
    let mut fixture = Fixture::create(&cases.app.http).await;
    for operation in destructive_last(operations()) {
        let mut requests = Vec::new();
        for body in &operation.bodies {
            requests
                .extend(valid_changes(body).into_iter().map(|(name, fields)| (name, Some((body, fields)))));
        }
        if requests.is_empty() {
            requests.push(("an unknown parameter", None));
        }
        for (name, changes) in requests {
            let request = |fixture: &Fixture| match &changes {
                Some((body, changes)) => {
                    let mut valid = fixture.valid_body(body);
                    let fields = valid.as_object_mut().unwrap();
                    fields.extend(changes.clone());
                    if fields.get("source_type").is_some_and(|kind| kind == "url") {
                        fields.insert("url".to_owned(), DEAD_URL.into());
                    }
                    fixture.request(&operation).with_body(body, valid)
                }
                None => fixture.request(&operation).with_query("unknown", "x"),
            };
            let mut response = request(&fixture).builder(&cases.app.http).send().await.unwrap();
            if is_consumed(response.status()) {
                fixture = Fixture::create(&cases.app.http).await;
                response = request(&fixture).builder(&cases.app.http).send().await.unwrap();
            }
            cases.count += 1;
            let (status, text) = (response.status(), text_of(response).await);
            if !status.is_success() {
                cases.failures.push(format!("{} with {name}: {status} {text}", operation.id));
            }
        }
    }
    cases.end("valid requests").await;
}

/// Fields that can be set in a valid body and keep it valid.
fn valid_changes(body: &Body) -> Vec<(&'static str, Map<String, Value>)> {
    let every = |value: &dyn Fn(&Field<'_>) -> Option<Value>| -> Map<String, Value> {
        body.fields().filter_map(|field| Some((field.name.to_owned(), value(&field)?))).collect()
    };
    let mut all = vec![
        ("no change", Map::new()),
        (
            "unknown fields",
            Map::from_iter([("unknown".to_owned(), "x".into()), ("Name".to_owned(), "y".into())]),
        ),
        (
            "texts of maximum length",
            every(&|field| {
                let max = field.schema["maxLength"].as_u64()?;
                if field.schema["format"] == "uri" {
                    return Some(format!("{DEAD_URL:/<width$}", width = max as usize).into());
                }
                Some("\u{fc}".repeat(max as usize).into())
            }),
        ),
    ];
    if !body.is_form() {
        all.push(("null in nullable fields", every(&|field| field.is_nullable().then_some(Value::Null))));
        let minimum = |field: &Field<'_>| Some((field.schema["minimum"].as_f64()? as i64).into());
        let maximum = |field: &Field<'_>| Some((field.schema["maximum"].as_f64()? as i64).into());
        all.extend([("minimum numbers", every(&minimum)), ("maximum numbers", every(&maximum))]);
        let enums =
            body.fields().filter_map(|field| Some((field.name, field.schema["enum"].as_array()?.clone())));
        for (name, values) in enums {
            let changes = values.into_iter().map(|value| Map::from_iter([(name.to_owned(), value)]));
            all.extend(changes.map(|changes| ("an enum value", changes)));
        }
    }
    all.dedup_by(|next, previous| next.1.is_empty() && previous.1.is_empty());
    all
}
