//! A scripted model server with the OpenAI protocol.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::web::{Data, Json};
use poem::{Body, EndpointExt, Response, Route, Server, handler, post};
use serde_json::{Value, json};

/// Scripted reaction to a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Streams a text, word by word.
    Text(&'static str),
    /// Streams a text, then closes the connection without an end.
    Truncated(&'static str),
    /// Streams a text, then only keep-alive comments.
    Stalled(&'static str),
    /// Rejects the request with a status and a `Retry-After` in seconds.
    Rejection(u16, Option<u64>),
    /// Redirects to a URL.
    Redirect(String),
    /// Streams data that is not JSON.
    Malformed,
}

/// The server. It uses each reply once, and the last one for all further requests.
#[derive(Clone, Default)]
pub(super) struct ScriptedModel {
    replies: Arc<Mutex<Vec<Reply>>>,
    requests: Arc<Mutex<Vec<Value>>>,
    disconnects: Arc<AtomicUsize>,
}

impl ScriptedModel {
    pub(super) fn new(replies: &[Reply]) -> Self {
        Self { replies: Arc::new(Mutex::new(replies.to_vec())), ..Self::default() }
    }

    /// Serves on a free port. Returns the base URL.
    pub(super) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let routes = Route::new().at("/v1/chat/completions", post(complete)).data(self.clone());
        tokio::spawn(Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap()).run(routes));
        url
    }

    /// The bodies of all requests.
    pub(super) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }

    /// Number of streams that their client closed before the end.
    pub(super) fn disconnects(&self) -> usize {
        self.disconnects.load(Ordering::SeqCst)
    }
}

/// Counts a disconnect when it is dropped before the end of its stream.
struct DisconnectGuard {
    ended: AtomicBool,
    disconnects: Arc<AtomicUsize>,
}

impl Drop for DisconnectGuard {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::SeqCst) {
            self.disconnects.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn delta(text: &str) -> String {
    let chunk = json!({
        "id": "1", "object": "chat.completion.chunk", "model": "scripted",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}],
    });
    format!("data: {chunk}\n\n")
}

const END: &str = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
                   data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":120,\"completion_tokens\":9,\
                   \"total_tokens\":129}}\n\n\
                   data: [DONE]\n\n";

#[handler]
fn complete(model: Data<&ScriptedModel>, request: Json<Value>) -> Response {
    assert_eq!(request.0["stream"], true);
    model.requests.lock().unwrap().push(request.0);
    let reply = {
        let mut replies = model.replies.lock().unwrap();
        if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
    };
    let words = |text: &'static str| text.split_inclusive(' ').map(delta);
    let end: BoxStream<'static, String> = match reply {
        Reply::Text(_) => stream::iter([END.to_owned()]).boxed(),
        Reply::Stalled(_) => stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((": still here\n\n".to_owned(), ()))
        })
        .boxed(),
        _ => stream::empty().boxed(),
    };
    let deltas = match reply {
        Reply::Rejection(status, retry_after) => {
            let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            if let Some(seconds) = retry_after {
                response = response.header("Retry-After", seconds.to_string());
            }
            return response.body("not now");
        }
        Reply::Text(text) | Reply::Truncated(text) | Reply::Stalled(text) => words(text).collect(),
        Reply::Redirect(url) => {
            return Response::builder()
                .status(StatusCode::TEMPORARY_REDIRECT)
                .header("Location", url)
                .finish();
        }
        Reply::Malformed => vec!["data: {{{ \n\n".to_owned()],
    };
    let guard =
        DisconnectGuard { ended: AtomicBool::new(false), disconnects: Arc::clone(&model.disconnects) };
    let ending = async move {
        guard.ended.store(true, Ordering::SeqCst);
        None
    };
    let pieces = stream::iter(deltas).chain(end).map(Some).chain(ending.into_stream());
    let body =
        pieces.filter_map(async |piece| piece.map(|piece| Ok::<_, std::io::Error>(piece.into_bytes())));
    Response::builder().content_type("text/event-stream").body(Body::from_bytes_stream(body))
}
