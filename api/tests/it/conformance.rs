//! Requests with every kind of error, for every operation. The cases are generated from the served
//! specification, so that they cover new operations too.

use std::time::Instant;

use parlance_core::tenants::{self, Plan};
use parlance_testing::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{Fixture, Payload, TestRequest};
use crate::spec::{Operation, Parameter, operations, paths};
use crate::{run_jobs, start_app};
use expected::{Expected, FieldError, Kind};

mod bodies;
mod expected;
mod invalid_values;

/// Operations that open a missing session.
const OPENING: [&str; 1] = ["sendMessage"];

/// The cases of a test and their failures.
struct Cases {
    app: TestApp,
    started: Instant,
    count: usize,
    failures: Vec<String>,
}

impl Cases {
    /// Starts the application with a plan without limits, since there are many cases.
    async fn start() -> Self {
        let app = start_app().await;
        tenants::set_plan(&app.ctx, app.tenant, Plan::Enterprise).await.unwrap();
        Self { app, started: Instant::now(), count: 0, failures: Vec::new() }
    }

    /// Sends a request and records how its response differs from the expected one.
    async fn check(&mut self, case: &str, request: &TestRequest, expected: &Expected) {
        let http = self.app.http.clone();
        self.check_as(&http, case, request, expected).await;
    }

    async fn check_as(&mut self, http: &Client, case: &str, request: &TestRequest, expected: &Expected) {
        self.check_response(case, Answer::send(request.builder(http)).await, request, expected);
    }

    fn check_response(&mut self, case: &str, response: Answer, request: &TestRequest, expected: &Expected) {
        self.count += 1;
        if let Err(difference) = expected.check(&response) {
            let cut = |text: String, max: usize| text.chars().take(max).collect::<String>();
            let payload = cut(format!("{:?}", request.payload), 100);
            let body = cut(response.body.to_string(), 400);
            let TestRequest { method, path, query, .. } = request;
            let status = response.status;
            self.failures.push(format!(
                "{case}: {difference}\n    {method} {path} {query:?} {payload}\n    {status} {body}"
            ));
        }
    }

    /// Ends the test. Panics with all failures.
    async fn end(self, name: &str) {
        eprintln!("{name}: {} cases in {:?}", self.count, self.started.elapsed());
        run_jobs(&self.app).await;
        self.app.end().await;
        assert!(self.count > 0);
        let (failed, count) = (self.failures.len(), self.count);
        assert!(failed == 0, "{name}: {failed} of {count} cases failed:\n{}", self.failures.join("\n"));
    }
}

/// A request with every part invalid: path, query and body.
fn all_invalid(operation: &Operation) -> TestRequest {
    let fixture = operation
        .parameters("path")
        .fold(Fixture::default(), |fixture, parameter| fixture.with(&parameter.name, "%00"));
    let mut request = fixture.request(operation);
    for parameter in operation.parameters("query") {
        request = request.with_query(&parameter.name, "\u{0}");
    }
    if !operation.bodies.is_empty() {
        request.payload = Payload::Raw("text/plain", "{");
    }
    request
}

#[tokio::test]
async fn every_operation_checks_the_key_before_the_request() {
    let mut cases = Cases::start().await;
    let created = cases.app.http.post("/tenant/api-keys", json!({"name": "Revoked"})).await;
    cases.app.http.delete(&format!("/tenant/api-keys/{}", created.id())).await.data(200);
    let revoked = created.data(201)["key"].as_str();
    for operation in operations() {
        for (key, code) in [
            (None, &["missing_api_key"]),
            (Some(""), &["invalid_api_key"]),
            (Some("tk_nonsense"), &["invalid_api_key"]),
            (revoked, &["invalid_api_key"]),
        ] {
            let http = cases.app.http.with_key(key);
            let expected =
                Expected::error(401, code, &["Invalid API key", "API key not found or tenant inactive"]);
            for request in [all_invalid(&operation), Fixture::default().request(&operation)] {
                cases.check_as(&http, &format!("{} with {key:?}", operation.id), &request, &expected).await;
            }
        }
    }
    cases.end("keys").await;
}

#[tokio::test]
async fn a_key_permits_exactly_the_operations_of_its_scopes() {
    let mut cases = Cases::start().await;
    for scope in ["full", "read", "chat", "knowledge"] {
        let created =
            cases.app.http.post("/tenant/api-keys", json!({"name": scope, "scopes": [scope]})).await;
        let http = cases.app.http.with_key(created.data(201)["key"].as_str());
        for operation in operations() {
            let permitted = scopes(&operation);
            let expected = if permitted.contains(&scope) {
                Expected::Authorized
            } else {
                let texts: Vec<&str> = [&["Insufficient permissions"], &permitted[..]].concat();
                Expected::error(403, &["missing_scope"], &texts)
            };
            cases
                .check_as(
                    &http,
                    &format!("{} with {scope}", operation.id),
                    &all_invalid(&operation),
                    &expected,
                )
                .await;
        }
    }
    cases.end("scopes").await;
}

/// The scopes that permit an operation.
fn scopes(operation: &Operation) -> Vec<&'static str> {
    let mut permitted = vec!["full"];
    if operation.method == Method::GET {
        permitted.push("read");
    }
    if operation.path.starts_with("/conversations") {
        permitted.push("chat");
    }
    if operation.path.starts_with("/knowledge") || operation.path.starts_with("/jobs") {
        permitted.push("knowledge");
    }
    permitted
}

#[tokio::test]
async fn an_unknown_id_in_the_path_wins_over_other_errors() {
    let mut cases = Cases::start().await;
    let fixture = Fixture::create(&cases.app.http).await;
    let unknown = Uuid::now_v7().to_string();
    for operation in operations() {
        for parameter in operation.parameters("path") {
            let opens = OPENING.contains(&operation.id.as_str());
            for id in [&*unknown, "nonsense", "%00", "a%2Fb", "..%2F..", "a%20b", "%C3%BC", &"x".repeat(256)]
            {
                let is_valid = parameter.name == "session_id" && (id == unknown || id == "nonsense");
                if opens && is_valid {
                    continue;
                }
                let fixture = fixture.with(&parameter.name, id);
                let name = resource_name(&parameter.name);
                let mut texts = vec![format!("{} not found", capitalised(&name))];
                if !opens {
                    texts.push(format!("The requested {name} does not exist or you don't have access"));
                }
                let expected = Expected::Error { status: 404, codes: &[], texts };
                for (variant, request) in request_variants(&operation, &fixture) {
                    let case = format!("{} with {} {id}, {variant}", operation.id, parameter.name);
                    cases.check(&case, &request, &expected).await;
                }
            }
            // Invalid UTF-8.
            let request = fixture.with(&parameter.name, "%FF").request(&operation);
            cases
                .check(
                    &format!("{} with %FF", operation.id),
                    &request,
                    &Expected::error(404, &[], &["not found"]),
                )
                .await;
        }
    }
    cases.end("paths").await;
}

/// Requests for a path with a valid and an invalid query and body.
fn request_variants(operation: &Operation, fixture: &Fixture) -> Vec<(String, TestRequest)> {
    let mut requests = Vec::new();
    if operation.bodies.is_empty() {
        requests.push(("otherwise valid".to_owned(), fixture.request(operation)));
    }
    for parameter in operation.parameters("query") {
        let request = fixture.request(operation).with_query(&parameter.name, "\u{0}");
        requests.push((format!("{} invalid", parameter.name), request));
    }
    for body in &operation.bodies {
        requests.push((format!("{} valid", body.media), fixture.valid_request(operation, body)));
        let invalid = body.fields().filter_map(|field| {
            Some((field.name.to_owned(), invalid_values::of_field(field, body).pop()?.value))
        });
        let request =
            fixture.request(operation).with_body(body, serde_json::Value::Object(invalid.collect()));
        requests.push((format!("{} invalid", body.media), request));
    }
    requests
}

/// The documented name of the resource of a path parameter.
fn resource_name(parameter: &str) -> String {
    match parameter.trim_end_matches("_id") {
        "key" => "API key".to_owned(),
        "source" => "knowledge source".to_owned(),
        "session" => "conversation".to_owned(),
        other => other.to_owned(),
    }
}

fn capitalised(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

#[tokio::test]
async fn a_405_lists_the_allowed_methods() {
    let mut cases = Cases::start().await;
    for (path, operations) in paths() {
        let methods: Vec<Method> = operations.iter().map(|operation| operation.method.clone()).collect();
        let brew = Method::from_bytes(b"BREW").unwrap();
        for method in
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE, brew]
        {
            if methods.contains(&method) {
                continue;
            }
            let request =
                TestRequest { method: method.clone(), ..Fixture::default().request(&operations[0]) };
            let response = Answer::send(request.builder(&cases.app.http)).await;
            let mut allowed: Vec<String> = response
                .headers
                .get("allow")
                .map_or("", |allow| allow.to_str().unwrap())
                .split(", ")
                .map(str::to_owned)
                .collect();
            let mut expected: Vec<String> =
                methods.iter().map(ToString::to_string).chain(["OPTIONS".to_owned()]).collect();
            if methods.contains(&Method::GET) {
                expected.push("HEAD".to_owned());
            }
            allowed.sort_unstable();
            expected.sort_unstable();
            let case = format!("{method} {path}");
            if allowed != expected {
                cases.failures.push(format!("{case}: Allow is {allowed:?}, expected {expected:?}"));
            }
            let expected =
                Expected::error(405, &["method_not_allowed"], &["Method not allowed", method.as_str()]);
            cases.check_response(&case, response, &request, &expected);
        }
    }
    cases.end("methods").await;
}

#[tokio::test]
async fn an_invalid_parameter_is_named_with_its_valid_values() {
    let mut cases = Cases::start().await;
    let fixture = Fixture::create(&cases.app.http).await;
    for operation in operations() {
        let mut all_invalid = fixture.request(&operation);
        let mut errors = Vec::new();
        for parameter in operation.parameters("query") {
            for (value, mut texts) in invalid_values::of_parameter(&parameter.schema) {
                texts.push(format!("The '{}' parameter must be ", parameter.name));
                let error = FieldError::new(&parameter.name, Kind::Invalid, texts);
                let request = fixture.request(&operation).with_query(&parameter.name, &value);
                let case = format!("{} with {}={value:?}", operation.id, parameter.name);
                cases.check(&case, &request, &Expected::Invalid(vec![error])).await;
            }
            all_invalid = all_invalid.with_query(&parameter.name, "\u{0}");
            errors.push(FieldError::new(&parameter.name, Kind::Invalid, []));
        }
        if !errors.is_empty() {
            let case = format!("{} with every parameter invalid", operation.id);
            cases.check(&case, &all_invalid, &Expected::Invalid(errors)).await;
        }
        // Headers without a pattern are not validated.
        let validated = |parameter: &&Parameter| parameter.schema["pattern"].is_string();
        for parameter in operation.parameters("header").filter(validated) {
            for value in ["two words", &"x".repeat(256)] {
                let mut request = operation.bodies.first().map_or_else(
                    || fixture.request(&operation),
                    |body| fixture.valid_request(&operation, body),
                );
                request.headers.push((parameter.name.clone(), value.to_owned()));
                let error = FieldError::new(&parameter.name, Kind::Invalid, []);
                let case = format!("{} with the header {}: {value}", operation.id, parameter.name);
                cases.check(&case, &request, &Expected::Invalid(vec![error])).await;
            }
        }
    }
    cases.end("parameters").await;
}
