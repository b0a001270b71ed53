//! A side of the comparison as a process: a copy of this program that embeds the same texts on request.
//!
//! Reads the texts as one line of JSON, then one line per request, and prints one line per response.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Engine, direct::Direct, ours::Ours};
use crate::parts::Parts;
use crate::proc;

/// A request to a side.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EmbedRequest {
    /// Embeds only the first this many texts.
    pub(crate) texts: usize,
    /// Batch size of the reference. Our side chooses its own.
    pub(crate) batch: usize,
}

impl EmbedRequest {
    /// All texts, one at a time.
    pub(crate) const ALL: Self = Self { texts: usize::MAX, batch: 1 };
}

/// The response: one run over the texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EmbedRun {
    pub(crate) chunks: usize,
    pub(crate) cpu_seconds: f64,
    pub(crate) seconds: f64,
    /// The vector of the first text.
    pub(crate) vector: Vec<f32>,
}

/// A running side; stopped on drop.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub(crate) fn start(engine: Engine, texts: &[String]) -> anyhow::Result<Self> {
        let name = engine.to_possible_value().context("an engine has a name")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--side", name.get_name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("a child without output")?);
        let mut worker = Self { child, input, output };
        worker.send(&serde_json::to_string(texts)?)?;
        Ok(worker)
    }

    /// Embeds the requested texts once.
    pub(crate) fn run(&mut self, request: EmbedRequest) -> anyhow::Result<EmbedRun> {
        self.send(&serde_json::to_string(&request)?)?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).context("a side of the comparison exited early")
    }

    fn send(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("a child without input")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The child exits when its standard input is closed.
        self.input = None;
        let _exited = self.child.wait();
    }
}

/// Runs one side until standard input is closed.
pub(crate) async fn serve_side(engine: Engine) -> anyhow::Result<()> {
    let parts = Parts::prepare()?;
    let mut lines = std::io::stdin().lines();
    let texts: Vec<String> = serde_json::from_str(&lines.next().context("no texts were given")??)?;
    let mut embedder = match engine {
        Engine::Ours => Embedder::Ours(Ours::load(&parts, texts)?),
        Engine::Direct => Embedder::Direct(Direct::load(&parts, &texts)?),
    };
    for line in lines {
        let request: EmbedRequest = serde_json::from_str(&line?)?;
        let (cpu, started) = (proc::cpu_seconds()?, Instant::now());
        let vectors = match &mut embedder {
            Embedder::Ours(ours) => ours.embed(request).await?,
            Embedder::Direct(direct) => direct.embed(request)?,
        };
        let seconds = started.elapsed().as_secs_f64();
        let cpu_seconds = proc::cpu_seconds()? - cpu;
        let vector = vectors.first().cloned().unwrap_or_default();
        let run = EmbedRun { chunks: vectors.len(), cpu_seconds, seconds, vector };
        crate::print_result(&serde_json::to_string(&run)?);
    }
    Ok(())
}

enum Embedder {
    Ours(Ours),
    Direct(Direct),
}
