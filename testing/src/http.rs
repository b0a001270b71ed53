//! A client of the API under test.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A client with a key, or without.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

/// What the API answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; every body of the API is JSON.
    pub body: Value,
}

impl Client {
    /// A client of the server at an address, without `/api/v1`.
    #[must_use]
    pub fn new(url: &str, key: Option<&str>) -> Self {
        parlance_core::platform::tls::install();
        Self { http: reqwest::Client::new(), url: url.to_owned(), key: key.map(str::to_owned) }
    }

    /// The same client with another key, or without one.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The server's address, without `/api/v1`.
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
        Answer::of(self.request(Method::GET, path)).await
    }

    /// POSTs JSON to a path below `/api/v1`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    /// PUTs JSON to a path below `/api/v1`.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(&body)).await
    }

    /// PATCHes a path below `/api/v1` with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(&body)).await
    }

    /// DELETEs a path below `/api/v1`.
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Posts a body; the data of the answer, or none when the request failed or was refused for the moment.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Value> {
        self.try_send(self.request(Method::POST, path).json(&body)).await
    }

    /// Gets a path; the data of the answer, or none when the request failed or was refused for the moment.
    pub async fn try_get(&self, path: &str) -> Option<Value> {
        self.try_send(self.request(Method::GET, path)).await
    }

    /// Sends a request; the data of the answer, or none when it failed or was refused for the moment.
    ///
    /// # Panics
    /// When it was refused for good.
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
        Answer::of(self.request(Method::POST, "/knowledge/upload").multipart(form)).await
    }
}

/// The text of an answer; of a stream, which may never end, the data of its first event in the envelope.
pub async fn text_of(mut response: reqwest::Response) -> String {
    let is_stream = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
    if !is_stream {
        return response.text().await.unwrap();
    }
    let mut heard = Vec::new();
    while !heard.windows(2).any(|end| end == b"\n\n") {
        heard.extend(response.chunk().await.unwrap().unwrap());
    }
    let heard = String::from_utf8(heard).unwrap();
    let data = heard.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
    format!("{{\"success\":true,\"data\":{data}}}")
}

impl Answer {
    /// Sends a request.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = text_of(response).await;
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {status} {text}"));
        Self { status, headers, body }
    }

    /// The `data` of a success with this status.
    pub fn data(&self, status: u16) -> &Value {
        assert_eq!(
            (self.status.as_u16(), &self.body["success"]),
            (status, &Value::Bool(true)),
            "{}",
            self.body
        );
        &self.body["data"]
    }

    /// The id in the `data` of a 201.
    pub fn id(&self) -> String {
        self.data(201)["id"].as_str().unwrap().to_owned()
    }

    /// Checks that this is an error in the envelope, and gives its `code`.
    #[track_caller]
    pub fn error(&self, status: u16) -> &str {
        self.try_error(status).unwrap_or_else(|flaw| panic!("{flaw}: {}", self.body))
    }

    /// The same, for a test that goes on.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn try_error(&self, status: u16) -> Result<&str, String> {
        let text = |field: &str| self.body[field].as_str().unwrap_or_default();
        let header = |name| self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if self.status.as_u16() != status {
            return Err(format!("the status is {} and must be {status}", self.status));
        }
        if self.body["success"] != false {
            return Err("it does not say that it is no success".to_owned());
        }
        if header("content-type").split(';').next() != Some("application/json") {
            return Err(format!("its type is {}", header("content-type")));
        }
        if let Some(empty) =
            ["error", "message", "code", "request_id"].iter().find(|field| text(field).is_empty())
        {
            return Err(format!("it has no {empty}"));
        }
        if text("request_id") != header("x-request-id") {
            return Err(format!("the request is called {} in the header", header("x-request-id")));
        }
        Ok(text("code"))
    }
}
