//! Rate limits, concurrency limits, CORS and body timeouts.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parlance_core::ids::KeyId;
use parlance_core::tenants::keys::{self, KeyRequest, RawKey};
use parlance_core::{Context, Providers};
use parlance_testing::{Answer, Builder, Client, TestApp, TestEmbedder};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{run_jobs, start_app};

/// Starts the application with a limit of five requests a second and bursts of ten.
async fn start_with_rate_limit() -> TestApp {
    let configured = Builder::default().embedder(TestEmbedder::default());
    configured.configure(|config| config.limits.requests_per_second = 5).start().await
}

/// The number in a header.
fn header(answer: &Answer, header: &str) -> u64 {
    answer.headers[header].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_rate_limited_key_gets_a_retry_after() {
    let app = start_with_rate_limit().await;
    let other = app.http.post("/tenant/api-keys", json!({"name": "Other"})).await;
    let (mut answer, mut requests) = (app.http.get("/bots").await, 1);
    while answer.status == 200 {
        assert_eq!(header(&answer, "ratelimit-limit"), 10);
        assert!(header(&answer, "ratelimit-remaining") < 10);
        (answer, requests) = (app.http.get("/bots").await, requests + 1);
        assert!(requests < 1_000, "no request is limited");
    }
    assert_eq!(answer.error(429), "rate_limited");
    assert_eq!(header(&answer, "ratelimit-remaining"), 0);
    let wait = header(&answer, "retry-after");
    let other = app.http.with_key(other.data(201)["key"].as_str());
    other.get("/bots").await.data(200);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    app.http.get("/bots").await.data(200);
    app.end().await;
}

#[tokio::test]
async fn the_rate_limit_of_a_key_spans_processes() {
    let app = start_with_rate_limit().await;
    let created = app.http.post("/tenant/api-keys", json!({"name": "Shared"})).await;
    let raw: RawKey = created.data(201)["key"].as_str().unwrap().parse().unwrap();
    let key = keys::authenticate(&app.ctx, &raw).await.unwrap().key;
    let other = OtherProcess::start(&app).await;
    let shared = app.http.with_key(Some(raw.expose()));
    app.eventually("the processes share the limit", async || {
        // Uses up the limit in this process.
        while shared.get("/bots").await.status == 200 {}
        other.ctx.limits().requests.take(app.tenant, key).unwrap().refused
    })
    .await;
    other.end().await;
    app.end().await;
}

/// Creates API keys of the tenant; returns a client with each.
async fn keys(app: &TestApp, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        let (_, key) = keys::create(&app.ctx, app.tenant, &KeyRequest::full("k").unwrap()).await.unwrap();
        clients.push(app.http.with_key(Some(key.expose())));
    }
    clients
}

#[tokio::test]
async fn forty_keys_of_a_tenant_share_its_rate_limit() {
    let configured = Builder::default().embedder(TestEmbedder::default());
    let app = configured.configure(|config| config.limits.tenant_requests_per_second = Some(1)).start().await;
    let keys = keys(&app, 40).await;
    let begun = Instant::now();
    let answers = join_all(keys.iter().map(|key| key.get("/bots"))).await;
    let (admitted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    // The burst, and the tokens refilled meanwhile.
    assert!(admitted.len() as u64 <= 2 + begun.elapsed().as_secs() + 1, "{} were admitted", admitted.len());
    for answer in refused {
        assert_eq!((answer.error(429), header(answer, "ratelimit-limit")), ("rate_limited", 2));
        assert!(header(answer, "retry-after") > 0);
    }
    let (_, other) = app.another_tenant().await;
    let answer = other.get("/bots").await;
    assert_eq!((answer.status.as_u16(), header(&answer, "ratelimit-remaining")), (200, 1));
    app.end().await;
}

#[tokio::test]
async fn the_rate_limit_of_a_tenant_spans_processes() {
    let configured = Builder::default().embedder(TestEmbedder::default());
    let app = configured.configure(|config| config.limits.tenant_requests_per_second = Some(5)).start().await;
    let other = OtherProcess::start(&app).await;
    app.eventually("the processes share the limit", async || {
        // Uses up the limit in this process.
        while app.http.get("/bots").await.status == 200 {}
        other.ctx.limits().requests.take(app.tenant, KeyId::fresh()).unwrap().refused
    })
    .await;
    other.end().await;
    app.end().await;
}

/// Another process that exchanges spent tokens.
struct OtherProcess {
    ctx: Context,
    stop: CancellationToken,
    balancing: JoinHandle<()>,
}

impl OtherProcess {
    async fn start(app: &TestApp) -> Self {
        let ctx = Context::new(app.ctx.config().clone(), Providers::absent()).unwrap();
        ctx.bus().wait_for_connection().await.unwrap();
        let stop = CancellationToken::new();
        let (balanced, until) = (ctx.clone(), stop.clone());
        let balance = async move { balanced.limits().requests.balance(balanced.bus(), &until).await };
        Self { ctx, stop, balancing: tokio::spawn(balance) }
    }

    async fn end(self) {
        self.stop.cancel();
        self.balancing.await.unwrap();
        self.ctx.close().await;
    }
}

#[tokio::test]
async fn concurrent_answers_and_uploads_are_limited_per_tenant() {
    let configure = Builder::default().embedder(TestEmbedder::default()).configure(|config| {
        config.limits.chats_per_tenant = 1;
        config.limits.uploads_per_tenant = 1;
    });
    let app = configure.start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    let limits = app.ctx.limits();
    let (chat, upload) = (limits.chats.take(app.tenant).unwrap(), limits.uploads.take(app.tenant).unwrap());

    let send =
        async || app.http.post("/conversations/s/messages", json!({"message": "Hi", "bot_id": bot})).await;
    let refused = send().await;
    assert_eq!((refused.error(429), header(&refused, "retry-after")), ("too_many_chats", 1));
    assert_eq!(app.http.get("/conversations/s").await.error(404), "conversation_not_found");
    let upload_file = async || app.http.upload(&bot, "a.txt", "Some text.").await;
    assert_eq!(upload_file().await.error(429), "too_many_uploads");
    let (_, other) = app.another_tenant().await;
    other.post("/bots", json!({"name": "A", "channel_type": "api"})).await.data(201);
    other.post("/conversations/s/messages", json!({"message": "Hi"})).await.data(200);

    drop((chat, upload));
    send().await.data(200);
    send().await.data(200);
    upload_file().await.data(201);
    run_jobs(&app).await;
    app.end().await;
}

#[tokio::test]
async fn cors_allows_only_the_configured_origins() {
    let site = "https://www.example.com";
    let configure = Builder::default().embedder(TestEmbedder::default());
    let app =
        configure.configure(move |config| config.http.cors_origins = vec![site.to_owned()]).start().await;
    let preflight = async |origin: &str| {
        let request = app.http.request(Method::OPTIONS, "/bots").header("Origin", origin);
        request.header("Access-Control-Request-Method", "POST").send().await.unwrap()
    };
    let allowed = preflight(site).await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], site);
    let allowed_headers = allowed.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(
        allowed_headers.contains("X-API-Key") && allowed_headers.contains("Idempotency-Key"),
        "{allowed_headers}"
    );
    assert!(!preflight("https://evil.example").await.headers().contains_key("access-control-allow-origin"));

    let get = async |origin: &str| {
        Answer::send(app.http.request(Method::GET, "/bots").header("Origin", origin)).await
    };
    let (mine, evil) = (get(site).await, get("https://evil.example").await);
    mine.data(200);
    evil.data(200);
    assert_eq!(mine.headers["access-control-allow-origin"], site);
    assert_eq!(mine.headers["vary"], "Origin");
    assert!(!evil.headers.contains_key("access-control-allow-origin"));
    let without_key = app.http.with_key(None).request(Method::GET, "/bots").header("Origin", site);
    let refused = Answer::send(without_key).await;
    assert_eq!(refused.error(401), "missing_api_key");
    assert_eq!(refused.headers["access-control-allow-origin"], site, "a page can read the error");
    app.end().await;
}

#[tokio::test]
async fn cors_is_off_without_configured_origins() {
    let app = start_app().await;
    let answer =
        Answer::send(app.http.request(Method::GET, "/bots").header("Origin", "https://a.example")).await;
    answer.data(200);
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    app.end().await;
}

#[tokio::test]
async fn a_body_sent_byte_by_byte_times_out() {
    let app = start_app().await;
    let request = app.http.request(Method::POST, "/bots").build().unwrap();
    let address = (request.url().host_str().unwrap(), request.url().port().unwrap());
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/bots HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        request.headers()["x-api-key"].to_str().unwrap(),
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = slow.split();
    let mut buffer = vec![0; 64];
    let trickle = async {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = trickle => panic!("the connection closed without a response"),
        read = reader.read(&mut buffer) => {
            let answer = String::from_utf8_lossy(&buffer[..read.unwrap()]).into_owned();
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
    }
    app.end().await;
}
