//! `parlance eval`: measures search, answers and the calibration of confidence scores.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use parlance_core::bots;
use parlance_core::platform::config::Config;
use parlance_core::{Context, Providers};
use parlance_embedded::{Options, Servers};
use serde::Serialize;

use crate::args::Eval;
use crate::output::out;
use crate::{data_dir, private_servers};

mod ask;
mod datasets;
mod demo;
mod gold;
mod outcome;
mod passages;
mod plan;
mod questions;
mod reliability;
mod report;
mod sandbox;
mod score;
mod suite;
mod summary;

use datasets::Datasets;
use plan::Selection;
use report::Report;
use sandbox::Sandbox;
use suite::{Question, Suite};

/// Default question limit per class and set of public datasets.
const DEFAULT_LIMIT: usize = 60;

pub(crate) async fn run(config: Config, data_dir: &Path, args: &Eval) -> anyhow::Result<()> {
    if let Some(path) = &args.demo {
        let sandbox = Sandbox::start(config).await?;
        let result = demo::run(&sandbox, path).await?;
        sandbox.stop().await?;
        return print(args.json, &result);
    }
    let outcomes = match (args.tenant, args.bot) {
        (Some(tenant), Some(bot)) => {
            let suite = read(args, Documents::Ingested)?;
            let (ctx, _parts) = connect(config, data_dir).await?;
            let bot = bots::get(&ctx, tenant, bot).await?;
            let outcomes =
                ask::ask_all(&ctx, tenant, &|_| Some(&bot), &suite.questions, args.answers).await?;
            ctx.close().await;
            outcomes
        }
        _ => {
            let suite = read(args, Documents::FromFiles)?;
            let sandbox = Sandbox::start(config).await?;
            tracing::info!(bots = suite.bots.len(), questions = suite.questions.len(), "ingesting documents");
            let bots = sandbox.create_bots(suite.bots).await?;
            let bot = |question: &Question| bots.get(&question.bot);
            let outcomes =
                ask::ask_all(&sandbox.ctx, sandbox.tenant, &bot, &suite.questions, args.answers).await?;
            sandbox.stop().await?;
            outcomes
        }
    };
    if let Some(path) = &args.details {
        outcome::write_details(path, &outcomes)?;
    }
    print(args.json, &Report::from_outcomes(&outcomes))
}

fn print(as_json: bool, result: &(impl Serialize + Display)) -> anyhow::Result<()> {
    out(&if as_json { serde_json::to_string_pretty(result)? } else { result.to_string() });
    Ok(())
}

/// Location of the documents that answer the questions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Documents {
    /// Files, to be ingested into new bots.
    FromFiles,
    /// Already ingested by an existing bot.
    Ingested,
}

/// Reads the questions of all files and the bots that they need.
fn read(args: &Eval, documents: Documents) -> anyhow::Result<Suite> {
    let (mut own, mut datasets) = (Suite::default(), Datasets::default());
    for path in &args.files {
        match Format::detect(path) {
            Format::Folder => {
                let folder = Datasets::read_folder(path)?;
                datasets.sets.extend(folder.sets);
                datasets.off_natural.extend(folder.off_natural);
            }
            Format::Squad => datasets.sets.push(datasets::read_squad(path)?),
            Format::Pair { folder, stem } => datasets.sets.push(datasets::read_pair(&folder, &stem)?),
            Format::Questions => {
                let questions = questions::read(path)?;
                if documents == Documents::FromFiles {
                    let corpus = args.corpus.clone().unwrap_or_else(|| path.with_file_name("corpus"));
                    merge(&mut own, questions::bots(&questions, &corpus)?)?;
                }
                own.questions.extend(questions::select(questions, args.split));
            }
        }
    }
    ensure!(
        documents == Documents::FromFiles || datasets.sets.is_empty(),
        "--bot supports only the project's own question format: a dataset brings its own paragraphs"
    );
    if let Some(unknown) = unknown_set(args, &own, &datasets) {
        let names: Vec<&str> = datasets.sets.iter().map(|set| set.name.as_str()).collect();
        anyhow::bail!("--sets: unknown set {unknown:?}; available: {}", names.join(", "));
    }
    let is_wanted = |set: &str| args.sets.is_empty() || args.sets.iter().any(|wanted| wanted == set);
    own.questions.retain(|question| is_wanted(&question.set));
    own.bots.retain(|bot| is_wanted(&bot.name));
    if let Some(limit) = args.limit {
        own.questions = plan::sample(own.questions, limit, args.seed);
    }
    let (limit, seed) = (args.limit.unwrap_or(DEFAULT_LIMIT), args.seed);
    let selection = Selection { pages: args.pages, split: args.split, limit, seed };
    let mut suite = plan::plan(&datasets, &is_wanted, selection);
    suite.questions.extend(own.questions);
    merge(&mut suite, own.bots)?;
    ensure!(!suite.questions.is_empty(), "no questions left after filtering");
    Ok(suite)
}

/// Adds bots to a suite. Names must be unique: questions refer to bots by name.
fn merge(suite: &mut Suite, bots: Vec<suite::BotSpec>) -> anyhow::Result<()> {
    for bot in bots {
        let is_new = suite.bots.iter().all(|known| known.name != bot.name);
        ensure!(is_new, "two files have a bot named {:?}; evaluate them separately", bot.name);
        suite.bots.push(bot);
    }
    Ok(())
}

fn unknown_set<'a>(args: &'a Eval, own: &Suite, datasets: &Datasets) -> Option<&'a str> {
    let is_known = |name: &str| {
        own.questions.iter().any(|question| question.set == name)
            || datasets.sets.iter().any(|set| set.name == name)
    };
    args.sets.iter().map(String::as_str).find(|name| !is_known(name))
}

/// Format of a question file.
enum Format {
    Folder,
    Squad,
    Pair { folder: PathBuf, stem: String },
    Questions,
}

impl Format {
    /// Detects the format by the file name.
    fn detect(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let pair = name.strip_suffix(".questions.jsonl");
        match pair {
            _ if path.is_dir() => Format::Folder,
            _ if path.extension().is_some_and(|extension| extension == "json") => Format::Squad,
            Some(stem) if path.with_file_name(format!("{stem}.paragraphs.jsonl")).is_file() => {
                let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                Format::Pair { folder, stem: stem.to_owned() }
            }
            _ => Format::Questions,
        }
    }
}

/// Connects to the configured installation or a running `up`, with the configured model.
async fn connect(config: Config, data_dir: &Path) -> anyhow::Result<(Context, Servers)> {
    let mut config = data_dir::with_running_up(config, data_dir);
    config.database.require()?;
    config.redis.url.get_or_insert_with(|| "redis://127.0.0.1:6379".to_owned().into());
    let data_dir = data_dir::create(data_dir)?;
    let parts =
        Options { postgres: false, redis: false, ..private_servers::missing_parts(&config, &data_dir) };
    let parts = Servers::start(parts).await?;
    private_servers::configure(&mut config, &parts, &data_dir)?;
    let providers = Providers::from_config(&config).await?;
    Ok((Context::new(config, providers)?, parts))
}
