//! Traces that go on: from a request into the jobs that it enqueues, and into the model that it asks, in the words of
//! [W3C Trace Context](https://www.w3.org/TR/trace-context/).
//!
//! Without a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`) no span belongs to a trace, and all of this does nothing.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header, and the form, in which a place in a trace is told.
pub const TRACEPARENT: &str = "traceparent";

/// The field of a span that names its trace, for those who look for it from a line of the log.
pub const TRACE_ID: &str = "trace.id";

/// Where in a trace the current span is, for what follows from it elsewhere.
#[must_use]
pub fn traceparent() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes a span that nobody has entered yet go on with a trace, or begin one when it is told of none, or of nonsense.
/// Its field [`TRACE_ID`] says which.
pub fn follow(span: &Span, traceparent: Option<&str>) {
    if let Some(told) = traceparent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), told.to_owned())]);
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
        if parent.span().span_context().is_valid() {
            // Fails when there are no traces.
            let _off = span.set_parent(parent);
        }
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    if context.is_valid() {
        span.record(TRACE_ID, field::display(context.trace_id()));
    }
}
