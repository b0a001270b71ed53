//! Memory of request bodies: in proportion to their length, and bounded in a process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures_util::stream;
use parlance_testing::{Answer, Builder, Client, TestApp, TestEmbedder};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::start_app;

/// Counts the bytes that the threads of a test have allocated and not freed ([`run`]).
struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Bytes allocated and not freed, and the most of them.
#[derive(Default)]
struct Counts {
    live: AtomicI64,
    peak: AtomicI64,
}

thread_local! {
    static COUNTS: Cell<Option<&'static Counts>> = const { Cell::new(None) };
}

/// Runs a test whose application, on its thread and those for blocking work, shares one count.
fn run(test: impl Future<Output = ()>) {
    let counts: &'static Counts = Box::leak(Box::default());
    COUNTS.set(Some(counts));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().on_thread_start(move || COUNTS.set(Some(counts)));
    runtime.build().unwrap().block_on(test);
}

fn count(bytes: i64) {
    // Fails while a thread ends.
    let counts = COUNTS.try_with(Cell::get).ok().flatten();
    if let Some(counts) = counts {
        let live = counts.live.fetch_add(bytes, Ordering::Relaxed) + bytes;
        counts.peak.fetch_max(live, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator")]
#[expect(clippy::cast_possible_wrap, reason = "sizes are at most isize::MAX")]
// SAFETY: every call is passed to the system's allocator.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Sends a request. Returns the response, and the most bytes that the test held meanwhile beyond those held before.
async fn measured(request: RequestBuilder) -> (Answer, i64) {
    let counts = COUNTS.get().unwrap();
    let before = counts.live.load(Ordering::Relaxed);
    counts.peak.store(before, Ordering::Relaxed);
    let answer = Answer::send(request).await;
    (answer, counts.peak.load(Ordering::Relaxed) - before)
}

/// As [`measured`], but the client keeps the body, so that freeing it does not hide the server's memory.
async fn measured_body(request: RequestBuilder, kind: &str, body: &Bytes) -> (Answer, i64) {
    measured(request.header("Content-Type", kind).body(body.clone())).await
}

/// The bound: four times the body plus 2 MB.
fn bound(length: usize) -> i64 {
    4 * i64::try_from(length).unwrap() + 2 * 1024 * 1024
}

/// `part` repeated to about `bytes` bytes, between `head` and `tail`.
fn repeated(head: &str, part: &str, tail: &str, bytes: usize) -> Bytes {
    format!("{head}{}{tail}", part.repeat(bytes / part.len())).into()
}

#[test]
fn ignored_members_cost_less_than_their_text() {
    run(async {
        let app = start_app().await;
        let body = repeated("{\"x\":[", "{\"\":0},", "0]}", 20 * 1000 * 1000);
        for key in [None, Some("a-key")] {
            let mut request = app.http.request(Method::POST, "/knowledge/sources");
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            let (answer, peak) = measured_body(request, "application/json", &body).await;
            assert_eq!(answer.error(400), "missing_field");
            assert!(
                peak < i64::try_from(body.len()).unwrap() * 5 / 4 + 2 * 1024 * 1024,
                "{key:?}: {peak} bytes"
            );
        }
        app.end().await;
    });
}

#[test]
fn bodies_of_every_shape_cost_in_proportion() {
    run(async {
        const BYTES: usize = 4 * 1024 * 1024;
        const SMALL: usize = 1024 * 1000;
        let app = start_app().await;
        let bot = app.create_bot(app.tenant).await.to_string();
        let text = |name: &str| {
            format!("{{\"bot_id\":\"{bot}\",\"name\":\"{name}\",\"source_type\":\"text\",\"content\":\"")
        };
        let twice = format!("{}{}\",\"content\":\"", text("Twice"), "a".repeat(BYTES / 2));
        let chat = format!("{{\"model\":\"{bot}\",\"messages\":[");
        for (what, path, body, status) in [
            (
                "plain text",
                "/api/v1/knowledge/sources",
                repeated(&text("A"), "some words ", "\"}", BYTES),
                201,
            ),
            ("escaped text", "/api/v1/knowledge/sources", repeated(&text("B"), "word\\n", "\"}", BYTES), 201),
            (
                "escaped letters",
                "/api/v1/knowledge/sources",
                repeated(&text("C"), "\\u00e4", "\"}", BYTES),
                201,
            ),
            ("a repeated member", "/api/v1/knowledge/sources", repeated(&twice, "b", "\"}", BYTES / 2), 201),
            (
                "a list for a text",
                "/api/v1/knowledge/sources",
                repeated("{\"content\":[", "{},", "0]}", BYTES),
                400,
            ),
            (
                "objects for a text",
                "/api/v1/knowledge/sources",
                repeated("{\"content\":[", "{\"\":0},", "0]}", BYTES),
                400,
            ),
            ("many members", "/api/v1/knowledge/sources", repeated("{", "\"a\":0,", "\"b\":0}", BYTES), 400),
            (
                "metadata",
                "/api/v1/conversations",
                repeated("{\"metadata\":[", "{\"\":0},", "0]}", SMALL),
                400,
            ),
            ("a long name", "/api/v1/bots", repeated("{\"name\":\"", "\\n", "\"}", SMALL), 400),
            (
                "messages",
                "/v1/chat/completions",
                repeated(&chat, "{\"role\":\"user\"},", "{\"role\":\"x\"}]}", SMALL),
                400,
            ),
            (
                "empty texts",
                "/v1/chat/completions",
                repeated(&chat, "{\"role\":\"user\",\"content\":\"\"},", "{\"role\":\"x\"}]}", SMALL),
                400,
            ),
            (
                "parts",
                "/v1/chat/completions",
                repeated(&format!("{chat}{{\"role\":\"x\",\"content\":["), "{},", "{}]}]}", SMALL),
                400,
            ),
            ("nested lists", "/v1/chat/completions", repeated("{\"x\":", "[", "", SMALL), 400),
        ] {
            let (answer, peak) =
                measured_body(app.http.raw(Method::POST, path), "application/json", &body).await;
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
            assert!(peak <= bound(body.len()), "{what}: {peak} bytes for a body of {}", body.len());
        }
        app.end_with_unfinished_jobs().await;
    });
}

#[test]
fn files_cost_in_proportion_with_and_without_a_key() {
    run(async {
        const BYTES: usize = 8 * 1024 * 1024;
        let app = start_app().await;
        let bot = app.create_bot(app.tenant).await.to_string();
        for (letter, key) in [(b'a', None), (b'b', Some("a-key"))] {
            // Streamed without a stated length, as large files are.
            let pieces = (0..BYTES / 65_536).map(move |_| Ok::<_, std::io::Error>(vec![letter; 65_536]));
            let file = Part::stream(Body::wrap_stream(stream::iter(pieces))).file_name("a.txt");
            let form = Form::new().text("bot_id", bot.clone()).part("file", file);
            let mut request = app.http.request(Method::POST, "/knowledge/upload").multipart(form);
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            let (answer, peak) = measured(request).await;
            answer.data(201);
            assert!(peak <= bound(BYTES), "{key:?}: {peak} bytes");
        }
        let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
        let parts = repeated("", part, "--x--\r\n", BYTES);
        let upload = app.http.request(Method::POST, "/knowledge/upload");
        let (answer, peak) = measured_body(upload, "multipart/form-data; boundary=x", &parts).await;
        assert_eq!(answer.error(400), "missing_field");
        assert!(peak <= bound(parts.len()), "small parts: {peak} bytes for a form of {}", parts.len());
        app.end_with_unfinished_jobs().await;
    });
}

/// Body memory of the following tests.
const MEMORY: u64 = 3_650_000;

/// Length of a large body, which holds nearly half.
const LARGE: usize = 450_000;

/// Memory that such a body holds.
const LARGE_HELD: u64 = 1_800_000;

/// Memory that a body holds of which little has arrived: four times 64 KB.
const FIRST_STEP: u64 = 262_144;

async fn start_with_little_memory() -> TestApp {
    let app = Builder::default().embedder(TestEmbedder::default());
    app.configure(|config| config.limits.body_memory_bytes = MEMORY).start().await
}

/// Begins a request with a large body, and sends only this many bytes of it.
async fn begin(app: &TestApp, client: &Client, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(app.http.url().trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /api/v1/bots HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {LARGE}\r\n\r\n{}",
        client.key().unwrap(),
        " ".repeat(sent),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Sends a body of about this many bytes, most of which is ignored.
async fn send(client: &Client, bytes: usize) -> Answer {
    let ignored = "x".repeat(bytes - 100);
    client.post("/bots", json!({"name": "A", "channel_type": "api", "x": ignored})).await
}

async fn until_held(app: &TestApp, bytes: u64) {
    let held = async || (app.ctx.limits().bodies.held() == bytes).then_some(());
    app.eventually("the body memory is held or released", held).await;
}

#[tokio::test]
async fn a_tenant_holds_half_the_body_memory_at_most() {
    let app = start_with_little_memory().await;
    let (_, other) = app.another_tenant().await;
    let slow = begin(&app, &app.http, LARGE - 1).await;
    until_held(&app, LARGE_HELD).await;
    let refused = send(&app.http, LARGE).await;
    assert_eq!(
        (refused.error(429), &refused.headers["retry-after"]),
        ("too_many_body_bytes", &"1".parse().unwrap())
    );
    send(&app.http, 60_000).await.data(201);
    send(&other, LARGE).await.data(201);
    drop(slow);
    until_held(&app, 0).await;
    send(&app.http, LARGE).await.data(201);
    app.end().await;
}

#[tokio::test]
async fn beyond_all_body_memory_a_request_gets_503_at_once() {
    let app = start_with_little_memory().await;
    let (_, second) = app.another_tenant().await;
    let (_, third) = app.another_tenant().await;
    let slow = [begin(&app, &app.http, LARGE - 1).await, begin(&app, &second, LARGE - 1).await];
    until_held(&app, 2 * LARGE_HELD).await;
    let refused = send(&third, LARGE).await;
    assert_eq!(
        (refused.error(503), &refused.headers["retry-after"]),
        ("body_memory_exhausted", &"1".parse().unwrap())
    );
    for client in [&third, &second] {
        send(client, 60_000).await.data(201);
    }
    drop(slow);
    until_held(&app, 0).await;
    send(&third, LARGE).await.data(201);
    app.end().await;
}

#[tokio::test]
async fn a_stated_length_holds_no_memory_before_it_arrives() {
    let app = start_with_little_memory().await;
    let (_, second) = app.another_tenant().await;
    let (_, third) = app.another_tenant().await;
    let slow = [begin(&app, &app.http, 1).await, begin(&app, &second, 1).await];
    until_held(&app, 2 * FIRST_STEP).await;
    send(&third, LARGE).await.data(201);
    drop(slow);
    until_held(&app, 0).await;
    app.end().await;
}

#[tokio::test]
async fn a_body_of_unknown_length_is_counted_as_it_arrives() {
    let app = start_with_little_memory().await;
    let bot = app.create_bot(app.tenant).await;
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"bot_id\"\r\n\r\n{bot}\r\n--x\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"a.txt\"\r\n\r\n{}",
        "x".repeat(700_000)
    );
    for (path, kind, body) in [
        ("/bots", "application/json", " ".repeat(600_000)),
        ("/knowledge/upload", "multipart/form-data; boundary=x", form),
    ] {
        let mut stream = TcpStream::connect(app.http.url().trim_start_matches("http://")).await.unwrap();
        let (key, length) = (app.http.key().unwrap(), body.len());
        let request = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: {kind}\r\n\
             Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 429", "{path}");
        drop(stream);
        until_held(&app, 0).await;
    }
    app.end().await;
}
