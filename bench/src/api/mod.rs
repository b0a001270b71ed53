//! The API under load and with much in it: what a request costs beside a bare handler that runs the same
//! statement, and how lists and overviews slow down as a tenant grows.

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
use load::{Connection, Pass, Target};

use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server, UpFile};

pub(crate) use bare::serve as serve_bare;

/// How much there is of everything, and how long it is asked for.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Sizes {
    /// Tenants of which each has ten bots, in `api`.
    #[arg(long, default_value_t = 10_000)]
    tenants: i32,
    /// How many of them ask, in `api`: keys that are not used for seconds are looked up anew.
    #[arg(long, default_value_t = 10_000)]
    askers: usize,
    /// Conversations, and messages, of the large tenant in `api`; the small one has a thousandth.
    #[arg(long, default_value_t = 5_000_000)]
    conversations: i64,
    /// How long each side of `api` is asked for in each of its turns.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// The header that says who asks the API.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

const LIST: &str = "/api/v1/bots?per_page=20";

const TURNS: usize = 5;
const WARM_UP: Duration = Duration::from_secs(3);

/// Requests on their way at once.
const CONNECTIONS: u64 = 16;

/// Ours answers this share of the reference's requests in a second.
const SHARE: f64 = 0.7;

/// Times the reference's 99th percentile.
const TAIL: f64 = 3.0;

pub(crate) async fn measure(sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let address: SocketAddr = up.url.trim_start_matches("http://").parse()?;

    let customers = fill::tenants(&ctx, sizes.tenants).await?;
    let asking = customers.get(..sizes.askers).unwrap_or(&customers);
    let mut rows = list(&up, address, asking, sizes).await?;
    let big = fill::talked(&ctx, &up.database_url, sizes.conversations).await?;
    let small = fill::talked(&ctx, &up.database_url, sizes.conversations / 1000).await?;
    rows.extend(growth::measure(address, &small, &big).await?);
    ctx.close().await;
    server.stop()?;
    Ok(rows)
}

async fn list(
    up: &UpFile,
    ours: SocketAddr,
    customers: &[Customer],
    sizes: &Sizes,
) -> anyhow::Result<Vec<Row>> {
    let bare = Bare::start(&up.database_url)?;
    let keys = customers.iter().map(|customer| HeaderValue::from_str(&customer.key));
    let ids = customers.iter().map(|customer| HeaderValue::from_str(&customer.tenant.to_string()));
    let ours = Target { server: ours, path: LIST, who: KEY, askers: keys.collect::<Result<_, _>>()? };
    let bare = (
        Target { server: bare.address, path: LIST, who: bare::WHO, askers: ids.collect::<Result<_, _>>()? },
        bare,
    );
    let (bare, _running) = bare;
    same(&ours, &bare).await?;
    for side in [&ours, &bare] {
        load::press(side, CONNECTIONS, WARM_UP).await?;
    }
    let (time, mut turns) = (Duration::from_secs(sizes.seconds), Vec::new());
    for turn in 0..TURNS {
        let ours = load::press(&ours, CONNECTIONS, time).await?;
        let bare = load::press(&bare, CONNECTIONS, time).await?;
        crate::say(&format!(
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

/// Both must answer the same.
async fn same(ours: &Target, bare: &Target) -> anyhow::Result<()> {
    let mut answers = Vec::new();
    for side in [ours, bare] {
        let mut connection = Connection::open(side.server).await?;
        let asker = side.askers.last().context("nobody asks")?;
        let answer: Value = serde_json::from_slice(&connection.get(side.path, &side.who, asker).await?)?;
        answers.push(answer);
    }
    let bots = answers.first().and_then(|answer| answer["data"].as_array()).map_or(0, Vec::len);
    anyhow::ensure!(bots == fill::BOTS as usize, "a tenant has {bots} bots");
    anyhow::ensure!(
        answers.windows(2).all(|pair| matches!(pair, [ours, bare] if ours == bare)),
        "the reference answers something else: {answers:?}"
    );
    Ok(())
}

fn compare(tenants: usize, turns: &[(Pass, Pass)]) -> Vec<Row> {
    let of = |value: fn(&(Pass, Pass)) -> f64| turns.iter().map(value).collect::<Samples>();
    let name = format!("GET /bots at {tenants} tenants");
    vec![
        Row::new(
            name.clone(),
            of(|(ours, _)| ours.per_second).median(),
            "requests/s",
            turns.len(),
            Against::Reference {
                name: "bare handler",
                value: of(|(_, bare)| bare.per_second).median(),
                ratio: of(|(ours, bare)| ours.per_second / bare.per_second).median(),
                least: SHARE,
            },
        ),
        Row::new(
            format!("{name}: p99"),
            of(|(ours, _)| ours.latency.p99()).median(),
            "ms",
            turns.len(),
            Against::Baseline {
                name: "bare handler".to_owned(),
                value: of(|(_, bare)| bare.latency.p99()).median(),
                ratio: of(|(ours, bare)| ours.latency.p99() / bare.latency.p99()).median(),
                most: TAIL,
            },
        ),
        Row::plain(
            format!("{name}: median"),
            of(|(ours, _)| ours.latency.median()).median(),
            "ms",
            turns.len(),
        ),
    ]
}
