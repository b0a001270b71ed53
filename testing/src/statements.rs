//! The statements that a request runs, as sqlx logs them.
//!
//! `commit` is among them; `begin`, with what is said in one breath with it, and `rollback` are not: sqlx
//! does not log these. Nor is what a request leaves to a task of its own.

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

/// How the id of a request begins whose statements are remembered.
const COUNTED: &str = "counted-";

/// The statements of each request.
static STATEMENTS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// An id for the header `X-Request-Id`: the statements of such a request are remembered.
#[must_use]
pub fn counted_request() -> String {
    format!("{COUNTED}{}", uuid::Uuid::now_v7())
}

/// The statements that a request of such an id has run, in order.
#[must_use]
pub fn statements_of(request: &str) -> Vec<String> {
    STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).get(request).cloned().unwrap_or_default()
}

/// Shows the log with the tests that fail, and listens to statements.
pub(crate) fn log() {
    let shown = tracing_subscriber::fmt::layer()
        .with_test_writer()
        .with_filter(EnvFilter::new("info,apalis=warn,fred=off,sqlx=warn"));
    let heard = Targets::new()
        .with_target("parlance_api::middleware::request_id", LevelFilter::INFO)
        .with_target("sqlx::query", LevelFilter::DEBUG);
    let _set_already =
        tracing_subscriber::registry().with(shown).with(Statements.with_filter(heard)).try_init();
}

/// Remembers statements beside the request in whose span they are logged.
struct Statements;

/// The id of the request, on its span.
struct Request(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Statements {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut request = Text { field: "request.id", text: String::new() };
        attributes.record(&mut request);
        if let (true, Some(span)) = (request.text.starts_with(COUNTED), context.span(id)) {
            span.extensions_mut().insert(Request(request.text));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let of_request = |span: tracing_subscriber::registry::SpanRef<'_, S>| {
            span.extensions().get::<Request>().map(|request| request.0.clone())
        };
        let request = context.event_scope(event).and_then(|mut spans| spans.find_map(of_request));
        let (Some(request), "sqlx::query") = (request, event.metadata().target()) else { return };
        let [mut statement, mut summary] =
            ["db.statement", "summary"].map(|field| Text { field, text: String::new() });
        event.record(&mut statement);
        event.record(&mut summary);
        // A short statement is its own summary.
        let text = if statement.text.is_empty() { summary.text } else { statement.text };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).entry(request).or_default().push(text);
    }
}

/// The text of one field.
struct Text {
    field: &'static str,
    text: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.field {
            value.clone_into(&mut self.text);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
