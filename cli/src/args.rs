//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use parlance_core::field::Name;
use parlance_core::ids::{BotId, JobId, KeyId, SourceId, TenantId};
use parlance_core::jobs::{Kind, State};
use parlance_core::tenants::Plan;
use parlance_core::tenants::keys::{Expiry, Scope};

use crate::eval::{Pages, Split};

/// Chatbots that answer from their company's documents, and cite them.
#[derive(Debug, Parser)]
#[command(name = "parlance", version)]
pub(crate) struct Args {
    /// Where `up` keeps its servers, files and key; other commands find a running `up` by it.
    #[arg(long, global = true, default_value = ".parlance", value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything in one process: servers, migrations, API and workers.
    Up(Up),
    /// Serve the REST API.
    Api,
    /// Run jobs.
    Worker(Worker),
    /// Look at jobs, try them again, stop them, wait for them.
    #[command(subcommand)]
    Job(JobCommand),
    /// Measure how well questions find the passages that answer them.
    Eval(Eval),
    /// Bring the database's schema up to date.
    Migrate,
    /// Make, list, change and shut out tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the OpenAPI description of the API.
    Openapi,
    /// Put ONNX Runtime and the embedding model into a folder, for machines that are to fetch nothing.
    Fetch(Fetch),
    /// Check every part, and say what is wrong and how to mend it.
    Doctor,
    /// Read one file from standard input: what workers start for each file, and nobody else.
    #[command(hide = true)]
    Extract,
}

impl Command {
    /// What a process calls itself in traces.
    pub(crate) const fn service(&self) -> &'static str {
        match self {
            Command::Api => "parlance-api",
            Command::Worker(_) => "parlance-worker",
            _ => "parlance",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// Listen on this port instead of BIND's; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Make no demo bot at the first start.
    #[arg(long)]
    pub(crate) no_demo: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Fetch {
    /// The folder; made when it is not there.
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
    /// Jobs of one queue to run at once, instead of WORKER_CONCURRENCY.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: Option<u16>,
}

/// Help text of `--queues`, with every job kind.
fn queues_help() -> String {
    format!("Comma-separated queues to work on: {}", Kind::ALL.map(Kind::as_str).join(", "))
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// List the workers that live, with their queues, their last heartbeat and what they are at.
    List,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Eval {
    /// Questions. A file of one JSON object a line: {"question": "…", "expected": [{"source": "a.md", "quote": "…"}],
    /// "answer": "…"}, where no expected passage means that the knowledge has no answer; or a SQuAD file (.json); or
    /// NAME.questions.jsonl beside NAME.paragraphs.jsonl; or a folder of these.
    #[arg(value_name = "FILE", required_unless_present = "demo")]
    pub(crate) files: Vec<PathBuf>,
    /// Ask this bot.
    #[arg(long, value_name = "ID", requires = "tenant")]
    pub(crate) bot: Option<BotId>,
    /// Whose bot that is.
    #[arg(long, value_name = "ID", requires = "bot")]
    pub(crate) tenant: Option<TenantId>,
    /// Without --bot: a folder with a folder of documents for each "bot" of the questions; they are taught to a
    /// private installation that is removed afterwards.
    #[arg(long, value_name = "DIR", conflicts_with = "bot")]
    pub(crate) corpus: Option<PathBuf>,
    /// Answer the questions, too, and measure the answers.
    #[arg(long)]
    pub(crate) answers: bool,
    /// Only these sets, separated by commas; in the project's own format a set is a bot.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) sets: Vec<String>,
    /// Only one half of the questions: thresholds are tuned on one and checked on the other.
    #[arg(long, value_enum)]
    pub(crate) split: Option<Split>,
    /// At most this many questions of each set, class and kind, drawn by the seed; 60 of SQuAD files and folders when
    /// not given.
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) limit: Option<usize>,
    /// Seed of everything that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// SQuAD files and folders: a bot for each page of an article, or one for each set.
    #[arg(long, value_enum, default_value = "one")]
    pub(crate) pages: Pages,
    /// Ask the demo bot's lessons instead: {"question": "…", "answer": ["any of these"], "note": "…"} a line; an empty
    /// list means that no confident answer is right.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "bot", "corpus"])]
    pub(crate) demo: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write what became of each question, a line of JSON each.
    #[arg(long, value_name = "FILE")]
    pub(crate) details: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List jobs of all tenants, newest first.
    List {
        /// Only those of a queue.
        #[arg(long)]
        kind: Option<Kind>,
        /// Only those in a state: queued, dispatched, running, succeeded, failed (dead letters), cancelled.
        #[arg(long)]
        state: Option<State>,
        /// Only those about a bot.
        #[arg(long, value_name = "ID")]
        bot: Option<BotId>,
        /// Only those about a knowledge source.
        #[arg(long, value_name = "ID")]
        source: Option<SourceId>,
        /// So many at most.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show a job with all that is known of it.
    Show {
        /// The job's id, as `job list` shows it.
        job: JobId,
    },
    /// Try a job again that failed or was cancelled, with all of its version.
    Retry {
        /// The job's id, as `job list` shows it.
        job: JobId,
    },
    /// Stop a job, with all of its version.
    Cancel {
        /// The job's id, as `job list` shows it.
        job: JobId,
    },
    /// Wait until every job has ended, as before maintenance.
    Drain {
        /// Give up after so many seconds.
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant, and print its first API key: it is shown this once.
    Create {
        /// The company's name.
        #[arg(long)]
        name: String,
        /// free, starter, professional or enterprise.
        #[arg(long, default_value = "free")]
        plan: Plan,
    },
    /// List every tenant.
    List,
    /// Move a tenant to another plan.
    SetPlan {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
        /// free, starter, professional or enterprise.
        #[arg(long)]
        plan: Plan,
    },
    /// Shut a tenant out: its keys open nothing until it is activated.
    Deactivate {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
    },
    /// Remove a tenant with everything it has, for good, and report that nothing remains.
    Delete {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
        /// Its name, so that it is no other.
        #[arg(long)]
        name: String,
        /// Give up waiting for the workers after so many seconds; run it again to go on.
        #[arg(long, value_name = "SECONDS", default_value_t = 600)]
        timeout: u64,
    },
    /// Let a tenant in again.
    Activate {
        /// The tenant's id, as `tenant list` shows it.
        tenant: TenantId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key, and print it: it is shown this once.
    Create {
        /// Whose it is.
        #[arg(long)]
        tenant: TenantId,
        /// What its owner calls it.
        #[arg(long, default_value = "default")]
        name: Name,
        /// full, read, chat, knowledge; separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "full")]
        scopes: Vec<Scope>,
        /// When it ends, in RFC 3339, like 2027-01-31T00:00:00Z; never when not given.
        #[arg(long, value_name = "WHEN")]
        expires: Option<Expiry>,
    },
    /// List a tenant's keys, without the keys themselves.
    List {
        /// Whose keys.
        #[arg(long)]
        tenant: TenantId,
    },
    /// End a key at once.
    Revoke {
        /// Whose it is.
        #[arg(long)]
        tenant: TenantId,
        /// The key's id, as `key list` shows it.
        key: KeyId,
    },
}
