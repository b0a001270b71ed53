//! A client of server-sent events.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

/// An event with a name. Comments are skipped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// The id; 0 without one.
    pub(crate) id: i64,
    pub(crate) data: Value,
}

/// The events of a response. Dropping it closes the connection.
pub(crate) struct Events {
    body: BoxStream<'static, String>,
    buffer: String,
    ready: VecDeque<Event>,
}

impl Events {
    /// Sends a request and asserts that the response is an event stream.
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        let texts = response.bytes_stream().map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap());
        Self { body: texts.boxed(), buffer: String::new(), ready: VecDeque::new() }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            self.buffer.push_str(&self.body.next().await?);
            while let Some((event, rest)) = self.buffer.split_once("\n\n") {
                self.ready.extend(parse(event));
                self.buffer = rest.to_owned();
            }
        }
    }

    /// All remaining events.
    pub(crate) async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(event: &str) -> Option<Event> {
    let field = |name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let name = Some(field("event:")).filter(|name| !name.is_empty())?;
    Some(Event {
        name,
        id: field("id:").parse().unwrap_or(0),
        data: serde_json::from_str(&field("data:")).unwrap(),
    })
}
