//! The offender: a tenant, or a client without a key, whose requests delay others.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::future::join_all;
use poem::listener::TcpAcceptor;
use poem::web::Path;
use poem::{Response, Route, Server as PoemServer, get, handler};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Number of keys that the offender tries to create.
const KEYS: usize = 40;

/// Response time of the slow site.
const SITE_DELAY: Duration = Duration::from_secs(30);

/// Pause after a refused request, shorter than any `Retry-After`, which the offender ignores.
const PAUSE: Duration = Duration::from_millis(100);

/// The kinds of offence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Offence {
    /// Twenty crawls of a site that responds after 30 seconds.
    SlowCrawls,
    /// Two hundred searches of 8,000 characters at once.
    LongSearches,
    /// Eight JSON bodies of 20 MB at once, consisting of unknown members.
    IgnoredMembers,
    /// Files of 10 MB that no parser can read.
    UnreadableFiles,
    /// Lists over 64 connections, with forty keys.
    ManyKeys,
    /// Texts of one megabyte of one letter, each deleted by forty requests while it is read.
    DeletedTexts,
    /// Requests over 64 connections with keys that do not exist.
    WrongKeys,
    /// Two hundred connections that send a byte of their request's head each second.
    SlowHeads,
}

impl Offence {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Offence::SlowCrawls => "20 crawls of a slow site",
            Offence::LongSearches => "200 long searches at once",
            Offence::IgnoredMembers => "8 bodies of 20 MB of ignored members",
            Offence::UnreadableFiles => "unreadable files of 10 MB",
            Offence::ManyKeys => "a flood with 40 keys",
            Offence::DeletedTexts => "texts deleted 40 times while they settle",
            Offence::WrongKeys => "a flood with wrong keys",
            Offence::SlowHeads => "200 slow heads",
        }
    }
}

/// The offender.
pub(super) struct Offender {
    http: reqwest::Client,
    url: String,
    key: String,
    site: Url,
    /// Number of responses by status and code.
    answers: Mutex<BTreeMap<String, usize>>,
}

impl Offender {
    pub(super) fn new(url: &str, key: &str, site: &Url) -> Self {
        let (url, key, site) = (url.to_owned(), key.to_owned(), site.clone());
        Self { http: reqwest::Client::new(), url, key, site, answers: Mutex::default() }
    }

    /// Number of responses by status and code, as text.
    pub(super) fn answers(&self) -> String {
        let answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let counts: Vec<String> =
            answers.iter().map(|(answer, count)| format!("{count} × {answer}")).collect();
        counts.join(", ")
    }

    /// Repeats an offence until stopped.
    pub(super) async fn commit(&self, offence: Offence, stop: CancellationToken) -> anyhow::Result<()> {
        let keys = self
            .keys(if matches!(offence, Offence::WrongKeys | Offence::SlowHeads) { 1 } else { KEYS })
            .await;
        let body = json!({"name": "Bot", "channel_type": "api"});
        let bot = self.data(self.post("/bots", &self.key).json(&body)).await?;
        let bot = bot["id"].as_str().context("no bot")?.to_owned();
        let workers = match offence {
            Offence::SlowCrawls => 20,
            Offence::LongSearches => 200,
            Offence::IgnoredMembers => 8,
            Offence::UnreadableFiles => 4,
            Offence::ManyKeys | Offence::WrongKeys => 64,
            Offence::DeletedTexts => 2,
            Offence::SlowHeads => 200,
        };
        let payload = Bytes::from(payload(offence));
        let loops = (0..workers).map(|number| {
            let (key, bot, payload) = (keys.get(number % keys.len()).cloned(), bot.clone(), payload.clone());
            async move {
                for round in 0_usize.. {
                    self.once(offence, number, round, key.as_deref(), &bot, &payload).await;
                }
            }
        });
        // Dropping the loops aborts the requests in progress.
        stop.run_until_cancelled(join_all(loops)).await;
        Ok(())
    }

    async fn once(
        &self,
        offence: Offence,
        number: usize,
        round: usize,
        key: Option<&str>,
        bot: &str,
        payload: &Bytes,
    ) {
        let key = key.unwrap_or(&self.key);
        let unique = format!("{number}-{round}");
        match offence {
            Offence::SlowCrawls => {
                let page = self.site.join(&format!("/slow/{unique}")).map(String::from).unwrap_or_default();
                let body = json!({"bot_id": bot, "url": page, "include_subpages": true, "max_pages": 20});
                self.send(self.post("/knowledge/scrape", key).header("Prefer", "respond-async").json(&body))
                    .await;
                tokio::time::sleep(PAUSE).await;
            }
            Offence::LongSearches => {
                let query = String::from_utf8_lossy(payload);
                let body = json!({"bot_id": bot, "query": query, "top_k": 50});
                self.send(self.post("/knowledge/search", key).json(&body)).await;
            }
            Offence::IgnoredMembers => {
                let request = self.post("/knowledge/sources", key).header("Content-Type", "application/json");
                self.send(request.body(payload.clone())).await;
            }
            Offence::UnreadableFiles => {
                let mut bytes = payload.to_vec();
                bytes.extend_from_slice(unique.as_bytes());
                let file = Part::bytes(bytes).file_name(format!("{unique}.pdf"));
                let form = Form::new().text("bot_id", bot.to_owned()).part("file", file);
                self.send(self.post("/knowledge/upload", key).multipart(form)).await;
            }
            Offence::ManyKeys => self.send(self.get("/bots", key)).await,
            Offence::WrongKeys => self.send(self.get("/bots", "tk_wrong")).await,
            Offence::DeletedTexts => self.delete_often(&unique, key, bot, payload).await,
            Offence::SlowHeads => self.send_slowly().await,
        }
    }

    async fn delete_often(&self, unique: &str, key: &str, bot: &str, payload: &Bytes) {
        let content = format!("{}{unique}", String::from_utf8_lossy(payload));
        let body = json!({"bot_id": bot, "source_type": "text", "name": unique, "content": content});
        let Ok(source) = self.data(self.post("/knowledge/sources", key).json(&body)).await else {
            return tokio::time::sleep(PAUSE).await;
        };
        let id = source["id"].as_str().or(source["source"]["id"].as_str()).unwrap_or_default().to_owned();
        tokio::time::sleep(PAUSE).await;
        let deletions = (0..40).map(|_| {
            let request = self.http.delete(format!("{}/api/v1/knowledge/sources/{id}", self.url));
            self.send(request.header("X-API-Key", key))
        });
        join_all(deletions).await;
    }

    async fn send_slowly(&self) {
        let host = self.url.trim_start_matches("http://");
        let Ok(mut stream) = TcpStream::connect(host).await else {
            return tokio::time::sleep(PAUSE).await;
        };
        for byte in b"GET /api/v1/bots HTTP/1.1\r\nX-Header: a long one\r\n".iter().cycle() {
            if stream.write_all(std::slice::from_ref(byte)).await.is_err() {
                return self.count("the connection is closed");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Creates as many keys as the plan allows.
    async fn keys(&self, count: usize) -> Vec<String> {
        let mut keys = vec![self.key.clone()];
        while keys.len() < count {
            let request = self.post("/tenant/api-keys", &self.key).json(&json!({"name": "More"}));
            let Ok(created) = self.data(request).await else { return keys };
            match created["key"].as_str().or(created["api_key"].as_str()) {
                Some(key) => keys.push(key.to_owned()),
                None => return keys,
            }
        }
        keys
    }

    fn post(&self, path: &str, key: &str) -> RequestBuilder {
        self.http.post(format!("{}/api/v1{path}", self.url)).header("X-API-Key", key)
    }

    fn get(&self, path: &str, key: &str) -> RequestBuilder {
        self.http.get(format!("{}/api/v1{path}", self.url)).header("X-API-Key", key)
    }

    /// Sends a request and counts the answer.
    async fn send(&self, request: RequestBuilder) {
        if self.data(request).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn data(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                self.count("no response");
                return Err(error.into());
            }
        };
        let status = response.status();
        let mut body: Value = response.json().await.unwrap_or_default();
        self.count(&match (status, body["code"].as_str()) {
            (StatusCode::OK, _) => "200".to_owned(),
            (status, code) => format!("{} {}", status.as_u16(), code.unwrap_or_default()),
        });
        anyhow::ensure!(status.is_success(), "{status}");
        Ok(body["data"].take())
    }

    fn count(&self, answer: &str) {
        let mut answers = self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *answers.entry(answer.trim().to_owned()).or_default() += 1;
    }
}

/// Payloads of the offences: a query, a body, a file or a text.
fn payload(offence: Offence) -> Vec<u8> {
    const MEGABYTE: usize = 1_000_000;
    match offence {
        Offence::LongSearches => {
            let words = (0..).map(|number| format!("word{number} "));
            let text: String = words.take(1_000).collect();
            text.chars().take(8_000).collect::<String>().into_bytes()
        }
        Offence::IgnoredMembers => {
            let member = r#"{"":0},"#;
            let members = member.repeat(20 * MEGABYTE / member.len());
            format!("{{\"ignored\":[{members}0]}}").into_bytes()
        }
        Offence::UnreadableFiles => {
            let mut file = b"%PDF-1.7\n".to_vec();
            file.extend(std::iter::repeat_n(b"1 0 obj << /A [", 10 * MEGABYTE / 15).flatten());
            file
        }
        Offence::DeletedTexts => vec![b'a'; MEGABYTE],
        _ => Vec::new(),
    }
}

#[handler]
async fn slow(Path(page): Path<String>) -> Response {
    tokio::time::sleep(SITE_DELAY).await;
    page_of(&page)
}

#[handler]
fn quick(Path(page): Path<String>) -> Response {
    page_of(&page)
}

fn page_of(page: &str) -> Response {
    let html =
        format!("<title>{page}</title><main><h1>Page {page}</h1><p>Article {page} costs 7 euros.</p></main>");
    Response::builder().content_type("text/html").body(html)
}

/// Starts a web site in a separate thread: pages below `/quick/`, and below `/slow/` after 30 seconds. Returns its
/// address.
pub(super) fn start_site() -> anyhow::Result<Url> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/", listener.local_addr()?).parse()?;
    std::thread::Builder::new().name("site".to_owned()).spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let acceptor = TcpAcceptor::from_tokio(TcpListener::from_std(listener)?)?;
            let routes = Route::new().at("/slow/:page", get(slow)).at("/quick/:page", get(quick));
            Ok(PoemServer::new_with_acceptor(acceptor).run(routes).await?)
        })
    })?;
    Ok(url)
}
