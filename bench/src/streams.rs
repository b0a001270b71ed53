//! Latency of streamed words of a model, and the cost of five hundred streams at once.
//!
//! The model is an OpenAI-compatible server in a thread of this program. Each of its words is the time of
//! writing, in nanoseconds since the start of this program. The customer, also in this program, subtracts it
//! from the time of reading. A figure therefore includes both directions of a loopback socket, Parlance's
//! work, and the client's own wait for a core.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use poem::http::uri::Scheme;
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Response, Route, Server as PoemServer, handler, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::{Client, StreamEvent};
use crate::corpus::Document;
use crate::proc;
use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// Sequential answers whose first word is timed.
const ANSWERS: usize = 100;

/// Concurrent streams.
const STREAMS: usize = 500;

/// Words per answer, and the pause between them during the concurrent streams.
const WORDS: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Other requests when idle, and the pause between them during the concurrent streams.
const OTHER_REQUESTS: usize = 400;
const OTHER_PAUSE: Duration = Duration::from_millis(20);

/// Goals: in milliseconds; in MB; as the ratio to the idle latency.
const FIRST_WORD: f64 = 3.0;
const MEMORY: f64 = 400.0;
const SLOWER: f64 = 5.0;

const QUESTION: &str = "How long do I have to return a product?";

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> u64 {
    u64::try_from(STARTED.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    LazyLock::force(&STARTED);
    let url = start_model()?;
    let folder = DataFolder::new()?;
    let settings = [
        ("LLM_MODEL", "clock".to_owned()),
        ("LLM_BASE_URL", url),
        ("LLM_API_KEY", "none".to_owned()),
        ("RUST_LOG", "warn".to_owned()),
    ];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let client = &server.client;
    let bot = client.bot().await?;
    let text = "# Returns\n\nYou can return any product within 30 days of delivery.\n";
    let document = Document { name: "returns.md".to_owned(), text: text.to_owned(), questions: Vec::new() };
    let source = client.upload(&bot, &document).await?;
    client.ready(&source).await?;

    let mut first_words = Vec::new();
    for number in 0..ANSWERS + 10 {
        let (session, unused) = (format!("one-{number}"), Arc::new(Semaphore::new(0)));
        let latencies =
            read_stream(client.clone(), bot.clone(), session, QUESTION.to_owned(), unused).await?;
        first_words.extend((number >= 10).then_some(latencies.first()).flatten().copied());
    }
    let first_words: Samples = first_words.into_iter().collect();
    anyhow::ensure!(first_words.len() == ANSWERS, "some answers had no words");

    let minute = Instant::now() + Duration::from_secs(60);
    let idle = time_other_requests(client, minute, OTHER_REQUESTS, Duration::ZERO).await?;
    proc::reset_peak(server.pid());
    let (mut streams, first_word) = (JoinSet::new(), Arc::new(Semaphore::new(0)));
    for number in 0..STREAMS {
        let question = format!("{QUESTION} Slowly, please.");
        let session = format!("crowd-{number}");
        streams.spawn(read_stream(client.clone(), bot.clone(), session, question, Arc::clone(&first_word)));
    }
    // All requests start at the same moment, and each needs an embedding and a search.
    let started = Instant::now();
    let duration = PAUSE * u32::try_from(WORDS)?;
    let all_streaming = first_word.acquire_many(u32::try_from(STREAMS)?);
    let all_streaming = tokio::time::timeout(duration, all_streaming).await;
    let _permits = all_streaming.context("some streams had no word before the first stream ended")?;
    let until_all_streaming = started.elapsed().as_secs_f64();
    let busy = time_other_requests(client, started + duration, usize::MAX, OTHER_PAUSE).await?;
    let (mut words, mut failed) = (Vec::new(), 0);
    while let Some(latencies) = streams.join_next().await {
        match latencies? {
            Ok(latencies) if latencies.len() == WORDS => words.extend(latencies),
            Ok(latencies) => {
                crate::progress(&format!("a stream had {} words", latencies.len()));
                failed += 1;
            }
            Err(error) => {
                crate::progress(&format!("a stream failed: {error:#}"));
                failed += 1;
            }
        }
    }
    let memory = proc::memory(server.pid())?;
    server.stop()?;

    let words: Samples = words.into_iter().collect();
    let name = format!("{STREAMS} streams at once");
    let against = Against::Baseline {
        name: "without streams".to_owned(),
        value: idle.p99(),
        ratio: busy.p99() / idle.p99(),
        most: SLOWER,
    };
    Ok(vec![
        Row::at_most(
            FIRST_WORD,
            "a model's first word, from its server to the customer: median",
            first_words.median(),
            "ms",
            ANSWERS,
        ),
        Row::plain("a model's first word: p95", first_words.p95(), "ms", ANSWERS),
        Row::at_most(0.0, format!("{name}: failed"), f64::from(failed), "", STREAMS),
        Row::at_most(MEMORY, format!("{name}: peak memory"), memory.peak, "MB", 1),
        Row::plain(format!("{name}: until each has its first word"), until_all_streaming, "s", 1),
        Row::plain(format!("{name}: a word, median"), words.median(), "ms", words.len()),
        Row::plain(format!("{name}: a word, p99"), words.p99(), "ms", words.len()),
        Row::new(format!("{name}: other requests, p99"), busy.p99(), "ms", busy.len(), against),
    ])
}

/// Reads an answer. Returns the milliseconds that each of its words took. Adds a permit at the first word.
async fn read_stream(
    client: Client,
    bot: String,
    session: String,
    question: String,
    first_word: Arc<Semaphore>,
) -> anyhow::Result<Vec<f64>> {
    let mut stream = client.stream(&bot, &session, &question).await?;
    let mut latencies = Vec::new();
    while let Some(StreamEvent { event, data }) = stream.next().await? {
        match event.as_str() {
            "delta" => {
                let written: u64 = data["text"].as_str().unwrap_or_default().trim().parse()?;
                if latencies.is_empty() {
                    first_word.add_permits(1);
                }
                latencies.push(now().saturating_sub(written) as f64 / 1e6);
            }
            "bot_response" if data["degraded"] == true => bail!("the answer is degraded"),
            "error" => bail!("{data}"),
            _ => {}
        }
    }
    Ok(latencies)
}

/// Repeats a small request of another client. Returns the milliseconds of each.
async fn time_other_requests(
    client: &Client,
    until: Instant,
    limit: usize,
    pause: Duration,
) -> anyhow::Result<Samples> {
    let mut took = Vec::new();
    while Instant::now() < until && took.len() < limit {
        let started = Instant::now();
        client.bots().await?;
        took.push(started.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(pause).await;
    }
    Ok(took.into_iter().collect())
}

/// An acceptor that disables Nagle's algorithm: each word is sent at once, as by real model servers.
struct NoDelay(TcpAcceptor);

impl Acceptor for NoDelay {
    type Io = <TcpAcceptor as Acceptor>::Io;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> std::io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await?;
        accepted.0.set_nodelay(true)?;
        Ok(accepted)
    }
}

/// Starts the model server. Returns its URL.
fn start_model() -> anyhow::Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let acceptor = TcpListener::from_std(listener).and_then(TcpAcceptor::from_tokio);
            let acceptor = acceptor.context("the model server cannot listen")?;
            let app = Route::new().at("/v1/chat/completions", post(complete));
            PoemServer::new_with_acceptor(NoDelay(acceptor)).run(app).await.context("the model server failed")
        })
    });
    Ok(url)
}

#[handler]
fn complete(request: poem::web::Json<Value>) -> Response {
    let message = request.0["messages"].as_array().and_then(|messages| messages.last());
    let slowly =
        message.and_then(|message| message["content"].as_str()).is_some_and(|text| text.contains("Slowly"));
    let (words, pause) = if slowly { (WORDS, PAUSE) } else { (1, Duration::ZERO) };
    let stream = stream::unfold(0, move |sent| async move {
        if sent == words {
            return None;
        }
        if sent > 0 {
            tokio::time::sleep(pause).await;
        }
        let word = json!({"choices": [{"index": 0, "delta": {"content": format!("{} ", now())}}]});
        Some((format!("data: {word}\n\n"), sent + 1))
    });
    let done = stream::iter(["data: [DONE]\n\n".to_owned()]);
    let body = stream.chain(done).map(|text| Ok::<_, std::io::Error>(Bytes::from(text)));
    Response::builder().content_type("text/event-stream").body(Body::from_bytes_stream(body))
}
