//! One of everything that a tenant can have, and requests about it, made from the specification.

use std::collections::BTreeMap;

use parlance_testing::Client;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::spec::{Body, Operation};

/// A tenant's things, by the names that paths and bodies give to their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene(BTreeMap<String, String>);

/// Whether a request failed because earlier ones had used up what it is about.
pub(crate) fn is_used_up(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT)
}

/// What the customer of a scene asks; nothing answers it.
pub(crate) const QUESTION: &str = "How long may I return what I bought?";

/// Where nothing listens, so that a crawl ends at once.
pub(crate) const ADDRESS: &str = "http://127.0.0.1:1/help";

impl Scene {
    /// Makes a bot, a conversation with it, a key, and a source, whose job waits.
    pub(crate) async fn set(http: &Client) -> Self {
        let mut scene = Self(BTreeMap::new());
        let bot = json!({"name": "Helper", "channel_type": "webchat", "welcome_message": "Welcome!"});
        let bot = http.post("/bots", bot).await.id();
        scene.put(
            "key_id",
            &http.post("/tenant/api-keys", json!({"name": "Site", "scopes": ["chat"]})).await.id(),
        );
        let session = format!("session-{}", Uuid::now_v7().simple());
        let message = json!({"message": QUESTION, "bot_id": bot, "user_name": "Ada"});
        let said = http.post(&format!("/conversations/{session}/messages"), message).await;
        scene.put("message_id", said.data(200)["bot_response"]["id"].as_str().unwrap());
        scene.put("session_id", &session);
        let source = http.upload(&bot, "returns.md", "# Returns\n\nWithin thirty days.\n").await;
        scene.put("source_id", &source.id());
        scene.put("bot_id", &bot);
        // What is named in passing: the job.
        for (name, value) in source.data(201).as_object().unwrap() {
            if let (true, Some(value), false) =
                (name.ends_with("_id"), value.as_str(), scene.0.contains_key(name))
            {
                scene.put(name, value);
            }
        }
        let site = json!({"bot_id": bot, "name": "Site", "source_type": "url", "url": ADDRESS});
        let site = http.post("/knowledge/sources", site).await.id();
        scene.put("refreshKnowledgeSource/source_id", &site);
        let unwanted = http.upload(&bot, "unwanted.md", "# Unwanted\n").await.data(201)["job_id"].clone();
        let unwanted = unwanted.as_str().unwrap();
        http.post(&format!("/jobs/{unwanted}/cancel"), json!({})).await.data(200);
        scene.put("retryJob/job_id", unwanted);
        scene
    }

    /// The same things, but one.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut scene = self.clone();
        scene.0.retain(|known, _| known.rsplit_once('/').is_none_or(|(_, special)| special != name));
        scene.put(name, value);
        scene
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The id of a thing; nobody's, for what a scene does not have.
    pub(crate) fn id(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| Uuid::now_v7().to_string())
    }

    /// The names of the things.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| !name.contains('/'))
    }

    /// A request for an operation on these things, without a query or a body.
    pub(crate) fn ask(&self, operation: &Operation) -> Asked {
        let mut path = operation.path.clone();
        for parameter in operation.parameters("path") {
            // An operation that not every thing allows has one of its own.
            let special = self.0.get(&format!("{}/{}", operation.id, parameter.name)).cloned();
            let id = special.unwrap_or_else(|| self.id(&parameter.name));
            path = path.replace(&format!("{{{}}}", parameter.name), &id);
        }
        Asked {
            method: operation.method.clone(),
            path,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Nothing,
        }
    }

    /// The same with a body that is right.
    pub(crate) fn ask_rightly(&self, operation: &Operation, body: &Body) -> Asked {
        self.ask(operation).carrying(body, self.right(body))
    }

    /// A body about these things with which nothing is wrong: the reference's example, if it has one.
    pub(crate) fn right(&self, body: &Body) -> Value {
        let mut right = body.schema["example"].as_object().cloned().unwrap_or_default();
        let bare = right.is_empty();
        for field in body.fields() {
            let wanted = field.required || (bare && !field.is_nullable());
            if field.is_id() && (wanted || right.contains_key(field.name)) {
                right.insert(field.name.to_owned(), self.id(field.name).into());
            } else if field.schema["format"] == "uri" && (wanted || right.contains_key(field.name)) {
                right.insert(field.name.to_owned(), ADDRESS.into());
            } else if wanted && !right.contains_key(field.name) {
                right.insert(field.name.to_owned(), example(field.schema));
            }
        }
        Value::Object(right)
    }
}

/// A value of a schema that has no example.
fn example(schema: &Value) -> Value {
    match (&schema["enum"][0], schema["type"].as_str(), schema["format"].as_str()) {
        (Value::String(word), ..) => word.as_str().into(),
        // Content that no source has.
        (_, _, Some("binary")) => file("policies.md", &format!("# Policies\n\n{}\n", Uuid::now_v7())),
        (_, Some("integer"), _) => 1.into(),
        (_, Some("boolean"), _) => true.into(),
        _ => "Something".into(),
    }
}

/// A file, as the body of a form holds it.
pub(crate) fn file(name: &str, content: &str) -> Value {
    json!({"file_name": name, "content": content})
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Payload,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Nothing,
    Json(Value),
    /// Texts; [`file`]s; bytes, as a list of numbers; several of a name, as a list.
    Form(Map<String, Value>),
    /// The type that it claims to be, and what it is.
    Raw(&'static str, &'static str),
}

impl Asked {
    pub(crate) fn carrying(mut self, body: &Body, value: Value) -> Self {
        self.payload = match value {
            Value::Object(fields) if body.is_form() => Payload::Form(fields),
            value => Payload::Json(value),
        };
        self
    }

    pub(crate) fn asking(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The request, as this client sends it.
    pub(crate) fn request(&self, http: &Client) -> RequestBuilder {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let mut request = http.request(self.method.clone(), &format!("{}?{}", self.path, query.join("&")));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.payload {
            Payload::Nothing => request,
            Payload::Json(body) => request.json(body),
            Payload::Form(fields) => request.multipart(form(fields)),
            Payload::Raw(media, body) => request.header("Content-Type", *media).body(*body),
        }
    }
}

fn form(fields: &Map<String, Value>) -> Form {
    fields.iter().fold(Form::new(), |form, (name, value)| match value {
        Value::Null => form,
        Value::Array(several) if several.iter().all(Value::is_object) => {
            several.iter().fold(form, |form, value| form.part(name.clone(), part(value)))
        }
        value => form.part(name.clone(), part(value)),
    })
}

fn part(value: &Value) -> Part {
    match value {
        Value::Object(file) => {
            let text = |name: &str| file[name].as_str().unwrap().to_owned();
            Part::bytes(text("content").into_bytes()).file_name(text("file_name"))
        }
        Value::Array(bytes) => {
            Part::bytes(bytes.iter().map(|byte| byte.as_u64().unwrap() as u8).collect::<Vec<_>>())
        }
        Value::String(text) => Part::text(text.clone()),
        other => Part::text(other.to_string()),
    }
}
