//! The stream of a job: what it missed, then what happens, until the job ends.
//!
//! The ledger is asked, not the bus: news only wake the stream, and what the bus forgot costs a second.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use parlance_core::ids::{JobId, TenantId};
use parlance_core::jobs;
use parlance_core::{Context, Error, Result};
use poem::web::sse::Event;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

use super::responses::{Job, JobEvent};
use crate::error::named_request;
use crate::middleware::shutdown::Leaving;
use crate::response::sse;

/// What the specification says of an event.
const EVENT: &str = "An event: its name, `state`, `job` or `error`; its id, for `Last-Event-ID`; and its data, \
                     as JSON: of `state` a JobEvent, of `job` a Job, of `error` its code.";

/// How often the ledger is asked when there is no news: progress is no news.
const LOOK: Duration = Duration::from_secs(1);

/// 200: what happens to a job, as it happens.
pub(crate) struct Events(Watch);

impl Events {
    pub(super) fn of(
        ctx: Context,
        leaving: Leaving,
        tenant: TenantId,
        job: JobId,
        last: Option<i64>,
    ) -> Self {
        let (news, ready) = (ctx.bus().job_events(), VecDeque::new());
        Self(Watch { ctx, leaving, tenant, job, news, last, told: None, ready, is_over: false })
    }
}

struct Watch {
    ctx: Context,
    leaving: Leaving,
    tenant: TenantId,
    job: JobId,
    news: tokio::sync::broadcast::Receiver<parlance_core::platform::bus::JobEvent>,
    /// The last event that the client has.
    last: Option<i64>,
    /// The last revision that was told as a whole.
    told: Option<i64>,
    ready: VecDeque<Event>,
    is_over: bool,
}

impl Watch {
    fn stream(self) -> impl Stream<Item = Event> {
        stream::unfold(self, async |mut watch| {
            loop {
                if let Some(event) = watch.ready.pop_front() {
                    return Some((event, watch));
                }
                if watch.is_over {
                    return None;
                }
                if watch.told.is_some() {
                    let leaving = watch.leaving.clone();
                    tokio::select! {
                        () = watch.wait() => {}
                        // The client comes back, to another process, and is told what it missed.
                        () = leaving.begins() => return None,
                    }
                }
                if let Err(error) = watch.look().await {
                    watch.give_up(&error);
                }
            }
        })
    }

    /// Until something happened to the job, or it is time to look.
    async fn wait(&mut self) {
        let heard = async {
            while let Ok(event) = self.news.recv().await {
                if event.job == self.job {
                    return;
                }
            }
            std::future::pending().await
        };
        let _late = tokio::time::timeout(LOOK, heard).await;
    }

    async fn look(&mut self) -> Result<()> {
        let report = jobs::get(&self.ctx, self.tenant, self.job).await?;
        if self.told == Some(report.revision) {
            return Ok(());
        }
        if let Some(last) = self.last {
            let moments = jobs::history(&self.ctx, self.tenant, self.job, last).await?;
            // The history is read after the report: a later state is told with the next report, not twice.
            for moment in moments.into_iter().filter(|moment| moment.revision <= report.revision) {
                let id = moment.revision;
                self.tell("state", id, &JobEvent::of(self.job, moment))?;
            }
        }
        let revision = report.revision;
        self.is_over = report.state.is_final();
        self.tell("job", revision, &Job::from(report))?;
        (self.last, self.told) = (Some(revision), Some(revision));
        Ok(())
    }

    fn tell(&mut self, name: &str, id: i64, what: &impl serde::Serialize) -> Result<()> {
        let data = serde_json::to_string(what)
            .map_err(|error| Error::internal("an event cannot be written", error))?;
        self.ready.push_back(Event::message(data).event_type(name).id(id.to_string()));
        Ok(())
    }

    /// The job is gone, or the ledger does not answer: the client may come back.
    fn give_up(&mut self, error: &Error) {
        tracing::debug!(%error, "a job is watched no more");
        let code = if matches!(error, Error::NotFound(_)) { "job_not_found" } else { "unavailable" };
        let data = serde_json::json!({"code": code}).to_string();
        self.ready.push_back(Event::message(data).event_type("error"));
        self.is_over = true;
    }
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        sse::response(self.0.stream())
    }
}

impl ApiResponse for Events {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "OK: events, until the job ends",
                status: Some(200),
                status_range: None,
                content: vec![sse::documented(EVENT)],
                headers: vec![named_request()],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        JobEvent::register(registry);
        Job::register(registry);
    }
}
