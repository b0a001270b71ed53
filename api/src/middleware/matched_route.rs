//! Route template of a request, for logs and metrics, and its methods, for `Allow`.

use std::collections::HashMap;
use std::sync::Arc;

use poem::{Endpoint, PathPattern, Request, Response, Result};
use poem_openapi::OpenApi;

/// The templates and methods of the API's paths, by the router's pattern.
pub(crate) struct RouteTable {
    routes: HashMap<String, MatchedRoute>,
    /// Methods of the paths outside the API (`/docs`, `/healthz`, …): all are read-only.
    page_allow: String,
}

/// The route that the router chose, attached to the response or error.
#[derive(Clone, Debug)]
pub(crate) struct MatchedRoute(Arc<Route>);

#[derive(Debug)]
struct Route {
    template: String,
    allow: String,
}

impl MatchedRoute {
    fn new(template: String, allow: String) -> Self {
        Self(Arc::new(Route { template, allow }))
    }

    /// The path as the specification writes it, such as `/api/v1/bots/{bot_id}`.
    pub(crate) fn template(&self) -> &str {
        &self.0.template
    }

    /// The value of the header `Allow`.
    pub(crate) fn allow(&self) -> &str {
        &self.0.allow
    }
}

impl RouteTable {
    /// The paths of an API that is served under `base`.
    pub(crate) fn of_api<A: OpenApi>(base: &str) -> Self {
        let paths = A::meta().into_iter().flat_map(|api| api.paths);
        let routes = paths.map(|path| {
            let methods: Vec<&str> =
                path.operations.iter().map(|operation| operation.method.as_str()).collect();
            let template = format!("{base}{}", path.path);
            (pattern(&template), MatchedRoute::new(template, allow(&methods)))
        });
        Self { routes: routes.collect(), page_allow: allow(&["GET"]) }
    }

    /// The route of the router's `pattern`; outside the API, the pattern is the template.
    fn find(&self, pattern: &str) -> MatchedRoute {
        let page = || MatchedRoute::new(pattern.to_owned(), self.page_allow.clone());
        self.routes.get(pattern).cloned().unwrap_or_else(page)
    }
}

/// Attaches the [`MatchedRoute`] to the response or error, and records its template in the request span.
pub(crate) async fn record<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    request: Request,
    routes: Arc<RouteTable>,
) -> Result<Response> {
    let mut outcome = next.call(request).await;
    let pattern = match &outcome {
        Ok(response) => response.data::<PathPattern>(),
        Err(error) => error.data::<PathPattern>(),
    };
    if let Some(route) = pattern.map(|pattern| routes.find(&pattern.0)) {
        tracing::Span::current().record("http.route", route.template());
        match &mut outcome {
            Ok(response) => response.set_data(route),
            Err(error) => error.set_data(route),
        }
    }
    outcome
}

/// Adds the methods that the router implies: HEAD with GET, and OPTIONS always.
fn allow(methods: &[&str]) -> String {
    let mut all = methods.to_vec();
    if methods.contains(&"GET") {
        all.push("HEAD");
    }
    all.push("OPTIONS");
    all.join(", ")
}

/// Converts the specification's `/bots/{bot_id}` to the router's `/bots/:param0`.
fn pattern(path: &str) -> String {
    let mut count = 0;
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            count += 1;
            format!(":param{}", count - 1)
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_converts_to_the_router_pattern() {
        assert_eq!(pattern("/bots/{bot_id}"), "/bots/:param0");
        assert_eq!(pattern("/a/{b}/c/{d}"), "/a/:param0/c/:param1");
        assert_eq!(pattern("/a"), "/a");
    }

    #[test]
    fn get_implies_head() {
        assert_eq!(allow(&["GET", "POST"]), "GET, POST, HEAD, OPTIONS");
        assert_eq!(allow(&["POST"]), "POST, OPTIONS");
    }
}
