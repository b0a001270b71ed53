//! `parlance eval`: how well questions find the passages that answer them, by meaning, by words and by both; and
//! whether what has no answer is given none.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, bail};
use parlance_core::bots::{self, Bot};
use parlance_core::config::Config;
use parlance_core::ids::{SourceId, TenantId};
use parlance_core::knowledge::search::{self, Mode, SearchRequest};
use parlance_core::knowledge::{self, Filter, Source};
use parlance_core::{Context, PageRequest, Providers, conversations};
use parlance_embedded::{Options, Servers};

use crate::args::Eval;
use crate::{local, out, up};

mod lab;
mod questions;
mod report;
mod score;

use lab::Lab;
use questions::{Expected, Question};
use report::{Answered, Outcome, Report};

/// How many passages a search is asked for: those beyond the tenth are for the details.
const DEPTH: usize = 50;

/// Questions between two lines about how far it is.
const STRIDE: usize = 50;

pub(crate) async fn run(config: Config, data_dir: &Path, args: &Eval) -> anyhow::Result<()> {
    let questions = questions::read(&args.file)?;
    let outcomes = match (args.tenant, args.bot) {
        (Some(tenant), Some(bot)) => {
            let (ctx, _parts) = connect(config, data_dir).await?;
            let bot = bots::get(&ctx, tenant, bot).await?;
            let outcomes = evaluate(&ctx, tenant, &|_| Some(&bot), &questions, args.answers).await?;
            ctx.close().await;
            outcomes
        }
        _ => {
            let corpus = args.corpus.clone().unwrap_or_else(|| args.file.with_file_name("corpus"));
            let lab = Lab::start(config).await?;
            let languages = questions.iter().map(|question| (&*question.bot, &*question.language)).collect();
            let bots = lab.teach(&corpus, &languages).await?;
            let bot = |question: &Question| bots.get(&question.bot);
            let outcomes = evaluate(&lab.ctx, lab.tenant, &bot, &questions, args.answers).await?;
            lab.end().await?;
            outcomes
        }
    };
    if let Some(path) = &args.details {
        report::write_details(path, &outcomes)?;
    }
    let report = Report::of(&outcomes);
    out(&if args.json { serde_json::to_string_pretty(&report)? } else { report.to_string() });
    Ok(())
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

async fn evaluate<'a>(
    ctx: &Context,
    tenant: TenantId,
    bot_of: &dyn Fn(&Question) -> Option<&'a Bot>,
    questions: &[Question],
    answers: bool,
) -> anyhow::Result<Vec<Outcome>> {
    let (mut texts, mut outcomes) = (BTreeMap::new(), Vec::new());
    for question in questions {
        let bot = bot_of(question).with_context(|| format!("{}: it names no bot", question.id))?;
        let texts = match texts.entry(bot.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Texts::of(ctx, tenant, bot).await?),
        };
        let expected = texts.locate(question)?;
        outcomes.push(ask(ctx, tenant, bot, question, &expected, answers).await?);
        if outcomes.len().is_multiple_of(STRIDE) {
            tracing::info!(asked = outcomes.len(), of = questions.len(), "evaluating");
        }
    }
    Ok(outcomes)
}

/// Where a passage stands.
struct Place {
    source: SourceId,
    /// In characters; `None`: anywhere.
    span: Option<Range<i32>>,
}

impl Place {
    /// Whether a part of a source holds most of the passage.
    fn is_in(&self, source: SourceId, part: &Range<i32>) -> bool {
        source == self.source
            && self.span.as_ref().is_none_or(|span| {
                let shared = part.end.min(span.end) - part.start.max(span.start);
                shared * 2 >= span.end - span.start
            })
    }

    /// Whether a part of a source holds some of it.
    fn touches(&self, source: SourceId, part: &Range<i32>) -> bool {
        let overlaps = |span: &Range<i32>| part.start < span.end && span.start < part.end;
        source == self.source && self.span.as_ref().is_none_or(overlaps)
    }
}

async fn ask(
    ctx: &Context,
    tenant: TenantId,
    bot: &Bot,
    question: &Question,
    expected: &[Place],
    answers: bool,
) -> anyhow::Result<Outcome> {
    let (mut scores, mut candidates) = (BTreeMap::new(), Vec::new());
    for mode in Mode::ALL {
        let query = question.question.clone();
        let request = SearchRequest { bot: bot.id, query, top_k: DEPTH, mode, sources: None };
        let found = search::search(ctx, tenant, &request).await?;
        let places: Vec<Option<usize>> = found
            .hits
            .iter()
            .map(|hit| expected.iter().position(|place| place.is_in(hit.source, &(hit.start..hit.end))))
            .collect();
        scores.insert(mode.as_str(), score::of(&places, expected.len()));
        if mode == Mode::Hybrid {
            candidates = found
                .hits
                .iter()
                .zip(&places)
                .map(|(hit, place)| (place.is_some(), hit.ranking).into())
                .collect();
        }
    }
    let answer = match answers {
        true => Some(conversations::preview(ctx, tenant, bot, &question.question).await?),
        false => None,
    };
    let answer = answer.map(|answer| Answered {
        answered: answer.answered,
        cites_expected: answer.sources.iter().any(|cited| {
            expected.iter().any(|place| place.touches(cited.source_id, &(cited.start..cited.end)))
        }),
        score: answer.sources.iter().map(|cited| cited.score).reduce(f32::max),
        text: answer.text,
    });
    Ok(Outcome {
        id: question.id.clone(),
        kind: question.kind.clone(),
        language: question.language.clone(),
        answerable: !expected.is_empty(),
        scores,
        candidates,
        answer,
    })
}

/// The texts of a bot's sources, by their names.
struct Texts(BTreeMap<String, (SourceId, String)>);

impl Texts {
    async fn of(ctx: &Context, tenant: TenantId, bot: &Bot) -> anyhow::Result<Self> {
        let mut texts = BTreeMap::new();
        let filter = Filter { bot: Some(bot.id), ..Filter::default() };
        for source in sources(ctx, tenant, filter).await? {
            let content = knowledge::get(ctx, tenant, source.id).await?.content.unwrap_or_default();
            texts.insert(source.name, (source.id, content));
        }
        Ok(Self(texts))
    }

    fn locate(&self, question: &Question) -> anyhow::Result<Vec<Place>> {
        question
            .expected
            .iter()
            .map(|expected| self.place(expected).with_context(|| question.id.clone()))
            .collect()
    }

    fn place(&self, expected: &Expected) -> anyhow::Result<Place> {
        let Some((source, content)) = self.0.get(&expected.source) else {
            bail!("the bot has no source {:?}", expected.source);
        };
        let span = match &expected.quote {
            None => None,
            Some(quote) => {
                let begin = content.find(quote.as_str());
                let begin = begin.with_context(|| format!("{} does not say {quote:?}", expected.source))?;
                let before = content.get(..begin).unwrap_or_default().chars().count();
                Some(i32::try_from(before)?..i32::try_from(before + quote.chars().count())?)
            }
        };
        Ok(Place { source: *source, span })
    }
}

/// Every source of a list.
async fn sources(ctx: &Context, tenant: TenantId, filter: Filter) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for page in pages() {
        let page = knowledge::list(ctx, tenant, filter, page).await?;
        let is_last = page.page * page.per_page >= page.total;
        sources.extend(page.items);
        if is_last {
            break;
        }
    }
    Ok(sources)
}

/// The pages of a list, as large as they may be.
fn pages() -> impl Iterator<Item = PageRequest> {
    (1..).map_while(|number| PageRequest::parse(Some(number), Some(100)).ok())
}
