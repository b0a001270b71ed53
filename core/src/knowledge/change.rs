//! Changing a source: a new name, or new content as a new version.
//!
//! The old version stays live until the new one is complete.

use super::crawl::CrawlSite;
use super::ingest::ExtractFile;
use super::original::{self, Hashed, Original};
use super::{PREVIEW_LENGTH, Source, SourceType, get_source, store};
use crate::context::Context;
use crate::error::{Error, Result, Thing};
use crate::field::{Name, nothing_to_change};
use crate::ids::{SourceId, TenantId};
use crate::jobs::{self, About, Kind, Subject};
use crate::tenants::quota::{self, Growth};

/// Changes to a source. `None` keeps a field.
#[derive(Clone, Debug, Default)]
pub struct SourceChanges {
    /// The new name.
    pub name: Option<Name>,
    /// The new content.
    pub original: Option<Original>,
}

impl SourceChanges {
    /// Returns the changes unless they are empty. [`update`] checks that the content matches the source type.
    ///
    /// # Errors
    /// [`Error::Invalid`] when every field is `None`.
    pub fn not_empty(self) -> Result<Self> {
        if self.name.is_none() && self.original.is_none() { Err(nothing_to_change()) } else { Ok(self) }
    }
}

/// Changes a source. Unchanged content creates no new version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source; [`Error::Conflict`] when the content has another type than
/// the source, or another source of the bot has the same content; [`Error::LimitReached`] when the plan has no room for
/// both the new content and the old, which is kept until the new is ready.
pub async fn update(
    ctx: &Context,
    tenant: TenantId,
    source: SourceId,
    changes: SourceChanges,
) -> Result<Source> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let found = store::find_source(&mut *db, tenant, source, PREVIEW_LENGTH).await?;
    drop(db);
    let found = found.ok_or(Error::NotFound(Thing::Source))?;
    let SourceChanges { name, original } = changes;
    let (mut hashed, mut blob_key) = (None, None);
    if let Some(original) = original {
        check_type(&found, &original)?;
        let original = original.hashed(ctx, tenant).await?;
        check_room(ctx, tenant, &found, &original).await?;
        blob_key = original.store(ctx, tenant, source).await?;
        hashed = Some(original);
    }
    let stored = hashed.as_ref().zip(blob_key.as_deref());
    let changed = write(ctx, tenant, &found, name.as_ref(), stored).await;
    if let (Some(key), Err(_) | Ok(false)) = (blob_key, &changed) {
        original::delete_unused(ctx, tenant, source, key).await;
    }
    if changed? {
        jobs::dispatch::nudge(ctx, Kind::Upload);
    }
    get_source(ctx, tenant, source).await
}

/// Checks that new content fits the plan. Unchanged content always fits.
async fn check_room(ctx: &Context, tenant: TenantId, found: &Source, original: &Hashed) -> Result<()> {
    let mut db = ctx.db().for_tenant(tenant).await?;
    let room = quota::check_growth(&mut db, tenant, growth(original)).await;
    if room.is_err()
        && store::find_by_content(&mut *db, tenant, found.bot_id, &original.hash).await? == Some(found.id)
    {
        return Ok(());
    }
    room
}

fn growth(original: &Original) -> Growth {
    Growth::of_bytes(original.bytes.len())
}

fn check_type(source: &Source, original: &Original) -> Result<()> {
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

/// Writes the changes. Returns whether they created a new version.
async fn write(
    ctx: &Context,
    tenant: TenantId,
    found: &Source,
    name: Option<&Name>,
    stored: Option<(&Hashed, &str)>,
) -> Result<bool> {
    let source = found.id;
    let mut tx = ctx.db().begin(tenant).await?;
    let live = jobs::hold(&mut tx, tenant, Subject::Source(source)).await?;
    if let Some(name) = name {
        store::rename(&mut **tx, tenant, source, name).await?;
    }
    let Some((original, blob_key)) = stored else {
        tx.commit().await?;
        return Ok(false);
    };
    let current = store::lock_content(&mut **tx, tenant, source).await?;
    let current = current.ok_or(Error::NotFound(Thing::Source))?;
    if current.is_wanted && current.hash == original.hash {
        tx.commit().await?;
        return Ok(false);
    }
    let version = current.version + 1;
    store::begin_version(&mut **tx, tenant, source, version, original).await.map_err(duplicate)?;
    store::insert_version(&mut **tx, tenant, source, version, Some(blob_key)).await?;
    jobs::cancel(&mut tx, tenant, &live).await?;
    let about = About { tenant, bot: Some(found.bot_id), source: Some((source, version)), parent: None };
    let job = jobs::enqueue(ctx, &mut tx, about, &ExtractFile { source, version }).await?;
    store::set_job(&mut **tx, tenant, source, job).await?;
    quota::hold_growth(&mut tx, tenant, growth(original)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Crawls a web site again as a new version. The old version stays live until the new one is complete.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such source; [`Error::Conflict`] when it is not a web site.
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

/// Starts a crawl of a web site as a new version and cancels a running one.
async fn begin_crawl(ctx: &Context, tenant: TenantId, found: &Source) -> Result<()> {
    let source = found.id;
    let mut tx = ctx.db().begin(tenant).await?;
    let live = jobs::hold(&mut tx, tenant, Subject::Source(source)).await?;
    let current = store::lock_content(&mut **tx, tenant, source).await?;
    let version = current.ok_or(Error::NotFound(Thing::Source))?.version + 1;
    store::begin_refresh(&mut **tx, tenant, source, version).await.map_err(duplicate)?;
    store::insert_version(&mut **tx, tenant, source, version, None).await?;
    jobs::cancel(&mut tx, tenant, &live).await?;
    let about = About { tenant, bot: Some(found.bot_id), source: Some((source, version)), parent: None };
    let job = jobs::enqueue(ctx, &mut tx, about, &CrawlSite { source, version }).await?;
    store::set_job(&mut **tx, tenant, source, job).await?;
    Ok(tx.commit().await?)
}

/// Maps a violation of `source_content_key` to a conflict: a bot has each content once.
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
    fn empty_changes_are_rejected() {
        assert!(SourceChanges::default().not_empty().is_err());
        let renamed = SourceChanges { name: Some("A".parse().unwrap()), original: None };
        assert!(renamed.not_empty().is_ok());
    }
}
