//! Parlance's figures: each is measured here and printed beside its goal, or as a ratio to a named
//! reference that ran in the same minutes on the same machine.
//!
//! What is measured is the release binary beside this one, started as a user starts it, and the
//! embedding as a library. Ends with failure only when something could not be measured: a missed
//! goal is a result.

mod answers;
mod api;
mod chat;
mod client;
mod corpus;
mod embedding;
mod ingest;
mod ledger;
mod memory;
mod parts;
mod peers;
mod proc;
mod report;
mod samples;
mod search;
mod server;
mod streams;
mod up;
mod upload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use api::Sizes;
use embedding::Engine;
use ledger::Load;
use parts::Parts;
use peers::Peers;
use report::{Report, Row};
use search::Bots;

/// Measures Parlance.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Args {
    /// What to measure: all, up, upload, chat, search, growth, streams, memory, embedding, ingest, ledger, api, peers,
    /// answers; everything when nothing is named. `answers` needs a folder of question sets beside it.
    #[arg(value_name = "WHAT", value_parser = asked)]
    asked: Vec<Asked>,
    /// Embed what standard input asks for; how `embedding` starts its two sides.
    #[arg(long, hide = true)]
    side: Option<Engine>,
    /// Be the reference of `api`; how it starts it.
    #[arg(long, hide = true)]
    bare: bool,
    #[command(flatten)]
    sizes: Sizes,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    bots: Bots,
    #[command(flatten)]
    peers: Peers,
}

/// A word of the command line.
#[derive(Clone, Debug)]
enum Asked {
    What(What),
    /// The question sets of `answers`.
    Folder(PathBuf),
}

fn asked(word: &str) -> Result<Asked, String> {
    let folder = PathBuf::from(word);
    match What::from_str(word, false) {
        Ok(what) => Ok(Asked::What(what)),
        Err(_) if folder.is_dir() => Ok(Asked::Folder(folder)),
        Err(_) => Err("neither something to measure nor a folder".to_owned()),
    }
}

impl Args {
    fn what(&self) -> Vec<What> {
        let asked = self.asked.iter();
        asked.filter_map(|asked| if let Asked::What(what) = asked { Some(*what) } else { None }).collect()
    }

    fn folder(&self) -> Option<&Path> {
        let mut asked = self.asked.iter();
        asked.find_map(|asked| if let Asked::Folder(folder) = asked { Some(folder.as_path()) } else { None })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Everything.
    All,
    /// The time from the start of `parlance up` to its first answer.
    Up,
    /// The time from the upload of a file of 10 KB until it answers.
    Upload,
    /// The time of an answer at 1,000 chunks, without a language model.
    Chat,
    /// Recall and time of a search in bots of 100 to 300,000 chunks, and the server's share of an answer.
    Search,
    /// The bytes of a chunk, and what the indexes of other bots cost one that has none.
    Growth,
    /// How soon a model's words reach the customer, alone and with 500 at once.
    Streams,
    /// The memory of the process, idle and embedding.
    Memory,
    /// Chunks embedded in a second of CPU time, against ONNX Runtime alone.
    Embedding,
    /// The time from the upload of 1,000 chunks until they answer, against ONNX Runtime alone.
    Ingest,
    /// Jobs that do nothing, through the ledger and back, against apalis alone.
    Ledger,
    /// Requests in a second against a bare handler, and how lists and overviews slow down with size.
    Api,
    /// Ingestion and jobs against what people use instead, where that is installed.
    Peers,
    /// How good the built-in answers are on a folder of question sets.
    Answers,
}

impl What {
    const EACH: [What; 13] = [
        What::Up,
        What::Upload,
        What::Chat,
        What::Search,
        What::Growth,
        What::Streams,
        What::Memory,
        What::Embedding,
        What::Ingest,
        What::Ledger,
        What::Api,
        What::Peers,
        What::Answers,
    ];

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    async fn measure(self, parts: &Parts, args: &Args) -> anyhow::Result<Vec<Row>> {
        match self {
            What::All => Ok(Vec::new()),
            What::Up => up::measure().await,
            What::Upload => upload::measure().await,
            What::Chat => chat::measure().await,
            What::Search => search::measure(&args.bots).await,
            What::Growth => search::measure_growth().await,
            What::Streams => streams::measure().await,
            What::Memory => memory::measure().await,
            What::Embedding => embedding::measure(parts),
            What::Ingest => ingest::measure(parts).await,
            What::Ledger => ledger::measure(&args.load).await,
            What::Api => api::measure(&args.sizes).await,
            What::Peers => peers::measure(&args.peers).await,
            What::Answers => {
                let folder =
                    args.folder().context("answers needs a folder of question sets: bench answers DIR")?;
                answers::measure(folder).await
            }
        }
    }
}

fn main() -> ExitCode {
    let outcome = act(&Args::parse());
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn act(args: &Args) -> anyhow::Result<bool> {
    // The reference of the API has as many threads as the API.
    let mut runtime = if args.bare { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = runtime.enable_all().build()?;
    match args.side {
        _ if args.bare => runtime.block_on(api::serve_bare()).map(|()| true),
        Some(engine) => runtime.block_on(embedding::side(engine)).map(|()| true),
        None => runtime.block_on(run(args)),
    }
}

/// Gives whether everything that was asked for could be measured.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let asked = args.what();
    parlance_core::platform::tls::install();
    server::program()?;
    say("preparing the parts that a first start would fetch and convert");
    let parts = Parts::prepare().context("the parts could not be prepared")?;
    if proc::load() > 1.0 {
        say("the machine is busy with something else: what it does will show in the figures");
    }
    let everything = asked.is_empty() && args.folder().is_none() || asked.contains(&What::All);
    // Everything, but not what lacks its folder.
    let is_wanted = |what: What| {
        asked.contains(&what) || everything && (what != What::Answers || args.folder().is_some())
    };
    let mut report = Report::new(&parts);
    let mut complete = true;
    for what in What::EACH.into_iter().filter(|what| is_wanted(*what)) {
        let name = what.name();
        say(&format!("measuring {name}"));
        // What was started is stopped however it ends.
        let measured = tokio::select! {
            measured = what.measure(&parts, args) => measured,
            told = told_to_end() => return told.and_then(|()| anyhow::bail!("interrupted")),
        };
        match measured {
            Ok(rows) => report.rows.extend(rows),
            Err(error) => {
                say(&format!("bench: {name} could not be measured: {error:#}"));
                complete = false;
            }
        }
    }
    out(&report.table());
    let path = report.write()?;
    say(&format!("written to {}", path.display()));
    Ok(complete)
}

/// Waits for an interrupt, or for a request to end.
async fn told_to_end() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// The result, and nothing else, goes to standard output.
#[expect(clippy::print_stdout, reason = "the one door to standard output")]
fn out(text: &str) {
    println!("{text}");
}

fn say(line: &str) {
    eprintln!("{line}");
}
