//! Latency of one tenant while another uses the API to its limits: "good neighbours".
//!
//! Each offence is one tenant's ordinary, allowed requests, sent from a separate thread. A row compares the 99th
//! percentile of another tenant's requests with that of the same requests before the offence. Both tenants and the
//! server share the machine's cores with this program, so a ratio above 1 includes the cost of sending.

mod offender;
mod victim;

use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use parlance_core::Context;
use parlance_core::tenants::{self, Plan, keys};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use crate::proc;
use crate::report::{Against, Row};
use crate::samples::Samples;
use crate::server::{DataFolder, Demo, Server};
use offender::{Offence, Offender};
use victim::{Request, Victim};

/// Maximum ratio to the quiet 99th percentile, and maximum in milliseconds.
const SLOWER: f64 = 3.0;
const SLOWEST: f64 = 1_000.0;

/// Time of an offence before the first measurement.
const HEAD_START: Duration = Duration::from_secs(1);

/// Pause between two offences, in which the server finishes the accepted requests.
const REST: Duration = Duration::from_secs(5);

/// Offences, and the other tenant's requests during each.
const ROWS: [(Offence, Request); 12] = [
    (Offence::SlowCrawls, Request::Crawl),
    (Offence::SlowCrawls, Request::Answer),
    (Offence::LongSearches, Request::Answer),
    (Offence::LongSearches, Request::List),
    (Offence::IgnoredMembers, Request::Answer),
    (Offence::UnreadableFiles, Request::Answer),
    (Offence::UnreadableFiles, Request::Upload),
    (Offence::ManyKeys, Request::List),
    (Offence::DeletedTexts, Request::Answer),
    (Offence::DeletedTexts, Request::Upload),
    (Offence::WrongKeys, Request::List),
    (Offence::SlowHeads, Request::List),
];

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let site = offender::start_site()?;
    let folder = DataFolder::new()?;
    let settings = [
        ("SCRAPE_ALLOW_NETWORKS", "127.0.0.0/8".to_owned()),
        ("SCRAPE_ALLOW_PORTS", site.port().unwrap_or_default().to_string()),
        ("RATE_LIMIT_PER_SECOND", "50".to_owned()),
        ("RUST_LOG", "warn".to_owned()),
    ];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let up = server.up_file().context("no up.json")?;
    let ctx = up.context()?;
    // Unlimited, so that no plan limits the measurement; the offender has the plan for trials.
    let victim_key = key_of(&ctx, Plan::Enterprise).await?;
    let victim = Victim::new(&up.url, &victim_key, &site).await?;
    let mut rows = Vec::new();
    for (offence, request) in ROWS {
        // One tenant per offence, so that the limits reached by one do not affect the next.
        let offender = Offender::new(&up.url, &key_of(&ctx, Plan::Free).await?, &site);
        let quiet = victim.measure(request).await?;
        proc::reset_peak(server.pid());
        let offending = Offending::start(offence, offender)?;
        tokio::time::sleep(HEAD_START).await;
        let busy = victim.measure(request).await;
        let sent = offending.stop()?;
        let busy = busy.with_context(|| format!("during {}", offence.name()))?;
        let memory = proc::memory(server.pid())?;
        crate::progress(&format!("{}: {sent}", offence.name()));
        rows.extend(compare(offence, request, &quiet, &busy));
        rows.push(Row::plain(format!("{}: peak memory", offence.name()), memory.peak, "MB", 1));
        tokio::time::sleep(REST).await;
    }
    ctx.close().await;
    server.stop()?;
    rows.extend(gone_model().await?);
    Ok(rows)
}

/// Answers while the server of the language model refuses connections.
async fn gone_model() -> anyhow::Result<Vec<Row>> {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let site = offender::start_site()?;
    let folder = DataFolder::new()?;
    let settings = [
        ("LLM_MODEL", "gone".to_owned()),
        ("LLM_BASE_URL", format!("http://{gone}/v1")),
        ("LLM_API_KEY", "none".to_owned()),
        ("RUST_LOG", "error".to_owned()),
    ];
    let (server, _) = Server::start_with(&folder, Demo::Without, &settings).await?;
    let up = server.up_file().context("no up.json")?;
    let ctx = up.context()?;
    let victim = Victim::new(&up.url, &key_of(&ctx, Plan::Enterprise).await?, &site).await?;
    let times = victim.measure(Request::Answer).await?;
    ctx.close().await;
    server.stop()?;
    let name = "answer while the model's server is gone: slowest";
    Ok(vec![Row::at_most(SLOWEST, name, times.max(), "ms", times.len())])
}

fn compare(offence: Offence, request: Request, quiet: &Samples, busy: &Samples) -> [Row; 2] {
    let name = format!("{} during {}", request.name(), offence.name());
    let against = Against::Baseline {
        name: "quiet".to_owned(),
        value: quiet.p99(),
        ratio: busy.p99() / quiet.p99(),
        most: SLOWER,
    };
    [
        Row::new(format!("{name}: p99 (median {:.1})", busy.median()), busy.p99(), "ms", busy.len(), against),
        Row::at_most(SLOWEST, format!("{name}: slowest"), busy.max(), "ms", busy.len()),
    ]
}

/// Creates a tenant with a key.
async fn key_of(ctx: &Context, plan: Plan) -> anyhow::Result<String> {
    let tenant = tenants::create(ctx, "Neighbour", plan).await?.id;
    let (_, key) = keys::create(ctx, tenant, &keys::KeyRequest::full("Bench")?).await?;
    Ok(key.expose().to_owned())
}

/// An offence, running in its own thread.
struct Offending {
    stop: CancellationToken,
    thread: JoinHandle<anyhow::Result<String>>,
}

impl Offending {
    fn start(offence: Offence, offender: Offender) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("offender".to_owned()).spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(offender.commit(offence, stopped))?;
            Ok(offender.answers())
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the offence. Returns the number of responses by status.
    fn stop(self) -> anyhow::Result<String> {
        self.stop.cancel();
        self.thread.join().map_err(|_| anyhow::anyhow!("the offender panicked"))?
    }
}
