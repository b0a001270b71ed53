//! Alternatives to parts of Parlance, on the same work and servers.
//!
//! LangChain, sentence-transformers and pgvector for ingestion, rq for jobs. They are large Python packages,
//! so they are measured only where installed: see `bench/peers/README.md`.

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

/// Location of the peers.
#[derive(Clone, Debug, Args)]
pub(crate) struct PeerArgs {
    /// Python interpreter of the environment with the peers, for `peers` and `extract`.
    #[arg(long, default_value = "target/peers/bin/python")]
    pub(crate) peers_python: PathBuf,
}

/// Documents to ingest, and their size: about 1,000 chunks.
const DOCUMENTS: usize = 8;
const BYTES: usize = 102_000;

/// Empty jobs. Fewer where a process is forked for each.
const JOBS: usize = 10_000;
const FORKED_JOBS: usize = 1_000;

/// Concurrent jobs of the worker of `up`.
const PLACES: &str = "32";

const TENANTS: usize = 10;

/// The output of a peer.
#[derive(Debug, Deserialize)]
struct PeerOutput {
    seconds: f64,
    #[serde(default)]
    chunks: usize,
    #[serde(default)]
    jobs: usize,
}

pub(crate) async fn measure(args: &PeerArgs) -> anyhow::Result<Vec<Row>> {
    let python = &args.peers_python;
    if !python.is_file() {
        crate::progress(&format!(
            "skipping the peers: not installed at {}; see bench/peers/README.md",
            python.display()
        ));
        return Ok(Vec::new());
    }
    let mut rows = ingest(python).await?;
    rows.extend(jobs(python).await?);
    Ok(rows)
}

/// Ingestion of the same texts, from the first byte of the upload or of reading, until the last vector is
/// committed.
async fn ingest(python: &Path) -> anyhow::Result<Vec<Row>> {
    let folder = DataFolder::new()?;
    let (server, _) = Server::start(&folder, Demo::Without).await?;
    let up = server.up_file().context("up left no file")?;
    let (client, mut writer) = (&server.client, Writer::new(70));
    let bot = client.bot().await?;
    let upload = async |documents: &[Document]| {
        let started = std::time::Instant::now();
        for document in documents {
            client.upload(&bot, document).await?;
        }
        client.newest_ready(&bot, documents.len()).await?;
        anyhow::Ok(started.elapsed().as_secs_f64())
    };
    // The peer warms up too.
    upload(&[writer.prose(0, BYTES)]).await?;
    let documents: Vec<Document> = (1..=DOCUMENTS).map(|number| writer.prose(number, BYTES)).collect();
    let ours = upload(&documents).await?;

    let texts = tempfile::tempdir()?;
    for document in &documents {
        std::fs::write(texts.path().join(&document.name), &document.text)?;
    }
    let output = Peer::run(python, "langchain_ingest.py", &[texts.path().as_os_str().to_str()], &up).await?;
    server.stop()?;
    let against = Against::Baseline {
        name: format!("LangChain, sentence-transformers, PGVectorStore ({} chunks):", output.chunks),
        value: output.seconds,
        ratio: ours / output.seconds,
        most: 1.0,
    };
    let bytes = DOCUMENTS * BYTES / 1_000;
    Ok(vec![Row::new(format!("ingest of {bytes} KB of text, upload until ready"), ours, "s", 1, against)])
}

/// Empty jobs, from enqueueing until the last one has ended.
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
    ledger::run_ledger(&ctx, &tenants, JOBS / 10).await?;
    let ours = ledger::run_ledger(&ctx, &tenants, JOBS).await?;
    ctx.close().await;
    let mut rows = Vec::new();
    for (worker, name, count) in
        [("SimpleWorker", "rq, SimpleWorker", JOBS), ("Worker", "rq, Worker", FORKED_JOBS)]
    {
        let count = count.to_string();
        let output = Peer::run(python, "rq_jobs.py", &[Some(&count), Some(worker)], &up).await?;
        let theirs = output.jobs as f64 / output.seconds;
        let against = Against::Reference { name, value: theirs, ratio: ours / theirs, least: 1.0 };
        rows.push(Row::new(format!("{JOBS} empty jobs, against {name}"), ours, "jobs/s", 1, against));
    }
    server.stop()?;
    Ok(rows)
}

/// A running peer; stopped on drop.
struct Peer(Child);

impl Peer {
    async fn run(
        python: &Path,
        script: &str,
        arguments: &[Option<&str>],
        up: &UpFile,
    ) -> anyhow::Result<PeerOutput> {
        crate::progress(&format!("running the peer {script}"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
        let mut command = Command::new(python);
        command.arg(script).args(arguments.iter().flatten());
        command.env("DATABASE_URL", &up.database_url).env("REDIS_URL", &up.redis_url);
        let mut peer = Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
        let stdout = peer.0.stdout.take().context("no output")?;
        let output = tokio::task::spawn_blocking(move || std::io::read_to_string(stdout)).await??;
        let status = peer.0.wait()?;
        anyhow::ensure!(status.success(), "the peer failed: {status}");
        serde_json::from_str(output.trim()).with_context(|| format!("unexpected output: {output:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let pid = self.0.id().to_string();
            let signalled =
                Command::new("/bin/sh").args(["-c", "kill -s TERM \"$1\"", "bench", &pid]).status();
            if signalled.is_ok() {
                let _exited = self.0.wait();
            }
        }
    }
}
