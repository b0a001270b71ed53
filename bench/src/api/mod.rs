//! The API under load and with much data.
//!
//! The cost of a request against a bare handler with the same statement, and the slowdown of lists and
//! overviews as a tenant grows.

mod bare;
mod fill;
mod growth;
mod load;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use bare::Bare;
use fill::Customer;
use load::{Connection, LoadRun, Target};

use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server, UpFile};

pub(crate) use bare::serve as serve_bare;

/// Amounts of data, and the duration of the load.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ApiArgs {
    /// Tenants in `api`, with ten bots each.
    #[arg(long, default_value_t = 10_000)]
    tenants: i32,
    /// Tenants that send requests in `api`. API keys unused for seconds are looked up again.
    #[arg(long, default_value_t = 10_000)]
    askers: usize,
    /// Conversations, and messages, of the large tenant in `api`; the small tenant has a thousandth.
    #[arg(long, default_value_t = 5_000_000)]
    conversations: i64,
    /// Seconds of load per side and turn in `api`.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// The API key header.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

const LIST: &str = "/api/v1/bots?per_page=20";

const TURNS: usize = 5;
const WARM_UP: Duration = Duration::from_secs(3);

/// Concurrent requests.
const CONNECTIONS: u64 = 16;

/// Minimum share of the reference's requests per second.
const SHARE: f64 = 0.7;

/// Maximum ratio to the reference's 99th percentile.
const TAIL: f64 = 3.0;

pub(crate) async fn measure(args: &ApiArgs) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let address: SocketAddr = up.url.trim_start_matches("http://").parse()?;

    let customers = fill::tenants(&ctx, args.tenants).await?;
    let active = customers.get(..args.askers).unwrap_or(&customers);
    let mut rows = list(&up, address, active, args).await?;
    let big = fill::filled_tenant(&ctx, &up.database_url, args.conversations).await?;
    let small = fill::filled_tenant(&ctx, &up.database_url, args.conversations / 1000).await?;
    rows.extend(growth::measure(address, &small, &big).await?);
    ctx.close().await;
    server.stop()?;
    Ok(rows)
}

async fn list(
    up: &UpFile,
    ours: SocketAddr,
    customers: &[Customer],
    args: &ApiArgs,
) -> anyhow::Result<Vec<Row>> {
    let bare = Bare::start(&up.database_url)?;
    let keys = customers.iter().map(|customer| HeaderValue::from_str(&customer.key));
    let ids = customers.iter().map(|customer| HeaderValue::from_str(&customer.tenant.to_string()));
    let ours =
        Target { server: ours, path: LIST, auth_name: KEY, auth_values: keys.collect::<Result<_, _>>()? };
    let bare = (
        Target {
            server: bare.address,
            path: LIST,
            auth_name: bare::TENANT,
            auth_values: ids.collect::<Result<_, _>>()?,
        },
        bare,
    );
    let (bare, _running) = bare;
    ensure_same(&ours, &bare).await?;
    for side in [&ours, &bare] {
        load::run(side, CONNECTIONS, WARM_UP).await?;
    }
    let (time, mut turns) = (Duration::from_secs(args.seconds), Vec::new());
    for turn in 0..TURNS {
        let ours = load::run(&ours, CONNECTIONS, time).await?;
        let bare = load::run(&bare, CONNECTIONS, time).await?;
        crate::progress(&format!(
            "turn {turn}: {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms; bare: {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms",
            ours.per_second,
            ours.latency.median(),
            ours.latency.p99(),
            bare.per_second,
            bare.latency.median(),
            bare.latency.p99(),
        ));
        turns.push((ours, bare));
    }
    Ok(compare(customers.len(), &turns))
}

/// Checks that both sides return the same list.
async fn ensure_same(ours: &Target, bare: &Target) -> anyhow::Result<()> {
    let mut responses = Vec::new();
    for side in [ours, bare] {
        let mut connection = Connection::open(side.server).await?;
        let auth_value = side.auth_values.last().context("no tenants")?;
        let body = connection.get(side.path, &side.auth_name, auth_value).await?;
        responses.push(serde_json::from_slice::<Value>(&body)?);
    }
    let bots = responses.first().and_then(|response| response["data"].as_array()).map_or(0, Vec::len);
    anyhow::ensure!(bots == fill::BOTS as usize, "the list has {bots} bots");
    anyhow::ensure!(
        responses.windows(2).all(|pair| matches!(pair, [ours, bare] if ours == bare)),
        "the reference returns something else: {responses:?}"
    );
    Ok(())
}

fn compare(tenants: usize, turns: &[(LoadRun, LoadRun)]) -> Vec<Row> {
    let samples = |value: fn(&(LoadRun, LoadRun)) -> f64| turns.iter().map(value).collect::<Samples>();
    let name = format!("GET /bots at {tenants} tenants");
    vec![
        Row::new(
            name.clone(),
            samples(|(ours, _)| ours.per_second).median(),
            "requests/s",
            turns.len(),
            Against::Reference {
                name: "bare handler",
                value: samples(|(_, bare)| bare.per_second).median(),
                ratio: samples(|(ours, bare)| ours.per_second / bare.per_second).median(),
                least: SHARE,
            },
        ),
        Row::new(
            format!("{name}: p99"),
            samples(|(ours, _)| ours.latency.p99()).median(),
            "ms",
            turns.len(),
            Against::Baseline {
                name: "bare handler".to_owned(),
                value: samples(|(_, bare)| bare.latency.p99()).median(),
                ratio: samples(|(ours, bare)| ours.latency.p99() / bare.latency.p99()).median(),
                most: TAIL,
            },
        ),
        Row::plain(
            format!("{name}: median"),
            samples(|(ours, _)| ours.latency.median()).median(),
            "ms",
            turns.len(),
        ),
    ]
}
