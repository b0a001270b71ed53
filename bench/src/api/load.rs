//! Load generator: keep-alive connections with one GET request at a time each.

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

/// A keep-alive connection to a server.
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

    /// Sends a GET request. Returns the response body.
    pub(super) async fn get(
        &mut self,
        path: &str,
        auth_name: &HeaderName,
        auth_value: &HeaderValue,
    ) -> anyhow::Result<Bytes> {
        let request =
            Request::get(path).header(HOST, &self.host).header(auth_name, auth_value).body(Empty::new())?;
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

/// A list endpoint, requested for every tenant.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) server: SocketAddr,
    pub(super) path: &'static str,
    /// The header that authenticates a tenant.
    pub(super) auth_name: HeaderName,
    /// The values of that header, one per tenant, in any order.
    pub(super) auth_values: Vec<HeaderValue>,
}

/// The result of a load run.
#[derive(Clone, Debug)]
pub(super) struct LoadRun {
    pub(super) per_second: f64,
    /// In milliseconds.
    pub(super) latency: Samples,
}

/// Sends requests over this many connections for this time.
pub(super) async fn run(target: &Target, connections: u64, time: Duration) -> anyhow::Result<LoadRun> {
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    let end = started + time;
    for seed in 0..connections {
        tasks.spawn(request_until(target.clone(), seed, end));
    }
    let mut latencies = Vec::new();
    while let Some(result) = tasks.join_next().await {
        latencies.extend(result??);
    }
    let per_second = latencies.len() as f64 / started.elapsed().as_secs_f64();
    Ok(LoadRun { per_second, latency: latencies.into_iter().collect() })
}

async fn request_until(target: Target, seed: u64, end: Instant) -> anyhow::Result<Vec<f64>> {
    let (mut rng, mut latencies) = (StdRng::seed_from_u64(seed), Vec::new());
    let mut connection = Connection::open(target.server).await?;
    loop {
        let auth_value = target.auth_values.get(rng.random_range(0..target.auth_values.len()));
        let started = Instant::now();
        if started >= end {
            return Ok(latencies);
        }
        let auth_value = auth_value.context("no tenants")?;
        connection.get(target.path, &target.auth_name, auth_value).await?;
        latencies.push(started.elapsed().as_secs_f64() * 1000.0);
    }
}
