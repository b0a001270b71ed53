//! The API under test, as a customer calls it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::corpus::Document;

/// How often a source is looked at while it is being made.
const LOOK: Duration = Duration::from_millis(20);

/// How long a source may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// A client with a key.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        Self { http: reqwest::Client::new(), url: url.to_owned(), key: key.to_owned() }
    }

    /// Of a server that has no address yet.
    pub(crate) fn nowhere() -> Self {
        Self::new("", "")
    }

    /// Whether the process answers.
    pub(crate) async fn is_alive(&self) -> bool {
        let answer = self.http.get(format!("{}/healthz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Makes a bot and gives its id.
    pub(crate) async fn bot(&self) -> anyhow::Result<String> {
        let data = self.post("/bots", &json!({"name": "Bench", "channel_type": "api"})).await?;
        text(&data, "/id")
    }

    /// Uploads a file and gives its source's id.
    pub(crate) async fn upload(&self, bot: &str, document: &Document) -> anyhow::Result<String> {
        let file = Part::bytes(document.text.clone().into_bytes()).file_name(document.name.clone());
        let form = Form::new().text("bot_id", bot.to_owned()).part("file", file);
        let request = self.http.post(self.path("/knowledge/upload")).multipart(form);
        text(&self.data(request).await?, "/id")
    }

    /// Waits until a source answers; gives its chunks.
    pub(crate) async fn ready(&self, source: &str) -> anyhow::Result<u64> {
        let begun = Instant::now();
        loop {
            let request = self.http.get(self.path(&format!("/knowledge/sources/{source}")));
            let source = self.data(request).await?["source"].take();
            match source["status"].as_str() {
                Some("ready") => return source["chunk_count"].as_u64().context("no chunk_count"),
                Some("queued" | "processing") => {}
                _ => bail!("the source was not made: {source}"),
            }
            if begun.elapsed() > PATIENCE {
                bail!("the source was not made in {PATIENCE:?}: {source}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Sends a message and gives the answer.
    pub(crate) async fn ask(&self, bot: &str, session: &str, message: &str) -> anyhow::Result<Value> {
        let body = json!({"message": message, "bot_id": bot});
        let data = self.post(&format!("/conversations/{session}/messages"), &body).await?;
        Ok(data["bot_response"].clone())
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.data(self.http.post(self.path(path)).json(body)).await
    }

    async fn data(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = request.header("X-API-Key", &self.key).send().await?;
        let status = response.status();
        let body = response.text().await?;
        if !status.is_success() {
            bail!("{status}: {body}");
        }
        let mut body: Value = serde_json::from_str(&body).with_context(|| format!("not JSON: {body}"))?;
        Ok(body["data"].take())
    }

    fn path(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url)
    }
}

fn text(data: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = data.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no {pointer} in {data}"))
}
