//! Response bodies of the job routes.

use chrono::{DateTime, Utc};
use parlance_core::ids::TenantId;
use parlance_core::jobs::{self, Kind, Moment, Report, State};
use parlance_core::{Context, Result};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::response::types::{Id, OrNull, Timestamp};
use crate::routes::knowledge::{Progress, SourceError};

/// A job.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Job {
    /// Unique identifier of the job.
    pub(crate) id: Id,
    /// Kind of work.
    pub(crate) kind: Word<Kind>,
    /// State. `failed` is final: the attempts are used up, or a retry would not help.
    pub(crate) state: Word<State>,
    /// Attempts started.
    pub(crate) attempt: i32,
    /// Maximum number of attempts.
    pub(crate) max_attempts: i32,
    /// Progress; null until the job reports some, so a job of less than a second may have none.
    pub(crate) progress: OrNull<Progress>,
    /// The bot it works for.
    pub(crate) bot_id: OrNull<Id>,
    /// The knowledge source it works on.
    pub(crate) source_id: OrNull<Id>,
    /// Version of that source.
    pub(crate) source_version: OrNull<i32>,
    /// Parent job.
    pub(crate) parent_id: OrNull<Id>,
    /// Error of the last attempt.
    pub(crate) error: OrNull<SourceError>,
    /// Whether cancellation was requested.
    pub(crate) cancel_requested: bool,
    /// Timings, in milliseconds.
    pub(crate) timings_ms: JobTimings,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
    /// Time of the next attempt, while the job waits for it.
    pub(crate) next_attempt_at: OrNull<Timestamp>,
    /// Start of the first attempt.
    pub(crate) started_at: OrNull<Timestamp>,
    /// Time of the end.
    pub(crate) finished_at: OrNull<Timestamp>,
    /// Deadline, after which the job fails.
    pub(crate) deadline_at: Timestamp,
}

/// Timings of a job, in milliseconds.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct JobTimings {
    /// From creation to the first attempt; null before that.
    pub(crate) waited: OrNull<i64>,
    /// From the first attempt to the end, including pauses between attempts; null before that.
    pub(crate) ran: OrNull<i64>,
}

/// Queue position of a job.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Queue {
    /// Position among your waiting jobs of the same kind, from 1.
    pub(crate) position: i64,
    /// Estimated wait in seconds, at the rate of your last ten minutes; null if no job ran in them.
    pub(crate) estimated_wait_seconds: OrNull<f64>,
}

/// A job with its queue position and child jobs.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct JobDetails {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) job: Job,
    /// Queue position, while the job waits.
    pub(crate) queue: OrNull<Queue>,
    /// Child jobs, oldest first; the first 200.
    pub(crate) children: Vec<Job>,
}

/// A state change of a job.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct JobEvent {
    /// Unique identifier of the job.
    pub(crate) job_id: Id,
    /// The new state.
    pub(crate) state: Word<State>,
    /// Attempts started so far.
    pub(crate) attempt: i32,
    /// Time of the change.
    pub(crate) at: Timestamp,
    /// Error of the last attempt.
    pub(crate) error: OrNull<SourceError>,
}

impl JobDetails {
    pub(super) async fn of(ctx: &Context, tenant: TenantId, job: Report) -> Result<Self> {
        let queue = jobs::outlook(ctx, tenant, &job).await?.map(|outlook| Queue {
            position: outlook.position,
            estimated_wait_seconds: OrNull(outlook.wait_seconds),
        });
        let children = jobs::children(ctx, tenant, job.id).await?;
        Ok(Self {
            job: job.into(),
            queue: OrNull(queue),
            children: children.into_iter().map(Into::into).collect(),
        })
    }
}

impl JobEvent {
    pub(super) fn of(job: parlance_core::ids::JobId, moment: Moment) -> Self {
        Self {
            job_id: job.into(),
            state: moment.state.into(),
            attempt: moment.attempt,
            at: moment.at.into(),
            error: error(moment.error_code, moment.error_message),
        }
    }
}

impl From<Report> for Job {
    fn from(job: Report) -> Self {
        let waits = matches!(job.state, State::Queued | State::Dispatched) && job.not_before > Utc::now();
        let started = job.started_at;
        Self {
            id: job.id.into(),
            kind: job.kind.into(),
            state: job.state.into(),
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            progress: OrNull(job.progress_unit.map(|unit| Progress {
                percent: percent(job.state, job.progress_done, job.progress_total),
                done: job.progress_done,
                total: OrNull(job.progress_total),
                unit,
            })),
            bot_id: OrNull::of(job.bot_id),
            source_id: OrNull::of(job.source_id),
            source_version: OrNull(job.source_version),
            parent_id: OrNull::of(job.parent_id),
            error: error(job.error_code, job.error_message),
            cancel_requested: job.cancel_requested,
            timings_ms: JobTimings {
                waited: OrNull(started.map(|started| milliseconds(job.created_at, started))),
                ran: OrNull(
                    started.zip(job.finished_at).map(|(started, ended)| milliseconds(started, ended)),
                ),
            },
            created_at: job.created_at.into(),
            next_attempt_at: OrNull(waits.then(|| job.not_before.into())),
            started_at: OrNull::of(started),
            finished_at: OrNull::of(job.finished_at),
            deadline_at: job.deadline_at.into(),
        }
    }
}

fn error(code: Option<String>, message: Option<String>) -> OrNull<SourceError> {
    OrNull(code.zip(message).map(|(code, message)| SourceError { code, message }))
}

fn milliseconds(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    to.signed_duration_since(from).num_milliseconds().max(0)
}

/// 100 only when the job succeeded.
fn percent(state: State, done: i64, total: Option<i64>) -> i64 {
    match (state, total) {
        (State::Succeeded, _) => 100,
        (_, Some(total)) if total > 0 => (done.saturating_mul(100) / total).clamp(0, 99),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_succeeded_job_is_at_100_percent() {
        for (state, done, total, expected) in [
            (State::Succeeded, 3, Some(4), 100),
            (State::Running, 4, Some(4), 99),
            (State::Running, 1, Some(3), 33),
            (State::Running, 5, None, 0),
            (State::Failed, 0, Some(0), 0),
        ] {
            assert_eq!(percent(state, done, total), expected);
        }
    }
}
