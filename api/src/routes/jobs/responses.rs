//! Jobs, as the API shows them.

use chrono::{DateTime, Utc};
use parlance_core::ids::TenantId;
use parlance_core::jobs::{self, Kind, Moment, Report, State};
use parlance_core::{Context, Result};
use poem_openapi::Object;

use crate::extract::enums::Word;
use crate::extract::types::{Id, OrNull, Timestamp};
use crate::routes::knowledge::{Progress, SourceError};

/// A job.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Job {
    /// Its id.
    pub(crate) id: Id,
    /// What it does.
    pub(crate) kind: Word<Kind>,
    /// Where it stands. `failed` is for good: it was tried as often as it may be, or trying again would not
    /// help.
    pub(crate) state: Word<State>,
    /// Tries begun.
    pub(crate) attempt: i32,
    /// Tries at most.
    pub(crate) max_attempts: i32,
    /// How far it is; null while nothing was told, as of a job that took less than a second.
    pub(crate) progress: OrNull<Progress>,
    /// The bot that it is about.
    pub(crate) bot_id: OrNull<Id>,
    /// The knowledge source that it is about.
    pub(crate) source_id: OrNull<Id>,
    /// The version of that source.
    pub(crate) source_version: OrNull<i32>,
    /// The job from which it followed.
    pub(crate) parent_id: OrNull<Id>,
    /// Why the last try failed.
    pub(crate) error: OrNull<SourceError>,
    /// Whether it was asked to stop.
    pub(crate) cancel_requested: bool,
    /// How long it took, in milliseconds.
    pub(crate) timings_ms: JobTimings,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it is tried next, while it waits for that.
    pub(crate) next_attempt_at: OrNull<Timestamp>,
    /// When it was first begun.
    pub(crate) started_at: OrNull<Timestamp>,
    /// When it ended.
    pub(crate) finished_at: OrNull<Timestamp>,
    /// When it fails whatever happens.
    pub(crate) deadline_at: Timestamp,
}

/// How long a job took, in milliseconds.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct JobTimings {
    /// Until it was first begun; null before that.
    pub(crate) waited: OrNull<i64>,
    /// From then to its end, with the pauses between tries; null before that.
    pub(crate) ran: OrNull<i64>,
}

/// What a job has before it.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct Queue {
    /// Its place among your jobs of its kind that wait, from 1.
    pub(crate) position: i64,
    /// How long until it is begun, in seconds, at the rate of your last ten minutes; null when nothing was
    /// done in them.
    pub(crate) estimated_wait_seconds: OrNull<f64>,
}

/// A job with what is before it and what came of it.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct JobDetails {
    #[oai(flatten)]
    #[serde(flatten)]
    pub(crate) job: Job,
    /// What it has before it, while it waits.
    pub(crate) queue: OrNull<Queue>,
    /// The jobs that followed from it, oldest first; the first 200.
    pub(crate) children: Vec<Job>,
}

/// A state that a job entered.
#[derive(Debug, Object, serde::Serialize)]
pub(crate) struct JobEvent {
    /// The job.
    pub(crate) job_id: Id,
    /// The state.
    pub(crate) state: Word<State>,
    /// Tries begun until then.
    pub(crate) attempt: i32,
    /// When.
    pub(crate) at: Timestamp,
    /// Why the last try failed.
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

/// It is whole only when the job succeeded.
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
    fn a_job_is_whole_only_when_it_succeeded() {
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
