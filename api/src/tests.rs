//! Tests of the middleware and the router, without a database.

use poem::endpoint::make;
use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request, Response, Route, post};
use serde_json::Value;

use crate::middleware::metrics::RequestMetrics;
use crate::middleware::shutdown::Shutdown;
use crate::{routes, with_middleware};

async fn ask(method: Method, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path.parse().unwrap()).finish();
    respond(routes(), request).await
}

async fn respond(routes: Route, request: Request) -> Response {
    with_middleware(routes, None, RequestMetrics::default(), Shutdown::default()).get_response(request).await
}

/// Checks the envelope and returns the error code.
async fn code(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.content_type(), Some("application/json"));
    let id = response.header("x-request-id").unwrap().to_owned();
    let body: Value = response.into_body().into_json().await.unwrap();
    assert_eq!(body["success"], false);
    assert_eq!(body["request_id"], id.as_str());
    for field in ["error", "message"] {
        assert!(!body[field].as_str().unwrap().is_empty(), "{body}");
    }
    body["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    for path in [
        "/",
        "/nowhere",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/bots",
        "/api/v1/bots/",
        "/%ff",
        "/api/v1/bots/%ff",
    ] {
        let response = ask(Method::GET, path).await;
        assert_eq!(code(response, StatusCode::NOT_FOUND).await, "not_found", "{path}");
    }
}

#[tokio::test]
async fn an_unsupported_method_lists_the_supported_ones() {
    for (path, allow) in [
        ("/api/v1/tenant/info", "GET, HEAD, OPTIONS"),
        ("/api/v1/bots", "GET, POST, HEAD, OPTIONS"),
        ("/api/v1/bots/x", "GET, PUT, DELETE, HEAD, OPTIONS"),
        ("/api/v1/conversations/x/messages", "POST, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
    ] {
        let response = ask(Method::PATCH, path).await;
        assert_eq!(response.header("allow"), Some(allow), "{path}");
        assert_eq!(code(response, StatusCode::METHOD_NOT_ALLOWED).await, "method_not_allowed");

        let response = ask(Method::OPTIONS, path).await;
        assert_eq!((response.status(), response.header("allow")), (StatusCode::NO_CONTENT, Some(allow)));
    }
}

#[tokio::test]
async fn a_missing_key_wins_over_every_other_error() {
    for (method, path) in [
        (Method::GET, "/api/v1/tenant/info"),
        (Method::GET, "/api/v1/bots?page=nonsense"),
        (Method::POST, "/api/v1/bots"),
        (Method::GET, "/api/v1/bots/nonsense"),
        (Method::POST, "/api/v1/knowledge/upload"),
        (Method::GET, "/api/v1/knowledge/sources/nonsense"),
        (Method::GET, "/api/v1/conversations/a%20b"),
        (Method::POST, "/api/v1/conversations/s/messages"),
    ] {
        let response = ask(method, path).await;
        assert_eq!(response.header("www-authenticate"), Some("ApiKey"));
        assert_eq!(code(response, StatusCode::UNAUTHORIZED).await, "missing_api_key", "{path}");
    }
}

#[tokio::test]
async fn a_malformed_key_gets_the_documented_error() {
    let request = Request::builder()
        .uri("/api/v1/tenant/info".parse().unwrap())
        .header("X-API-Key", "tk_your_api_key_here")
        .finish();
    let response = respond(routes(), request).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let body: Value = response.into_body().into_json().await.unwrap();
    assert_eq!(body["error"], "Invalid API key");
    assert_eq!(body["message"], "API key not found or tenant inactive");
    assert_eq!(body["code"], "invalid_api_key");
}

#[tokio::test]
async fn a_panic_is_answered_without_its_message() {
    let panicking = make(|_| async { panic!("the secret") as () });
    let request = Request::builder().method(Method::POST).uri("/p".parse().unwrap()).finish();
    let response = respond(Route::new().at("/p", post(panicking)), request).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let text = response.into_body().into_string().await.unwrap();
    assert!(text.contains("internal_error") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_client_request_id_is_kept() {
    let request =
        Request::builder().uri("/healthz".parse().unwrap()).header("X-Request-Id", "mine-1").finish();
    let response = respond(routes(), request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.header("x-request-id"), Some("mine-1"));
}

#[tokio::test]
async fn docs_are_served_and_head_has_no_body() {
    let docs = ask(Method::GET, "/docs").await;
    assert_eq!(docs.content_type(), Some("text/html; charset=utf-8"));
    let html = docs.into_body().into_string().await.unwrap();
    for part in ["SwaggerUIBundle", "persistAuthorization", "X-API-Key", "<title>Parlance API</title>"] {
        assert!(html.contains(part), "{part}");
    }
    let served = ask(Method::GET, "/openapi.json").await.into_body().into_string().await.unwrap();
    assert_eq!(served, crate::openapi_json());
    let head = ask(Method::HEAD, "/openapi.json").await;
    assert_eq!(head.status(), StatusCode::OK);
    assert!(head.into_body().into_bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unread_body_is_drained() {
    use futures_util::StreamExt;
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let chunks = futures_util::stream::iter(0..3).map(move |chunk| {
        sender.send(chunk).unwrap();
        Ok::<_, std::io::Error>(vec![b'x'; 10])
    });
    let body = Body::from_bytes_stream(chunks);
    let request = Request::builder().method(Method::POST).uri("/nowhere".parse().unwrap()).body(body);
    assert_eq!(respond(routes(), request).await.status(), StatusCode::NOT_FOUND);
    for chunk in 0..3 {
        assert_eq!(received.recv().await, Some(chunk));
    }
}
