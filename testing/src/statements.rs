//! Records the SQL statements of a request from sqlx's log.
//!
//! Includes `commit`. Excludes `begin` with the statements sent in the same round trip, and `rollback`: sqlx
//! does not log them. Excludes statements of tasks that a request spawns.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Prefix of the ids of recorded requests.
const RECORDED: &str = "recorded-";

/// Recorded statements by request id.
static STATEMENTS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// A request id for the header `X-Request-Id`. The statements of requests with such an id are recorded.
#[must_use]
pub fn recorded_request_id() -> String {
    format!("{RECORDED}{}", uuid::Uuid::now_v7())
}

/// The recorded statements of a request, in order.
#[must_use]
pub fn recorded_statements(request: &str) -> Vec<String> {
    STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).get(request).cloned().unwrap_or_default()
}

/// Installs the log output of tests and the recording of statements.
pub(crate) fn log() {
    let output = tracing_subscriber::fmt::layer()
        .with_test_writer()
        .with_filter(EnvFilter::new("info,apalis=warn,fred=off,sqlx=warn"));
    let filter = Targets::new()
        .with_target("parlance_api", LevelFilter::INFO)
        .with_target("sqlx::query", LevelFilter::DEBUG);
    let _already_set =
        tracing_subscriber::registry().with(output).with(Recorder.with_filter(filter)).try_init();
}

/// Records statements under the request in whose span they are logged.
struct Recorder;

/// Span extension: the id of the request.
struct Request(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut request = FieldText { field: "request.id", text: String::new() };
        attributes.record(&mut request);
        if let (true, Some(span)) = (request.text.starts_with(RECORDED), context.span(id)) {
            span.extensions_mut().insert(Request(request.text));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let request_id = |span: tracing_subscriber::registry::SpanRef<'_, S>| {
            span.extensions().get::<Request>().map(|request| request.0.clone())
        };
        let request = context.event_scope(event).and_then(|mut spans| spans.find_map(request_id));
        let (Some(request), "sqlx::query") = (request, event.metadata().target()) else { return };
        let [mut statement, mut summary] =
            ["db.statement", "summary"].map(|field| FieldText { field, text: String::new() });
        event.record(&mut statement);
        event.record(&mut summary);
        // Short statements are only in the summary.
        let text = if statement.text.is_empty() { summary.text } else { statement.text };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).entry(request).or_default().push(text);
    }
}

/// Reads the text of one field.
struct FieldText {
    field: &'static str,
    text: String,
}

impl Visit for FieldText {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.field {
            value.clone_into(&mut self.text);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
