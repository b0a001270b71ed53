//! Changing a source: another name, or new content as a new version. The old version answers until the
//! new one is complete.

use super::add::one_file;
use super::crawl::CrawlSite;
use super::ingest::ExtractFile;
use super::original::{File, NAME_LENGTH, Original};
use super::{Source, SourceType, get_source, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::ids::{SourceId, TenantId};
use crate::input::{Collect, changed_text, not_null, nothing_to_change};
use crate::jobs::{self, About, Kind, Subject};

/// What is to be changed of a source, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct RawSourceChanges {
    /// 1 to 255 characters.
    pub name: Option<Option<String>>,
    /// The new text, of a source of the type `text`.
    pub content: Option<Option<String>>,
    /// The new file, of a source of the type `file`: one.
    pub files: Vec<File>,
}

/// What is to be changed of a source, with everything checked but whether it fits the source.
#[derive(Clone, Debug)]
pub struct SourceChanges {
    name: Option<String>,
    original: Option<Original>,
}

impl SourceChanges {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong, in the order of the fields, or because there is
    /// nothing to change; [`Error::TooLarge`].
    pub fn parse(raw: RawSourceChanges) -> Result<Self> {
        let mut problems = Vec::new();
        let name = problems.take(changed_text("name", raw.name, NAME_LENGTH));
        let text = problems.take(not_null("content", raw.content)).flatten();
        let original = match (text, raw.files.is_empty()) {
            (Some(_), false) => Err(Error::invalid("file", "Send the 'content' field or the 'file' field")),
            (Some(text), true) => Original::of_text(text).map(Some),
            (None, false) => one_file(raw.files).and_then(Original::of_file).map(Some),
            (None, true) => Ok(None),
        };
        let original = match original {
            Err(error @ Error::TooLarge { .. }) => return Err(error),
            original => problems.take(original),
        };
        match (name, original) {
            (Some(None), Some(None)) if problems.is_empty() => Err(nothing_to_change()),
            (Some(name), Some(original)) if problems.is_empty() => Ok(Self { name, original }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// Changes a source. The same content again is no new version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source; [`Error::Conflict`] when it is made from
/// something else, or another source of the bot has this content.
pub async fn update(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    changes: SourceChanges,
) -> Result<Source> {
    let found = get_source(ctx, tenant, source).await?;
    if let Some(original) = &changes.original {
        fits(&found, original)?;
    }
    let blob_key = match &changes.original {
        Some(original) => original.store(ctx, tenant, source).await?,
        None => None,
    };
    let changed = write(ctx, tenant, &found, &changes, blob_key.as_deref()).await;
    if let (Some(key), Err(_) | Ok(false)) = (&blob_key, &changed) {
        // No version came of it.
        ctx.blob().delete(key).await?;
    }
    if changed? {
        jobs::dispatch::nudge(ctx, Kind::Upload);
    }
    get_source(ctx, tenant, source).await
}

fn fits(source: &Source, original: &Original) -> Result<()> {
    match (source.source_type, original.source_type) {
        (SourceType::File, SourceType::Text) => {
            Err(other_type("The knowledge source is made from a file: send the 'file' field"))
        }
        (SourceType::Text, SourceType::File) => {
            Err(other_type("The knowledge source is made from a text: send the 'content' field"))
        }
        (SourceType::Url, _) => {
            Err(other_type("The knowledge source is made from a web site: refresh it, or make another"))
        }
        _ => Ok(()),
    }
}

fn other_type(message: &str) -> Error {
    Error::Conflict { code: "source_type_mismatch", message: message.to_owned() }
}

/// Whether there is a new version.
async fn write(
    ctx: &Context,
    tenant: TenantId,
    found: &Source,
    changes: &SourceChanges,
    blob_key: Option<&str>,
) -> Result<bool> {
    let source = found.id;
    let mut tx = ctx.db().begin(tenant).await?;
    let live = jobs::hold(&mut tx, tenant, Subject::Source(source)).await?;
    if let Some(name) = &changes.name {
        store::rename(&mut *tx, tenant, source, name).await?;
    }
    let (Some(original), Some(blob_key)) = (&changes.original, blob_key) else {
        tx.commit().await?;
        return Ok(false);
    };
    let current = store::lock_content(&mut *tx, tenant, source).await?;
    let current = current.ok_or(Error::NotFound(Thing::Source))?;
    if current.is_wanted && current.hash == original.hash {
        tx.commit().await?;
        return Ok(false);
    }
    let version = current.version + 1;
    store::begin_version(&mut *tx, tenant, source, version, original).await.map_err(duplicate)?;
    store::insert_version(&mut *tx, tenant, source, version, Some(blob_key)).await?;
    jobs::cancel(&mut tx, tenant, &live).await?;
    let about = About { tenant, bot: Some(found.bot_id), source: Some((source, version)), parent: None };
    let job = jobs::enqueue(ctx, &mut tx, about, &ExtractFile { source, version }).await?;
    store::set_job(&mut *tx, tenant, source, job).await?;
    tx.commit().await?;
    Ok(true)
}

/// Crawls a web site again, as a new version. The old one answers until the new one is complete.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source; [`Error::Conflict`] when it is no web site.
pub async fn refresh(ctx: &Context, tenant: TenantId, source: SourceId) -> Result<Source> {
    let found = get_source(ctx, tenant, source).await?;
    if found.source_type != SourceType::Url {
        return Err(Error::Conflict {
            code: "source_type_mismatch",
            message: "Only a knowledge source that is made from a web site can be refreshed".to_owned(),
        });
    }
    begin_crawl(ctx, tenant, &found).await?;
    jobs::dispatch::nudge(ctx, Kind::Scrape);
    get_source(ctx, tenant, source).await
}

/// Begins another crawl of a web site, as a new version; one that runs is stopped.
async fn begin_crawl(ctx: &Context, tenant: TenantId, found: &Source) -> Result<()> {
    let source = found.id;
    let mut tx = ctx.db().begin(tenant).await?;
    let live = jobs::hold(&mut tx, tenant, Subject::Source(source)).await?;
    let current = store::lock_content(&mut *tx, tenant, source).await?;
    let version = current.ok_or(Error::NotFound(Thing::Source))?.version + 1;
    store::begin_refresh(&mut *tx, tenant, source, version).await.map_err(duplicate)?;
    store::insert_version(&mut *tx, tenant, source, version, None).await?;
    jobs::cancel(&mut tx, tenant, &live).await?;
    let about = About { tenant, bot: Some(found.bot_id), source: Some((source, version)), parent: None };
    let job = jobs::enqueue(ctx, &mut tx, about, &CrawlSite { source, version }).await?;
    store::set_job(&mut *tx, tenant, source, job).await?;
    Ok(tx.commit().await?)
}

/// The constraint speaks: a bot has a content once.
pub(super) fn duplicate(error: sqlx::Error) -> Error {
    let taken =
        error.as_database_error().is_some_and(|cause| cause.constraint() == Some("source_content_key"));
    if taken {
        return Error::Conflict {
            code: "duplicate_content",
            message: "Another knowledge source of the bot has this content already".to_owned(),
        };
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_must_change_something_and_only_one_way() {
        let parse = |raw| SourceChanges::parse(raw);
        assert!(parse(RawSourceChanges::default()).is_err());
        let named = RawSourceChanges { name: Some(Some(" A ".into())), ..RawSourceChanges::default() };
        assert_eq!(parse(named.clone()).unwrap().name.as_deref(), Some("A"));
        let file = File { name: "a.md".into(), bytes: "a".into() };
        let both = RawSourceChanges { content: Some(Some("a".into())), files: vec![file], ..named };
        assert!(parse(both).is_err());
        assert!(parse(RawSourceChanges { name: Some(None), ..RawSourceChanges::default() }).is_err());
    }
}
