//! Requests without a valid API key.

use std::time::Instant;

use parlance_core::tenants::keys::{self, KeyRequest, RawKey};
use parlance_testing::{
    Answer, Builder, Client, TestApp, TestEmbedder, recorded_request_id, recorded_statements,
};
use reqwest::Method;

/// Requests that are sent at once.
const REQUESTS: u64 = 60;

/// Starts the application with a limit of one request without a valid key a second, and bursts of two.
async fn start(trusted_proxies: &[&str]) -> TestApp {
    let trusted: Vec<_> = trusted_proxies.iter().map(|network| network.parse().unwrap()).collect();
    let configured = Builder::default().embedder(TestEmbedder::default()).configure(|config| {
        config.limits.invalid_keys_per_second = 1;
        config.http.trusted_proxies = trusted;
    });
    configured.start().await
}

/// Well-formed keys that do not exist.
async fn unknown_keys(app: &TestApp, count: u64) -> Vec<RawKey> {
    let mut unknown = Vec::new();
    for _ in 0..count {
        let (key, raw) =
            keys::create(&app.ctx, app.tenant, &KeyRequest::full("gone").unwrap()).await.unwrap();
        keys::revoke(&app.ctx, app.tenant, key.id).await.unwrap();
        unknown.push(raw);
    }
    unknown
}

/// Sends a request. Returns the response and the number of its database statements.
async fn statements_of(http: &Client) -> (Answer, usize) {
    let id = recorded_request_id();
    let answer = Answer::send(http.request(Method::GET, "/bots").header("X-Request-Id", &id)).await;
    (answer, recorded_statements(&id).len())
}

#[tokio::test]
async fn guessed_keys_are_refused_before_they_are_looked_up() {
    let app = start(&[]).await;
    let guesses = unknown_keys(&app, REQUESTS).await;
    let (begun, mut looked_up, mut refused) = (Instant::now(), 0, 0);
    for guess in &guesses {
        let (answer, statements) = statements_of(&app.http.with_key(Some(guess.expose()))).await;
        if answer.status == 401 {
            assert_eq!(statements, 1);
            looked_up += 1;
        } else {
            assert_eq!((answer.error(429), statements), ("too_many_invalid_keys", 0));
            assert!(answer.headers.contains_key("retry-after"));
            refused += 1;
        }
    }
    // The burst, and the tokens refilled meanwhile.
    assert!(looked_up <= 2 + begun.elapsed().as_secs() + 1, "{looked_up} guesses were looked up");
    assert!(refused > 0);
    app.end().await;
}

#[tokio::test]
async fn missing_and_malformed_keys_share_the_limit_of_the_address() {
    let app = start(&[]).await;
    let (mut refused, begun) = (0, Instant::now());
    for sent in 0..REQUESTS {
        let http = app.http.with_key((sent % 2 == 0).then_some("tk_wrong"));
        let answer = http.get("/bots").await;
        refused += u64::from(answer.status == 429);
    }
    assert!(REQUESTS - refused <= 2 + begun.elapsed().as_secs() + 1);
    Answer::send(app.http.with_key(None).raw(Method::GET, "/healthz")).await.data(200);
    app.end().await;
}

#[tokio::test]
async fn valid_keys_work_beside_invalid_ones_of_their_address() {
    let app = start(&[]).await;
    app.http.get("/bots").await.data(200);
    let mut refused = 0;
    for _ in 0..REQUESTS {
        refused += u64::from(app.http.with_key(None).get("/bots").await.status == 429);
        app.http.get("/bots").await.data(200);
    }
    assert!(refused > 0);
    app.end().await;
}

/// Sends requests without a key for a client until one is refused.
async fn use_up(app: &TestApp, client: &str) {
    app.eventually("a request without a key is refused", async || {
        (status(app, client).await == 429).then_some(())
    })
    .await;
}

async fn status(app: &TestApp, client: &str) -> u16 {
    let request = app.http.with_key(None).request(Method::GET, "/bots").header("X-Forwarded-For", client);
    Answer::send(request).await.status.as_u16()
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_their_own_limits() {
    let app = start(&["127.0.0.0/8"]).await;
    use_up(&app, "192.0.2.1").await;
    assert_eq!(status(&app, "192.0.2.2").await, 401);
    use_up(&app, "2001:db8::1").await;
    assert_eq!(status(&app, "2001:db8:0:1::1").await, 401);
    app.end().await;
}

#[tokio::test]
async fn a_forged_address_gives_no_new_limit() {
    let app = start(&[]).await;
    let (mut refused, begun) = (0, Instant::now());
    for sent in 0..REQUESTS {
        refused += u64::from(status(&app, &format!("192.0.2.{sent}")).await == 429);
    }
    assert!(REQUESTS - refused <= 2 + begun.elapsed().as_secs() + 1);
    app.end().await;
}
