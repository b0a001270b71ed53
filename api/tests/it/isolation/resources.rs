//! A tenant's resources in every state, and the places of a request that can hold their ids.

use parlance_testing::{Client, TestApp};
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{Fixture, TestRequest};
use crate::run_jobs;
use crate::spec::{Body, Operation};

/// A tenant's resources. `others` holds more resources: name of the id, description, id.
pub(super) struct Resources {
    pub(super) fixture: Fixture,
    others: Vec<(&'static str, &'static str, String)>,
}

impl Resources {
    /// Creates resources in every state.
    pub(super) async fn create(app: &TestApp, http: &Client) -> Self {
        let fixture = Fixture::create(http).await;
        let mut others = Vec::new();
        let message = fixture.id("message_id");
        let feedback = format!("/conversations/{}/messages/{message}/feedback", fixture.id("session_id"));
        http.post(&feedback, json!({"rating": "down", "comment": "No answer"})).await.data(200);
        let inactive = json!({"name": "Inactive", "channel_type": "api", "is_active": false});
        others.push(("bot_id", "an inactive bot", http.post("/bots", inactive).await.id()));
        let ended = json!({"session_id": format!("session-{}", Uuid::now_v7().simple())});
        let ended = http.post("/conversations", ended).await.data(201)["session"]["session_id"].clone();
        let path = format!("/conversations/{}", ended.as_str().unwrap());
        http.patch(&path, json!({"status": "ended"})).await.data(200);
        others.push(("session_id", "an ended conversation", ended.as_str().unwrap().to_owned()));
        let bot = fixture.id("bot_id");
        let garbage: Vec<u8> = (0..=255).cycle().take(4096).collect();
        others.push(("source_id", "a failed source", http.upload(&bot, "garbage.md", garbage).await.id()));
        run_jobs(app).await;
        let queued = http.upload(&bot, "queued.md", "Not read yet.").await.id();
        others.push(("source_id", "a queued source", queued));
        let deleted = http.upload(&bot, "deleted.md", "To be deleted.").await.id();
        http.delete(&format!("/knowledge/sources/{deleted}")).await.data(200);
        others.push(("source_id", "a deleted source", deleted));
        Self { fixture, others }
    }

    /// The resources, once with each resource of a kind.
    pub(super) fn variants(&self, name: &str) -> Vec<(&'static str, Fixture)> {
        let others = self.others.iter().filter(|(kind, ..)| *kind == name);
        let others = others.map(|(_, description, id)| (*description, self.fixture.with(name, id)));
        [("default", self.fixture.clone())].into_iter().chain(others).collect()
    }
}

/// As many ids of the same lengths, of no existing resource.
pub(super) fn nonexistent(existing: &Fixture) -> Fixture {
    existing.names().fold(existing.clone(), |fixture, name| match existing.id(name).parse::<Uuid>() {
        Ok(_) => fixture.with(name, &Uuid::now_v7().to_string()),
        Err(_) => fixture.with(name, &format!("session-{}", Uuid::now_v7().simple())),
    })
}

/// A place of ids in an operation.
#[derive(Clone, Debug)]
pub(super) struct IdPlace {
    pub(super) part: Part,
    /// The names of the ids.
    pub(super) names: Vec<String>,
    body: Option<Body>,
}

/// The part of a request that holds an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Query,
    Body,
}

impl IdPlace {
    /// A request for `own` resources, with ids of `others` in this place.
    pub(super) fn request(&self, operation: &Operation, own: &Fixture, others: &Fixture) -> TestRequest {
        let mut fixture = own.clone();
        if self.part == Part::Path {
            fixture = self.names.iter().fold(fixture, |fixture, name| fixture.with(name, &others.id(name)));
        }
        if self.part == Part::Body && self.names == ["bot_id"] {
            // The bot is only looked up for a new session.
            fixture = fixture.with("session_id", &format!("session-{}", Uuid::now_v7().simple()));
        }
        let request = fixture.request(operation);
        let mut fields = self.body.as_ref().map(|body| fixture.valid_body(body)).unwrap_or_default();
        match (self.part, &self.body) {
            (Part::Query, _) => {
                self.names.iter().fold(request, |request, name| request.with_query(name, others.id(name)))
            }
            (Part::Body, Some(body)) => {
                self.names.iter().for_each(|name| fields[name] = others.id(name).into());
                request.with_body(body, fields)
            }
            (_, Some(body)) => request.with_body(body, fields),
            (_, None) => request,
        }
    }
}

/// The places of an operation that can hold ids of `resources`.
pub(super) fn id_places(operation: &Operation, resources: &Fixture) -> Vec<IdPlace> {
    let mut places = Vec::new();
    let path: Vec<String> = operation.parameters("path").map(|parameter| parameter.name.clone()).collect();
    let mut in_path: Vec<Vec<String>> = path.iter().map(|name| vec![name.clone()]).collect();
    if path.len() > 1 {
        in_path.push(path);
    }
    let bodies: Vec<Option<Body>> = if operation.bodies.is_empty() {
        vec![None]
    } else {
        operation.bodies.iter().cloned().map(Some).collect()
    };
    for body in bodies {
        let places_in_path = in_path.iter().cloned();
        places.extend(places_in_path.map(|names| IdPlace { part: Part::Path, names, body: body.clone() }));
        for field in body.iter().flat_map(Body::fields) {
            if field.is_id() || resources.names().any(|name| name == field.name) {
                places.push(IdPlace {
                    part: Part::Body,
                    names: vec![field.name.to_owned()],
                    body: body.clone(),
                });
            }
        }
    }
    for parameter in operation.parameters("query") {
        if parameter.schema["format"] == "uuid" {
            places.push(IdPlace { part: Part::Query, names: vec![parameter.name.clone()], body: None });
        }
    }
    places
}
