//! The API under test, as a customer calls it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::corpus::Document;

/// How often a source is looked at while it is being made.
const LOOK: Duration = Duration::from_millis(20);

/// How often many are looked at.
const LOOK_AT_MANY: Duration = Duration::from_millis(50);

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

    /// The id of the embedding model.
    pub(crate) async fn model(&self) -> anyhow::Result<String> {
        let ready = self.http.get(format!("{}/readyz", self.url)).send().await?;
        text(&serde_json::from_str(&ready.text().await?)?, "/data/parts/model/id")
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

    /// Waits until so many of a bot's newest sources answer, looking at their list: of a text of a hundred kilobytes
    /// each look would carry all of it.
    pub(crate) async fn newest_ready(&self, bot: &str, count: usize) -> anyhow::Result<()> {
        let begun = Instant::now();
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
                Some(&("queued" | "processing")) if begun.elapsed() < PATIENCE => {}
                _ => bail!("not every source was made in {PATIENCE:?}: {states:?}"),
            }
            tokio::time::sleep(LOOK_AT_MANY).await;
        }
    }

    /// Sends a message and gives the answer.
    pub(crate) async fn ask(&self, bot: &str, session: &str, message: &str) -> anyhow::Result<Value> {
        let body = json!({"message": message, "bot_id": bot});
        let data = self.post(&format!("/conversations/{session}/messages"), &body).await?;
        Ok(data["bot_response"].clone())
    }

    /// Sends a message, and gives the answer as it is told.
    pub(crate) async fn listen(&self, bot: &str, session: &str, message: &str) -> anyhow::Result<Listening> {
        let body = json!({"message": message, "bot_id": bot, "stream": true});
        let request = self.http.post(self.path(&format!("/conversations/{session}/messages"))).json(&body);
        let response = request.header("X-API-Key", &self.key).send().await?;
        let status = response.status();
        if !status.is_success() {
            bail!("{status}: {}", response.text().await?);
        }
        Ok(Listening { response, heard: String::new() })
    }

    /// Asks for a page of bots.
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

/// An answer that is being told.
pub(crate) struct Listening {
    response: reqwest::Response,
    heard: String,
}

/// An event of it.
pub(crate) struct Said {
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Listening {
    /// The next event; none at the end.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Said>> {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let said = match (field("event:"), field("data:")) {
                    (Some(event), Some(data)) => {
                        Some(Said { event: event.to_owned(), data: serde_json::from_str(data)? })
                    }
                    // A comment.
                    _ => None,
                };
                self.heard = rest.to_owned();
                if said.is_some() {
                    return Ok(said);
                }
                continue;
            }
            match self.response.chunk().await? {
                Some(bytes) => self.heard.push_str(std::str::from_utf8(&bytes)?),
                None => return Ok(None),
            }
        }
    }
}

fn text(data: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = data.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no {pointer} in {data}"))
}
