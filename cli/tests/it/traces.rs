//! Traces as received by a collector.

use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use parlance_testing::{Answer, Client};
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::{Body, EndpointExt, Request, Response, Route, Server, handler, post};
use prost::Message;
use reqwest::Method;
use serde_json::json;

use crate::fleet::{Fleet, bot};
use crate::process::{Process, eventually, ready};

/// A word of user content that must not appear in traces.
const SECRET: &str = "marzipan";

/// Requests received by a scripted model and collector.
#[derive(Clone, Default)]
struct Peers {
    /// (service name, span).
    spans: Arc<Mutex<Vec<(String, Span)>>>,
    /// The `traceparent` of each request to the model.
    traceparents: Arc<Mutex<Vec<String>>>,
}

#[handler]
async fn collect(peers: Data<&Peers>, body: Body) -> Response {
    let request = ExportTraceServiceRequest::decode(body.into_bytes().await.unwrap()).unwrap();
    for process in request.resource_spans {
        let service = text(&process.resource.unwrap().attributes, "service.name").unwrap();
        let spans = process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        peers.spans.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
    }
    Response::builder().content_type("application/x-protobuf").finish()
}

#[handler]
fn complete(peers: Data<&Peers>, request: &Request) -> Response {
    let traceparent = request.header("traceparent").unwrap_or_default().to_owned();
    peers.traceparents.lock().unwrap().push(traceparent);
    let piece = json!({"id": "1", "choices": [{"index": 0, "delta": {"content": format!("{SECRET} [1]")}}]});
    let end = json!({"id": "1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}});
    let events = format!("data: {piece}\n\ndata: {end}\n\ndata: [DONE]\n\n");
    Response::builder().content_type("text/event-stream").body(events)
}

impl Peers {
    /// Serves both and returns their URL.
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Route::new()
            .at("/otlp/v1/traces", post(collect))
            .at("/v1/chat/completions", post(complete))
            .data(self.clone());
        tokio::spawn(Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap()).run(app));
        url
    }

    /// Waits for the named spans of a trace.
    async fn trace(&self, id: &str, names: &[&str]) -> Trace {
        eventually(&format!("the spans of {id}: {names:?}"), async || {
            let spans = self.spans.lock().unwrap();
            let spans: Vec<_> = spans.iter().filter(|(_, span)| hex(&span.trace_id) == id).cloned().collect();
            let has = |name: &&str| spans.iter().any(|(_, span)| span.name == **name);
            names.iter().all(has).then_some(Trace(spans))
        })
        .await
    }
}

struct Trace(Vec<(String, Span)>);

impl Trace {
    fn span(&self, name: &str) -> &Span {
        &self.0.iter().find(|(_, span)| span.name == name).unwrap().1
    }

    fn service(&self, name: &str) -> &str {
        &self.0.iter().find(|(_, span)| span.name == name).unwrap().0
    }

    /// Whether a span is a child of another.
    fn is_child_of(&self, name: &str, parent: &str) -> bool {
        self.span(name).parent_span_id == self.span(parent).span_id
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.clone()? {
        AnyValue { value: Some(Value::StringValue(text)) } => Some(text),
        AnyValue { value: Some(Value::IntValue(number)) } => Some(number.to_string()),
        _ => None,
    }
}

async fn send(http: &Client, path: &str, traceparent: &str, body: serde_json::Value) -> Answer {
    let request = http.request(Method::POST, path).header("traceparent", traceparent);
    Answer::send(request.json(&body)).await
}

fn start_traced(mut role: Command, collector: &str) -> Process {
    role.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("LLM_MODEL", "scripted");
    Process::spawn(&mut role)
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_spans_the_request_every_job_and_the_model_call() {
    let fleet = Fleet::prepare().await;
    let peers = Peers::default();
    let url = peers.serve().await;
    let collector = format!("{url}/otlp/");
    let http = fleet.tenant("Traced");
    let mut api = fleet.role(&["api"]);
    api.env("LLM_BASE_URL", format!("{url}/v1"));
    let api = start_traced(api, &collector);
    let worker = start_traced(fleet.role(&["worker"]), &collector);
    eventually("the API answers", async || http.try_get("/bots").await).await;
    let bot = bot(&http).await;

    let (given, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let body = json!({
        "bot_id": bot, "source_type": "text", "name": "Returns",
        "content": format!("You can return {SECRET} within 30 days."),
    });
    let source = send(&http, "/knowledge/sources", &format!("00-{given}-{parent}-01"), body).await.id();
    ready(&http, &source).await;
    let request = "POST /api/v1/knowledge/sources";
    let jobs = ["job upload", "job chunk", "job embed"];
    let trace = peers.trace(given, &[&[request][..], &jobs].concat()).await;
    assert_eq!(hex(&trace.span(request).parent_span_id), parent);
    assert!(trace.is_child_of("job upload", request));
    assert!(trace.is_child_of("job chunk", "job upload"));
    assert!(trace.is_child_of("job embed", "job chunk"));
    assert_eq!((trace.service(request), trace.service("job embed")), ("parlance-api", "parlance-worker"));
    assert_eq!(trace.span(request).kind(), SpanKind::Server);
    for job in jobs {
        let span = trace.span(job);
        assert_eq!(span.kind(), SpanKind::Consumer);
        assert_eq!(text(&span.attributes, "job.ending").as_deref(), Some("succeeded"), "{span:?}");
    }

    let question = format!("Within how many days can I return {SECRET}?");
    let (session, given) = ("/conversations/s/messages", "0af7651916cd43dd8448eb211c80319c");
    let answer = send(&http, session, &format!("00-{given}-{parent}-01"), json!({"message": question})).await;
    assert_eq!(answer.data(200)["bot_response"]["model"], "scripted");
    let request = "POST /api/v1/conversations/{session_id}/messages";
    let parts = ["keep_question", "embed", "rank_by_words", "retrieve", "chat scripted", "keep_answer"];
    let trace = peers.trace(given, &[&[request][..], &parts].concat()).await;
    assert!(parts.iter().all(|part| trace.is_child_of(part, request)), "{:?}", trace.0);
    let chat = trace.span("chat scripted");
    assert_eq!(chat.kind(), SpanKind::Client);
    assert_eq!(text(&chat.attributes, "gen_ai.usage.input_tokens").as_deref(), Some("7"));
    assert_eq!(*peers.traceparents.lock().unwrap(), [format!("00-{given}-{}-01", hex(&chat.span_id))]);

    // An invalid traceparent starts a new trace.
    send(&http, "/knowledge/search", "00-nonsense", json!({"bot_id": bot, "query": SECRET})).await.data(200);
    eventually("a new trace", async || {
        let spans = peers.spans.lock().unwrap();
        let span =
            spans.iter().map(|(_, span)| span).find(|span| span.name == "POST /api/v1/knowledge/search")?;
        assert!(span.parent_span_id.is_empty());
        assert_eq!(text(&span.attributes, "http.response.status_code").as_deref(), Some("200"));
        Some(())
    })
    .await;

    // Pending spans are flushed at shutdown.
    assert!(worker.terminate().success() && api.terminate().success());
    let spans = peers.spans.lock().unwrap().clone();
    let failed = |span: &&Span| span.status.clone().unwrap_or_default().code() == StatusCode::Error;
    assert_eq!(spans.iter().map(|(_, span)| span).find(failed), None);
    assert!(!format!("{spans:?}").contains(SECRET), "user content must not appear in traces");
    fleet.servers.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_collector_does_not_affect_the_api() {
    let fleet = Fleet::prepare().await;
    let http = fleet.tenant("Untraced");
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api = start_traced(fleet.role(&["api"]), &format!("http://{unused}"));
    eventually("the API answers", async || http.try_get("/bots").await).await;
    assert_eq!(http.get("/bots").await.status, 200);
    assert!(api.terminate().success());
    fleet.servers.stop().await.unwrap();
}
