//! What is known of every path: its template, for the log, and its methods, for `Allow`.

use std::collections::HashMap;

use poem_openapi::OpenApi;

/// Every path of the API.
pub(crate) struct Routes {
    known: HashMap<String, Route>,
    /// The pages beside the API (`/docs`, `/healthz` …) are all for reading.
    page: String,
}

/// A path.
struct Route {
    path: String,
    allow: String,
}

/// What is known of the path of a request.
pub(crate) struct Known<'a> {
    /// Its template, as the specification writes it.
    pub(crate) path: &'a str,
    /// Its methods, as the header `Allow` lists them.
    pub(crate) allow: &'a str,
}

impl Routes {
    /// The paths of an API that is served under `base`.
    pub(crate) fn of_api<A: OpenApi>(base: &str) -> Self {
        let paths = A::meta().into_iter().flat_map(|api| api.paths);
        let known = paths.map(|path| {
            let methods: Vec<&str> =
                path.operations.iter().map(|operation| operation.method.as_str()).collect();
            let route = Route { path: format!("{base}{}", path.path), allow: allow(&methods) };
            (pattern(&route.path), route)
        });
        Self { known: known.collect(), page: allow(&["GET"]) }
    }

    /// The path that the router knows by this pattern.
    pub(crate) fn of<'a>(&'a self, pattern: &'a str) -> Known<'a> {
        match self.known.get(pattern) {
            Some(Route { path, allow }) => Known { path, allow },
            None => Known { path: pattern, allow: &self.page },
        }
    }
}

/// The router answers HEAD wherever there is GET, and OPTIONS everywhere.
fn allow(methods: &[&str]) -> String {
    let mut all = methods.to_vec();
    if methods.contains(&"GET") {
        all.push("HEAD");
    }
    all.push("OPTIONS");
    all.join(", ")
}

/// The specification's `/bots/{bot_id}` is the router's `/bots/:param0`.
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
    fn a_template_is_found_by_the_routers_pattern() {
        assert_eq!(pattern("/bots/{bot_id}"), "/bots/:param0");
        assert_eq!(pattern("/a/{b}/c/{d}"), "/a/:param0/c/:param1");
        assert_eq!(pattern("/a"), "/a");
    }

    #[test]
    fn head_comes_with_get() {
        assert_eq!(allow(&["GET", "POST"]), "GET, POST, HEAD, OPTIONS");
        assert_eq!(allow(&["POST"]), "POST, OPTIONS");
    }
}
