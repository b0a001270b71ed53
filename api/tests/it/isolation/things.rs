//! What a tenant has, in every state, and every place where a request can name it.

use parlance_testing::{Client, Stage};
use serde_json::json;
use uuid::Uuid;

use crate::scene::{Asked, Scene};
use crate::spec::{Body, Operation};
use crate::work;

/// A tenant's things; and more of a kind, by the name of their id, with what is special about each.
pub(super) struct Things {
    pub(super) scene: Scene,
    others: Vec<(&'static str, &'static str, String)>,
}

impl Things {
    /// Things in every state.
    pub(super) async fn set(stage: &Stage, http: &Client) -> Self {
        let scene = Scene::set(http).await;
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

    /// The things, with each of a kind in its turn.
    pub(super) fn each(&self, name: &str) -> Vec<(&'static str, Scene)> {
        let others = self.others.iter().filter(|(kind, ..)| *kind == name);
        let others = others.map(|(_, what, id)| (*what, self.scene.with(name, id)));
        [("as it is", self.scene.clone())].into_iter().chain(others).collect()
    }
}

/// Things as many and with ids as long, and nobody's.
pub(super) fn nobodys(things: &Scene) -> Scene {
    things.names().fold(things.clone(), |scene, name| match things.id(name).parse::<Uuid>() {
        Ok(_) => scene.with(name, &Uuid::now_v7().to_string()),
        Err(_) => scene.with(name, &format!("session-{}", Uuid::now_v7().simple())),
    })
}

/// A place in an operation where things are named.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) part: Part,
    /// What is named.
    pub(super) names: Vec<String>,
    body: Option<Body>,
}

/// The part of a request that names a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Query,
    Body,
}

impl Place {
    /// A request about one's own things, that names another's in this place.
    pub(super) fn ask(&self, operation: &Operation, own: &Scene, others: &Scene) -> Asked {
        let mut scene = own.clone();
        if self.part == Part::Path {
            scene = self.names.iter().fold(scene, |scene, name| scene.with(name, &others.id(name)));
        }
        if self.part == Part::Body && self.names == ["bot_id"] {
            // The bot of a session is asked for when the session is new.
            scene = scene.with("session_id", &format!("session-{}", Uuid::now_v7().simple()));
        }
        let asked = scene.ask(operation);
        let mut right = self.body.as_ref().map(|body| scene.right(body)).unwrap_or_default();
        match (self.part, &self.body) {
            (Part::Query, _) => {
                self.names.iter().fold(asked, |asked, name| asked.asking(name, others.id(name)))
            }
            (Part::Body, Some(body)) => {
                self.names.iter().for_each(|name| right[name] = others.id(name).into());
                asked.carrying(body, right)
            }
            (_, Some(body)) => asked.carrying(body, right),
            (_, None) => asked,
        }
    }
}

/// Every place of an operation where `things` can be named.
pub(super) fn places(operation: &Operation, things: &Scene) -> Vec<Place> {
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
        places.extend(places_in_path.map(|names| Place { part: Part::Path, names, body: body.clone() }));
        for field in body.iter().flat_map(Body::fields) {
            if field.is_id() || things.names().any(|thing| thing == field.name) {
                places.push(Place {
                    part: Part::Body,
                    names: vec![field.name.to_owned()],
                    body: body.clone(),
                });
            }
        }
    }
    for parameter in operation.parameters("query") {
        if parameter.schema["format"] == "uuid" {
            places.push(Place { part: Part::Query, names: vec![parameter.name.clone()], body: None });
        }
    }
    places
}
