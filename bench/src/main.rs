//! Benchmarks of Parlance.
//!
//! Each figure is printed beside its goal, or as a ratio to a reference of the same run.
//!
//! Measures the release binary beside this one, started as a user starts it, and the embedding as a library.
//! The exit status is a failure only if something could not be measured: a missed goal is a result.

mod answers;
mod api;
mod chat;
mod client;
mod corpus;
mod embedding;
mod extract;
mod ingest;
mod ledger;
mod memory;
mod neighbours;
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

use api::ApiArgs;
use embedding::Engine;
use ledger::LedgerArgs;
use parts::Parts;
use peers::PeerArgs;
use report::{Report, Row};
use search::SearchArgs;

/// Benchmarks of Parlance.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Args {
    /// What to measure: all, up, upload, chat, search, growth, streams, memory, embedding, ingest, ledger,
    /// api, neighbours, peers, answers, extract. Default: all. `answers` and `extract` need a folder as a further argument:
    /// of question sets, and of files and pages with reference texts.
    #[arg(value_name = "WHAT", value_parser = parse_selection)]
    selections: Vec<Selection>,
    /// Internal: run one side of `embedding`.
    #[arg(long, hide = true)]
    side: Option<Engine>,
    /// Internal: run the reference of `api`.
    #[arg(long, hide = true)]
    bare: bool,
    #[command(flatten)]
    api: ApiArgs,
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    peers: PeerArgs,
}

/// A positional argument.
#[derive(Clone, Debug)]
enum Selection {
    Measurement(Measurement),
    /// The inputs of `answers` and `extract`.
    Folder(PathBuf),
}

fn parse_selection(argument: &str) -> Result<Selection, String> {
    let folder = PathBuf::from(argument);
    match Measurement::from_str(argument, false) {
        Ok(measurement) => Ok(Selection::Measurement(measurement)),
        Err(_) if folder.is_dir() => Ok(Selection::Folder(folder)),
        Err(_) => Err("neither a measurement nor a folder".to_owned()),
    }
}

impl Args {
    fn measurements(&self) -> Vec<Measurement> {
        let chosen = self.selections.iter().filter_map(|selection| match selection {
            Selection::Measurement(measurement) => Some(*measurement),
            Selection::Folder(_) => None,
        });
        chosen.collect()
    }

    fn folder(&self) -> Option<&Path> {
        self.selections.iter().find_map(|selection| match selection {
            Selection::Folder(folder) => Some(folder.as_path()),
            Selection::Measurement(_) => None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Everything.
    All,
    /// Start of `parlance up` until its first response.
    Up,
    /// Upload of a file of 10 KB until its source is ready.
    Upload,
    /// Latency of answers at 1,000 chunks, without a language model.
    Chat,
    /// Recall and latency of searches in bots of 100 to 300,000 chunks, and the server's share of an answer.
    Search,
    /// Bytes per chunk, and the cost of other bots' indexes for a bot without.
    Growth,
    /// Latency of streamed words of a model, alone and with 500 streams at once.
    Streams,
    /// Memory of the process, idle and embedding.
    Memory,
    /// Chunks embedded per second of CPU time, against ONNX Runtime alone.
    Embedding,
    /// Upload of 1,000 chunks until they are ready, against ONNX Runtime alone.
    Ingest,
    /// Empty jobs through the ledger, against apalis alone.
    Ledger,
    /// Requests per second against a bare handler, and slowdown of lists and overviews with size.
    Api,
    /// Latency of one tenant during another's offences, against the same without them.
    Neighbours,
    /// Ingestion and jobs against alternatives, where those are installed.
    Peers,
    /// Quality of the built-in answers on a folder of question sets.
    Answers,
    /// Quality of text extraction on a folder of files and web pages with reference texts.
    Extract,
}

impl Measurement {
    const EACH: [Measurement; 15] = [
        Measurement::Up,
        Measurement::Upload,
        Measurement::Chat,
        Measurement::Search,
        Measurement::Growth,
        Measurement::Streams,
        Measurement::Memory,
        Measurement::Embedding,
        Measurement::Ingest,
        Measurement::Ledger,
        Measurement::Api,
        Measurement::Neighbours,
        Measurement::Peers,
        Measurement::Answers,
        Measurement::Extract,
    ];

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    async fn run(self, parts: &Parts, args: &Args) -> anyhow::Result<Vec<Row>> {
        match self {
            Measurement::All => Ok(Vec::new()),
            Measurement::Up => up::measure().await,
            Measurement::Upload => upload::measure().await,
            Measurement::Chat => chat::measure().await,
            Measurement::Search => search::measure(&args.search).await,
            Measurement::Growth => search::measure_growth().await,
            Measurement::Streams => streams::measure().await,
            Measurement::Memory => memory::measure().await,
            Measurement::Embedding => embedding::measure(parts),
            Measurement::Ingest => ingest::measure(parts).await,
            Measurement::Ledger => ledger::measure(&args.ledger).await,
            Measurement::Api => api::measure(&args.api).await,
            Measurement::Neighbours => neighbours::measure().await,
            Measurement::Peers => peers::measure(&args.peers).await,
            Measurement::Answers => {
                let folder =
                    args.folder().context("answers needs a folder of question sets: bench answers DIR")?;
                answers::measure(folder).await
            }
            Measurement::Extract => {
                let folder = args.folder().context("extract needs a folder of files: bench extract DIR")?;
                extract::measure(folder, &args.peers.peers_python)
            }
        }
    }
}

fn main() -> ExitCode {
    let outcome = run(&Args::parse());
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<bool> {
    // The reference of the API has as many threads as the API.
    let mut runtime = if args.bare { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = runtime.enable_all().build()?;
    match args.side {
        _ if args.bare => runtime.block_on(api::serve_bare()).map(|()| true),
        Some(engine) => runtime.block_on(embedding::serve_side(engine)).map(|()| true),
        None => runtime.block_on(measure(args)),
    }
}

/// Runs the chosen measurements. Returns whether all of them succeeded.
async fn measure(args: &Args) -> anyhow::Result<bool> {
    let chosen = args.measurements();
    parlance_core::platform::tls::install();
    server::program()?;
    progress("fetching and converting the parts of a first start");
    let parts = Parts::prepare().context("cannot prepare the parts")?;
    if proc::load() > 1.0 {
        progress("warning: the machine is busy; its load will distort the figures");
    }
    let all = chosen.is_empty() && args.folder().is_none() || chosen.contains(&Measurement::All);
    // All includes these only with a folder of their inputs.
    let is_possible = |measurement: Measurement| match measurement {
        Measurement::Answers => args.folder().is_some_and(|folder| !extract::has_inputs(folder)),
        Measurement::Extract => args.folder().is_some_and(extract::has_inputs),
        _ => true,
    };
    let is_chosen =
        |measurement: Measurement| chosen.contains(&measurement) || all && is_possible(measurement);
    let mut report = Report::new(&parts);
    let mut complete = true;
    for measurement in Measurement::EACH.into_iter().filter(|measurement| is_chosen(*measurement)) {
        let name = measurement.name();
        progress(&format!("measuring {name}"));
        // An interrupt drops the measurement, which stops the processes that it started.
        let result = tokio::select! {
            result = measurement.run(&parts, args) => result,
            interrupted = interrupted() => return interrupted.and_then(|()| anyhow::bail!("interrupted")),
        };
        match result {
            Ok(rows) => report.rows.extend(rows),
            Err(error) => {
                progress(&format!("bench: {name} failed: {error:#}"));
                complete = false;
            }
        }
    }
    print_result(&report.table());
    let path = report.write()?;
    progress(&format!("written to {}", path.display()));
    Ok(complete)
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Prints a result to standard output; everything else goes to standard error.
#[expect(clippy::print_stdout, reason = "the only place that prints results")]
fn print_result(text: &str) {
    println!("{text}");
}

fn progress(line: &str) {
    eprintln!("{line}");
}
