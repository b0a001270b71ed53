//! `parlance eval`: how well search finds the passages that answer questions, how answers end, whether they are right,
//! and whether their confidence is a probability.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use parlance_core::bots;
use parlance_core::platform::config::Config;
use parlance_core::{Context, Providers};
use parlance_embedded::{Options, Servers};
use serde::Serialize;

use crate::args::Eval;
use crate::{local, out, up};

mod ask;
mod corpora;
mod demo;
mod exam;
mod gold;
mod lab;
mod outcome;
mod places;
mod plan;
mod questions;
mod reliability;
mod report;
mod score;
mod summary;

use corpora::Corpora;
use exam::{Exam, Question};
use lab::Lab;
use plan::Choice;
pub(crate) use plan::Pages;
pub(crate) use questions::Split;
use report::Report;

/// Questions of each class and set of others' question sets, when no limit is given.
const LIMIT: usize = 60;

pub(crate) async fn run(config: Config, data_dir: &Path, args: &Eval) -> anyhow::Result<()> {
    if let Some(path) = &args.demo {
        let lab = Lab::start(config).await?;
        let examination = demo::examine(&lab, path).await?;
        lab.end().await?;
        return print(args.json, &examination);
    }
    let outcomes = match (args.tenant, args.bot) {
        (Some(tenant), Some(bot)) => {
            let exam = read(args, Documents::AreTaught)?;
            let (ctx, _parts) = connect(config, data_dir).await?;
            let bot = bots::get(&ctx, tenant, bot).await?;
            let outcomes = ask::all(&ctx, tenant, &|_| Some(&bot), &exam.questions, args.answers).await?;
            ctx.close().await;
            outcomes
        }
        _ => {
            let exam = read(args, Documents::AreRead)?;
            let lab = Lab::start(config).await?;
            tracing::info!(bots = exam.bots.len(), questions = exam.questions.len(), "teaching the bots");
            let bots = lab.teach(exam.bots).await?;
            let bot = |question: &Question| bots.get(&question.bot);
            let outcomes = ask::all(&lab.ctx, lab.tenant, &bot, &exam.questions, args.answers).await?;
            lab.end().await?;
            outcomes
        }
    };
    if let Some(path) = &args.details {
        outcome::write_details(path, &outcomes)?;
    }
    print(args.json, &Report::of(&outcomes))
}

fn print(as_json: bool, result: &(impl Serialize + Display)) -> anyhow::Result<()> {
    out(&if as_json { serde_json::to_string_pretty(result)? } else { result.to_string() });
    Ok(())
}

/// Where the documents that answer the questions are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Documents {
    /// In files, for bots to be made.
    AreRead,
    /// In the bot that is asked.
    AreTaught,
}

/// The questions of all files, and the bots that they need.
fn read(args: &Eval, documents: Documents) -> anyhow::Result<Exam> {
    let (mut own, mut corpora) = (Exam::default(), Corpora::default());
    for path in &args.files {
        match Form::of(path) {
            Form::Folder => {
                let folder = Corpora::read_folder(path)?;
                corpora.sets.extend(folder.sets);
                corpora.off_natural.extend(folder.off_natural);
            }
            Form::Squad => corpora.sets.push(corpora::read_squad(path)?),
            Form::Pair { folder, stem } => corpora.sets.push(corpora::read_pair(&folder, &stem)?),
            Form::Questions => {
                let questions = questions::read(path)?;
                if documents == Documents::AreRead {
                    let corpus = args.corpus.clone().unwrap_or_else(|| path.with_file_name("corpus"));
                    merge(&mut own, questions::lessons(&questions, &corpus)?)?;
                }
                own.questions.extend(questions::to_ask(questions, args.split));
            }
        }
    }
    ensure!(
        documents == Documents::AreRead || corpora.sets.is_empty(),
        "--bot is asked questions in the project's own format only: a question set brings its own paragraphs"
    );
    if let Some(unknown) = unknown_set(args, &own, &corpora) {
        let names: Vec<&str> = corpora.sets.iter().map(|set| set.name.as_str()).collect();
        anyhow::bail!("--sets: there is no set {unknown:?}; the files have: {}", names.join(", "));
    }
    let is_wanted = |set: &str| args.sets.is_empty() || args.sets.iter().any(|wanted| wanted == set);
    own.questions.retain(|question| is_wanted(&question.set));
    own.bots.retain(|bot| is_wanted(&bot.name));
    if let Some(limit) = args.limit {
        own.questions = plan::sample(own.questions, limit, args.seed);
    }
    let (limit, seed) = (args.limit.unwrap_or(LIMIT), args.seed);
    let choice = Choice { pages: args.pages, split: args.split, limit, seed };
    let mut exam = plan::plan(&corpora, &is_wanted, choice);
    exam.questions.extend(own.questions);
    merge(&mut exam, own.bots)?;
    ensure!(!exam.questions.is_empty(), "no question is left to ask");
    Ok(exam)
}

/// Adds bots to an exam; two of one name would answer each other's questions.
fn merge(exam: &mut Exam, bots: Vec<exam::Lesson>) -> anyhow::Result<()> {
    for bot in bots {
        let is_new = exam.bots.iter().all(|known| known.name != bot.name);
        ensure!(is_new, "two files have a bot {:?}; evaluate them one after the other", bot.name);
        exam.bots.push(bot);
    }
    Ok(())
}

fn unknown_set<'a>(args: &'a Eval, own: &Exam, corpora: &Corpora) -> Option<&'a str> {
    let is_known = |name: &str| {
        own.questions.iter().any(|question| question.set == name)
            || corpora.sets.iter().any(|set| set.name == name)
    };
    args.sets.iter().map(String::as_str).find(|name| !is_known(name))
}

/// What is in a file, by its name.
enum Form {
    Folder,
    Squad,
    Pair { folder: PathBuf, stem: String },
    Questions,
}

impl Form {
    fn of(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let pair = name.strip_suffix(".questions.jsonl");
        match pair {
            _ if path.is_dir() => Form::Folder,
            _ if path.extension().is_some_and(|extension| extension == "json") => Form::Squad,
            Some(stem) if path.with_file_name(format!("{stem}.paragraphs.jsonl")).is_file() => {
                let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                Form::Pair { folder, stem: stem.to_owned() }
            }
            _ => Form::Questions,
        }
    }
}

/// The installation of a running `up`, or of the environment, with the model that is configured.
async fn connect(config: Config, data_dir: &Path) -> anyhow::Result<(Context, Servers)> {
    let mut config = local::with_running_up(config, data_dir);
    config.database.require()?;
    config.redis.url.get_or_insert_with(|| "redis://127.0.0.1:6379".to_owned().into());
    let data_dir = local::make_folders(data_dir)?;
    let parts = Options { postgres: false, redis: false, ..up::wanted(&config, &data_dir) };
    let parts = Servers::start(parts).await?;
    up::fill_in(&mut config, &parts, &data_dir)?;
    let providers = Providers::from_config(&config).await?;
    Ok((Context::new(config, providers)?, parts))
}
