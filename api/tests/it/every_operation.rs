//! Every operation of the specification, with every kind of invalid request.
//!
//! The cases are generated from the served specification, so new operations are covered without a change.

use std::time::Instant;

use parlance_core::tenants::{self, Plan};
use parlance_testing::{Answer, Client, Stage};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::scene::{ApiRequest, Payload, Scene};
use crate::spec::{Operation, Parameter, operations, paths};
use crate::{stage, work};
use expected::Expected;

mod bodies;
mod expected;
mod values;

/// Operations that open a session if it does not exist.
const OPENING: [&str; 1] = ["sendMessage"];

/// A run over all cases, with its failures.
struct Run {
    stage: Stage,
    started: Instant,
    cases: usize,
    failures: Vec<String>,
}

impl Run {
    /// Starts a run on a plan without limits, since there are many cases.
    async fn start() -> Self {
        let stage = stage().await;
        tenants::set_plan(&stage.ctx, stage.tenant, Plan::Enterprise).await.unwrap();
        Self { stage, started: Instant::now(), cases: 0, failures: Vec::new() }
    }

    /// Sends a request, and records a failure unless the response is as expected.
    async fn check(&mut self, what: &str, request: &ApiRequest, expected: &Expected) {
        let http = self.stage.http.clone();
        self.check_as(&http, what, request, expected).await;
    }

    async fn check_as(&mut self, http: &Client, what: &str, request: &ApiRequest, expected: &Expected) {
        self.record(what, Answer::of(request.build(http)).await, request, expected);
    }

    fn record(&mut self, what: &str, answer: Answer, request: &ApiRequest, expected: &Expected) {
        self.cases += 1;
        if let Err(failure) = expected.check(&answer) {
            let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
            let sent = cut(format!("{:?}", request.payload), 100);
            let received = cut(answer.body.to_string(), 400);
            let ApiRequest { method, path, query, .. } = request;
            let status = answer.status;
            self.failures.push(format!(
                "{what}: {failure}\n    {method} {path} {query:?} {sent}\n    {status} {received}"
            ));
        }
    }

    /// Ends the run; panics with all failures.
    async fn end(self, what: &str) {
        eprintln!("{what}: {} cases in {:?}", self.cases, self.started.elapsed());
        work(&self.stage).await;
        self.stage.end().await;
        assert!(self.cases > 0);
        let (wrong, cases) = (self.failures.len(), self.cases);
        assert!(wrong == 0, "{what}: {wrong} of {cases} cases are wrong:\n{}", self.failures.join("\n"));
    }
}

/// A request in which everything is invalid.
fn all_wrong(operation: &Operation) -> ApiRequest {
    let scene = operation
        .parameters("path")
        .fold(None::<Scene>, |scene, parameter| Some(scene.unwrap_or_default().with(&parameter.name, "%00")));
    let mut request = scene.unwrap_or_default().request(operation);
    for parameter in operation.parameters("query") {
        request = request.with_query(&parameter.name, "\u{0}");
    }
    if !operation.bodies.is_empty() {
        request.payload = Payload::Raw("text/plain", "{");
    }
    request
}

#[tokio::test]
async fn every_operation_authenticates_before_it_validates() {
    let mut run = Run::start().await;
    let made = run.stage.http.post("/tenant/api-keys", json!({"name": "Revoked"})).await;
    run.stage.http.delete(&format!("/tenant/api-keys/{}", made.id())).await.data(200);
    let revoked = made.data(201)["key"].as_str();
    for operation in operations() {
        for (key, code) in [
            (None, &["missing_api_key"]),
            (Some(""), &["invalid_api_key"]),
            (Some("tk_nonsense"), &["invalid_api_key"]),
            (revoked, &["invalid_api_key"]),
        ] {
            let http = run.stage.http.with_key(key);
            let expected =
                Expected::refused(401, code, &["Invalid API key", "API key not found or tenant inactive"]);
            for request in [all_wrong(&operation), Scene::default().request(&operation)] {
                run.check_as(&http, &format!("{} with {key:?}", operation.id), &request, &expected).await;
            }
        }
    }
    run.end("keys").await;
}

#[tokio::test]
async fn every_operation_checks_the_scopes_of_the_key() {
    let mut run = Run::start().await;
    for scope in ["full", "read", "chat", "knowledge"] {
        let made = run.stage.http.post("/tenant/api-keys", json!({"name": scope, "scopes": [scope]})).await;
        let http = run.stage.http.with_key(made.data(201)["key"].as_str());
        for operation in operations() {
            let open = scopes(&operation);
            let expected = if open.contains(&scope) {
                Expected::LetIn
            } else {
                let texts: Vec<&str> = [&["Insufficient permissions"], &open[..]].concat();
                Expected::refused(403, &["missing_scope"], &texts)
            };
            run.check_as(&http, &format!("{} with {scope}", operation.id), &all_wrong(&operation), &expected)
                .await;
        }
    }
    run.end("scopes").await;
}

/// The scopes that permit an operation.
fn scopes(operation: &Operation) -> Vec<&'static str> {
    let mut open = vec!["full"];
    if operation.method == Method::GET {
        open.push("read");
    }
    if operation.path.starts_with("/conversations") {
        open.push("chat");
    }
    if operation.path.starts_with("/knowledge") || operation.path.starts_with("/jobs") {
        open.push("knowledge");
    }
    open
}

#[tokio::test]
async fn not_found_wins_over_every_validation_error() {
    let mut run = Run::start().await;
    let scene = Scene::create(&run.stage.http).await;
    let unknown = Uuid::now_v7().to_string();
    for operation in operations() {
        for parameter in operation.parameters("path") {
            let opens = OPENING.contains(&operation.id.as_str());
            for id in [&*unknown, "nonsense", "%00", "a%2Fb", "..%2F..", "a%20b", "%C3%BC", &"x".repeat(256)]
            {
                let could_be = parameter.name == "session_id" && (id == unknown || id == "nonsense");
                if opens && could_be {
                    continue;
                }
                let request = scene.with(&parameter.name, id);
                let name = thing(&parameter.name);
                let mut texts = vec![format!("{} not found", capitalised(&name))];
                if !opens {
                    texts.push(format!("The requested {name} does not exist or you don't have access"));
                }
                let expected = Expected::Refused { status: 404, codes: &[], texts };
                for (how, request) in requests(&operation, &request) {
                    let what = format!("{} with {} {id}, {how}", operation.id, parameter.name);
                    run.check(&what, &request, &expected).await;
                }
            }
            // Invalid UTF-8 is not found either.
            let request = scene.with(&parameter.name, "%FF").request(&operation);
            run.check(
                &format!("{} with %FF", operation.id),
                &request,
                &Expected::refused(404, &[], &["not found"]),
            )
            .await;
        }
    }
    run.end("paths").await;
}

/// Valid and invalid requests, apart from the path.
fn requests(operation: &Operation, scene: &Scene) -> Vec<(String, ApiRequest)> {
    let mut requests = Vec::new();
    if operation.bodies.is_empty() {
        requests.push(("all else right".to_owned(), scene.request(operation)));
    }
    for parameter in operation.parameters("query") {
        let request = scene.request(operation).with_query(&parameter.name, "\u{0}");
        requests.push((format!("{} wrong", parameter.name), request));
    }
    for body in &operation.bodies {
        requests.push((format!("{} right", body.media), scene.request_with(operation, body)));
        let fields =
            body.fields().filter_map(|field| Some((field.name, values::of_field(field, body).pop()?.value)));
        let wrong = fields.map(|(name, value)| (name.to_owned(), value)).collect();
        let request = scene.request(operation).with_body(body, serde_json::Value::Object(wrong));
        requests.push((format!("{} wrong", body.media), request));
    }
    requests
}

/// Name of a resource in the documented error texts.
fn thing(parameter: &str) -> String {
    match parameter.trim_end_matches("_id") {
        "key" => "API key".to_owned(),
        "source" => "knowledge source".to_owned(),
        "session" => "conversation".to_owned(),
        other => other.to_owned(),
    }
}

fn capitalised(words: &str) -> String {
    words[..1].to_uppercase() + &words[1..]
}

#[tokio::test]
async fn an_unsupported_method_lists_the_supported_ones() {
    let mut run = Run::start().await;
    for (path, operations) in paths() {
        let known: Vec<Method> = operations.iter().map(|operation| operation.method.clone()).collect();
        let brew = Method::from_bytes(b"BREW").unwrap();
        for method in
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE, brew]
        {
            if known.contains(&method) {
                continue;
            }
            let request = ApiRequest { method: method.clone(), ..Scene::default().request(&operations[0]) };
            let answer = Answer::of(request.build(&run.stage.http)).await;
            let mut allowed: Vec<String> = answer
                .headers
                .get("allow")
                .map_or("", |allow| allow.to_str().unwrap())
                .split(", ")
                .map(str::to_owned)
                .collect();
            let mut wanted: Vec<String> =
                known.iter().map(ToString::to_string).chain(["OPTIONS".to_owned()]).collect();
            if known.contains(&Method::GET) {
                wanted.push("HEAD".to_owned());
            }
            allowed.sort_unstable();
            wanted.sort_unstable();
            let what = format!("{method} {path}");
            if allowed != wanted {
                run.failures.push(format!("{what}: Allow is {allowed:?} and must be {wanted:?}"));
            }
            let expected =
                Expected::refused(405, &["method_not_allowed"], &["Method not allowed", method.as_str()]);
            run.record(&what, answer, &request, &expected);
        }
    }
    run.end("methods").await;
}

#[tokio::test]
async fn an_invalid_parameter_is_named_with_its_constraint() {
    let mut run = Run::start().await;
    let scene = Scene::create(&run.stage.http).await;
    for operation in operations() {
        let mut everything = scene.request(&operation);
        let mut faults = Vec::new();
        for parameter in operation.parameters("query") {
            for (value, mut texts) in values::of_parameter(&parameter.schema) {
                texts.push(format!("The '{}' parameter must be ", parameter.name));
                let fault = expected::Fault::new(&parameter.name, expected::How::Wrong, texts);
                let request = scene.request(&operation).with_query(&parameter.name, &value);
                let what = format!("{} with {}={value:?}", operation.id, parameter.name);
                run.check(&what, &request, &Expected::Faults(vec![fault])).await;
            }
            everything = everything.with_query(&parameter.name, "\u{0}");
            faults.push(expected::Fault::new(&parameter.name, expected::How::Wrong, []));
        }
        if !faults.is_empty() {
            let what = format!("{} with every parameter wrong", operation.id);
            run.check(&what, &everything, &Expected::Faults(faults)).await;
        }
        // Headers without a pattern are accepted or ignored.
        let strict = |parameter: &&Parameter| parameter.schema["pattern"].is_string();
        for parameter in operation.parameters("header").filter(strict) {
            for value in ["two words", &"x".repeat(256)] {
                let mut request = operation
                    .bodies
                    .first()
                    .map_or_else(|| scene.request(&operation), |body| scene.request_with(&operation, body));
                request.headers.push((parameter.name.clone(), value.to_owned()));
                let fault = expected::Fault::new(&parameter.name, expected::How::Wrong, []);
                let what = format!("{} with the header {}: {value}", operation.id, parameter.name);
                run.check(&what, &request, &Expected::Faults(vec![fault])).await;
            }
        }
    }
    run.end("parameters").await;
}
