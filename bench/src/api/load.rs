//! The load: GET requests over kept connections, each of which asks again as soon as it has heard.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::samples::Samples;

/// A kept connection to a server.
pub(super) struct Connection {
    requests: SendRequest<Empty<Bytes>>,
    host: HeaderValue,
}

impl Connection {
    pub(super) async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { requests, host: server.to_string().try_into()? })
    }

    /// The body of the answer.
    pub(super) async fn get(
        &mut self,
        path: &str,
        who: &HeaderName,
        is: &HeaderValue,
    ) -> anyhow::Result<Bytes> {
        let request = Request::get(path).header(HOST, &self.host).header(who, is).body(Empty::new())?;
        self.requests.ready().await?;
        let response = self.requests.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{path}: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}

/// A list that every tenant asks a server for.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) server: SocketAddr,
    pub(super) path: &'static str,
    /// The header that says who asks.
    pub(super) who: HeaderName,
    /// Everyone who asks, in any order.
    pub(super) askers: Vec<HeaderValue>,
}

/// What came of asking for a while.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    pub(super) per_second: f64,
    /// In milliseconds.
    pub(super) latency: Samples,
}

/// Asks over so many connections for so long.
pub(super) async fn press(target: &Target, connections: u64, time: Duration) -> anyhow::Result<Pass> {
    let mut asking = JoinSet::new();
    let begun = Instant::now();
    let end = begun + time;
    for seed in 0..connections {
        asking.spawn(ask_until(target.clone(), seed, end));
    }
    let mut latencies = Vec::new();
    while let Some(asked) = asking.join_next().await {
        latencies.extend(asked??);
    }
    let per_second = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(Pass { per_second, latency: latencies.into_iter().collect() })
}

async fn ask_until(target: Target, seed: u64, end: Instant) -> anyhow::Result<Vec<f64>> {
    let (mut dice, mut latencies) = (StdRng::seed_from_u64(seed), Vec::new());
    let mut connection = Connection::open(target.server).await?;
    loop {
        let asker = target.askers.get(dice.random_range(0..target.askers.len()));
        let begun = Instant::now();
        if begun >= end {
            return Ok(latencies);
        }
        let asker = asker.context("nobody asks")?;
        connection.get(target.path, &target.who, asker).await?;
        latencies.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
}
