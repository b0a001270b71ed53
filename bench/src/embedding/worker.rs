//! A side of the comparison: a copy of this program that embeds the same texts whenever it is told.
//!
//! It reads the texts as one line of JSON, then a line for each pass that is asked for, and answers each with
//! a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Engine, direct::Direct, ours::Ours};
use crate::parts::Parts;
use crate::proc;

/// What is asked of a side.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// Only the first so many texts.
    pub(crate) texts: usize,
    /// Texts that the reference runs at once. Ours knows by itself.
    pub(crate) batch: usize,
}

impl Ask {
    /// All texts, each alone.
    pub(crate) const ALL: Self = Self { texts: usize::MAX, batch: 1 };
}

/// What came of embedding the texts once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) chunks: usize,
    pub(crate) cpu_seconds: f64,
    pub(crate) seconds: f64,
    /// The first text's.
    pub(crate) vector: Vec<f32>,
}

/// A running side; it ends with this.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    say: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

impl Worker {
    pub(crate) fn start(engine: Engine, texts: &[String]) -> anyhow::Result<Self> {
        let name = engine.to_possible_value().context("an engine has a name")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--side", name.get_name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let say = child.stdin.take();
        let hear = BufReader::new(child.stdout.take().context("a child without output")?);
        let mut worker = Self { child, say, hear };
        worker.say(&serde_json::to_string(texts)?)?;
        Ok(worker)
    }

    /// Embeds what is asked for, once.
    pub(crate) fn pass(&mut self, ask: Ask) -> anyhow::Result<Pass> {
        self.say(&serde_json::to_string(&ask)?)?;
        let mut line = String::new();
        self.hear.read_line(&mut line)?;
        serde_json::from_str(&line).context("a side of the comparison ended early")
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let say = self.say.as_mut().context("a child without input")?;
        writeln!(say, "{line}")?;
        Ok(say.flush()?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // At the end of its input it ends.
        self.say = None;
        let _ended = self.child.wait();
    }
}

/// Is one side, until the input ends.
pub(crate) async fn side(engine: Engine) -> anyhow::Result<()> {
    let parts = Parts::prepare()?;
    let mut lines = std::io::stdin().lines();
    let texts: Vec<String> = serde_json::from_str(&lines.next().context("no texts were given")??)?;
    let mut embedder = match engine {
        Engine::Ours => Embedder::Ours(Ours::load(&parts, texts)?),
        Engine::Direct => Embedder::Direct(Direct::load(&parts, &texts)?),
    };
    for line in lines {
        let ask: Ask = serde_json::from_str(&line?)?;
        let (cpu, begun) = (proc::cpu_seconds()?, Instant::now());
        let vectors = match &mut embedder {
            Embedder::Ours(ours) => ours.embed(ask).await?,
            Embedder::Direct(direct) => direct.embed(ask)?,
        };
        let seconds = begun.elapsed().as_secs_f64();
        let cpu_seconds = proc::cpu_seconds()? - cpu;
        let vector = vectors.first().cloned().unwrap_or_default();
        let pass = Pass { chunks: vectors.len(), cpu_seconds, seconds, vector };
        crate::out(&serde_json::to_string(&pass)?);
    }
    Ok(())
}

enum Embedder {
    Ours(Ours),
    Direct(Direct),
}
