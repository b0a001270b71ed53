//! Adding a source: the original is stored, the source and its first job are written, and the answer is
//! given. The work is the workers'; the original is safe from here on, even while Redis is down.

use super::crawl::CrawlSite;
use super::ingest::ExtractFile;
use super::original::{File, NAME_LENGTH, Original};
use super::site::{self, Site};
use super::{Source, SourceType, get_source, store};
use crate::bots;
use crate::context::Context;
use crate::error::{Error, Problem, Result, Thing};
use crate::ids::{BotId, SourceId, TenantId};
use crate::input::{Collect, required, required_id, required_text};
use crate::jobs::{self, About, Kind};

/// A source to be made, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct RawSource {
    /// A bot's id.
    pub bot_id: Option<String>,
    /// 1 to 255 characters.
    pub name: Option<String>,
    /// A [`SourceType`].
    pub source_type: Option<String>,
    /// The text, for the type `text`.
    pub content: Option<String>,
    /// The address, for the type `url`.
    pub url: Option<String>,
    /// Whether pages below the address are read too.
    pub include_subpages: Option<bool>,
    /// 1 to 20.
    pub max_pages: Option<i64>,
    /// The files that came with it, for the type `file`: one.
    pub files: Vec<File>,
}

/// A source to be made, with everything checked.
#[derive(Clone, Debug)]
pub struct SourceRequest {
    bot: BotId,
    original: Original,
}

/// What came of adding a source.
#[derive(Clone, Debug)]
pub struct Added {
    /// The source.
    pub source: Source,
    /// Whether the bot had the same content already, so that nothing was done.
    pub duplicate: bool,
}

impl SourceRequest {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields;
    /// [`Error::TooLarge`].
    pub fn parse(raw: RawSource) -> Result<Self> {
        let mut problems = Vec::new();
        let bot = problems.take(required_id("bot_id", "a bot", raw.bot_id.as_deref()));
        let name = problems.take(required_text("name", raw.name, NAME_LENGTH));
        let source_type = problems.take(required("source_type", raw.source_type));
        if source_type != Some(SourceType::Url) {
            problems.take(site::check_unused(raw.url.clone(), raw.max_pages));
        }
        let original = match source_type {
            Some(SourceType::File) => {
                problems.too_large_or(one_file(raw.files).and_then(Original::of_file))?
            }
            Some(SourceType::Text) => {
                let text = raw.content.ok_or_else(|| Error::Invalid(vec![Problem::missing("content")]));
                let text = text.and_then(Original::of_text);
                problems.too_large_or(text)?
            }
            Some(SourceType::Url) => problems
                .take(Site::parse(raw.url, raw.include_subpages, raw.max_pages))
                .map(Original::of_site),
            None => None,
        };
        match (bot, name, original) {
            (Some(bot), Some(name), Some(original)) if problems.is_empty() => {
                Ok(Self { bot, original: Original { name, ..original } })
            }
            _ => Err(Error::Invalid(problems)),
        }
    }

    /// A file for a bot, under its own name.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong; [`Error::TooLarge`].
    pub fn of_upload(bot_id: Option<&str>, files: Vec<File>) -> Result<Self> {
        let mut problems = Vec::new();
        let bot = problems.take(required_id("bot_id", "a bot", bot_id));
        let original = problems.too_large_or(one_file(files).and_then(Original::of_file))?;
        match (bot, original) {
            (Some(bot), Some(original)) => Ok(Self { bot, original }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

impl SourceRequest {
    /// A web site for a bot, under its own address.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong.
    pub fn of_site(
        bot_id: Option<&str>,
        url: Option<String>,
        include_subpages: Option<bool>,
        max_pages: Option<i64>,
    ) -> Result<Self> {
        let mut problems = Vec::new();
        let bot = problems.take(required_id("bot_id", "a bot", bot_id));
        let site = problems.take(Site::parse(url, include_subpages, max_pages));
        match (bot, site) {
            (Some(bot), Some(site)) => Ok(Self { bot, original: Original::of_site(site) }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// That a thing is too large is told alone, and at once.
trait TooLargeOr: Collect {
    fn too_large_or<T>(&mut self, parsed: Result<T>) -> Result<Option<T>> {
        match parsed {
            Err(error @ Error::TooLarge { .. }) => Err(error),
            parsed => Ok(self.take(parsed)),
        }
    }
}

impl TooLargeOr for Vec<Problem> {}

pub(super) fn one_file(mut files: Vec<File>) -> Result<File> {
    let file = files.pop().ok_or_else(|| Error::Invalid(vec![Problem::missing("file")]))?;
    if files.is_empty() {
        Ok(file)
    } else {
        Err(Error::invalid("file", "The 'file' field must hold one file"))
    }
}

/// Adds a source to a bot. The same content again gives the source that is there.
///
/// # Errors
/// [`Error::NotFound`] without such a bot.
pub async fn add(ctx: &Context, tenant: TenantId, request: SourceRequest) -> Result<Added> {
    let SourceRequest { bot, original } = request;
    if let Some(site) = &original.site {
        let refused = |refusal| Error::invalid("url", format!("The 'url' field cannot be read: {refusal}"));
        ctx.door().check(&site.url).map_err(refused)?;
    }
    let bot = bots::get(ctx, tenant, bot).await?.id;
    if let Some(existing) = existing(ctx, tenant, bot, &original).await? {
        return Ok(existing);
    }
    let id = SourceId::fresh();
    let blob_key = original.store(ctx, tenant, id).await?;
    if !insert(ctx, tenant, bot, id, &original, blob_key.as_deref()).await? {
        // Another request with the same content won; its source is the one.
        if let Some(blob_key) = &blob_key {
            ctx.blob().delete(blob_key).await?;
        }
        return existing(ctx, tenant, bot, &original).await?.ok_or(Error::NotFound(Thing::Source));
    }
    jobs::dispatch::nudge(ctx, if original.site.is_some() { Kind::Scrape } else { Kind::Upload });
    Ok(Added { source: get_source(ctx, tenant, id).await?, duplicate: false })
}

/// Adds a file to a bot, without going through the fields of a request.
///
/// # Errors
/// As [`add`] and [`SourceRequest::of_upload`].
pub async fn upload(ctx: &Context, tenant: TenantId, bot: BotId, file: File) -> Result<Added> {
    add(ctx, tenant, SourceRequest { bot, original: Original::of_file(file)? }).await
}

async fn existing(ctx: &Context, tenant: TenantId, bot: BotId, original: &Original) -> Result<Option<Added>> {
    let found = store::find_by_content(&mut *ctx.db().of(tenant).await?, tenant, bot, &original.hash).await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Added { source: get_source(ctx, tenant, found).await?, duplicate: true }))
}

/// False when the bot has the same content already.
async fn insert(
    ctx: &Context,
    tenant: TenantId,
    bot: BotId,
    source: SourceId,
    original: &Original,
    blob_key: Option<&str>,
) -> Result<bool> {
    let mut tx = ctx.db().begin(tenant).await?;
    if !store::insert_source(&mut *tx, tenant, bot, source, original).await? {
        return Ok(false);
    }
    store::insert_version(&mut *tx, tenant, source, 1, blob_key).await?;
    let about = About { tenant, bot: Some(bot), source: Some((source, 1)), parent: None };
    let job = match &original.site {
        Some(_) => jobs::enqueue(ctx, &mut tx, about, &CrawlSite { source, version: 1 }).await?,
        None => jobs::enqueue(ctx, &mut tx, about, &ExtractFile { source, version: 1 }).await?,
    };
    store::set_job(&mut *tx, tenant, source, job).await?;
    tx.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(raw: RawSource) -> Vec<&'static str> {
        let Err(Error::Invalid(problems)) = SourceRequest::parse(raw) else { panic!() };
        problems.iter().map(|problem| problem.field).collect()
    }

    fn raw(source_type: &str) -> RawSource {
        RawSource {
            bot_id: Some(BotId::fresh().to_string()),
            name: Some("A".into()),
            source_type: Some(source_type.into()),
            ..RawSource::default()
        }
    }

    #[test]
    fn each_type_needs_its_own() {
        assert_eq!(fields(RawSource::default()), ["bot_id", "name", "source_type"]);
        assert_eq!(fields(raw("text")), ["content"]);
        assert_eq!(fields(raw("file")), ["file"]);
        assert_eq!(fields(raw("url")), ["url"]);
        let site = RawSource { url: Some("https://a.example".into()), max_pages: Some(21), ..raw("url") };
        assert_eq!(fields(site), ["max_pages"]);
        assert_eq!(fields(raw("film")), ["source_type"]);
        assert_eq!(fields(RawSource { content: Some(" ".into()), ..raw("text") }), ["content"]);
    }

    #[test]
    fn everything_wrong_with_an_upload_is_told_at_once() {
        let file = |name: &str| File { name: name.into(), bytes: "a".into() };
        for (bot, files, wrong) in [
            (None, vec![], vec!["bot_id", "file"]),
            (Some("x"), vec![file("a.exe")], vec!["bot_id", "file"]),
            (Some(" "), vec![file("a.md"), file("b.md")], vec!["bot_id", "file"]),
        ] {
            let Err(Error::Invalid(problems)) = SourceRequest::of_upload(bot, files) else { panic!() };
            assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), wrong);
        }
    }
}
