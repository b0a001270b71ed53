//! One resource of every kind for a tenant, and requests for it built from the specification.

use std::collections::BTreeMap;

use parlance_testing::Client;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::spec::{Body, Operation};

/// Ids of a tenant's resources, by the names of path parameters and body fields. A key `operation/name` holds
/// an id for one operation only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixture(BTreeMap<String, String>);

/// Whether a request failed because an earlier one deleted or ended its resource.
pub(crate) fn is_consumed(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT)
}

/// The question in the fixture's conversation; no source answers it.
pub(crate) const QUESTION: &str = "How long may I return what I bought?";

/// A URL where no server listens, so that a crawl ends at once.
pub(crate) const DEAD_URL: &str = "http://127.0.0.1:1/help";

impl Fixture {
    /// Creates a bot, a conversation with it, an API key, and a source whose job is queued.
    pub(crate) async fn create(http: &Client) -> Self {
        let mut fixture = Self(BTreeMap::new());
        let bot = json!({"name": "Helper", "channel_type": "webchat", "welcome_message": "Welcome!"});
        let bot = http.post("/bots", bot).await.id();
        fixture.put(
            "key_id",
            &http.post("/tenant/api-keys", json!({"name": "Site", "scopes": ["chat"]})).await.id(),
        );
        let session = format!("session-{}", Uuid::now_v7().simple());
        let message = json!({"message": QUESTION, "bot_id": bot, "user_name": "Ada"});
        let response = http.post(&format!("/conversations/{session}/messages"), message).await;
        fixture.put("message_id", response.data(200)["bot_response"]["id"].as_str().unwrap());
        fixture.put("session_id", &session);
        let source = http.upload(&bot, "returns.md", "# Returns\n\nWithin thirty days.\n").await;
        fixture.put("source_id", &source.id());
        fixture.put("bot_id", &bot);
        // Other ids in the response: the job's.
        for (name, value) in source.data(201).as_object().unwrap() {
            if let (true, Some(value), false) =
                (name.ends_with("_id"), value.as_str(), fixture.0.contains_key(name))
            {
                fixture.put(name, value);
            }
        }
        let site = json!({"bot_id": bot, "name": "Site", "source_type": "url", "url": DEAD_URL});
        let site = http.post("/knowledge/sources", site).await.id();
        fixture.put("refreshKnowledgeSource/source_id", &site);
        let cancelled = http.upload(&bot, "cancelled.md", "# Cancelled\n").await.data(201)["job_id"].clone();
        let cancelled = cancelled.as_str().unwrap();
        http.post(&format!("/jobs/{cancelled}/cancel"), json!({})).await.data(200);
        fixture.put("retryJob/job_id", cancelled);
        fixture
    }

    /// A copy with one id replaced.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut fixture = self.clone();
        fixture.0.retain(|key, _| key.rsplit_once('/').is_none_or(|(_, specific)| specific != name));
        fixture.put(name, value);
        fixture
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The id of a resource; a random id if there is none.
    pub(crate) fn id(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| Uuid::now_v7().to_string())
    }

    /// The names of the resources.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| !name.contains('/'))
    }

    /// A request for an operation on these resources, without a query or a body.
    pub(crate) fn request(&self, operation: &Operation) -> TestRequest {
        let mut path = operation.path.clone();
        for parameter in operation.parameters("path") {
            // Some operations need a resource in a certain state.
            let specific = self.0.get(&format!("{}/{}", operation.id, parameter.name)).cloned();
            let id = specific.unwrap_or_else(|| self.id(&parameter.name));
            path = path.replace(&format!("{{{}}}", parameter.name), &id);
        }
        TestRequest {
            method: operation.method.clone(),
            path,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Empty,
        }
    }

    /// [`Self::request`] with a valid body.
    pub(crate) fn valid_request(&self, operation: &Operation, body: &Body) -> TestRequest {
        self.request(operation).with_body(body, self.valid_body(body))
    }

    /// A valid body about these resources: the specification's example, if it has one.
    pub(crate) fn valid_body(&self, body: &Body) -> Value {
        let mut fields = body.schema["example"].as_object().cloned().unwrap_or_default();
        let has_example = !fields.is_empty();
        for field in body.fields() {
            let needed = field.required || (!has_example && !field.is_nullable());
            if field.is_id() && (needed || fields.contains_key(field.name)) {
                fields.insert(field.name.to_owned(), self.id(field.name).into());
            } else if field.schema["format"] == "uri" && (needed || fields.contains_key(field.name)) {
                fields.insert(field.name.to_owned(), DEAD_URL.into());
            } else if needed && !fields.contains_key(field.name) {
                fields.insert(field.name.to_owned(), example(field.schema));
            }
        }
        Value::Object(fields)
    }
}

/// A valid value of a schema without an example.
fn example(schema: &Value) -> Value {
    match (&schema["enum"][0], schema["type"].as_str(), schema["format"].as_str()) {
        (Value::String(word), ..) => word.as_str().into(),
        // Unique content: duplicates create no source.
        (_, _, Some("binary")) => file("policies.md", &format!("# Policies\n\n{}\n", Uuid::now_v7())),
        (_, Some("integer"), _) => 1.into(),
        (_, Some("boolean"), _) => true.into(),
        _ => "Something".into(),
    }
}

/// A file of a form body.
pub(crate) fn file(name: &str, content: &str) -> Value {
    json!({"file_name": name, "content": content})
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct TestRequest {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Payload,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Empty,
    Json(Value),
    /// Form fields: texts, [`file`]s, bytes as an array of numbers, repeated fields as an array.
    Form(Map<String, Value>),
    /// Content type and content.
    Raw(&'static str, &'static str),
}

impl TestRequest {
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

    /// The request of a client.
    pub(crate) fn builder(&self, http: &Client) -> RequestBuilder {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let mut request = http.request(self.method.clone(), &format!("{}?{}", self.path, query.join("&")));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.payload {
            Payload::Empty => request,
            Payload::Json(body) => request.json(body),
            Payload::Form(fields) => request.multipart(form(fields)),
            Payload::Raw(media, body) => request.header("Content-Type", *media).body(*body),
        }
    }
}

fn form(fields: &Map<String, Value>) -> Form {
    fields.iter().fold(Form::new(), |form, (name, value)| match value {
        Value::Null => form,
        Value::Array(files) if files.iter().all(Value::is_object) => {
            files.iter().fold(form, |form, value| form.part(name.clone(), part(value)))
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
