//! Jobs.

use parlance_core::jobs;
use poem_openapi::types::Example;

use super::{BOT, JOB, SOURCE, moment};
use crate::extract::types::{Id, OrNull};
use crate::routes::jobs::{Job, JobDetails, JobEvent, JobTimings, Queue};
use crate::routes::knowledge::Progress;

impl Example for Job {
    fn example() -> Self {
        Self {
            id: Id::from(JOB),
            kind: jobs::Kind::Embed.into(),
            state: jobs::State::Running.into(),
            attempt: 1,
            max_attempts: 5,
            progress: OrNull(Some(Progress {
                done: 8,
                total: OrNull(Some(32)),
                unit: "chunks".into(),
                percent: 25,
            })),
            bot_id: OrNull(Some(Id::from(BOT))),
            source_id: OrNull(Some(Id::from(SOURCE))),
            source_version: OrNull(Some(1)),
            parent_id: OrNull(None),
            error: OrNull(None),
            cancel_requested: false,
            timings_ms: JobTimings { waited: OrNull(Some(120)), ran: OrNull(None) },
            created_at: moment(0),
            next_attempt_at: OrNull(None),
            started_at: OrNull(Some(moment(1))),
            finished_at: OrNull(None),
            deadline_at: moment(86_400),
        }
    }
}

impl Example for JobDetails {
    fn example() -> Self {
        let job = Job {
            state: jobs::State::Queued.into(),
            attempt: 0,
            progress: OrNull(None),
            timings_ms: JobTimings { waited: OrNull(None), ran: OrNull(None) },
            started_at: OrNull(None),
            ..Job::example()
        };
        let queue = Queue { position: 3, estimated_wait_seconds: OrNull(Some(2.5)) };
        Self { job, queue: OrNull(Some(queue)), children: Vec::new() }
    }
}

impl Example for JobEvent {
    fn example() -> Self {
        Self {
            job_id: Id::from(JOB),
            state: jobs::State::Succeeded.into(),
            attempt: 1,
            at: moment(2),
            error: OrNull(None),
        }
    }
}
