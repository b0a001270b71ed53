//! Command-line arguments. Commands depend on this module, never the reverse.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use parlance_core::field::Name;
use parlance_core::ids::{BotId, JobId, KeyId, SourceId, TenantId};
use parlance_core::jobs::{Kind, State};
use parlance_core::tenants::Plan;
use parlance_core::tenants::keys::{Expiry, Scope};
use serde::Deserialize;

/// Chatbots that answer from their company's documents and cite them.
#[derive(Debug, Parser)]
#[command(name = "parlance", version)]
pub(crate) struct Args {
    /// Data folder of `up`: its servers, files and API key. Other commands use it to find a running `up`.
    #[arg(long, global = true, default_value = ".parlance", value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: servers, migrations, API and workers.
    Up(Up),
    /// Serve the REST API.
    Api,
    /// Run jobs, or list the workers.
    Worker(Worker),
    /// List, show, retry and cancel jobs, or wait for all of them.
    #[command(subcommand)]
    Job(JobCommand),
    /// Measure search and answer quality.
    Eval(Eval),
    /// Apply the database migrations.
    Migrate,
    /// Create, list, change, deactivate and delete tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the OpenAPI description of the API.
    Openapi,
    /// Print the reference of all settings: docs/configuration.md or .env.example.
    Settings(Settings),
    /// Copy ONNX Runtime and the embedding model into a folder, for machines without downloads.
    Fetch(Fetch),
    /// Check every component, and explain how to fix each problem.
    Doctor,
    /// Extract the text of one file from standard input. Workers start this process for each file.
    #[command(hide = true)]
    Extract,
    /// Become a text recognition program with limits. Workers start this process for each scanned page.
    #[command(hide = true)]
    Recognise(Recognise),
}

impl Command {
    /// Default service name in traces.
    pub(crate) const fn service(&self) -> &'static str {
        match self {
            Command::Api => "parlance-api",
            Command::Worker(_) => "parlance-worker",
            _ => "parlance",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Recognise {
    /// Path of Tesseract.
    pub(crate) program: PathBuf,
    /// Names of language data, joined by `+`.
    pub(crate) languages: String,
    /// Resolution of the image, in dots per inch.
    pub(crate) dpi: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// Listen on this port instead of the one in BIND; 0 picks a free port.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Skip the demo bot at the first start.
    #[arg(long)]
    pub(crate) no_demo: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Fetch {
    /// Target folder; created if missing.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Worker {
    #[command(subcommand)]
    pub(crate) command: Option<WorkerCommand>,
    #[arg(long, value_delimiter = ',', value_name = "QUEUES", help = queues_help())]
    pub(crate) queues: Vec<Kind>,
    /// Concurrent jobs per queue, except crawls; overrides WORKER_CONCURRENCY.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: Option<u16>,
}

/// Help text of `--queues`, with every job kind.
fn queues_help() -> String {
    format!("Comma-separated queues to work on: {}", Kind::ALL.map(Kind::as_str).join(", "))
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// List the live workers with their queues, last heartbeat and running jobs.
    List,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Output format.
    #[arg(long, value_enum, default_value = "markdown")]
    pub(crate) format: SettingsFormat,
}

/// Output format of `settings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SettingsFormat {
    /// docs/configuration.md.
    Markdown,
    /// .env.example.
    Env,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Eval {
    /// Question files. JSON lines: {"question": "…", "expected": [{"source": "a.md", "quote": "…"}], "answer": "…"},
    /// where an empty `expected` means that the knowledge has no answer; a SQuAD file (.json); NAME.questions.jsonl next
    /// to NAME.paragraphs.jsonl; or a folder of these.
    #[arg(value_name = "FILE", required_unless_present = "demo")]
    pub(crate) files: Vec<PathBuf>,
    /// Evaluate this existing bot.
    #[arg(long, value_name = "ID", requires = "tenant")]
    pub(crate) bot: Option<BotId>,
    /// Tenant of the bot.
    #[arg(long, value_name = "ID", requires = "bot")]
    pub(crate) tenant: Option<TenantId>,
    /// Without --bot: folder with one subfolder of documents per "bot" of the questions, ingested into a private
    /// installation that is removed afterwards. Default: `corpus` next to the question file.
    #[arg(long, value_name = "DIR", conflicts_with = "bot")]
    pub(crate) corpus: Option<PathBuf>,
    /// Also generate and measure answers.
    #[arg(long)]
    pub(crate) answers: bool,
    /// Comma-separated sets to evaluate; in the project's own format a set is a bot.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) sets: Vec<String>,
    /// Evaluate only one half of the questions: tune thresholds on one, check them on the other.
    #[arg(long, value_enum)]
    pub(crate) split: Option<Split>,
    /// Most questions per set, class and kind, sampled by the seed. Default: 60 for SQuAD files and folders, else
    /// unlimited.
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) limit: Option<usize>,
    /// Random seed of the sampling.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// SQuAD files and folders: one bot per article page, or one per set.
    #[arg(long, value_enum, default_value = "one")]
    pub(crate) pages: Pages,
    /// Evaluate the demo bot. JSON lines: {"question": "…", "answer": ["accepted", "answers"], "note": "…"}; with an
    /// empty list, any confident answer is wrong.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "bot", "corpus"])]
    pub(crate) demo: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the outcome of each question as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) details: Option<PathBuf>,
}

/// Partition of a question set into bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pages {
    /// One bot per article page, with the page as its only source.
    One,
    /// One bot per set, with a source for each paragraph.
    All,
}

/// Half of a question set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Split {
    /// The half for tuning thresholds.
    Tune,
    /// The half for checking them.
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List jobs of all tenants, newest first.
    List {
        /// Filter by queue.
        #[arg(long)]
        kind: Option<Kind>,
        /// Filter by state: queued, dispatched, running, succeeded, failed (dead letters), cancelled.
        #[arg(long)]
        state: Option<State>,
        /// Filter by bot.
        #[arg(long, value_name = "ID")]
        bot: Option<BotId>,
        /// Filter by knowledge source.
        #[arg(long, value_name = "ID")]
        source: Option<SourceId>,
        /// Most jobs to list.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show a job with its history and child jobs.
    Show {
        /// The job's id, as `job list` shows it.
        job: JobId,
    },
    /// Retry a failed or cancelled job and all jobs of the same source version.
    Retry {
        /// The job's id, as `job list` shows it.
        job: JobId,
    },
    /// Cancel a job and all jobs of the same source version.
    Cancel {
        /// The job's id, as `job list` shows it.
        job: JobId,
    },
    /// Wait until every job has finished, for example before maintenance.
    Drain {
        /// Give up after this many seconds.
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant and print its first API key, which is shown only once.
    Create {
        /// Company name.
        #[arg(long)]
        name: String,
        /// free, starter, professional or enterprise.
        #[arg(long, default_value = "free")]
        plan: Plan,
    },
    /// List all tenants.
    List,
    /// Change the plan of a tenant.
    SetPlan {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
        /// free, starter, professional or enterprise.
        #[arg(long)]
        plan: Plan,
    },
    /// Deactivate a tenant: its keys are refused until it is activated.
    Deactivate {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
    },
    /// Delete a tenant and all of its data permanently, and verify that nothing remains.
    Delete {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
        /// The tenant's name, as confirmation.
        #[arg(long)]
        name: String,
        /// Stop waiting for the workers after this many seconds; run the command again to continue.
        #[arg(long, value_name = "SECONDS", default_value_t = 600)]
        timeout: u64,
    },
    /// Activate a tenant again.
    Activate {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Create a key and print it; it is shown only once.
    Create {
        /// Owner of the key.
        #[arg(long)]
        tenant: TenantId,
        /// Display name.
        #[arg(long, default_value = "default")]
        name: Name,
        /// Comma-separated scopes: full, read, chat, knowledge.
        #[arg(long, value_delimiter = ',', default_value = "full")]
        scopes: Vec<Scope>,
        /// Expiry in RFC 3339, for example 2027-01-31T00:00:00Z. Default: never.
        #[arg(long, value_name = "WHEN")]
        expires: Option<Expiry>,
    },
    /// List a tenant's keys, without their secrets.
    List {
        /// Owner of the keys.
        #[arg(long)]
        tenant: TenantId,
    },
    /// Revoke a key immediately.
    Revoke {
        /// Owner of the key.
        #[arg(long)]
        tenant: TenantId,
        /// The key's id, as `key list` shows it.
        key: KeyId,
    },
}
