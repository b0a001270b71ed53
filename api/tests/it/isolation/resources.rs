//! A tenant's resources in every state, and every position of an id in a request.

use parlance_testing::{Client, Stage};
use serde_json::json;
use uuid::Uuid;

use crate::scene::{ApiRequest, Scene};
use crate::spec::{Body, Operation};
use crate::work;

/// A scene, and further resources: name of the id, description and id.
pub(super) struct Resources {
    pub(super) scene: Scene,
    others: Vec<(&'static str, &'static str, String)>,
}

impl Resources {
    /// Creates resources in every state.
    pub(super) async fn create(stage: &Stage, http: &Client) -> Self {
        let scene = Scene::create(http).await;
        let mut others = Vec::new();
        let message = scene.id("message_id");
        let feedback = format!("/conversations/{}/messages/{message}/feedback", scene.id("session_id"));
        http.post(&feedback, json!({"rating": "down", "comment": "No answer"})).await.data(200);
        let asleep = json!({"name": "Asleep", "channel_type": "api", "is_active": false});
        others.push(("bot_id", "an inactive bot", http.post("/bots", asleep).await.id()));
        let ended = json!({"session_id": format!("session-{}", Uuid::now_v7().simple())});
        let ended = http.post("/conversations", ended).await.data(201)["session"]["session_id"].clone();
        let path = format!("/conversations/{}", ended.as_str().unwrap());
        http.patch(&path, json!({"status": "ended"})).await.data(200);
        others.push(("session_id", "an ended conversation", ended.as_str().unwrap().to_owned()));
        let bot = scene.id("bot_id");
        let garbage: Vec<u8> = (0..=255).cycle().take(4096).collect();
        others.push(("source_id", "a failed source", http.upload(&bot, "garbage.md", garbage).await.id()));
        work(stage).await;
        let queued = http.upload(&bot, "queued.md", "Not read yet.").await.id();
        others.push(("source_id", "a queued source", queued));
        let deleted = http.upload(&bot, "deleted.md", "To be deleted.").await.id();
        http.delete(&format!("/knowledge/sources/{deleted}")).await.data(200);
        others.push(("source_id", "a deleted source", deleted));
        Self { scene, others }
    }

    /// The scene, and its variants with each further resource of this name.
    pub(super) fn each(&self, name: &str) -> Vec<(&'static str, Scene)> {
        let others = self.others.iter().filter(|(kind, ..)| *kind == name);
        let others = others.map(|(_, what, id)| (*what, self.scene.with(name, id)));
        [("as it is", self.scene.clone())].into_iter().chain(others).collect()
    }
}

/// A scene of the same size whose ids do not exist.
pub(super) fn absent(things: &Scene) -> Scene {
    things.names().fold(things.clone(), |scene, name| match things.id(name).parse::<Uuid>() {
        Ok(_) => scene.with(name, &Uuid::now_v7().to_string()),
        Err(_) => scene.with(name, &format!("session-{}", Uuid::now_v7().simple())),
    })
}

/// A position of ids in a request.
#[derive(Clone, Debug)]
pub(super) struct IdPosition {
    pub(super) part: Part,
    /// The names of the ids.
    pub(super) names: Vec<String>,
    body: Option<Body>,
}

/// The part of a request with the ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Query,
    Body,
}

impl IdPosition {
    /// A request about a tenant's own resources, with another's ids in this position.
    pub(super) fn request(&self, operation: &Operation, own: &Scene, others: &Scene) -> ApiRequest {
        let mut scene = own.clone();
        if self.part == Part::Path {
            scene = self.names.iter().fold(scene, |scene, name| scene.with(name, &others.id(name)));
        }
        if self.part == Part::Body && self.names == ["bot_id"] {
            // `bot_id` is checked only for a new session.
            scene = scene.with("session_id", &format!("session-{}", Uuid::now_v7().simple()));
        }
        let request = scene.request(operation);
        let mut right = self.body.as_ref().map(|body| scene.valid_body(body)).unwrap_or_default();
        match (self.part, &self.body) {
            (Part::Query, _) => {
                self.names.iter().fold(request, |request, name| request.with_query(name, others.id(name)))
            }
            (Part::Body, Some(body)) => {
                self.names.iter().for_each(|name| right[name] = others.id(name).into());
                request.with_body(body, right)
            }
            (_, Some(body)) => request.with_body(body, right),
            (_, None) => request,
        }
    }
}

/// Every position of an operation's request that can hold an id of `things`.
pub(super) fn places(operation: &Operation, things: &Scene) -> Vec<IdPosition> {
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
        places.extend(places_in_path.map(|names| IdPosition { part: Part::Path, names, body: body.clone() }));
        for field in body.iter().flat_map(Body::fields) {
            if field.is_id() || things.names().any(|thing| thing == field.name) {
                places.push(IdPosition {
                    part: Part::Body,
                    names: vec![field.name.to_owned()],
                    body: body.clone(),
                });
            }
        }
    }
    for parameter in operation.parameters("query") {
        if parameter.schema["format"] == "uuid" {
            places.push(IdPosition { part: Part::Query, names: vec![parameter.name.clone()], body: None });
        }
    }
    places
}
