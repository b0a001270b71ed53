//! A fake web site on a free port for crawls, with configurable pages and recorded requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response, Server, listener::TcpAcceptor};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A web site.
pub struct Site {
    /// The base URL without a path: `http://127.0.0.1:…`.
    pub url: String,
    state: Arc<Mutex<State>>,
    gate: watch::Sender<bool>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    requests: Vec<(String, HashMap<String, String>)>,
    arrivals: Vec<Instant>,
    /// Unanswered requests of held pages: the current and the highest number.
    held: (usize, usize),
}

/// The response at a path.
#[derive(Clone, Debug)]
pub struct Page {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
    /// Whether the response waits for [`Site::open`].
    is_held: bool,
    /// Returns this status this many times before the page.
    failures: (u16, usize),
    /// Responses before this one.
    earlier: VecDeque<Page>,
}

impl Page {
    /// An HTML page with a title and a body.
    #[must_use]
    pub fn html(title: &str, body: &str) -> Self {
        let html = format!(
            "<!doctype html><html><head><title>{title}</title></head><body><nav><a href=\"/\">Home</a> \
             Cookies Login</nav><main>{body}</main><footer>All rights reserved</footer></body></html>"
        );
        Self::of("text/html; charset=utf-8", html)
    }

    /// A file of any media type.
    #[must_use]
    pub fn of(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".into(), media_type.into())],
            body: body.into(),
            delay: Duration::ZERO,
            is_held: false,
            failures: (500, 0),
            earlier: VecDeque::new(),
        }
    }

    /// An empty response with a status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::of("text/plain", "") }
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self { status: 302, ..Self::of("text/plain", "") }.with("location", to)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Delays the response.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Holds the response back until [`Site::open`].
    #[must_use]
    pub fn held(mut self) -> Self {
        self.is_held = true;
        self
    }

    /// Adds a response that is returned once, before the page. Several are returned in the order of the
    /// calls.
    #[must_use]
    pub fn first(mut self, page: Page) -> Self {
        self.earlier.push_back(page);
        self
    }

    /// Returns this status the first `times` times.
    #[must_use]
    pub fn failing(mut self, status: u16, times: usize) -> Self {
        self.failures = (status, times);
        self
    }
}

impl Site {
    /// Starts a site without pages; unknown paths return 404.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let gate = watch::Sender::new(false);
        let endpoint = SiteEndpoint(Arc::clone(&state), gate.subscribe());
        let server = tokio::spawn(async move {
            let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap());
            server.run(endpoint).await.unwrap();
        });
        Self { url, state, gate, server }
    }

    /// Sets the response at a path.
    pub fn set(&self, path: &str, page: Page) -> &Self {
        self.state.lock().unwrap().pages.insert(path.into(), page);
        self
    }

    /// Answers all held pages, from now on.
    pub fn open(&self) {
        self.gate.send_replace(true);
    }

    /// The current and the highest number of unanswered requests of held pages.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        self.state.lock().unwrap().held
    }

    /// The requested paths, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.iter().map(|(path, _)| path.clone()).collect()
    }

    /// The times of all requests, in order.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Instant> {
        self.state.lock().unwrap().arrivals.clone()
    }

    /// The number of requests of a path.
    #[must_use]
    pub fn request_count(&self, path: &str) -> usize {
        self.requests().iter().filter(|requested| *requested == path).count()
    }

    /// The values of a header in all requests.
    #[must_use]
    pub fn header_values(&self, header: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter_map(|(_, headers)| headers.get(header).cloned()).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct SiteEndpoint(Arc<Mutex<State>>, watch::Receiver<bool>);

/// A request of a held page, counted until it is answered or its client disconnects.
struct Held(Arc<Mutex<State>>);

impl Held {
    fn new(state: &Arc<Mutex<State>>) -> Self {
        let (now, most) = &mut state.lock().unwrap().held;
        *now += 1;
        *most = (*most).max(*now);
        Self(Arc::clone(state))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().held.0 -= 1;
    }
}

impl Endpoint for SiteEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let page = {
            let mut state = self.0.lock().unwrap();
            state.requests.push((path.clone(), headers));
            state.arrivals.push(Instant::now());
            let page = state.pages.get_mut(&path).map(|page| {
                if let Some(earlier) = page.earlier.pop_front() {
                    return earlier;
                }
                let current = page.clone();
                page.failures.1 = page.failures.1.saturating_sub(1);
                current
            });
            page.unwrap_or_else(|| Page::status(404))
        };
        if page.is_held {
            let _held = Held::new(&self.0);
            let mut gate = self.1.clone();
            drop(gate.wait_for(|is_open| *is_open).await);
        }
        tokio::time::sleep(page.delay).await;
        if page.failures.1 > 0 {
            let status = StatusCode::from_u16(page.failures.0).unwrap();
            return Ok(Response::builder().status(status).finish());
        }
        let mut response = Response::builder().status(StatusCode::from_u16(page.status).unwrap());
        for (name, value) in &page.headers {
            response = response.header(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
        Ok(response.body(page.body))
    }
}
