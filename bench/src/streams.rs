//! How soon a model's words reach the customer, and what five hundred customers at once cost.
//!
//! The model is a server of this program, in a thread of its own, that speaks OpenAI's protocol: each of its words is
//! the time at which it was written, in nanoseconds since this program began, and the customer, who is this program
//! too, subtracts it from the time at which it was read. So both directions of a loopback socket and all that Parlance
//! does are in a figure, and so is the client's own waiting for a core.

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

use crate::client::{Client, Said};
use crate::corpus::Document;
use crate::proc;
use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};

/// Answers of which the first word is timed, one after the other.
const ANSWERS: usize = 100;

/// Customers at once.
const CROWD: usize = 500;

/// Words of an answer, and the pause between two while there is a crowd.
const WORDS: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Requests of somebody else, idle; and the pause between two of them while there is a crowd.
const OTHERS: usize = 400;
const OTHERS_PAUSE: Duration = Duration::from_millis(20);

/// In milliseconds, in MB, and times the same when idle.
const FIRST_WORD: f64 = 3.0;
const MEMORY: f64 = 400.0;
const SLOWER: f64 = 5.0;

const QUESTION: &str = "How long do I have to return a product?";

static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> u64 {
    u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    now();
    let url = model()?;
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
        let (session, nobody) = (format!("one-{number}"), Arc::new(Semaphore::new(0)));
        let heard = listen(client.clone(), bot.clone(), session, QUESTION.to_owned(), nobody).await?;
        first_words.extend((number >= 10).then_some(heard.first()).flatten().copied());
    }
    let first_words: Samples = first_words.into_iter().collect();
    anyhow::ensure!(first_words.len() == ANSWERS, "some answers had no words");

    let idle = others(client, Instant::now() + Duration::from_secs(60), OTHERS, Duration::ZERO).await?;
    proc::forget_peak(server.pid());
    let (mut crowd, began) = (JoinSet::new(), Arc::new(Semaphore::new(0)));
    for number in 0..CROWD {
        let question = format!("{QUESTION} Slowly, please.");
        let heard =
            listen(client.clone(), bot.clone(), format!("crowd-{number}"), question, Arc::clone(&began));
        crowd.spawn(heard);
    }
    // All come in the same moment, and each has its question embedded and its knowledge searched.
    let coming = Instant::now();
    let whole = PAUSE * u32::try_from(WORDS)?;
    let all = began.acquire_many(u32::try_from(CROWD)?);
    let come = tokio::time::timeout(whole, all).await;
    let _all = come.context("not all of the crowd heard a word while the first one listened")?;
    let came = coming.elapsed().as_secs_f64();
    let until = coming + whole;
    let busy = others(client, until, usize::MAX, OTHERS_PAUSE).await?;
    let (mut words, mut failed) = (Vec::new(), 0);
    while let Some(heard) = crowd.join_next().await {
        match heard? {
            Ok(heard) if heard.len() == WORDS => words.extend(heard),
            Ok(heard) => {
                crate::say(&format!("a customer heard {} words", heard.len()));
                failed += 1;
            }
            Err(error) => {
                crate::say(&format!("a customer heard nothing: {error:#}"));
                failed += 1;
            }
        }
    }
    let memory = proc::memory(server.pid())?;
    server.stop()?;

    let words: Samples = words.into_iter().collect();
    let name = format!("{CROWD} streams at once");
    let against = Against::Baseline {
        name: "the same with none".to_owned(),
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
        Row::at_most(0.0, format!("{name}: failed"), f64::from(failed), "", CROWD),
        Row::at_most(MEMORY, format!("{name}: memory at most"), memory.peak, "MB", 1),
        Row::plain(format!("{name}: until each has heard a word"), came, "s", 1),
        Row::plain(format!("{name}: a word, median"), words.median(), "ms", words.len()),
        Row::plain(format!("{name}: a word, p99"), words.p99(), "ms", words.len()),
        Row::new(format!("{name}: other requests, p99"), busy.p99(), "ms", busy.len(), against),
    ])
}

/// The milliseconds that each word of an answer took.
async fn listen(
    client: Client,
    bot: String,
    session: String,
    question: String,
    began: Arc<Semaphore>,
) -> anyhow::Result<Vec<f64>> {
    let mut stream = client.listen(&bot, &session, &question).await?;
    let mut heard = Vec::new();
    while let Some(Said { event, data }) = stream.next().await? {
        match event.as_str() {
            "delta" => {
                let written: u64 = data["text"].as_str().unwrap_or_default().trim().parse()?;
                if heard.is_empty() {
                    began.add_permits(1);
                }
                heard.push(now().saturating_sub(written) as f64 / 1e6);
            }
            "bot_response" if data["degraded"] == true => bail!("the built-in answer was given"),
            "error" => bail!("{data}"),
            _ => {}
        }
    }
    Ok(heard)
}

/// The milliseconds of a small request of somebody else, again and again.
async fn others(client: &Client, until: Instant, most: usize, pause: Duration) -> anyhow::Result<Samples> {
    let mut took = Vec::new();
    while Instant::now() < until && took.len() < most {
        let begun = Instant::now();
        client.bots().await?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(pause).await;
    }
    Ok(took.into_iter().collect())
}

/// Connections that send each word at once, as the servers of models do.
struct Prompt(TcpAcceptor);

impl Acceptor for Prompt {
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

/// Starts the model; gives its address.
fn model() -> anyhow::Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let acceptor = TcpListener::from_std(listener).and_then(TcpAcceptor::from_tokio);
            let acceptor = acceptor.context("the model cannot listen")?;
            let app = Route::new().at("/v1/chat/completions", post(complete));
            PoemServer::new_with_acceptor(Prompt(acceptor)).run(app).await.context("the model ended")
        })
    });
    Ok(url)
}

#[handler]
fn complete(request: poem::web::Json<Value>) -> Response {
    let question = request.0["messages"].as_array().and_then(|messages| messages.last());
    let slowly =
        question.and_then(|said| said["content"].as_str()).is_some_and(|said| said.contains("Slowly"));
    let (words, pause) = if slowly { (WORDS, PAUSE) } else { (1, Duration::ZERO) };
    let said = stream::unfold(0, move |said| async move {
        if said == words {
            return None;
        }
        if said > 0 {
            tokio::time::sleep(pause).await;
        }
        let word = json!({"choices": [{"index": 0, "delta": {"content": format!("{} ", now())}}]});
        Some((format!("data: {word}\n\n"), said + 1))
    });
    let done = stream::iter(["data: [DONE]\n\n".to_owned()]);
    let body = said.chain(done).map(|text| Ok::<_, std::io::Error>(Bytes::from(text)));
    Response::builder().content_type("text/event-stream").body(Body::from_bytes_stream(body))
}
