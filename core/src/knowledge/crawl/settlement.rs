//! Settlement of pages and of a crawl: stored outcomes, duplicates, and the joined text of all pages.

use super::page::{Cause, Fetched, Outcome, PageState, PageTask};
use super::{Crawl, CrawlSite, KNOWN_PER_PAGE, order, repeated, sameness};
use crate::context::Context;
use crate::error::{Error, Limit, Result};
use crate::ids::TenantId;
use crate::jobs::{self, Claim, Kind, State};
use crate::knowledge::chunk::Markup;
use crate::knowledge::ingest::{ChunkText, following, hold_growth};
use crate::knowledge::store::{self, PageText};

/// Result of settling a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Settled without an equal text: fetched, skipped, failed or postponed.
    AsItIs,
    /// Skipped: the same text was read at this URL, without a redirect to it.
    SameText(String),
    /// Failed: the text exceeds the plan. The crawl ends.
    NoRoom,
}

/// Records the outcome of a page.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now.
pub async fn settle_page(
    ctx: &Context,
    claim: &Claim,
    job: &CrawlSite,
    crawl: &Crawl,
    page: &PageTask,
    outcome: &Outcome,
) -> Result<Settled> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    let mut settled = Settled::AsItIs;
    let links = match outcome {
        Outcome::Fetched(fetched) => {
            settled = keep_or_skip(&mut tx, tenant, job, page, fetched).await?;
            // Even a duplicate may contain other links.
            if settled == Settled::NoRoom { &Vec::new() } else { &fetched.links }
        }
        Outcome::Skipped(cause, links) => {
            store::settle_page(&mut **tx, tenant, job, page.ordinal, PageState::Skipped, cause).await?;
            links
        }
        Outcome::Failed(cause, links) => {
            store::settle_page(&mut **tx, tenant, job, page.ordinal, PageState::Failed, cause).await?;
            links
        }
        Outcome::RetryLater(after, cause) => {
            store::postpone_page(&mut **tx, tenant, job, page.ordinal, *after, cause).await?;
            &Vec::new()
        }
    };
    if !links.is_empty() {
        let known = store::list_known_pages(&mut **tx, tenant, job).await?;
        let links = order::thin_out(&known, links, crawl.max_pages);
        store::insert_pages(&mut **tx, tenant, job, &links, crawl.max_pages * KNOWN_PER_PAGE).await?;
    }
    tx.commit().await?;
    Ok(settled)
}

/// Stores a fetched page, or skips it if it was read under another URL.
async fn keep_or_skip(
    tx: &mut sqlx::PgTransaction<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    page: &PageTask,
    fetched: &Fetched,
) -> Result<Settled> {
    let hash = sameness::hash(&fetched.text);
    let mut settled = Settled::AsItIs;
    let mut duplicate =
        store::find_duplicate_page(&mut **tx, tenant, job, page.ordinal, &fetched.aliases).await?;
    if duplicate.is_none() {
        duplicate = store::find_same_text(&mut **tx, tenant, job, page.ordinal, &hash).await?;
        if duplicate.is_none() {
            let related = store::list_canonical_texts(&mut **tx, tenant, job, page.ordinal, fetched).await?;
            let same = related.into_iter().find(|(_, text)| sameness::is_nearly_equal(text, &fetched.text));
            duplicate = same.map(|(url, _)| url);
        }
        settled = duplicate.clone().map_or(Settled::AsItIs, Settled::SameText);
    }
    match duplicate {
        Some(url) => {
            let cause = Cause::new("duplicate", format!("The same page was read at {url}."));
            store::settle_page(&mut **tx, tenant, job, page.ordinal, PageState::Skipped, &cause).await?;
        }
        None => {
            match hold_growth(tx, tenant, job.source, fetched.text.len()).await {
                Err(Error::LimitReached(limit)) => {
                    end_crawl(tx, tenant, job, page, limit).await?;
                    return Ok(Settled::NoRoom);
                }
                admitted => admitted?,
            }
            store::keep_page(&mut **tx, tenant, job, page.ordinal, fetched, &hash).await?;
            store::skip_aliases(&mut **tx, tenant, job, page, &fetched.aliases).await?;
        }
    }
    Ok(settled)
}

/// Ends a crawl that exceeds the plan: this page fails, and the queued pages are skipped. The pages read so far become
/// the source's text.
async fn end_crawl(
    tx: &mut sqlx::PgTransaction<'_>,
    tenant: TenantId,
    job: &CrawlSite,
    page: &PageTask,
    limit: Limit,
) -> Result<()> {
    let cause = Cause::new(limit.code(), format!("{}. {}.", limit.problem(), limit.remedy()));
    store::settle_page(&mut **tx, tenant, job, page.ordinal, PageState::Failed, &cause).await?;
    Ok(store::skip_queued_pages(&mut **tx, tenant, job, &cause).await?)
}

/// Notes that pages are missing because they exceed the plan.
async fn note_missing_pages(
    tx: &mut sqlx::PgTransaction<'_>,
    tenant: TenantId,
    job: &CrawlSite,
) -> Result<()> {
    let limit = Limit::Storage;
    if store::has_page_with(&mut **tx, tenant, job, limit.code()).await? {
        let note = format!("Pages are missing. {}. {}.", limit.problem(), limit.remedy());
        store::add_note(&mut **tx, tenant, job, &note).await?;
    }
    Ok(())
}

/// End of a crawl's fetching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All pages have an outcome, or the page limit is reached.
    Complete,
    /// The time limit is reached. The remaining pages fail.
    TimedOut,
    /// The site answered too slowly for too long. The remaining pages fail.
    SiteTooSlow,
}

impl Ended {
    /// The cause of the failure of the remaining pages.
    fn cause(self) -> Option<Cause> {
        match self {
            Self::Complete => None,
            Self::TimedOut => {
                let message = "The crawl took too long; refresh the source to try again.";
                Some(Cause::new("crawl_timeout", message))
            }
            Self::SiteTooSlow => Some(Cause::site_too_slow()),
        }
    }
}

/// Completes a crawl: joins the page texts and enqueues chunking. No connection is held while the texts are joined.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the job now; [`Error::Rejected`] when no page was fetched,
/// with the cause of the first; [`Error::LimitReached`] when the plan had room for none.
pub async fn settle(ctx: &Context, claim: &Claim, job: &CrawlSite, ended: Ended) -> Result<()> {
    let tenant = claim.about.tenant;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::hold_claim(&mut tx, claim).await?;
    store::close_pages(&mut **tx, tenant, job, ended.cause().as_ref()).await?;
    let mut pages = store::list_page_texts(&mut **tx, tenant, job).await?;
    let failure = match pages.is_empty() {
        true if store::has_page_with(&mut **tx, tenant, job, Limit::Storage.code()).await? => {
            Some(Error::LimitReached(Limit::Storage))
        }
        true => Some(failed(store::find_first_cause(&mut **tx, tenant, job).await?)),
        false => None,
    };
    // Keep the page outcomes even if the crawl failed.
    tx.commit().await?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let (text, starts) = tokio::task::spawn_blocking(move || {
        remove_repeated(&mut pages);
        joined(pages)
    })
    .await
    .map_err(|error| Error::internal("the pages could not be joined", error))?;
    let mut tx = ctx.db().begin(tenant).await?;
    jobs::succeed(&mut tx, claim).await?;
    store::set_page_starts(&mut **tx, tenant, job, &starts).await?;
    store::set_site_text(&mut **tx, tenant, job, &text).await?;
    note_missing_pages(&mut tx, tenant, job).await?;
    let next = ChunkText { source: job.source, version: job.version };
    jobs::enqueue(ctx, &mut tx, following(claim), &next).await?;
    tx.commit().await?;
    jobs::announce(ctx, claim, State::Succeeded);
    jobs::dispatch::nudge(ctx, Kind::Chunk);
    Ok(())
}

/// Removes repeated blocks from all pages but the first. Only Markdown is compared: plain texts and records
/// have no blocks.
fn remove_repeated(pages: &mut [PageText]) {
    let is_compared = |page: &&mut PageText| page.markup == Markup::Markdown;
    let mut texts: Vec<String> =
        pages.iter_mut().filter(is_compared).map(|page| std::mem::take(&mut page.text)).collect();
    repeated::keep_once(&mut texts);
    for (page, text) in pages.iter_mut().filter(is_compared).zip(texts) {
        page.text = text;
    }
}

/// Joins the texts with blank lines. Returns the text and each page's start offset in characters.
fn joined(pages: Vec<PageText>) -> (String, Vec<(i32, i32)>) {
    let (mut text, mut starts, mut characters) = (String::new(), Vec::new(), 0_usize);
    for PageText { ordinal, text: page, .. } in pages {
        if !text.is_empty() {
            text.push_str("\n\n");
            characters += 2;
        }
        starts.push((ordinal, i32::try_from(characters).unwrap_or(i32::MAX)));
        characters += page.chars().count();
        text.push_str(&page);
    }
    (text, starts)
}

fn failed(first: Option<Cause>) -> Error {
    let Some(cause) = first else {
        return Error::rejected("no_pages", "No page could be read.");
    };
    let code = match cause.reason.as_str() {
        "robots" => "robots",
        "blocked_by_site" => "blocked_by_site",
        "address_refused" => "address_refused",
        "timeout" | "crawl_timeout" | "site_too_slow" => "timeout",
        "empty" => "empty",
        "unsupported_type" => "unsupported_type",
        _ => "unreachable",
    };
    Error::rejected(code, format!("No page could be read. {}", cause.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ordinal: i32, text: &str) -> PageText {
        PageText { ordinal, text: text.to_owned(), markup: Markup::Markdown }
    }

    #[test]
    fn page_texts_are_joined_with_their_offsets() {
        let (text, starts) = joined(vec![page(1, "Größe"), page(4, "zwei")]);
        assert_eq!(text, "Größe\n\nzwei");
        assert_eq!(starts, [(1, 0), (4, 7)]);
        assert_eq!(text.chars().skip(7).collect::<String>(), "zwei");
    }

    #[test]
    fn an_empty_crawl_reports_the_first_pages_cause() {
        let code = |reason: &str| match failed(Some(Cause::new(reason, "So it is."))) {
            Error::Rejected { code, message } => (code, message),
            other => panic!("{other:?}"),
        };
        assert_eq!(code("blocked_by_site").0, "blocked_by_site");
        assert_eq!(code("http_404"), ("unreachable", "No page could be read. So it is.".to_owned()));
    }
}
