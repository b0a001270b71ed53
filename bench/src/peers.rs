//! What people use instead of a part of Parlance, on the same work and the same servers: LangChain, sentence-transformers
//! and pgvector for the ingestion of texts; rq for jobs. They are Python and not small, so they are measured where they
//! are installed: `bench/peers/README.md`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use clap::Args;
use parlance_core::tenants::{self, Plan};
use serde::Deserialize;
use uuid::Uuid;

use crate::corpus::{Document, Writer};
use crate::ledger;
use crate::report::{Against, Row};
use crate::server::{DataFolder, Demo, Server, UpFile};

/// Where the peers are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Peers {
    /// The Python that has the peers of `peers` installed.
    #[arg(long, default_value = "target/peers/bin/python")]
    peers_python: PathBuf,
}

/// Documents that are ingested, and their bytes: 1,000 chunks, about.
const DOCUMENTS: usize = 8;
const BYTES: usize = 102_000;

/// Jobs that do nothing. A process that is made for each takes its time.
const JOBS: usize = 10_000;
const FORKED_JOBS: usize = 1_000;

/// Jobs that the worker of `up` runs at once.
const PLACES: &str = "32";

const TENANTS: usize = 10;

/// What a peer says of its work.
#[derive(Debug, Deserialize)]
struct Said {
    seconds: f64,
    #[serde(default)]
    chunks: usize,
    #[serde(default)]
    jobs: usize,
}

pub(crate) async fn measure(peers: &Peers) -> anyhow::Result<Vec<Row>> {
    let python = &peers.peers_python;
    if !python.is_file() {
        crate::say(&format!(
            "the peers are not installed at {}, and are not measured: see bench/peers/README.md",
            python.display()
        ));
        return Ok(Vec::new());
    }
    let mut rows = ingest(python).await?;
    rows.extend(jobs(python).await?);
    Ok(rows)
}

/// The same texts, from the first byte of their upload, or of their reading, until the last vector is committed.
async fn ingest(python: &Path) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let up = server.up_file().context("up left no file")?;
    let (client, mut writer) = (&server.client, Writer::new(70));
    let bot = client.bot().await?;
    let upload = async |documents: &[Document]| {
        let begun = std::time::Instant::now();
        for document in documents {
            client.upload(&bot, document).await?;
        }
        client.newest_ready(&bot, documents.len()).await?;
        anyhow::Ok(begun.elapsed().as_secs_f64())
    };
    // The peer is warm, too.
    upload(&[writer.prose(0, BYTES)]).await?;
    let documents: Vec<Document> = (1..=DOCUMENTS).map(|number| writer.prose(number, BYTES)).collect();
    let ours = upload(&documents).await?;

    let texts = tempfile::tempdir()?;
    for document in &documents {
        std::fs::write(texts.path().join(&document.name), &document.text)?;
    }
    let said = Peer::run(python, "langchain_ingest.py", &[texts.path().as_os_str().to_str()], &up).await?;
    server.stop()?;
    let against = Against::Baseline {
        name: format!("LangChain, sentence-transformers, PGVectorStore ({} chunks):", said.chunks),
        value: said.seconds,
        ratio: ours / said.seconds,
        most: 1.0,
    };
    let bytes = DOCUMENTS * BYTES / 1_000;
    Ok(vec![Row::new(format!("ingest of {bytes} KB of text, upload until ready"), ours, "s", 1, against)])
}

/// Jobs that do nothing, from their enqueueing until the last has ended.
async fn jobs(python: &Path) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let places = [("WORKER_CONCURRENCY", PLACES.to_owned())];
    let (server, _) = Server::start_with(&folder, Demo::Without, &places).await?;
    let up = server.up_file().context("up left no file")?;
    let ctx = up.context()?;
    let mut tenants: Vec<Uuid> = Vec::new();
    for number in 0..TENANTS {
        tenants.push(tenants::create(&ctx, &format!("Company {number}"), Plan::Free).await?.id.uuid());
    }
    ledger::through_the_ledger(&ctx, &tenants, JOBS / 10).await?;
    let ours = ledger::through_the_ledger(&ctx, &tenants, JOBS).await?;
    ctx.close().await;
    let mut rows = Vec::new();
    for (worker, name, count) in
        [("SimpleWorker", "rq, SimpleWorker", JOBS), ("Worker", "rq, Worker", FORKED_JOBS)]
    {
        let count = count.to_string();
        let said = Peer::run(python, "rq_jobs.py", &[Some(&count), Some(worker)], &up).await?;
        let theirs = said.jobs as f64 / said.seconds;
        let against = Against::Reference { name, value: theirs, ratio: ours / theirs, least: 1.0 };
        rows.push(Row::new(format!("{JOBS} empty jobs, against {name}"), ours, "jobs/s", 1, against));
    }
    server.stop()?;
    Ok(rows)
}

/// A peer at work; told to end when nobody waits for it any more.
struct Peer(Child);

impl Peer {
    async fn run(
        python: &Path,
        script: &str,
        arguments: &[Option<&str>],
        up: &UpFile,
    ) -> anyhow::Result<Said> {
        crate::say(&format!("the peer {script}"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
        let mut command = Command::new(python);
        command.arg(script).args(arguments.iter().flatten());
        command.env("DATABASE_URL", &up.database_url).env("REDIS_URL", &up.redis_url);
        let mut peer = Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
        let told = peer.0.stdout.take().context("no output")?;
        let told = tokio::task::spawn_blocking(move || std::io::read_to_string(told)).await??;
        let status = peer.0.wait()?;
        anyhow::ensure!(status.success(), "the peer ended with {status}");
        serde_json::from_str(told.trim()).with_context(|| format!("the peer said {told:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let pid = self.0.id().to_string();
            let told = Command::new("/bin/sh").args(["-c", "kill -s TERM \"$1\"", "bench", &pid]).status();
            if told.is_ok() {
                let _ended = self.0.wait();
            }
        }
    }
}
