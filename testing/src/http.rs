//! A client of the API under test.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A client with or without an API key.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

/// A response of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; all bodies of the API are JSON.
    pub body: Value,
}

impl Client {
    /// A client of the server at a base URL, without `/api/v1`.
    #[must_use]
    pub fn new(url: &str, key: Option<&str>) -> Self {
        parlance_core::platform::tls::install();
        Self { http: reqwest::Client::new(), url: url.to_owned(), key: key.map(str::to_owned) }
    }

    /// A copy with another key, or without one.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// The API key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The server's base URL, without `/api/v1`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request below `/api/v1`, with the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.raw(method, &format!("/api/v1{path}"))
    }

    /// A request to any path, with the key.
    pub fn raw(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        }
    }

    /// GETs a path below `/api/v1`.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::send(self.request(Method::GET, path)).await
    }

    /// POSTs JSON to a path below `/api/v1`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::send(self.request(Method::POST, path).json(&body)).await
    }

    /// PUTs JSON to a path below `/api/v1`.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::send(self.request(Method::PUT, path).json(&body)).await
    }

    /// PATCHes a path below `/api/v1` with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::send(self.request(Method::PATCH, path).json(&body)).await
    }

    /// DELETEs a path below `/api/v1`.
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::send(self.request(Method::DELETE, path)).await
    }

    /// POSTs JSON. Returns the `data` of the response, or `None` on a network error or a 5xx status.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Value> {
        self.try_send(self.request(Method::POST, path).json(&body)).await
    }

    /// GETs a path. Returns the `data` of the response, or `None` on a network error or a 5xx status.
    pub async fn try_get(&self, path: &str) -> Option<Value> {
        self.try_send(self.request(Method::GET, path)).await
    }

    /// Sends a request. Returns the `data` of the response, or `None` on a network error or a 5xx status.
    ///
    /// # Panics
    /// On a 4xx status.
    pub async fn try_send(&self, request: RequestBuilder) -> Option<Value> {
        let response = request.send().await.ok()?;
        let status = response.status();
        assert!(!status.is_client_error(), "{status}");
        let mut body: Value = response.json().await.ok()?;
        status.is_success().then(|| body["data"].take())
    }

    /// Uploads a file to a bot.
    pub async fn upload(&self, bot: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        let file = Part::bytes(bytes.into()).file_name(name.to_owned());
        let form = Form::new().text("bot_id", bot.to_owned()).part("file", file);
        Answer::send(self.request(Method::POST, "/knowledge/upload").multipart(form)).await
    }
}

/// The body of a response. For an event stream, which may not end, the first event's data in the usual
/// envelope.
pub async fn text_of(mut response: reqwest::Response) -> String {
    let is_stream = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
    if !is_stream {
        return response.text().await.unwrap();
    }
    let mut bytes = Vec::new();
    while !bytes.windows(2).any(|end| end == b"\n\n") {
        bytes.extend(response.chunk().await.unwrap().unwrap());
    }
    let text = String::from_utf8(bytes).unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
    format!("{{\"success\":true,\"data\":{data}}}")
}

impl Answer {
    /// Sends a request and reads the response.
    pub async fn send(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = text_of(response).await;
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {status} {text}"));
        Self { status, headers, body }
    }

    /// The `data` of a success, which must have this status.
    pub fn data(&self, status: u16) -> &Value {
        assert_eq!(
            (self.status.as_u16(), &self.body["success"]),
            (status, &Value::Bool(true)),
            "{}",
            self.body
        );
        &self.body["data"]
    }

    /// The `id` in the `data` of a 201.
    pub fn id(&self) -> String {
        self.data(201)["id"].as_str().unwrap().to_owned()
    }

    /// Asserts that this is an error in the envelope with this status, and returns its `code`.
    #[track_caller]
    pub fn error(&self, status: u16) -> &str {
        self.try_error(status).unwrap_or_else(|flaw| panic!("{flaw}: {}", self.body))
    }

    /// Non-panicking [`Self::error`].
    ///
    /// # Errors
    /// The first violation.
    pub fn try_error(&self, status: u16) -> Result<&str, String> {
        let text = |field: &str| self.body[field].as_str().unwrap_or_default();
        let header = |name| self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if self.status.as_u16() != status {
            return Err(format!("status {}, expected {status}", self.status));
        }
        if self.body["success"] != false {
            return Err("`success` is not false".to_owned());
        }
        if header("content-type").split(';').next() != Some("application/json") {
            return Err(format!("content type {}", header("content-type")));
        }
        if let Some(empty) =
            ["error", "message", "code", "request_id"].iter().find(|field| text(field).is_empty())
        {
            return Err(format!("`{empty}` is missing"));
        }
        if text("request_id") != header("x-request-id") {
            return Err(format!("`request_id` differs from the header: {}", header("x-request-id")));
        }
        Ok(text("code"))
    }
}
