//! Event stream of a job: missed states first, then each change until the job ends.
//!
//! The database is the source of truth: bus messages only wake the stream, and a lost one delays it by a second.

use std::time::Duration;

use parlance_core::ids::{JobId, TenantId};
use parlance_core::jobs;
use parlance_core::platform::limits::Permit;
use parlance_core::{Context, Error, Result};
use poem::web::sse::Event;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use tokio::sync::{broadcast, mpsc};

use super::responses::{Job, JobEvent};
use crate::middleware::shutdown::Shutdown;
use crate::response::headers;
use crate::response::sse;

/// Description of the events in the specification.
const EVENTS: &str = "An event with a name (`state`, `job` or `error`), an id for `Last-Event-ID`, and JSON data: a \
                      JobEvent for `state`, a Job for `job`, the error code for `error`.";

/// Interval of database reads without bus messages: progress is not published.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Events that may wait for a slow client.
const BUFFER: usize = 1;

/// 200 with the events of a job. Dropping it ends the watch.
pub(crate) struct JobEvents(mpsc::Receiver<Event>);

impl JobEvents {
    /// Watches a job. `last` is the id of the last event that the client received. The permit is released when the
    /// stream ends or the client disconnects.
    pub(super) fn of(
        ctx: Context,
        shutdown: Shutdown,
        tenant: TenantId,
        job: JobId,
        last: Option<i64>,
        permit: Permit,
    ) -> Self {
        let (events, receiver) = mpsc::channel(BUFFER);
        let bus = ctx.bus().job_events();
        let watch = Watch { ctx, tenant, job, bus, events, last, sent_revision: None };
        tokio::spawn(async move {
            watch.run(shutdown).await;
            drop(permit);
        });
        Self(receiver)
    }
}

struct Watch {
    ctx: Context,
    tenant: TenantId,
    job: JobId,
    bus: broadcast::Receiver<parlance_core::platform::bus::JobEvent>,
    events: mpsc::Sender<Event>,
    /// Id of the last event that the client has.
    last: Option<i64>,
    /// Revision of the last `job` event.
    sent_revision: Option<i64>,
}

impl Watch {
    /// Sends events until the job ends, the client disconnects or the process shuts down.
    async fn run(mut self, shutdown: Shutdown) {
        loop {
            // The job is read once the client has taken the last event, so a slow client gets the newest state.
            if self.events.reserve().await.is_err() {
                return;
            }
            match self.send_changes().await {
                Ok(has_ended) if has_ended => return,
                Ok(_) => {}
                Err(error) => return self.send_error(&error).await,
            }
            let events = self.events.clone();
            tokio::select! {
                () = self.wait() => {}
                () = events.closed() => return,
                // The client reconnects to another process, which sends the missed events.
                () = shutdown.started() => return,
            }
        }
    }

    /// Waits for a bus message about the job, or for the next poll.
    async fn wait(&mut self) {
        let message = async {
            while let Ok(event) = self.bus.recv().await {
                if event.job == self.job {
                    return;
                }
            }
            std::future::pending().await
        };
        let _elapsed = tokio::time::timeout(POLL_INTERVAL, message).await;
    }

    /// Sends what changed since the last call. Returns whether the job has ended.
    async fn send_changes(&mut self) -> Result<bool> {
        let report = jobs::get(&self.ctx, self.tenant, self.job).await?;
        if self.sent_revision == Some(report.revision) {
            return Ok(false);
        }
        if let Some(last) = self.last {
            let moments = jobs::history(&self.ctx, self.tenant, self.job, last).await?;
            // The history is read after the report. Later states come with the next report, not twice.
            for moment in moments.into_iter().filter(|moment| moment.revision <= report.revision) {
                let id = moment.revision;
                self.send("state", id, &JobEvent::of(self.job, moment)).await?;
            }
        }
        let (revision, has_ended) = (report.revision, report.state.is_final());
        self.send("job", revision, &Job::from(report)).await?;
        (self.last, self.sent_revision) = (Some(revision), Some(revision));
        Ok(has_ended)
    }

    async fn send(&self, name: &str, id: i64, data: &impl serde::Serialize) -> Result<()> {
        let data = serde_json::to_string(data)
            .map_err(|error| Error::internal("serializing an event failed", error))?;
        self.send_event(Event::message(data).event_type(name).id(id.to_string())).await;
        Ok(())
    }

    /// Sends the last event when the job was deleted or the database is unavailable: the client may reconnect.
    async fn send_error(&self, error: &Error) {
        tracing::debug!(%error, "reading a watched job failed; its event stream ends");
        let code = if matches!(error, Error::NotFound(_)) { "job_not_found" } else { "unavailable" };
        let data = serde_json::json!({"code": code}).to_string();
        self.send_event(Event::message(data).event_type("error")).await;
    }

    async fn send_event(&self, event: Event) {
        // Fails after a disconnect, which `run` detects.
        let _disconnected = self.events.send(event).await;
    }
}

impl IntoResponse for JobEvents {
    fn into_response(self) -> Response {
        sse::response(sse::receiver_stream(self.0))
    }
}

impl ApiResponse for JobEvents {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "OK: events, until the job ends",
                status: Some(200),
                status_range: None,
                content: vec![sse::documented(EVENTS)],
                headers: vec![headers::request_id()],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        JobEvent::register(registry);
        Job::register(registry);
    }
}
