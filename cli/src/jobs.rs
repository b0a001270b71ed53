//! `parlance job` and `parlance worker list`.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, Utc};
use parlance_core::ids::{JobId, WorkerId};
use parlance_core::jobs::{self, Filter, Report, State, fleet};
use parlance_core::platform::config::Config;
use parlance_core::{Context, knowledge};
use tokio::time::Instant;

use crate::args::JobCommand;
use crate::data_dir::operator_context;
use crate::output::out;

/// Polling interval of `job drain`.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// More jobs than one worker can run concurrently.
const MAX_RUNNING: i64 = 10_000;

pub(crate) async fn run(config: Config, data_dir: &Path, command: JobCommand) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    match command {
        JobCommand::List { kind, state, bot, source, limit } => {
            let filter = Filter { kind, state, bot, source };
            let jobs = jobs::list_all(&ctx, filter, None, i64::from(limit)).await?;
            if jobs.is_empty() {
                out("No matching jobs.");
            }
            jobs.iter().for_each(|job| out(&line(job)));
        }
        JobCommand::Show { job } => show(&ctx, job).await?,
        JobCommand::Retry { job } => {
            let job = knowledge::retry_any_job(&ctx, job).await?;
            out(&format!("Queued again: {}", line(&job)));
        }
        JobCommand::Cancel { job } => {
            let job = knowledge::cancel_any_job(&ctx, job).await?;
            let verb = if job.state.is_final() { "Cancelled" } else { "Cancelling" };
            out(&format!("{verb}: {}", line(&job)));
        }
        JobCommand::Drain { timeout } => drain(&ctx, timeout.map(Duration::from_secs)).await?,
    }
    Ok(())
}

/// One-line description of a job.
fn line(job: &Report) -> String {
    let created = job.created_at.format("%F %T");
    let error = job.error_code.as_deref().unwrap_or_default();
    format!(
        "{}  {created}  {:<7}  {:<10}  {}/{}  {}{}{}",
        job.id,
        job.kind,
        job.state.as_str(),
        job.attempt,
        job.max_attempts,
        progress(job),
        if error.is_empty() { "" } else { "  " },
        error
    )
}

fn progress(job: &Report) -> String {
    match (&job.progress_unit, job.progress_total) {
        (Some(unit), Some(total)) => format!("{}/{total} {unit}", job.progress_done),
        (Some(unit), None) => format!("{} {unit}", job.progress_done),
        (None, _) => "-".to_owned(),
    }
}

async fn show(ctx: &Context, id: JobId) -> anyhow::Result<()> {
    let Some(job) = jobs::find(ctx, id).await? else { bail!("there is no job {id}") };
    let tenant = job.tenant_id;
    let time = |time: Option<DateTime<Utc>>| time.map_or("-".to_owned(), |time| time.to_rfc3339());
    let optional = |value: Option<String>| value.unwrap_or("-".to_owned());
    let worker = job.worker_id.map(|worker: WorkerId| worker.to_string());
    for (name, value) in [
        ("job", job.id.to_string()),
        ("kind", job.kind.to_string()),
        ("state", job.state.as_str().to_owned()),
        ("attempt", format!("{} of {}", job.attempt, job.max_attempts)),
        ("progress", progress(&job)),
        ("tenant", tenant.to_string()),
        ("bot", optional(job.bot_id.map(|bot| bot.to_string()))),
        ("source", optional(job.source_id.map(|source| source.to_string()))),
        ("parent", optional(job.parent_id.map(|parent| parent.to_string()))),
        ("worker", optional(worker)),
        ("created", time(Some(job.created_at))),
        ("started", time(job.started_at)),
        ("finished", time(job.finished_at)),
        ("deadline", time(Some(job.deadline_at))),
        (
            "error",
            optional(
                job.error_code
                    .clone()
                    .zip(job.error_message.clone())
                    .map(|(code, message)| format!("{code}: {message}")),
            ),
        ),
    ] {
        out(&format!("{name:<9} {value}"));
    }
    if let Some(outlook) = jobs::outlook(ctx, tenant, &job).await? {
        let wait = outlook.wait_seconds.map_or("unknown".to_owned(), |seconds| format!("{seconds:.0} s"));
        out(&format!("queue     position {}, estimated wait {wait}", outlook.position));
    }
    for change in jobs::history(ctx, tenant, id, 0).await? {
        let error = change.error_code.map(|code| format!("  {code}")).unwrap_or_default();
        out(&format!("          {}  {}{error}", change.at.to_rfc3339(), change.state.as_str()));
    }
    for child in jobs::children(ctx, tenant, id).await? {
        out(&format!("child     {}", line(&child)));
    }
    Ok(())
}

/// Waits until no job is queued or running.
async fn drain(ctx: &Context, timeout: Option<Duration>) -> anyhow::Result<()> {
    let end = timeout.map(|timeout| Instant::now() + timeout);
    let mut reported = None;
    loop {
        let counts = jobs::count_by_state(ctx).await?;
        let unfinished: i64 =
            counts.iter().filter(|(_, state, _)| !state.is_final()).map(|(_, _, count)| count).sum();
        if unfinished == 0 {
            let dead: i64 = counts
                .iter()
                .filter(|(_, state, _)| *state == State::Failed)
                .map(|(_, _, count)| count)
                .sum();
            out(&format!("All jobs have finished; {dead} dead letters (parlance job list --state failed)."));
            return Ok(());
        }
        if reported != Some(unfinished) {
            out(&format!("{unfinished} jobs left."));
            reported = Some(unfinished);
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            bail!("timed out with {unfinished} unfinished jobs");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

pub(crate) async fn list_workers(config: Config, data_dir: &Path) -> anyhow::Result<()> {
    let ctx = operator_context(config, data_dir)?;
    let workers = fleet::list(&ctx).await?;
    if workers.is_empty() {
        out("No live workers.");
    }
    for worker in workers {
        let queues: Vec<String> =
            worker.queues.iter().map(|(kind, slots)| format!("{kind}={slots}")).collect();
        let silent = Utc::now().signed_duration_since(worker.last_seen_at).num_seconds().max(0);
        let started = worker.started_at.format("%F %T");
        out(&format!(
            "{}  {}  since {started}  last heartbeat {silent} s ago  {}",
            worker.id,
            worker.name,
            queues.join(" ")
        ));
        for job in jobs::list_all(&ctx, Filter::default(), Some(worker.id), MAX_RUNNING).await? {
            out(&format!("    {}", line(&job)));
        }
    }
    Ok(())
}
