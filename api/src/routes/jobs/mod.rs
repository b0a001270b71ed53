//! Job routes: list, get, watch, cancel and retry.

use parlance_core::ids::{BotId, JobId, SourceId};
use parlance_core::jobs::{self, Filter, Kind, State};
use parlance_core::{Context, PageNumber, PageSize, Result, knowledge};
use poem::Request;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use crate::error::{Fails, Finding, Listing, Triggering};
use crate::extract::fields::{Field, Fields};
use crate::extract::page;
use crate::extract::path::PathId;
use crate::extract::tenant::{Knowledge, Tenant};
use crate::middleware::shutdown::Shutdown;
use crate::openapi::Tag;
use crate::response::envelope::{Found, Listed};

mod events;
mod responses;

use events::JobEvents;
use responses::{Job, JobDetails};

#[derive(Clone, Copy, Default)]
pub(crate) struct Api;

#[OpenApi(tag = "Tag::Jobs")]
impl Api {
    /// List jobs
    ///
    /// Retrieve a paginated list of the jobs that process your knowledge, newest first. Failed jobs stay in the
    /// list, with their error, until they are retried or their source is deleted.
    #[oai(path = "/jobs", method = "get", operation_id = "listJobs")]
    #[expect(clippy::too_many_arguments, reason = "the parameters of the operation")]
    async fn list_jobs(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page")]
        page: Query<Field<PageNumber>>,
        /// Items per page.
        #[oai(default = "page::default_per_page")]
        per_page: Query<Field<PageSize>>,
        /// Filter by job kind.
        kind: Query<Field<Kind>>,
        /// Filter by job state.
        state: Query<Field<State>>,
        /// Filter by specific bot.
        bot_id: Query<Field<BotId>>,
        /// Filter by specific knowledge source.
        source_id: Query<Field<SourceId>>,
    ) -> Result<Listed<Job>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::parse(&mut fields, page.0, per_page.0);
        let kind = fields.parameter("kind", kind.0);
        let state = fields.parameter("state", state.0);
        let bot = fields.parameter("bot_id", bot_id.0);
        let source = fields.parameter("source_id", source_id.0);
        let (page, filter) = fields
            .finish(|| Some((page?, Filter { kind: kind?, state: state?, bot: bot?, source: source? })))?;
        Ok(Listed::of(jobs::list(&ctx, tenant.id(), filter, page).await?))
    }

    /// Get job
    ///
    /// Retrieve a job with its queue position, timings and child jobs.
    #[oai(path = "/jobs/:job_id", method = "get", operation_id = "getJob")]
    async fn get_job(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
    ) -> Result<Found<JobDetails>, Fails<Finding>> {
        let job = jobs::get(&ctx, tenant.id(), job_id.0.known()?).await?;
        Ok(Found(JobDetails::of(&ctx, tenant.id(), job).await?))
    }

    /// Watch job
    ///
    /// Follow a job as server-sent events: `state` for each state that it enters and `job` with the complete job
    /// whenever it changes; the stream ends with the job. Each event has an id: a client that reconnects with
    /// the header `Last-Event-ID` receives every state that it missed.
    #[oai(path = "/jobs/:job_id/events", method = "get", operation_id = "watchJob")]
    async fn watch_job(
        &self,
        tenant: Tenant<Knowledge>,
        request: &Request,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
        /// Id of the last event received.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Field<String>>,
    ) -> Result<JobEvents, Fails<Finding>> {
        let permit = ctx.limits().event_streams.take(tenant.id())?;
        let job = jobs::get(&ctx, tenant.id(), job_id.0.known()?).await?;
        // A malformed id is ignored.
        let last = if let Field::Given(last) = last_event_id.0 { last.trim().parse().ok() } else { None };
        Ok(JobEvents::of((*ctx).clone(), Shutdown::of(request), tenant.id(), job.id, last, permit))
    }

    /// Cancel job
    ///
    /// Cancel a job and every other job of the same version of its knowledge source. A running job stops within
    /// two seconds. The previous version of the source stays searchable.
    #[oai(path = "/jobs/:job_id/cancel", method = "post", operation_id = "cancelJob")]
    async fn cancel_job(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
    ) -> Result<Found<Job>, Fails<Triggering>> {
        Ok(Found(knowledge::cancel_job(&ctx, tenant.id(), job_id.0.known()?).await?.into()))
    }

    /// Retry job
    ///
    /// Retry a failed or cancelled job and every other one of the same version of its knowledge source. Completed
    /// work is not repeated.
    #[oai(path = "/jobs/:job_id/retry", method = "post", operation_id = "retryJob")]
    async fn retry_job(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
    ) -> Result<Found<Job>, Fails<Triggering>> {
        Ok(Found(knowledge::retry_job(&ctx, tenant.id(), job_id.0.known()?).await?.into()))
    }
}
