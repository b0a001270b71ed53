//! Jobs: list, look at, watch, stop, try again.

use parlance_core::ids::{BotId, JobId, SourceId};
use parlance_core::jobs::{self, Filter, Kind, State};
use parlance_core::{Context, Result, knowledge};
use poem::Request;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use crate::error::{Fails, Finding, Listing, Steering};
use crate::extract::enums::Word;
use crate::extract::fields::{Field, Fields};
use crate::extract::page;
use crate::extract::tenant::{Knowledge, Tenant};
use crate::extract::types::{Id, PathId};
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
    /// Retrieve a paginated list of the jobs that make your knowledge ready, newest first. Jobs that failed
    /// for good stay in the list, with their cause, until they are tried again or their source is deleted.
    #[oai(path = "/jobs", method = "get", operation_id = "listJobs")]
    #[expect(clippy::too_many_arguments, reason = "the parameters of the operation")]
    async fn list_jobs(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Page number.
        #[oai(default = "page::default_page", validator(minimum(value = "1")))]
        page: Query<Field<i64>>,
        /// Items per page.
        #[oai(default = "page::default_per_page", validator(minimum(value = "1"), maximum(value = "100")))]
        per_page: Query<Field<i64>>,
        /// Filter by what the job does.
        kind: Query<Field<Word<Kind>>>,
        /// Filter by where the job stands.
        state: Query<Field<Word<State>>>,
        /// Filter by specific bot.
        bot_id: Query<Field<Id>>,
        /// Filter by specific knowledge source.
        source_id: Query<Field<Id>>,
    ) -> Result<Listed<Job>, Fails<Listing>> {
        let mut fields = Fields::of_query();
        let page = page::parse(&mut fields, page.0, per_page.0);
        let filter = Filter {
            kind: fields.word("kind", kind.0),
            state: fields.word("state", state.0),
            bot: fields.id::<BotId>("bot_id", "a bot", bot_id.0),
            source: fields.id::<SourceId>("source_id", "a knowledge source", source_id.0),
        };
        let page = fields.check(page)?;
        Ok(Listed::of(jobs::list(&ctx, tenant.id(), filter, page).await?))
    }

    /// Get job
    ///
    /// Retrieve a job with its place in the queue, its times, and the jobs that followed from it.
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
    /// Follow a job as server-sent events: `state` for each state that it enters and `job` with all that is
    /// known of it, whenever that changes; the stream ends with the job. Each event has an id: a client that
    /// comes back with the header `Last-Event-ID` is told every state that it missed.
    #[oai(path = "/jobs/:job_id/events", method = "get", operation_id = "watchJob")]
    async fn watch_job(
        &self,
        tenant: Tenant<Knowledge>,
        request: &Request,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
        /// The id of the last event that was received.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Field<String>>,
    ) -> Result<JobEvents, Fails<Finding>> {
        let job = jobs::get(&ctx, tenant.id(), job_id.0.known()?).await?;
        // What is no id of an event was not received from here.
        let last = if let Field::Given(last) = last_event_id.0 { last.trim().parse().ok() } else { None };
        Ok(JobEvents::of((*ctx).clone(), Shutdown::of(request), tenant.id(), job.id, last))
    }

    /// Cancel job
    ///
    /// Stop a job, and with it all that make the same version of its knowledge source. A job that runs stops
    /// within two seconds. What the source answered before, it goes on answering.
    #[oai(path = "/jobs/:job_id/cancel", method = "post", operation_id = "cancelJob")]
    async fn cancel_job(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
    ) -> Result<Found<Job>, Fails<Steering>> {
        Ok(Found(knowledge::cancel_job(&ctx, tenant.id(), job_id.0.known()?).await?.into()))
    }

    /// Retry job
    ///
    /// Try a job again that failed or was cancelled, and with it all that made the same version of its
    /// knowledge source. What was done already is not done again.
    #[oai(path = "/jobs/:job_id/retry", method = "post", operation_id = "retryJob")]
    async fn retry_job(
        &self,
        tenant: Tenant<Knowledge>,
        ctx: Data<&Context>,
        /// Unique identifier of the job.
        job_id: Path<PathId<JobId>>,
    ) -> Result<Found<Job>, Fails<Steering>> {
        Ok(Found(knowledge::retry_job(&ctx, tenant.id(), job_id.0.known()?).await?.into()))
    }
}
