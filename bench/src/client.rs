//! A client of the API under test.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};

use crate::corpus::Document;

/// Interval of polling one source.
const POLL: Duration = Duration::from_millis(20);

/// Interval of polling many sources.
const POLL_MANY: Duration = Duration::from_millis(50);

/// Maximum time for the ingestion of a source.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A client with an API key.
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

    /// A placeholder, for a server without an address yet.
    pub(crate) fn disconnected() -> Self {
        Self::new("", "")
    }

    /// Whether `GET /healthz` succeeds.
    pub(crate) async fn is_alive(&self) -> bool {
        let response = self.http.get(format!("{}/healthz", self.url)).send().await;
        response.is_ok_and(|response| response.status().is_success())
    }

    /// The id of the embedding model.
    pub(crate) async fn model(&self) -> anyhow::Result<String> {
        let ready = self.http.get(format!("{}/readyz", self.url)).send().await?;
        text(&serde_json::from_str(&ready.text().await?)?, "/data/parts/model/id")
    }

    /// Creates a bot and returns its id.
    pub(crate) async fn bot(&self) -> anyhow::Result<String> {
        let data = self.post("/bots", &json!({"name": "Bench", "channel_type": "api"})).await?;
        text(&data, "/id")
    }

    /// Uploads a file and returns the id of its source.
    pub(crate) async fn upload(&self, bot: &str, document: &Document) -> anyhow::Result<String> {
        let file = Part::bytes(document.text.clone().into_bytes()).file_name(document.name.clone());
        let form = Form::new().text("bot_id", bot.to_owned()).part("file", file);
        let request = self.http.post(self.path("/knowledge/upload")).multipart(form);
        text(&self.data(request).await?, "/id")
    }

    /// Starts a crawl of one page and returns the id of its source.
    pub(crate) async fn scrape(&self, bot: &str, page: &Url) -> anyhow::Result<String> {
        let body = json!({"bot_id": bot, "url": page.as_str()});
        let request = self.http.post(self.path("/knowledge/scrape")).header("Prefer", "respond-async");
        text(&self.data(request.json(&body)).await?, "/source_id")
    }

    /// Waits until a source is ready. Returns the number of its chunks.
    pub(crate) async fn ready(&self, source: &str) -> anyhow::Result<u64> {
        let started = Instant::now();
        loop {
            let request = self.http.get(self.path(&format!("/knowledge/sources/{source}")));
            let source = self.data(request).await?["source"].take();
            match source["status"].as_str() {
                Some("ready") => return source["chunk_count"].as_u64().context("no chunk_count"),
                Some("queued" | "processing") => {}
                _ => bail!("ingestion failed: {source}"),
            }
            if started.elapsed() > TIMEOUT {
                bail!("the source was not ready within {TIMEOUT:?}: {source}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the newest `count` sources of a bot are ready. Polls the list of sources: a single source
    /// of a hundred kilobytes would return its whole text on each poll.
    pub(crate) async fn newest_ready(&self, bot: &str, count: usize) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let request =
                self.http.get(self.path(&format!("/knowledge/sources?bot_id={bot}&per_page={count}")));
            let sources = self.data(request).await?;
            let states: Vec<&str> = sources
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|source| source["status"].as_str())
                .collect();
            match states.iter().find(|&&state| state != "ready") {
                None if states.len() == count => return Ok(()),
                Some(&("queued" | "processing")) if started.elapsed() < TIMEOUT => {}
                _ => bail!("not every source was ready within {TIMEOUT:?}: {states:?}"),
            }
            tokio::time::sleep(POLL_MANY).await;
        }
    }

    /// Sends a message and returns the bot's response.
    pub(crate) async fn ask(&self, bot: &str, session: &str, message: &str) -> anyhow::Result<Value> {
        let body = json!({"message": message, "bot_id": bot});
        let data = self.post(&format!("/conversations/{session}/messages"), &body).await?;
        Ok(data["bot_response"].clone())
    }

    /// Sends a message and returns the stream of response events.
    pub(crate) async fn stream(
        &self,
        bot: &str,
        session: &str,
        message: &str,
    ) -> anyhow::Result<EventStream> {
        let body = json!({"message": message, "bot_id": bot, "stream": true});
        let request = self.http.post(self.path(&format!("/conversations/{session}/messages"))).json(&body);
        let response = request.header("X-API-Key", &self.key).send().await?;
        let status = response.status();
        if !status.is_success() {
            bail!("{status}: {}", response.text().await?);
        }
        Ok(EventStream { response, buffer: String::new() })
    }

    /// Lists the first page of bots.
    pub(crate) async fn bots(&self) -> anyhow::Result<()> {
        self.data(self.http.get(self.path("/bots"))).await.map(drop)
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

/// A server-sent event stream of a response.
pub(crate) struct EventStream {
    response: reqwest::Response,
    buffer: String,
}

/// A server-sent event.
pub(crate) struct StreamEvent {
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl EventStream {
    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<StreamEvent>> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let field = |name| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let event = match (field("event:"), field("data:")) {
                    (Some(name), Some(data)) => {
                        Some(StreamEvent { event: name.to_owned(), data: serde_json::from_str(data)? })
                    }
                    // A comment.
                    _ => None,
                };
                self.buffer = rest.to_owned();
                if event.is_some() {
                    return Ok(event);
                }
                continue;
            }
            match self.response.chunk().await? {
                Some(bytes) => self.buffer.push_str(std::str::from_utf8(&bytes)?),
                None => return Ok(None),
            }
        }
    }
}

fn text(data: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = data.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no {pointer} in {data}"))
}
