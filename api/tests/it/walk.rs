//! A walk through the specification: every operation, and every way in which a request can be wrong. The
//! cases are made from what is served, so that an operation that is added later is walked through too.

use std::time::Instant;

use parlance_core::tenants::{self, Plan};
use parlance_testing::{Answer, Client, Stage};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::scene::{Asked, Payload, Scene};
use crate::spec::{Operation, Parameter, operations, paths};
use crate::{stage, work};
use told::Told;

mod bodies;
mod told;
mod values;

/// Operations whose session need not be there: they open it.
const OPENING: [&str; 1] = ["sendMessage"];

/// A walk, and what it has met.
struct Walk {
    stage: Stage,
    begun: Instant,
    cases: usize,
    flaws: Vec<String>,
}

impl Walk {
    /// On a plan without limits, for there are many cases.
    async fn begin() -> Self {
        let stage = stage().await;
        tenants::set_plan(&stage.ctx, stage.tenant, Plan::Enterprise).await.unwrap();
        Self { stage, begun: Instant::now(), cases: 0, flaws: Vec::new() }
    }

    /// Sends a request and remembers what is wrong with its answer.
    async fn see(&mut self, what: &str, asked: &Asked, told: &Told) {
        let http = self.stage.http.clone();
        self.see_as(&http, what, asked, told).await;
    }

    async fn see_as(&mut self, http: &Client, what: &str, asked: &Asked, told: &Told) {
        self.hear(what, Answer::of(asked.request(http)).await, asked, told);
    }

    fn hear(&mut self, what: &str, answer: Answer, asked: &Asked, told: &Told) {
        self.cases += 1;
        if let Err(flaw) = told.check(&answer) {
            let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
            let sent = cut(format!("{:?}", asked.payload), 100);
            let heard = cut(answer.body.to_string(), 400);
            let Asked { method, path, query, .. } = asked;
            let status = answer.status;
            self.flaws
                .push(format!("{what}: {flaw}\n    {method} {path} {query:?} {sent}\n    {status} {heard}"));
        }
    }

    /// Fails with everything that was wrong.
    async fn end(self, what: &str) {
        eprintln!("{what}: {} cases in {:?}", self.cases, self.begun.elapsed());
        work(&self.stage).await;
        self.stage.end().await;
        assert!(self.cases > 0);
        let (wrong, cases) = (self.flaws.len(), self.cases);
        assert!(wrong == 0, "{what}: {wrong} of {cases} cases are wrong:\n{}", self.flaws.join("\n"));
    }
}

/// A request for an operation in which everything is wrong that can be.
fn all_wrong(operation: &Operation) -> Asked {
    let scene = operation
        .parameters("path")
        .fold(None::<Scene>, |scene, parameter| Some(scene.unwrap_or_default().with(&parameter.name, "%00")));
    let mut asked = scene.unwrap_or_default().ask(operation);
    for parameter in operation.parameters("query") {
        asked = asked.asking(&parameter.name, "\u{0}");
    }
    if !operation.bodies.is_empty() {
        asked.payload = Payload::Raw("text/plain", "{");
    }
    asked
}

#[tokio::test]
async fn every_operation_checks_the_key_before_the_request() {
    let mut walk = Walk::begin().await;
    let made = walk.stage.http.post("/tenant/api-keys", json!({"name": "Revoked"})).await;
    walk.stage.http.delete(&format!("/tenant/api-keys/{}", made.id())).await.data(200);
    let revoked = made.data(201)["key"].as_str();
    for operation in operations() {
        for (key, code) in [
            (None, &["missing_api_key"]),
            (Some(""), &["invalid_api_key"]),
            (Some("tk_nonsense"), &["invalid_api_key"]),
            (revoked, &["invalid_api_key"]),
        ] {
            let http = walk.stage.http.with_key(key);
            let told = Told::refused(401, code, &["Invalid API key", "API key not found or tenant inactive"]);
            for asked in [all_wrong(&operation), Scene::default().ask(&operation)] {
                walk.see_as(&http, &format!("{} with {key:?}", operation.id), &asked, &told).await;
            }
        }
    }
    walk.end("keys").await;
}

#[tokio::test]
async fn a_key_permits_exactly_the_operations_of_its_scopes() {
    let mut walk = Walk::begin().await;
    for scope in ["full", "read", "chat", "knowledge"] {
        let made = walk.stage.http.post("/tenant/api-keys", json!({"name": scope, "scopes": [scope]})).await;
        let http = walk.stage.http.with_key(made.data(201)["key"].as_str());
        for operation in operations() {
            let open = scopes(&operation);
            let told = if open.contains(&scope) {
                Told::LetIn
            } else {
                let saying: Vec<&str> = [&["Insufficient permissions"], &open[..]].concat();
                Told::refused(403, &["missing_scope"], &saying)
            };
            walk.see_as(&http, &format!("{} with {scope}", operation.id), &all_wrong(&operation), &told)
                .await;
        }
    }
    walk.end("scopes").await;
}

/// The scopes that open an operation.
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
async fn an_unknown_id_in_the_path_wins_over_other_errors() {
    let mut walk = Walk::begin().await;
    let scene = Scene::set(&walk.stage.http).await;
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
                let asked = scene.with(&parameter.name, id);
                let name = thing(&parameter.name);
                let mut saying = vec![format!("{} not found", capitalised(&name))];
                if !opens {
                    saying.push(format!("The requested {name} does not exist or you don't have access"));
                }
                let told = Told::Refused { status: 404, codes: &[], saying };
                for (how, asked) in requests(&operation, &asked) {
                    let what = format!("{} with {} {id}, {how}", operation.id, parameter.name);
                    walk.see(&what, &asked, &told).await;
                }
            }
            // What is no UTF-8 names nothing either.
            let asked = scene.with(&parameter.name, "%FF").ask(&operation);
            walk.see(&format!("{} with %FF", operation.id), &asked, &Told::refused(404, &[], &["not found"]))
                .await;
        }
    }
    walk.end("paths").await;
}

/// Requests that are right, and that are wrong, in everything but the path.
fn requests(operation: &Operation, scene: &Scene) -> Vec<(String, Asked)> {
    let mut requests = Vec::new();
    if operation.bodies.is_empty() {
        requests.push(("all else right".to_owned(), scene.ask(operation)));
    }
    for parameter in operation.parameters("query") {
        let asked = scene.ask(operation).asking(&parameter.name, "\u{0}");
        requests.push((format!("{} wrong", parameter.name), asked));
    }
    for body in &operation.bodies {
        requests.push((format!("{} right", body.media), scene.ask_rightly(operation, body)));
        let fields =
            body.fields().filter_map(|field| Some((field.name, values::of_field(field, body).pop()?.value)));
        let wrong = fields.map(|(name, value)| (name.to_owned(), value)).collect();
        let asked = scene.ask(operation).carrying(body, serde_json::Value::Object(wrong));
        requests.push((format!("{} wrong", body.media), asked));
    }
    requests
}

/// What the reference calls that which a path names.
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
async fn a_405_lists_the_allowed_methods() {
    let mut walk = Walk::begin().await;
    for (path, operations) in paths() {
        let known: Vec<Method> = operations.iter().map(|operation| operation.method.clone()).collect();
        let brew = Method::from_bytes(b"BREW").unwrap();
        for method in
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE, brew]
        {
            if known.contains(&method) {
                continue;
            }
            let asked = Asked { method: method.clone(), ..Scene::default().ask(&operations[0]) };
            let answer = Answer::of(asked.request(&walk.stage.http)).await;
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
                walk.flaws.push(format!("{what}: Allow is {allowed:?} and must be {wanted:?}"));
            }
            let told = Told::refused(405, &["method_not_allowed"], &["Method not allowed", method.as_str()]);
            walk.hear(&what, answer, &asked, &told);
        }
    }
    walk.end("methods").await;
}

#[tokio::test]
async fn an_invalid_parameter_is_named_with_its_valid_values() {
    let mut walk = Walk::begin().await;
    let scene = Scene::set(&walk.stage.http).await;
    for operation in operations() {
        let mut everything = scene.ask(&operation);
        let mut faults = Vec::new();
        for parameter in operation.parameters("query") {
            for (value, mut saying) in values::of_parameter(&parameter.schema) {
                saying.push(format!("The '{}' parameter must be ", parameter.name));
                let fault = told::Fault::new(&parameter.name, told::How::Wrong, saying);
                let asked = scene.ask(&operation).asking(&parameter.name, &value);
                let what = format!("{} with {}={value:?}", operation.id, parameter.name);
                walk.see(&what, &asked, &Told::Faults(vec![fault])).await;
            }
            everything = everything.asking(&parameter.name, "\u{0}");
            faults.push(told::Fault::new(&parameter.name, told::How::Wrong, []));
        }
        if !faults.is_empty() {
            let what = format!("{} with every parameter wrong", operation.id);
            walk.see(&what, &everything, &Told::Faults(faults)).await;
        }
        // Others are taken as they are, or ignored.
        let strict = |parameter: &&Parameter| parameter.schema["pattern"].is_string();
        for parameter in operation.parameters("header").filter(strict) {
            for value in ["two words", &"x".repeat(256)] {
                let mut asked = operation
                    .bodies
                    .first()
                    .map_or_else(|| scene.ask(&operation), |body| scene.ask_rightly(&operation, body));
                asked.headers.push((parameter.name.clone(), value.to_owned()));
                let fault = told::Fault::new(&parameter.name, told::How::Wrong, []);
                let what = format!("{} with the header {}: {value}", operation.id, parameter.name);
                walk.see(&what, &asked, &Told::Faults(vec![fault])).await;
            }
        }
    }
    walk.end("parameters").await;
}
