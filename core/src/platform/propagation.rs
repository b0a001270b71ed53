//! Trace propagation in [W3C Trace Context](https://www.w3.org/TR/trace-context/) format: from a request into its jobs,
//! and into requests to the language model.
//!
//! Without a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`) no span belongs to a trace, and this module has no effect.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that carries the trace context.
pub const TRACEPARENT: &str = "traceparent";

/// The span field with the trace id, to find the trace of a log line.
pub const TRACE_ID: &str = "trace.id";

/// The trace context of the current span.
#[must_use]
pub fn traceparent() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Continues a trace in a span not yet entered, or starts one if `traceparent` is missing or malformed. Records the trace id in the field [`TRACE_ID`].
pub fn follow(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
        if parent.span().span_context().is_valid() {
            // Fails when tracing is disabled.
            let _off = span.set_parent(parent);
        }
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    if context.is_valid() {
        span.record(TRACE_ID, field::display(context.trace_id()));
    }
}
