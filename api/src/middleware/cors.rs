//! Which web sites' pages may call the API from a browser (the Fetch standard, §3.2). A page that may not is answered as
//! any other client: it is its browser that keeps the answer from it, and the pages of this server need no leave.

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";

/// What a page may send.
const HEADERS: &str =
    "X-API-Key, Authorization, Content-Type, Accept, Idempotency-Key, Last-Event-ID, Prefer, X-Request-Id";

/// What a page may read.
const EXPOSED: &str =
    "X-Request-Id, Idempotency-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";

/// How long a browser need not ask again, in seconds.
const MAX_AGE: &str = "3600";

/// The origins that may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cors(Vec<String>);

impl Cors {
    pub(crate) fn of(origins: &[String]) -> Self {
        Self(origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect())
    }

    /// What a page's browser is to be told, for its request.
    pub(crate) fn asked(&self, request: &Request) -> Option<Leave> {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN)?;
        let allowed = self.0.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes());
        let is_preflight = *request.method() == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        allowed.then(|| Leave { origin: origin.clone(), is_preflight })
    }
}

/// Leave for a page.
pub(crate) struct Leave {
    origin: HeaderValue,
    is_preflight: bool,
}

impl Leave {
    /// The answer to a browser that asks before it asks.
    pub(crate) fn preflight(&self) -> Option<Response> {
        self.is_preflight.then(|| {
            let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
            response
        })
    }

    /// Lets the page read the answer. No cookies: keys are sent by header.
    pub(crate) fn give(self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}
