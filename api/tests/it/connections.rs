//! Slow heads, and bounds on open connections.

use std::time::Duration;

use parlance_testing::{Answer, Builder, TestApp, TestEmbedder};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.http.url().trim_start_matches("http://")).await.unwrap()
}

/// Sends a request. Returns whether a response arrives.
async fn is_served(connection: &mut TcpStream) -> bool {
    let mut response = Vec::new();
    if connection.write_all(REQUEST).await.is_err() {
        return false;
    }
    while !response.ends_with(b"}") {
        match connection.read_buf(&mut response).await {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    response.starts_with(b"HTTP/1.1 200")
}

/// Sends a head byte by byte until the server closes the connection.
async fn trickle_until_closed(mut connection: TcpStream) {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nX-Slow: ").await.unwrap();
    let (mut reader, mut writer) = connection.split();
    let trickle = async {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = trickle => {}
        read = reader.read_to_end(&mut rest) => {
            assert!(read.is_err() || rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
        }
    }
}

#[tokio::test]
async fn a_head_sent_byte_by_byte_ends_its_connection() {
    let configured = Builder::default().embedder(TestEmbedder::default());
    let app =
        configured.configure(|config| config.http.head_timeout = Duration::from_millis(500)).start().await;
    trickle_until_closed(connect(&app).await).await;
    // Also after a request.
    let mut kept = connect(&app).await;
    assert!(is_served(&mut kept).await);
    trickle_until_closed(kept).await;
    app.end().await;
}

#[tokio::test]
async fn an_idle_connection_ends_and_a_waiting_request_does_not() {
    let embedder = TestEmbedder::default();
    let configured = Builder::default().embedder(embedder.clone());
    let app =
        configured.configure(|config| config.http.idle_timeout = Duration::from_millis(500)).start().await;
    let bot = app.create_bot(app.tenant).await.to_string();
    embedder.hold_questions();
    let (http, body) = (app.http.clone(), serde_json::json!({"bot_id": bot, "query": "Anything?"}));
    let waiting = tokio::spawn(async move { http.post("/knowledge/search", body).await });
    for mut idle in [connect(&app).await, connect(&app).await, connect(&app).await] {
        assert_eq!(idle.read(&mut [0]).await.unwrap(), 0, "the server closes the connection");
    }
    embedder.release();
    waiting.await.unwrap().data(200);
    app.end().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_of_an_address_are_closed() {
    let configured = Builder::default().embedder(TestEmbedder::default());
    let app = configured.configure(|config| config.http.connections_per_address = 2).start().await;
    let mut held = [connect(&app).await, connect(&app).await];
    for connection in &mut held {
        assert!(is_served(connection).await);
    }
    assert!(!is_served(&mut connect(&app).await).await);
    for connection in &mut held {
        assert!(is_served(connection).await, "connections within the bound get a response");
    }
    drop(held);
    app.eventually("the places are free", async || {
        let response = app.http.with_key(None).raw(Method::GET, "/metrics").send().await.ok()?;
        let metrics = response.text().await.ok()?;
        let refused = "parlance_http_connections_refused_total ";
        let refused = metrics.lines().find_map(|line| line.strip_prefix(refused))?;
        (refused.parse::<u64>().unwrap() > 0).then_some(())
    })
    .await;
    app.end().await;
}

#[tokio::test]
async fn trusted_proxies_are_exempt_from_the_bound_of_an_address() {
    let configured = Builder::default().embedder(TestEmbedder::default()).configure(|config| {
        config.http.connections_per_address = 1;
        config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.http.max_connections = 3;
    });
    let app = configured.start().await;
    let mut held = [connect(&app).await, connect(&app).await, connect(&app).await];
    for connection in &mut held {
        assert!(is_served(connection).await);
    }
    assert!(!is_served(&mut connect(&app).await).await, "the bound of all connections holds");
    drop(held);
    app.eventually("the places are free", async || {
        let request = app.http.with_key(None).raw(Method::GET, "/healthz").send().await.ok()?;
        (request.status() == 200).then_some(())
    })
    .await;
    Answer::send(app.http.with_key(None).raw(Method::GET, "/healthz")).await.data(200);
    app.end().await;
}
