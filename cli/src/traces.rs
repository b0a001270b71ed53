//! Traces over OTLP/HTTP. A trace runs from the request (or its `traceparent`) through the job ledger to jobs and models.
//!
//! Spans are recorded with `tracing` where the work happens. This exporter gives them the names, kinds and statuses of
//! the OpenTelemetry conventions.

use std::borrow::Cow;

use anyhow::Context as _;
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry::{KeyValue, Value};
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use parlance_core::platform::config;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Crates whose spans and events are exported.
const EXPORTED_CRATES: [&str; 5] =
    ["parlance", "parlance_api", "parlance_core", "parlance_crawl", "parlance_workers"];

/// The tracer provider. Dropping it flushes pending spans.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Disabled when no collector is configured.
    pub(crate) fn new(config: &config::Traces, service: &'static str) -> anyhow::Result<Self> {
        let Some(collector) = &config.collector else { return Ok(Self(None)) };
        let mut url = collector.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("OTEL_EXPORTER_OTLP_ENDPOINT has no path"))?
            .pop_if_empty()
            .extend(["v1", "traces"]);
        let exporter = Otlp::builder()
            .with_http()
            .with_endpoint(url)
            .build()
            .context("cannot export traces to OTEL_EXPORTER_OTLP_ENDPOINT")?;
        let service = config.service.clone().unwrap_or_else(|| service.to_owned());
        let resource = Resource::builder_empty()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()))
            .with_detector(Box::new(EnvResourceDetector::new()))
            .with_service_name(service)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(ConventionExporter(exporter))
            .with_resource(resource)
            .build();
        Ok(Self(Some(provider)))
    }

    /// The `tracing` layer that records spans.
    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.0.as_ref()?.tracer("parlance");
        // Nothing below INFO: debug events contain file paths.
        let targets = EXPORTED_CRATES.map(|name| (name, Level::INFO));
        let layer =
            tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
        Some(layer.with_filter(Targets::new().with_targets(targets)))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(%error, "could not flush the last traces");
        }
    }
}

/// Exporter that renames spans by the OpenTelemetry conventions.
#[derive(Debug)]
struct ConventionExporter<E>(E);

impl<E: SpanExporter> SpanExporter for ConventionExporter<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        batch.iter_mut().for_each(rename);
        self.0.export(batch)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.0.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Sets the name, kind and status of a span by the
/// [semantic conventions](https://opentelemetry.io/docs/specs/semconv/) for HTTP servers, message
/// consumers and generative models.
fn rename(span: &mut SpanData) {
    let attribute = |key| attribute_value(span, key);
    let (kind, name, has_failed) = match &*span.name {
        "request" => {
            let method = attribute("http.request.method").unwrap_or_default();
            let name = match attribute("http.route") {
                Some(route) => format!("{method} {route}"),
                None => method.into_owned(),
            };
            let status = attribute("http.response.status_code").and_then(|status| status.parse().ok());
            (SpanKind::Server, name, status.is_some_and(|status: u16| status >= 500))
        }
        "job" => {
            let has_failed = matches!(attribute("job.ending").as_deref(), Some("retried" | "failed"));
            (SpanKind::Consumer, format!("job {}", attribute("job.kind").unwrap_or_default()), has_failed)
        }
        "chat" => {
            let model = attribute("gen_ai.response.model").unwrap_or_default();
            (SpanKind::Client, format!("chat {model}"), attribute("error.type").is_some())
        }
        _ => return,
    };
    let name = name.trim_end().to_owned();
    (span.span_kind, span.name) = (kind, Cow::Owned(name));
    if has_failed {
        span.status = Status::error("");
    }
}

fn attribute_value<'a>(span: &'a SpanData, key: &str) -> Option<Cow<'a, str>> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key)?;
    Some(match &found.value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    })
}
