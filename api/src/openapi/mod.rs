//! The OpenAPI specification and Swagger UI. Neither needs a running service.

use bytes::Bytes;
use poem::http::header;
use poem::{Endpoint, Response, endpoint::make_sync};
use poem_openapi::{OpenApiService, Tags};
use serde_json::Value;

use crate::response::envelope::JSON;
use crate::{Apis, BASE, apis};

mod examples;
mod finish;

/// Tags of the operations, in the order of the reference.
#[derive(Tags)]
pub(crate) enum Tag {
    /// Manage tenant information and usage statistics.
    Tenant,
    /// Complete CRUD operations for managing your chatbots.
    Bots,
    /// Handle real-time conversations and message exchanges with your bots.
    Conversations,
    /// Access comprehensive analytics and reporting data for your bots and conversations.
    Analytics,
    /// Manage knowledge sources and content for your bots' AI training.
    Knowledge,
    /// Monitor and control the jobs that process your knowledge.
    Jobs,
}

/// Names of the tags, in the order of the reference.
const TAG_ORDER: [&str; 6] = ["Tenant", "Bots", "Conversations", "Analytics", "Knowledge", "Jobs"];

const DESCRIPTION: &str = "Manage bots, conversations, analytics and knowledge programmatically. \
    Every request carries an API key in the header `X-API-Key`; every response is JSON: \
    `{\"success\": true, \"data\": …}`, or `{\"success\": false, \"error\": …, \"message\": …, \
    \"code\": …, \"request_id\": …}`.";

/// Content security policy of the pages: inline scripts, requests to this server only, no embedding. Strict because
/// Swagger UI stores the entered API key.
const POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
    img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The API, for the router and for the specification.
pub(crate) fn service() -> OpenApiService<Apis, ()> {
    OpenApiService::new(apis(), "Parlance", env!("CARGO_PKG_VERSION")).description(DESCRIPTION).server(BASE)
}

/// The specification (OpenAPI 3.0), as committed and served.
#[must_use]
pub fn openapi_json() -> String {
    complete(service().spec())
}

/// Restores the order of the tags, which poem-openapi sorts by name, and completes the rest.
fn complete(spec: String) -> String {
    let Ok(mut json) = serde_json::from_str::<Value>(&spec) else { return spec };
    if let Some(Value::Array(tags)) = json.get_mut("tags") {
        tags.sort_by_key(|tag| TAG_ORDER.iter().position(|name| tag["name"] == *name));
    }
    finish::complete(&mut json);
    serde_json::to_string_pretty(&json).unwrap_or(spec)
}

/// Serves the specification.
pub(crate) fn specification() -> impl Endpoint {
    page(JSON, openapi_json())
}

/// Serves Swagger UI with inline scripts and styles, so it works without internet access.
pub(crate) fn swagger_ui() -> impl Endpoint {
    let service = service();
    let html = service
        .swagger_ui_html()
        .replace(&service.spec(), &openapi_json())
        .replace(
            "<title>Swagger UI</title>",
            "<title>Parlance API</title><link rel=\"icon\" href=\"data:,\">",
        )
        // Keeps the entered key when the page is reloaded.
        .replace("deepLinking: true,", "deepLinking: true,\n        persistAuthorization: true,");
    page("text/html; charset=utf-8", format!("<!doctype html>{html}"))
}

fn page(content_type: &'static str, text: String) -> impl Endpoint {
    let text = Bytes::from(text);
    make_sync(move |_| {
        Response::builder()
            .content_type(content_type)
            .header(header::CACHE_CONTROL, "no-cache")
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .header(header::REFERRER_POLICY, "no-referrer")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(text.clone())
    })
}
