//! Knowledge routes: sources, chunks, files, web sites, upload and search.

use std::time::Duration;

use parlance_core::ids::{BotId, SourceId};
use parlance_core::knowledge::{self, Filter, SourceType};
use parlance_core::{Context, PageNumber, PageSize, Result};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use self::download::Download;
use crate::error::{Adding, Browsing, Changing, Fails, Finding, Listing, Triggering, When, not_found_first};
use crate::extract::fields::{Field, Fields};
use crate::extract::json::JsonBody;
use crate::extract::page;
use crate::extract::path::PathId;
use crate::extract::tenant::{Knowledge, Tenant};
use crate::openapi::Tag;
use crate::response::envelope::{
    Accepted, CreatedOrFound, Deleted, DoneOrAccepted, Found, FoundLarge, Listed,
};

mod download;
pub(crate) mod form_requests;
pub(crate) mod requests;
mod responses;
mod search_response;
mod site_response;

pub(crate) use requests::{CreateSource, ScrapeSite, SearchKnowledge, UpdateSource};
pub(crate) use responses::{Progress, SourceError};

use form_requests::{Body, UploadForm};
use responses::{CreatedSource, Source, SourceChunk, SourceDetails, UpdatedSource, Upload};
use search_response::SearchResults;
use site_response::{Scraped, Scraping, SitePage};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

/// Completes "The 'file' field is required when …".
const UPLOADING: &str = "uploading a file";
const CREATING: &str = "creating a knowledge source";
const UPDATING: &str = "updating a knowledge source";
const SCRAPING: &str = "scraping a website";
const SEARCHING: &str = "searching knowledge";

#[OpenApi(tag = "Tag::Knowledge")]
impl Api {
    /// List knowledge sources
    ///
    /// Retrieve a paginated list of knowledge sources for your tenant's bots, newest first.
    #[oai(path = "/knowledge/sources", method = "get", operation_id = "listKnowledgeSources")]
    async fn list_sources(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// Filter by source type.
        source_type: Query<Field<SourceType>>,
    ) -> Result<Listed<Source>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::parse(&mut fields, page.0, per_page.0);
        let bot = fields.parameter("bot_id", bot_id.0);
        let source_type = fields.parameter("source_type", source_type.0);
        let (page, filter) =
            fields.finish(|| Some((page?, Filter { bot: bot?, source_type: source_type? })))?;
        Ok(Listed::of(knowledge::list(&ctx, tenant.id(), filter, page).await?))
    }

    /// Create knowledge source
    ///
    /// Create a new knowledge source for a bot: from a text or a web site (JSON), or from a file (form). It is
    /// stored at once and processed by a job. If the bot already has the content, the response is 200 with the
    /// existing source.
    #[oai(path = "/knowledge/sources", method = "post", operation_id = "createKnowledgeSource")]
    async fn create_source(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        body: Body<CreateSource>,
    ) -> Result<CreatedOrFound<CreatedSource>, Fails<Adding>> {
        let request = body.parse().when(CREATING)?;
        Ok(knowledge::add(&ctx, tenant.id(), request).await?.into())
    }

    /// Get knowledge source
    ///
    /// Retrieve detailed information about a specific knowledge source including all chunks.
    #[oai(path = "/knowledge/sources/:source_id", method = "get", operation_id = "getKnowledgeSource")]
    async fn get_source(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source.
        source_id: Path<PathId<SourceId>>,
    ) -> Result<FoundLarge<SourceDetails>, Fails<Finding>> {
        let details = knowledge::get(&ctx, tenant.id(), source_id.0.known()?).await?;
        // The chunks repeat the content.
        let bytes = 2 * details.content.as_ref().map_or(0, String::len);
        Ok(FoundLarge::of(&ctx, tenant.id(), bytes, || details.into()).await?)
    }

    /// Update knowledge source
    ///
    /// Rename a knowledge source, or replace its content: a text (JSON) or a file (form), according to its type.
    /// The old content stays searchable until the new content is ready.
    #[oai(path = "/knowledge/sources/:source_id", method = "put", operation_id = "updateKnowledgeSource")]
    async fn update_source(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source to update.
        source_id: Path<PathId<SourceId>>,
        body: Body<UpdateSource>,
    ) -> Result<Found<UpdatedSource>, Fails<Changing>> {
        let source = source_id.0.known()?;
        let changes = body.parse().when(UPDATING);
        let changes = not_found_first(knowledge::get_source(&ctx, tenant.id(), source), changes).await?;
        Ok(Found(UpdatedSource::new(
            "Knowledge source updated successfully",
            knowledge::update(&ctx, tenant.id(), source, changes).await?,
        )))
    }

    /// Delete knowledge source
    ///
    /// Permanently delete a knowledge source and all associated chunks, in any state. Its chunks are no longer
    /// searchable as soon as the response is sent.
    #[oai(path = "/knowledge/sources/:source_id", method = "delete", operation_id = "deleteKnowledgeSource")]
    async fn delete_source(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source to delete.
        source_id: Path<PathId<SourceId>>,
    ) -> Result<Deleted, Fails<Finding>> {
        knowledge::delete(&ctx, tenant.id(), source_id.0.known()?).await?;
        Ok(Deleted("Knowledge source deleted successfully".to_owned()))
    }

    /// List chunks of a knowledge source
    ///
    /// Retrieve a paginated list of the chunks of a knowledge source, in order.
    #[oai(
        path = "/knowledge/sources/:source_id/chunks",
        method = "get",
        operation_id = "listKnowledgeChunks"
    )]
    async fn list_chunks(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source.
        source_id: Path<PathId<SourceId>>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
    ) -> Result<Listed<SourceChunk>, Fails<Browsing>> {
        let source = source_id.0.known()?;
        let page = page::parse_only(page.0, per_page.0).map_err(Into::into);
        let page = not_found_first(knowledge::get_source(&ctx, tenant.id(), source), page).await?;
        Ok(Listed::of(knowledge::list_chunks(&ctx, tenant.id(), source, page).await?))
    }

    /// Download the original
    ///
    /// Download the original content of a knowledge source, unchanged.
    #[oai(
        path = "/knowledge/sources/:source_id/file",
        method = "get",
        operation_id = "downloadKnowledgeFile"
    )]
    async fn download_file(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source.
        source_id: Path<PathId<SourceId>>,
    ) -> Result<Download, Fails<Finding>> {
        Ok(Download(knowledge::download(&ctx, tenant.id(), source_id.0.known()?).await?))
    }

    /// List pages of a web site
    ///
    /// Retrieve a paginated list of the pages found by the last crawl of the web site, in the order of discovery,
    /// with the result of each.
    #[oai(path = "/knowledge/sources/:source_id/pages", method = "get", operation_id = "listSitePages")]
    async fn list_pages(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source.
        source_id: Path<PathId<SourceId>>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
    ) -> Result<Listed<SitePage>, Fails<Browsing>> {
        let source = source_id.0.known()?;
        let page = page::parse_only(page.0, per_page.0).map_err(Into::into);
        let page = not_found_first(knowledge::get_source(&ctx, tenant.id(), source), page).await?;
        Ok(Listed::of(knowledge::crawl::list_pages(&ctx, tenant.id(), source, page).await?))
    }

    /// Refresh knowledge source
    ///
    /// Crawl a web site again. The old content stays searchable until the crawl is complete; unchanged chunks are
    /// not embedded again.
    #[oai(
        path = "/knowledge/sources/:source_id/refresh",
        method = "post",
        operation_id = "refreshKnowledgeSource"
    )]
    async fn refresh_source(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the knowledge source to refresh.
        source_id: Path<PathId<SourceId>>,
    ) -> Result<Accepted<UpdatedSource>, Fails<Triggering>> {
        let source = knowledge::refresh(&ctx, tenant.id(), source_id.0.known()?).await?;
        Ok(Accepted(UpdatedSource::new("Knowledge source refresh started", source)))
    }

    /// Scrape website for knowledge
    ///
    /// Scrape a website or webpage for knowledge base content. The request waits for the result, for at most a
    /// minute; after that, or with `Prefer: respond-async`, the response is 202 with the job that continues. If
    /// the bot already has the site, the response describes the existing source.
    #[oai(path = "/knowledge/scrape", method = "post", operation_id = "scrapeWebsite")]
    async fn scrape_site(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// `respond-async`: do not wait (RFC 7240). Other preferences are ignored.
        #[oai(name = "Prefer")]
        prefer: Header<Field<String>>,
        body: JsonBody<ScrapeSite>,
    ) -> Result<DoneOrAccepted<Scraped, Scraping>, Fails<Adding>> {
        let request = body.0.parse().when(SCRAPING)?;
        // Above the limit of waiting requests, the response is 202 at once.
        let waits = !requests::prefers_async(prefer.0);
        let permit = waits.then(|| ctx.limits().scrape_waits.take(tenant.id()).ok()).flatten();
        let timeout = if permit.is_some() { ctx.config().scrape.wait } else { Duration::ZERO };
        Ok(knowledge::scrape(&ctx, tenant.id(), request, timeout).await?.into())
    }

    /// Search knowledge
    ///
    /// Find the passages of a bot's knowledge that best match a query, ranked by vector similarity, full text or
    /// both. No language model is called.
    #[oai(path = "/knowledge/search", method = "post", operation_id = "searchKnowledge")]
    async fn search_knowledge(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        body: JsonBody<SearchKnowledge>,
    ) -> Result<Found<SearchResults>, Fails<Changing>> {
        let request = body.0.parse().when(SEARCHING)?;
        let _permit = ctx.limits().searches.take(tenant.id())?;
        Ok(Found(SearchResults::of(&request, knowledge::search::search(&ctx, tenant.id(), &request).await?)))
    }

    /// Upload knowledge file
    ///
    /// Upload a file directly for knowledge base processing. The file is stored at once and processed by a job.
    /// If the bot already has the file, the response is 200 with the existing source.
    #[oai(path = "/knowledge/upload", method = "post", operation_id = "uploadKnowledgeFile")]
    async fn upload_file(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        form: UploadForm,
    ) -> Result<CreatedOrFound<Upload>, Fails<Adding>> {
        let request = form.parse().when(UPLOADING)?;
        Ok(knowledge::add(&ctx, tenant.id(), request).await?.into())
    }
}
