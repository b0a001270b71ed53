//! One resource of each kind, and requests about them, generated from the specification.

use std::collections::BTreeMap;

use parlance_testing::Client;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::spec::{Body, Operation};

/// A tenant's resources: ids by the name of their parameter or field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene(BTreeMap<String, String>);

/// Whether a request failed because earlier ones changed or deleted its resource.
pub(crate) fn is_used_up(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT)
}

/// The question of the scene's customer; its answer is unknown.
pub(crate) const QUESTION: &str = "How long may I return what I bought?";

/// URL without a server, so that a crawl ends at once.
pub(crate) const ADDRESS: &str = "http://127.0.0.1:1/help";

impl Scene {
    /// Creates a bot, a conversation, a key, and a source with a waiting job.
    pub(crate) async fn create(http: &Client) -> Self {
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
        // Ids in the response: the job.
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

    /// The scene with one id replaced.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut scene = self.clone();
        scene.0.retain(|known, _| known.rsplit_once('/').is_none_or(|(_, special)| special != name));
        scene.put(name, value);
        scene
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The id of a resource; a random one for what the scene does not have.
    pub(crate) fn id(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| Uuid::now_v7().to_string())
    }

    /// The names of the ids.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| !name.contains('/'))
    }

    /// A request to an operation on these resources, without query or body.
    pub(crate) fn request(&self, operation: &Operation) -> ApiRequest {
        let mut path = operation.path.clone();
        for parameter in operation.parameters("path") {
            // Some operations need a resource in a state of their own.
            let special = self.0.get(&format!("{}/{}", operation.id, parameter.name)).cloned();
            let id = special.unwrap_or_else(|| self.id(&parameter.name));
            path = path.replace(&format!("{{{}}}", parameter.name), &id);
        }
        ApiRequest {
            method: operation.method.clone(),
            path,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Nothing,
        }
    }

    /// The same with a valid body.
    pub(crate) fn request_with(&self, operation: &Operation, body: &Body) -> ApiRequest {
        self.request(operation).with_body(body, self.valid_body(body))
    }

    /// A valid body about these resources: the specification's example, if there is one.
    pub(crate) fn valid_body(&self, body: &Body) -> Value {
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

/// A valid value of a schema without an example.
fn example(schema: &Value) -> Value {
    match (&schema["enum"][0], schema["type"].as_str(), schema["format"].as_str()) {
        (Value::String(word), ..) => word.as_str().into(),
        // Unique content.
        (_, _, Some("binary")) => file("policies.md", &format!("# Policies\n\n{}\n", Uuid::now_v7())),
        (_, Some("integer"), _) => 1.into(),
        (_, Some("boolean"), _) => true.into(),
        _ => "Something".into(),
    }
}

/// A file part of a form.
pub(crate) fn file(name: &str, content: &str) -> Value {
    json!({"file_name": name, "content": content})
}

/// A request that is not sent yet.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
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
    /// Fields: texts, [`file`]s, bytes as a list of numbers; several values of a name as a list.
    Form(Map<String, Value>),
    /// Content type and content.
    Raw(&'static str, &'static str),
}

impl ApiRequest {
    pub(crate) fn with_body(mut self, body: &Body, value: Value) -> Self {
        self.payload = match value {
            Value::Object(fields) if body.is_form() => Payload::Form(fields),
            value => Payload::Json(value),
        };
        self
    }

    pub(crate) fn with_query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The HTTP request of this client.
    pub(crate) fn build(&self, http: &Client) -> RequestBuilder {
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
